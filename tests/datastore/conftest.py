"""A satellite with references to a small official repository behind a real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import signer_for
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from .scene import ZIPPED, build, enter, satellite_with


@pytest.fixture(scope="session")
def files_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An official repository with files of every kind."""
    return build(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="session")
def files_platform(files_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that serves it: leave it as it was found."""
    with Platform(tmp_path_factory.mktemp("platform"), repository=files_repository) as platform:
        yield platform


def _enter(platform: Platform, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(platform, monkeypatch, directory / "butler")
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))


@pytest.fixture
def kernel(files_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """This process as a kernel on that platform, with no satellite and an empty cache."""
    _enter(files_platform, tmp_path, monkeypatch)
    # All tests of this process use one signer.
    signer_for("dp2").forget_signed()
    return files_platform


@pytest.fixture(scope="session")
def _template(files_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A satellite that references everything, taken with upstream's own transfer."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        _enter(files_platform, tmp_path_factory.mktemp("template"), monkeypatch)
        satellite_with("source", "large", "note", "metric")
        return satellite_with("note", collections=ZIPPED).root


@pytest.fixture
def satellite(kernel: Platform, _template: Path, tmp_path: Path) -> Satellite:
    """A copy of it for one test: a satellite is a directory that can be copied."""
    shutil.copytree(_template, tmp_path / "butler" / "dp2")
    return Satellite.open("dp2")


@pytest.fixture
def reader(satellite: Satellite) -> Iterator[DirectButler]:
    """The satellite as a plain Butler, for reading."""
    with satellite.reader() as butler:
        yield butler


@pytest.fixture
def writer(satellite: Satellite) -> Iterator[DirectButler]:
    """The satellite as a plain Butler, for writing."""
    with satellite.writer() as butler:
        yield butler
