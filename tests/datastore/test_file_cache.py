"""Official files that were read are kept on disk: for later processes, within a limit, never in the way."""

from __future__ import annotations

import concurrent.futures
import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import Butler, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import file_cache, references_of
from python_butler.demo.platform import Platform
from python_butler.errors import GoneError, InvalidRequestError, NoSpaceError, OfflineError
from python_butler.satellite import Satellite
from python_butler.settings import file_cache_directory
from tests.processes import starting_by

from .scene import RUN, VISITS, ZIPPED, metric


def of_type(butler: DirectButler, name: str, collections: str = RUN) -> list[DatasetRef]:
    return butler.query_datasets(name, collections=collections, order_by="visit")


def kept() -> list[Path]:
    return [path for path in file_cache_directory().glob("*-*") if path.name != "last-tidied"]


def test_a_file_is_downloaded_once_for_all_processes(satellite: Satellite, kernel: Platform) -> None:
    with satellite.reader() as first:
        (ref,) = of_type(first, "large")
        whole = first.get(ref)
    kernel.requests(forget=True)
    with satellite.reader() as second:
        again = second.get(ref)
        part = second.get(ref, parameters={"columns": ["flux"]})
        assert second.exists(ref)
    assert (again == whole).all()
    assert (part["flux"] == whole["flux"]).all()
    assert kernel.requests() == []


def test_nothing_is_kept_of_a_read_of_a_part(reader: DirectButler) -> None:
    (ref,) = of_type(reader, "large")
    reader.get(ref, parameters={"columns": ["flux"]})
    assert kept() == []


def test_the_oldest_files_go_when_the_limit_is_reached(
    satellite: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAF_BUTLER_CACHE_EXPIRATION_MODE", "size=4000")
    with satellite.reader() as butler:
        sources = of_type(butler, "source")
        for ref in sources:
            butler.get(ref)
        size = kept()[0].stat().st_size
        assert len(kept()) <= 4000 // size + 1
        assert sources[-1].id.hex in {path.stem.replace("-", "") for path in kept()}
        assert butler.get(sources[0])["visit"][0] == VISITS[0]


def test_what_upstream_keeps_in_the_same_place_drives_nothing_out(
    satellite: Satellite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path / "shared"))
    with satellite.reader() as butler:
        references_of(butler).prefetch(of_type(butler, "source"))
    with Butler.from_config("dp2") as upstream:
        for ref in upstream.query_datasets("note", RUN, limit=2):
            upstream.get(ref)
    assert list((tmp_path / "shared").glob("*.yaml"))
    assert len(kept()) == len(VISITS)


