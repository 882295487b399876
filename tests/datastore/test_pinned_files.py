"""Pinned datasets of every kind of file."""

from __future__ import annotations

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


def test_a_member_of_a_zip_file_is_refused_with_the_reason(satellite: Satellite) -> None:
    with satellite.reader() as reader:
        refs = reader.query_datasets("note", ZIPPED)
    report = satellite.pin(refs)
    assert [problem.ref for problem in report.problems] == refs
    assert "together with other datasets" in report.problems[0].reason
    with satellite.reader() as reader:
        assert reader.get(refs[0])
