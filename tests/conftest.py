"""The miniature platform as fixtures: a real Butler server and object store on loopback."""

from __future__ import annotations

import faulthandler
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from python_butler.demo.buckets import Buckets
from python_butler.demo.platform import Platform
from python_butler.demo.postgres import PostgresServer
from python_butler.demo.service import PlatformError

# The client retries as often as ever when an object store fails, but waits less in between.
os.environ.setdefault("LSST_HTTP_BACKOFF_MIN", "0.05")
os.environ.setdefault("LSST_HTTP_BACKOFF_MAX", "0.1")

FOREIGN_VARIABLES = (
    "ACCESS_TOKEN",
    "DAF_BUTLER_CONFIG_PATH",
    "DAF_BUTLER_REPOSITORIES",
    "NUBLADO_RUNTIME_MOUNTS_DIR",
)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Let a thread or process that hangs, and that the interpreter waits for, keep nothing from ending."""
    faulthandler.dump_traceback_later(120, exit=True)


@pytest.fixture(scope="session", autouse=True)
def _file_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Copies of official files are kept apart: those that others built have the same IDs, and other bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path_factory.mktemp("files")))
        yield


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
    """This process's environment as a kernel on the platform has it, with no satellite and an empty cache."""
    variables = {
        **platform.environment,
        "DAF_BUTLER_CACHE_DIRECTORY": str(tmp_path / "cache"),
        "PYTHON_BUTLER_ROOT": str(tmp_path / "butler"),
    }
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL server that all tests share: each uses a database of its own."""
    try:
        server = PostgresServer().__enter__()
    except PlatformError as error:
        pytest.skip(str(error))
    try:
        yield server
    finally:
        server.close()


_databases = itertools.count(1)


@pytest.fixture
def postgres(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty database, which this process may use as its environment says."""
    for name in ("LSST_DB_AUTH", "LSST_DB_AUTH_CREDENTIALS", "PGDATABASE", "PGHOST", "PGPORT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in postgres_server.environment.items():
        monkeypatch.setenv(name, value)
    return postgres_server.create_database(f"test{next(_databases)}")


@pytest.fixture(scope="session")
def _buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buckets]:
    with Buckets(tmp_path_factory.mktemp("buckets")) as buckets:
        yield buckets


@pytest.fixture
def object_storage(_buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of an empty place in an object store, which this process may use as its environment says."""
    for name, value in _buckets.environment.items():
        monkeypatch.setenv(name, value)
    return f"s3://{_buckets.bucket}/test{next(_databases)}/"