def test_many_threads_keep_to_the_limit_and_no_less(
    satellite: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with satellite.reader() as butler:
        sources = of_type(butler, "source")
        butler.get(sources[0])
        size = kept()[0].stat().st_size
    monkeypatch.setenv("DAF_BUTLER_CACHE_EXPIRATION_MODE", f"size={10 * size}")
    with satellite.reader() as butler:
        for _ in range(4):
            for begin in (0, 4):
                references_of(butler).prefetch(sources[begin : begin + 8])
        butler.get(sources[0])
    assert 8 <= len(kept()) <= 11


def test_a_file_is_read_though_the_disk_of_the_cache_is_full(
    reader: DirectButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = of_type(reader, "source")[2]
    whole = Path.open

    def full(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        # A full disk cannot be had here: this one has no room below the directory of the cache.
        if "w" in mode and path.is_relative_to(file_cache_directory()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(path, mode, *more, **options)

    monkeypatch.setattr(Path, "open", full)
    assert reader.get(ref)["visit"][0] == 3
    for path in kept():
        path.unlink()
    with pytest.raises(NoSpaceError, match="no room left in"):
        references_of(reader).prefetch([ref])


def test_a_file_that_is_shorter_than_it_should_be_is_not_kept(reader: DirectButler, kernel: Platform) -> None:
    ref = of_type(reader, "source")[0]
    kernel.trouble("store", path="source", status=200, body="PAR1")
    try:
        with pytest.raises(OfflineError, match="has 4 bytes"):
            references_of(reader).prefetch([ref])
    finally:
        kernel.calm()
    assert kept() == []


def test_a_damaged_copy_is_replaced(reader: DirectButler) -> None:
    ref = of_type(reader, "source")[0]
    good = reader.get(ref)
    (path,) = kept()
    path.write_bytes(path.read_bytes()[:100])
    assert (reader.get(ref) == good).all()
    assert path.stat().st_size > 100


def test_a_directory_that_cannot_be_written_is_not_used(
    satellite: Satellite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with satellite.reader() as butler:
        assert butler.get(of_type(butler, "note")[0]) == {"visit": 1}


def test_leftovers_of_killed_downloads_go(reader: DirectButler, monkeypatch: pytest.MonkeyPatch) -> None:
    leftover = file_cache_directory() / "exempt" / "abc.parq"
    leftover.parent.mkdir(parents=True, exist_ok=True)
    leftover.write_text("half")
    monkeypatch.setattr(file_cache, "_LEFTOVER_SECONDS", -1.0)
    reader.get(of_type(reader, "source")[0])
    assert not leftover.exists()


def test_prefetched_files_are_read_without_the_server(reader: DirectButler, kernel: Platform) -> None:
    refs = [*of_type(reader, "source"), *of_type(reader, "metric")]
    told: list[tuple[int, int]] = []
    references_of(reader).prefetch(refs, progress=lambda done, total: told.append((done, total)))
    files = len(VISITS) + 2 * 3
    assert told[-1] == (files, files)
    kernel.requests(forget=True)
    for ref in refs[:-2]:
        assert reader.get(ref)["visit"][0] == ref.dataId["visit"]
    assert reader.get(refs[-1]) == metric(2)
    references_of(reader).prefetch(refs)
    assert kernel.requests() == []


def test_members_of_a_zip_file_are_signed_for_only(reader: DirectButler, kernel: Platform) -> None:
    refs = of_type(reader, "note", ZIPPED)
    references_of(reader).prefetch(refs)
    kernel.requests(forget=True)
    assert reader.get(refs[0]) == {"visit": -1}
    assert kernel.requests("server") == []


def test_more_than_fits_is_refused_before_it_begins(
    satellite: Satellite, kernel: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAF_BUTLER_CACHE_EXPIRATION_MODE", "size=1000000")
    with satellite.reader() as butler:
        refs = of_type(butler, "large")
        kernel.requests(forget=True)
        with pytest.raises(InvalidRequestError, match="more than the cache"):
            references_of(butler).prefetch(refs)
    assert kernel.requests() == []


@pytest.mark.parametrize("mode", ["files", "datasets"])
def test_more_than_the_cache_keeps_in_number_is_refused_before_it_begins(
    satellite: Satellite, kernel: Platform, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setenv("DAF_BUTLER_CACHE_EXPIRATION_MODE", f"{mode}=5")
    with satellite.reader() as butler:
        refs = of_type(butler, "source")
        kernel.requests(forget=True)
        with pytest.raises(InvalidRequestError, match="1 more than"):
            references_of(butler).prefetch(refs[:6])
        assert kernel.requests() == []
        references_of(butler).prefetch(refs[:5])
    assert len(kept()) == 5


def test_prefetching_can_be_cancelled(reader: DirectButler, kernel: Platform) -> None:
    cancelled = threading.Event()
    # Two files come at once, the others so late that most have not been begun when it is cancelled.
    kernel.trouble("store", delay=1.0, after=2)
    try:
        complete = references_of(reader).prefetch(
            of_type(reader, "source"), progress=lambda done, total: cancelled.set(), cancelled=cancelled
        )
    finally:
        kernel.calm()
    assert not complete
    assert 0 < len(kept()) < len(VISITS)


def test_a_file_that_is_gone_does_not_keep_the_others_from_being_fetched(
    reader: DirectButler, kernel: Platform
) -> None:
    refs = of_type(reader, "source")
    kernel.trouble("store", path="_3_Cam", status=404)
    try:
        with pytest.raises(GoneError, match="no longer"):
            references_of(reader).prefetch(refs)
    finally:
        kernel.calm()
    assert len(kept()) == len(VISITS) - 1


def test_many_processes_fill_one_cache(satellite: Satellite) -> None:
    with satellite.reader() as butler:
        refs = of_type(butler, "source")
        context = starting_by("forkserver")
        with concurrent.futures.ProcessPoolExecutor(3, mp_context=context) as pool:
            list(pool.map(butler.get, refs * 3))
    assert len(kept()) == len(VISITS)
