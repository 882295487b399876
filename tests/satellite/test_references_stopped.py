"""Referencing and pinning that is stopped while a server makes everybody wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from python_butler.demo.platform import Platform
from python_butler.errors import OfficialServerError
from python_butler.satellite import Satellite
from python_butler.satellite.report import Status

BUSY = {"status": 429, "headers": {"Retry-After": "60"}}
AT_ONCE = 20.0
"""Seconds, of a machine that has much else to do; the server says to wait for 60."""


@pytest.fixture(scope="module")
def troubled(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("platform"), repository=repository) as platform:
        yield platform


@pytest.fixture
def satellite(troubled: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Satellite]:
    monkeypatch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path / "cache"))
    for name, value in troubled.environment.items():
        monkeypatch.setenv(name, value)
    yield Satellite.create("dp2", tmp_path / "satellite")
    troubled.calm()


def cancel_when_asked(platform: Platform, path: str) -> threading.Event:
    """An event that is set as soon as a server was asked something."""
    cancel = threading.Event()
    platform.requests(forget=True)

    def watch() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any(path in r.path for r in platform.requests()):
            time.sleep(0.05)
        cancel.set()

    threading.Thread(target=watch, daemon=True).start()
    return cancel


@pytest.mark.parametrize("path", ["file_transfer", "query/execute", "query_collection_info"])
def test_who_cancels_does_not_wait_for_a_busy_server(
    satellite: Satellite, troubled: Platform, path: str
) -> None:
    troubled.trouble("server", path=path, **BUSY)
    cancel = cancel_when_asked(troubled, path)
    begin = time.monotonic()
    report = satellite.reference("source", cancel=cancel)
    assert time.monotonic() - begin < AT_ONCE
    assert report.cancelled
    assert report.count(Status.NEW) == 0
    troubled.calm()
    # Nobody else in the process was stopped.
    assert satellite.reference("source").count(Status.NEW) > 0


def test_a_cancelled_copy_keeps_what_is_done_and_gives_up_the_rest(
    satellite: Satellite, troubled: Platform
) -> None:
    troubled.trouble("store", after=3, **BUSY)
    cancel = threading.Event()
    begin = time.monotonic()
    report = satellite.reference(
        "source",
        copy=True,
        progress=lambda progress: cancel.set() if progress.what == "pinning" else None,
        cancel=cancel,
    )
    assert time.monotonic() - begin < AT_ONCE
    assert report.cancelled
    assert 0 < report.copied <= 3 < report.count(Status.NEW)
    assert satellite.info().pinned == report.copied
    assert list((satellite.root / "unfinished").iterdir()) == []
    troubled.calm()
    with satellite.reader() as reader:
        refs = reader.query_datasets("source", "dp2")
    assert satellite.pin(refs).done == len(refs) - report.copied


def test_a_failure_leaves_no_half_files(satellite: Satellite, troubled: Platform) -> None:
    satellite.reference("source")
    with satellite.reader() as reader:
        refs = reader.query_datasets("source", "dp2")
    troubled.trouble("store", after=4, hang=True)
    troubled.trouble("server", path="get_file", after=4, status=403)
    with pytest.raises(OfficialServerError):
        satellite.pin(refs)
    assert list((satellite.root / "unfinished").iterdir()) == []
    kept = {path.name[:36] for path in satellite.root.rglob("*.parq")}
    assert len(kept) == satellite.info().pinned


def test_what_is_referenced_but_could_not_be_copied_is_told(satellite: Satellite, troubled: Platform) -> None:
    troubled.trouble("store", after=2, times=1, status=404)
    report = satellite.reference("source", copy=True)
    assert len(report.not_copied) == 1
    assert report.copied == report.count(Status.NEW) - 1
    assert report.problems == []
    assert "1 not copied" in str(report)
