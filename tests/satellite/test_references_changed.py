"""Referencing when something changed meanwhile: officially, in the satellite, or by another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from lsst.daf.butler import Butler, CollectionType, DatasetRef, FileDataset, Timespan

from python_butler.datastore import personal_of, references_of, signer_for
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress
from python_butler.satellite.report import Status

CALIBRATIONS = "LSSTCam/calib/DP2"
TAGGED = "LSSTCam/DP2/best-seeing"


@pytest.fixture
def official(environment: dict[str, str]) -> Iterator[Butler]:
    butler = connect("dp2")
    yield butler
    disconnect(butler)


@pytest.fixture
def satellite(environment: dict[str, str]) -> Satellite:
    return Satellite.create("dp2")


@pytest.fixture
def refs(satellite: Satellite, official: Butler) -> list[DatasetRef]:
    satellite.reference("source")
    return official.query_datasets("source", "dp2")


def found(butler: Butler, name: str, collection: str) -> set[DatasetRef]:
    return set(butler.query_datasets(name, collection, find_first=False, limit=None))


def associations(butler: Butler, name: str, collection: str) -> dict[object, set[Timespan]]:
    dataset_type = butler.get_dataset_type(name)
    valid: dict[object, set[Timespan]] = {}
    with butler.query() as query:
        for row in query.join_dataset_search(dataset_type, collection).general(
            dataset_type.dimensions, dataset_fields={name: {"dataset_id", "timespan"}}, find_first=False
        ):
            valid.setdefault(row[f"{name}.dataset_id"], set()).add(row[f"{name}.timespan"])
    return valid


def replaced(satellite: Satellite, ref: DatasetRef, *, official: bool) -> DatasetRef:
    """Another dataset in a satellite for the same data ID; an official one if it is a reference."""
    other = DatasetRef(ref.datasetType, ref.dataId, "LSSTCam/earlier", id=uuid4())
    with satellite.writer() as writer:
        writer.collections.register(other.run)
        writer.registry._importDatasets([other], expand=False)
        if official:
            files = signer_for("dp2").files([ref.id])[ref.id]
            references_of(writer).add("dp2", {other: files})
    return other


def test_records_found_for_a_dataset_that_is_refused_serve_the_next(
    environment: dict[str, str], official: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_butler.satellite.selecting._BATCH", 1)
    images = sorted(official.query_datasets("visit_image", "dp2"))
    bad = images[0]
    good = next(ref for ref in images[1:] if ref.dataId["visit"] == bad.dataId["visit"])
    satellite = Satellite.create("dp2", records=())
    with satellite.writer() as writer:
        writer.registry.insertDimensionData("instrument", *official.query_dimension_records("instrument"))
        (record,) = official.query_dimension_records(
            "detector", data_id={"instrument": "LSSTCam", "detector": bad.dataId["detector"]}
        )
        writer.registry.insertDimensionData("detector", record.toDict() | {"raft": "elsewhere"})
    report = satellite.reference([bad, good])
    assert report.counts["visit_image"] == {Status.REFUSED: 1, Status.NEW: 1}
    with satellite.reader() as reader:
        assert found(reader, "visit_image", good.run) == {good}


def test_many_records_come_in_pieces_before_their_datasets(
    satellite: Satellite, official: Butler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_butler.satellite.records._FIRST_OWNERS", 1)
    monkeypatch.setattr("python_butler.satellite.records._PIECE", 50)
    monkeypatch.setattr("python_butler.satellite.references._RECORDS", 50)
    satellite.reference("source")
    visits = {ref.dataId["visit"] for ref in official.query_datasets("source", "dp2")}
    with satellite.reader() as reader:
        for element in ("visit", "visit_definition", "visit_system_membership", "visit_detector_region"):
            expected = {
                record.dataId
                for record in official.query_dimension_records(element, limit=None)
                if record.dataId["visit"] in visits
            }
            assert {r.dataId for r in reader.query_dimension_records(element, limit=None)} == expected


def test_a_tag_that_went_over_to_another_official_dataset_is_followed(
    satellite: Satellite, official: Butler
) -> None:
    (name, *_) = official.collections.get_info(TAGGED, include_summary=True).dataset_types or ()
    satellite.reference(name, collections=TAGGED)
    expected = found(official, name, TAGGED)
    moved, taken = sorted(expected)[:2]
    earlier = replaced(satellite, moved, official=True)
    own = replaced(satellite, taken, official=False)
    with satellite.writer() as writer:
        writer.registry.disassociate(TAGGED, [moved, taken])
        writer.registry.associate(TAGGED, [earlier, own])
    report = satellite.reference(name, collections=TAGGED)
    assert report.problems == []
    with satellite.reader() as reader:
        assert found(reader, name, TAGGED) == expected - {taken} | {own}
    assert sum("1 were replaced" in note for note in report.notes) == 1
    assert sum("1 were left" in note for note in report.notes) == 1


def test_a_validity_range_that_went_over_is_followed_and_one_of_ones_own_stays(
    satellite: Satellite, official: Butler
) -> None:
    satellite.reference("bias")
    expected = associations(official, "bias", CALIBRATIONS)
    one, other = sorted(found(official, "bias", CALIBRATIONS))[:2]
    earlier = replaced(satellite, one, official=True)
    own = replaced(satellite, other, official=False)
    with satellite.writer() as writer:
        for changed, instead in ((one, earlier), (other, own)):
            for timespan in expected[changed.id]:
                writer.registry.decertify(CALIBRATIONS, "bias", timespan, dataIds=[changed.dataId])
                writer.registry.certify(CALIBRATIONS, [instead], timespan)
    report = satellite.reference("bias")
    with satellite.reader() as reader:
        here = associations(reader, "bias", CALIBRATIONS)
    assert here == {**{k: v for k, v in expected.items() if k != other.id}, own.id: expected[other.id]}
    assert any("were replaced" in note for note in report.notes)
    assert any("were left" in note for note in report.notes)
    with satellite.reader() as reader:
        assert reader.collections.get_info(CALIBRATIONS).type is CollectionType.CALIBRATION


def test_what_is_forgotten_while_it_is_copied_is_told_and_the_others_are_copied(
    satellite: Satellite, refs: list[DatasetRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    # All copies are written at the end.
    monkeypatch.setattr("python_butler.satellite.pins._GROUP", 10_000)
    monkeypatch.setattr("python_butler.satellite.pins._GROUP_SECONDS", 1e6)
    forgotten: list[DatasetRef] = []

    def forget(progress: Progress) -> None:
        if not forgotten:
            forgotten.extend(refs[:3])
            satellite.forget(forgotten)

    report = satellite.pin(refs, progress=forget)
    assert {problem.ref for problem in report.problems} == set(forgotten)
    assert report.done == len(refs) - 3 == satellite.info().pinned
    assert len(list((satellite.root / "files").rglob("*.parq"))) == report.done
    assert report.bytes == satellite.info().file_bytes


def test_files_that_cannot_be_noted_are_removed(
    satellite: Satellite, refs: list[DatasetRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError("no space")

    # A database that is full at just this moment cannot be had.
    monkeypatch.setattr("python_butler.datastore.ReferenceDatastore.forget", full)
    with pytest.raises(OSError, match="no space"):
        satellite.pin(refs[:5])
    assert list((satellite.root / "files").rglob("*.parq")) == []
    with satellite.reader() as reader:
        assert references_of(reader).known(refs) == {ref.id for ref in refs}
        assert not any(personal_of(reader).knows_these(refs).values())


def test_a_copy_that_another_process_made_is_not_hidden_behind_a_reference(
    satellite: Satellite, refs: list[DatasetRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    satellite.pin(refs)
    # Another process may reference and pin after this one has looked.
    monkeypatch.setattr("python_butler.satellite.references._Work._there", lambda self, refs: set())
    satellite.reference("source")
    with satellite.reader() as reader:
        assert references_of(reader).known(refs) == set()
    assert satellite.info().pinned == len(refs)


def test_an_official_file_of_ones_own_is_not_unpinned(
    satellite: Satellite, refs: list[DatasetRef], tmp_path: Path
) -> None:
    ref = refs[0]
    mine = tmp_path / "mine.parq"
    mine.write_bytes(b"mine")
    satellite.forget([ref])
    with satellite.writer() as writer:
        writer.ingest(FileDataset(path=str(mine), refs=[ref]), transfer="direct")
    report = satellite.unpin([ref])
    assert (report.done, [problem.ref for problem in report.problems]) == (0, [ref])
    assert "your own" in report.problems[0].reason
    with satellite.reader() as reader:
        assert reader.getURI(ref).ospath == str(mine)
    assert satellite.info().own_datasets == 1
