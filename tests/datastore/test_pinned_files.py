"""Pinned datasets of every kind of file."""

from __future__ import annotations

import pytest

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
