"""Pinned datasets of every kind of file."""

from __future__ import annotations

from pathlib import Path

import pytest

from python_butler.datastore import references_of
from python_butler.datastore.path import split_reference
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from .scene import RUN, ZIPPED, metric


def test_a_composite_in_several_files_is_pinned_as_a_whole(satellite: Satellite) -> None:
    with satellite.reader() as reader:
        (ref, other) = reader.query_datasets("metric", RUN, order_by="visit")
    report = satellite.pin([ref])
    assert (report.done, report.problems) == (1, [])
    copies = [path for path in satellite.root.rglob("pinned/metric/*") if path.is_file()]
    assert len(copies) > 1
    with satellite.reader() as reader:
        assert reader.get(ref) == metric(int(ref.dataId["visit"]))
        assert all(uri.isLocal for uri in reader.getURIs(ref).componentURIs.values())
        assert reader.get(ref.makeComponentRef("summary")) == metric(int(ref.dataId["visit"])).summary
        assert not any(uri.isLocal for uri in reader.getURIs(other).componentURIs.values())
    satellite.unpin([ref])
    assert not any(path.exists() for path in copies)
    with satellite.reader() as reader:
        assert reader.get(ref) == metric(int(ref.dataId["visit"]))


def test_members_of_a_zip_file_are_pinned_as_files_of_their_own(
    satellite: Satellite, kernel: Platform
) -> None:
    with satellite.reader() as reader:
        refs = reader.query_datasets("note", ZIPPED, order_by="visit")
    report = satellite.pin(refs)
    assert (report.done, report.problems) == (len(refs), [])
    copies = [path for path in satellite.root.rglob("pinned/note/*") if path.is_file()]
    assert len(copies) == len(refs)
    assert report.bytes == sum(path.stat().st_size for path in copies)
    kernel.requests(forget=True)
    with satellite.reader() as reader:
        assert [reader.get(ref) for ref in refs] == [{"visit": -1}, {"visit": -2}]
    assert kernel.requests() == []
    assert satellite.unpin(refs).done == len(refs)
    assert not any(path.exists() for path in copies)
    with satellite.reader() as reader:
        assert reader.get(refs[0]) == {"visit": -1}


def test_a_damaged_file_is_one_problem_and_the_others_are_pinned(
    satellite: Satellite, kernel: Platform, files_repository: Path
) -> None:
    with satellite.reader() as reader:
        zipped = reader.query_datasets("note", ZIPPED, order_by="visit")
        short, *alone = reader.query_datasets("source", RUN, order_by="visit")
        (member,) = references_of(reader).getStoredItemsInfo(zipped[0])
        (single,) = references_of(reader).getStoredItemsInfo(short)
    bucket = files_repository / "bucket" / "dp2"
    damaged = {
        bucket / split_reference(info.path)[3].partition("#")[0]: content
        for info, content in ((member, b"no zip file"), (single, b"short"))
    }
    kept = {path: path.read_bytes() for path in damaged}
    try:
        for path, content in damaged.items():
            path.write_bytes(content)
        report = satellite.pin([*zipped, short, *alone])
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert report.done == len(alone)
    assert {problem.ref for problem in report.problems} == {*zipped, short}
    assert all("damaged" in each.reason or "should have" in each.reason for each in report.problems)
    # Mended, they are pinned like others.
    assert satellite.pin([*zipped, short]).done == len(zipped) + 1


def test_what_the_cache_does_not_keep_is_named(satellite: Satellite, monkeypatch: pytest.MonkeyPatch) -> None:
    with satellite.reader() as reader:
        zipped = reader.query_datasets("note", ZIPPED)
        alone = reader.query_datasets("note", RUN)
    report = satellite.prefetch([*alone, *zipped])
    assert report.referenced == len(alone)
    assert [problem.ref for problem in report.not_kept] == zipped
    assert "one file together" in report.not_kept[0].reason
    monkeypatch.setenv("DAF_BUTLER_CACHE_EXPIRATION_MODE", "disabled")
    report = satellite.prefetch(alone)
    assert report.referenced == 0
    assert [problem.ref for problem in report.not_kept] == alone
    assert "no cache" in report.not_kept[0].reason
