"""Satellites whose database is in PostgreSQL and whose files are in an object store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import DimensionUniverse
from lsst.resources import ResourcePath

from python_butler.satellite import Satellite
from python_butler.satellite.repair import Kind, Options, check
from python_butler.satellite.spool import Spool
from python_butler.satellite.storage import storage_of

from .conftest import RUN, contents, fill, only
from .killed import new_ref


@pytest.fixture
def elsewhere(tmp_path: Path, postgres: str, object_storage: str) -> Satellite:
    satellite = Satellite.create(
        "dp2", tmp_path / "dp2", universe=DimensionUniverse(), registry=postgres, storage=object_storage
    )
    fill(satellite)
    return satellite


def files(satellite: Satellite) -> Iterator[str]:
    root = storage_of(satellite).files
    for uri in ResourcePath.findFileResources([root]):
        yield str(uri.relative_to(root))


def test_one_in_good_order_is_found_so(elsewhere: Satellite) -> None:
    report = elsewhere.check(min_age=0, thorough=True)
    assert report.clean, report.document()
    assert report.remarks == []
    assert report.examined["files"] == 3


def test_all_damage_there_is_found_and_put_right(elsewhere: Satellite) -> None:
    root = storage_of(elsewhere).files
    root.join(f"{RUN}/lost/lost_u_me_run.yaml").write(b"a: 1")
    root.join("notes of mine.txt").write(b"keep")
    root.join(f"{RUN}/first/first_u_me_run.yaml").remove()
    root.join(f"{RUN}/second/second_u_me_run.yaml").write(b"cut")
    root.join(".spool/12345678-1234-1234-1234-123456789abc.yaml").write(b"a: 1")
    with elsewhere.writer() as writer:
        ref = writer.find_dataset("third", collections=RUN)
        assert ref is not None
        writer._datastore.trash([ref])
        writer.registry.removeDatasets([ref])
        Spool(elsewhere).store(writer, {"a": 1}, new_ref(writer, "third"))
    found = elsewhere.check(min_age=0).counts()
    expected = {
        Kind.FILE_WITHOUT_ROW: 1,
        Kind.UNKNOWN_FILE: 1,
        Kind.MISSING_FILE: 1,
        Kind.WRONG_SIZE: 1,
        Kind.FILE_WITHOUT_SLIP: 1,
        Kind.TRASH: 1,
    }
    assert found == expected
    before = sorted(files(elsewhere))
    elsewhere.repair(dry_run=True, min_age=0, quarantine=True, forget_lost=True)
    assert sorted(files(elsewhere)) == before
    assert elsewhere.repair(min_age=0, quarantine=True, forget_lost=True).clean
    assert elsewhere.check(min_age=0).clean
    Spool(elsewhere).commit()
    assert contents(elsewhere) == {"third": {"a": 1}}
    assert {"notes of mine.txt", "lost_u_me_run.yaml", "second_u_me_run.yaml"} == {
        Path(path).name for path in files(elsewhere) if path.startswith("lost+found/")
    }


def test_the_file_of_a_dataset_that_was_not_moved_is_put_in_its_place(elsewhere: Satellite) -> None:
    root = storage_of(elsewhere).files
    with elsewhere.reader() as reader:
        ref = reader.find_dataset("first", collections=RUN)
        assert ref is not None
        place = reader.getURI(ref)
    root.join(f".spool/{ref.id}.yaml").transfer_from(place, transfer="move")
    only(elsewhere.check(), Kind.FILE_NOT_MOVED)
    assert elsewhere.repair().clean
    assert elsewhere.check(min_age=0).clean
    assert contents(elsewhere)["first"] == {"name": "first"}


def test_a_put_that_is_under_way_is_not_disturbed(elsewhere: Satellite) -> None:
    """With PostgreSQL many can write at once: only a lock on the tables tells that nobody does."""
    begun, end = threading.Event(), threading.Event()

    def put() -> None:
        with elsewhere.writer() as writer, writer.transaction():
            writer.put({"name": "lost"}, "lost", run=RUN)
            begun.set()
            end.wait(120)

    thread = threading.Thread(target=put)
    thread.start()
    try:
        assert begun.wait(60)
        report = check(elsewhere, Options(min_age=0, wait=0))
        assert report.clean
        assert any("another process is writing" in note for note in report.notes)
    finally:
        end.set()
        thread.join()
    assert elsewhere.repair(min_age=0).results == []
    assert contents(elsewhere)["lost"] == {"name": "lost"}


def test_a_bucket_that_is_gone_costs_no_dataset(
    elsewhere: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in list(files(elsewhere)):
        if path.startswith(RUN):
            storage_of(elsewhere).files.join(path).remove()
    only(elsewhere.check(), Kind.MISSING_FILE, 3)
    assert len(elsewhere.repair(forget_lost=True).left) == 3
    with elsewhere.reader() as reader:
        assert len(reader.query_all_datasets(RUN)) == 3
