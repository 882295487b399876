"""The miniature platform as fixtures: a real Butler server and object store on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from python_butler.demo.platform import Platform

# The client retries as often as ever when an object store fails, but waits less in between.
os.environ.setdefault("LSST_HTTP_BACKOFF_MIN", "0.05")
os.environ.setdefault("LSST_HTTP_BACKOFF_MAX", "0.1")

FOREIGN_VARIABLES = (
    "ACCESS_TOKEN",
    "DAF_BUTLER_CACHE_DIRECTORY",
    "DAF_BUTLER_CONFIG_PATH",
    "DAF_BUTLER_REPOSITORIES",
    "NUBLADO_RUNTIME_MOUNTS_DIR",
)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The demonstration repository, built once for a machine and never modified."""
    from python_butler.demo.repository import ensure_repository

    return ensure_repository()


@pytest.fixture(scope="session")
def platform(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform that all tests share: leave it as it was found."""
    with Platform(tmp_path_factory.mktemp("platform"), repository=repository) as platform:
        yield platform


@pytest.fixture
def own_platform(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform for one test, which may stop and break it."""
    with Platform(tmp_path_factory.mktemp("own_platform"), repository=repository) as platform:
        yield platform


@pytest.fixture
def environment(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """This process's environment as a kernel on the platform has it, with an empty satellite root."""
    variables = {**platform.environment, "PYTHON_BUTLER_ROOT": str(tmp_path / "butler")}
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables
