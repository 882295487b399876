"""Rows of the database that should not be, or refer to nothing."""

from __future__ import annotations

import sqlite3
import uuid

import pytest

from python_butler.satellite import Satellite
from python_butler.satellite.provenance import note
from python_butler.satellite.registering import register_run
from python_butler.satellite.repair import Kind, collections

from .conftest import RUN, contents, only, tree

CHANGES = {
    Kind.RECORD_WITHOUT_DATASET: [
        "DELETE FROM dataset_location WHERE dataset_id = :id",
        "DELETE FROM dataset_tags_00000000 WHERE dataset_id = :id",
        "DELETE FROM dataset WHERE id = :id",
    ],
    Kind.RECORD_WITHOUT_LOCATION: ["DELETE FROM dataset_location WHERE dataset_id = :id"],
}


def change(satellite: Satellite, *statements: str, **values: str) -> None:
    """Change the database behind everybody's back."""
    database = sqlite3.connect(satellite.root / "gen3.sqlite3")
    with database:
        for statement in statements:
            database.execute(statement, values)
    database.close()


def dataset_id(satellite: Satellite, name: str) -> str:
    with satellite.reader() as reader:
        ref = reader.find_dataset(name, collections=RUN)
    assert ref is not None
    return ref.id.hex


def test_a_record_of_no_dataset_is_removed_and_its_file_kept(satellite: Satellite) -> None:
    change(satellite, *CHANGES[Kind.RECORD_WITHOUT_DATASET], id=dataset_id(satellite, "second"))
    only(satellite.check(min_age=0), Kind.RECORD_WITHOUT_DATASET)
    report = satellite.repair(min_age=0)
    assert report.counts() == {Kind.RECORD_WITHOUT_DATASET: 1, Kind.FILE_WITHOUT_ROW: 1}
    assert report.clean
    assert satellite.check(min_age=0).clean
    assert list((satellite.root / "lost+found").rglob("second*.yaml"))


def test_where_a_dataset_is_stored_is_told_again(satellite: Satellite) -> None:
    before = contents(satellite)
    change(satellite, *CHANGES[Kind.RECORD_WITHOUT_LOCATION], id=dataset_id(satellite, "second"))
    only(satellite.check(min_age=0), Kind.RECORD_WITHOUT_LOCATION)
    assert satellite.repair(min_age=0).clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == before


def test_a_dataset_without_a_record_is_removed_only_if_asked_for(satellite: Satellite) -> None:
    change(
        satellite,
        "DELETE FROM file_datastore_records WHERE dataset_id = :id",
        id=dataset_id(satellite, "second"),
    )
    found = satellite.check(min_age=0).counts()
    assert found == {Kind.LOCATION_WITHOUT_RECORD: 1, Kind.FILE_WITHOUT_ROW: 1}
    assert [each.finding.kind for each in satellite.repair(min_age=0).left] == [Kind.LOCATION_WITHOUT_RECORD]
    assert satellite.repair(min_age=0, forget_lost=True).clean
    assert satellite.check(min_age=0).clean
    assert set(contents(satellite)) == {"first", "third"}


def test_notes_on_a_dataset_that_is_gone_are_listed_and_removed(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        ref = writer.find_dataset("second", collections=RUN)
        assert ref is not None
        note(writer, {ref.id: {"made": "by hand"}})
    assert satellite.check().clean
    change(satellite, "UPDATE provenance_records SET dataset_id = :id", id=uuid.uuid4().hex)
    only(satellite.check(), Kind.NOTE_WITHOUT_DATASET)
    assert satellite.repair().clean
    assert satellite.check().clean
    assert "by hand" in (satellite.root / "lost+found" / "list.jsonl").read_text()


def test_trash_of_which_there_is_no_record_is_emptied_too(satellite: Satellite) -> None:
    change(satellite, "INSERT INTO dataset_location_trash VALUES (:id, 'personal')", id=uuid.uuid4().hex)
    only(satellite.check(), Kind.TRASH)
    assert satellite.repair().clean
    assert satellite.check().clean


def test_trash_of_another_datastore_is_left(satellite: Satellite) -> None:
    change(satellite, "INSERT INTO dataset_location_trash VALUES (:id, 'other')", id=uuid.uuid4().hex)
    only(satellite.check(), Kind.TRASH)
    assert [each.finding.kind for each in satellite.repair().left] == [Kind.TRASH]


def test_a_row_that_refers_to_nothing_is_told_and_left(satellite: Satellite) -> None:
    change(satellite, "INSERT INTO collection_chain VALUES (77, 0, 78)")
    report = satellite.check()
    assert report.counts() == {Kind.BROKEN_LINK: 2}
    before = tree(satellite.root)
    assert not satellite.repair().clean
    assert tree(satellite.root) == before


def test_a_run_of_which_a_row_is_missing_is_completed(satellite: Satellite) -> None:
    from .killed import new_ref

    with satellite.writer() as writer:
        writer.collections.register("u/me/half")
    change(
        satellite,
        "DELETE FROM run WHERE collection_id = "
        "(SELECT collection_id FROM collection WHERE name = 'u/me/half')",
    )
    assert satellite.check().counts() == {Kind.INCOMPLETE_RUN: 1}
    assert satellite.repair().clean
    with satellite.writer() as writer:
        ref = writer.put({"a": 1}, new_ref(writer, "lost", "u/me/half"))
        assert writer.get(ref) == {"a": 1}
    assert satellite.check().clean


def test_a_run_that_somebody_registers_just_now_is_no_finding(
    satellite: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    with satellite.writer() as writer:
        writer.collections.register("u/me/half")
    change(
        satellite,
        "DELETE FROM run WHERE collection_id = "
        "(SELECT collection_id FROM collection WHERE name = 'u/me/half')",
    )

    def the_other_goes_on(seconds: float) -> None:
        with satellite.writer() as writer:
            register_run(writer, "u/me/half")

    monkeypatch.setattr(collections.time, "sleep", the_other_goes_on)
    assert satellite.check().clean


@pytest.mark.parametrize("action", ["empty", "waiting"])
def test_a_run_with_nothing_in_it_is_remarked_and_removed_only_if_asked_for(
    satellite: Satellite, action: str
) -> None:
    from lsst.daf.butler import CollectionType

    from python_butler.satellite.spool import Spool

    from .killed import new_ref

    with satellite.writer() as writer:
        writer.collections.register("u/me/name/v1")
        writer.collections.register("u/me/name", CollectionType.CHAINED)
        writer.collections.redefine_chain("u/me/name", ["u/me/name/v1", RUN])
        writer.collections.register("u/me/nothing", CollectionType.CHAINED)
        if action == "waiting":
            # It is about to have one.
            Spool(satellite).store(writer, {"a": 1}, new_ref(writer, "lost", "u/me/name/v1"))
    report = satellite.check()
    assert report.clean
    expected = {"empty": ["u/me/name/v1", "u/me/nothing"], "waiting": ["u/me/nothing"]}[action]
    assert [each.where for each in report.remarks] == expected
    assert satellite.repair().clean
    with satellite.reader() as reader:
        assert "u/me/nothing" in reader.collections.query("*")
    report = satellite.repair(empty_runs=True)
    assert [each.finding.where for each in report.results if each.finding.kind.rule.remark] == expected
    with satellite.reader() as reader:
        left = ["u/me/name", RUN] + (["u/me/name/v1"] if action == "waiting" else [])
        assert sorted(reader.collections.query("*")) == sorted(left)
