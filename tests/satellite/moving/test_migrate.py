"""Moving a satellite to another database, other storage or another directory."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from lsst.daf.butler import Butler
from lsst.resources import ResourcePath
from sqlalchemy.exc import IntegrityError

from python_butler.errors import InvalidRequestError, SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress
from python_butler.satellite.repair import Kind
from python_butler.satellite.spool import Spool

from .conftest import FIRST, TYPE, new_ref, state_of, table


def settled(satellite: Satellite) -> object:
    """What is in a satellite when all that waits has been committed."""
    Spool(satellite).commit(wait=60)
    return state_of(satellite)


def test_the_satellite_of_these_tests_has_everything(satellite: Satellite) -> None:
    state = state_of(satellite)
    assert state.references
    assert state.contents
    assert state.elsewhere
    assert len(state.waiting) == 4
    assert len(state.batches) == 1
    assert len(state.notes) == 2
    assert any(timespan is not None and timespan.end is not None for *_, timespan in state.associations)
    assert {kind.name for _, kind, *_ in state.collections} == {"RUN", "TAGGED", "CHAINED", "CALIBRATION"}
    assert state.records["visit_detector_region"]


@pytest.mark.parametrize("remove_old", [False, True], ids=["left", "removed"])
def test_all_is_kept_on_the_way_to_postgresql_and_an_object_store_and_back(
    satellite: Satellite, postgres: str, object_storage: str, remove_old: bool
) -> None:
    expected = settled(satellite)
    there = satellite.migrate(registry=postgres, storage=object_storage, remove_old=remove_old)
    assert there.root == satellite.root
    assert there.registry.startswith(postgres)
    assert there.files > 40
    assert state_of(satellite) == expected
    assert not (satellite.root / "gen3.sqlite3").exists()
    assert not (satellite.root / "files").exists()
    assert bool(list(satellite.root.glob("before-*"))) is not remove_old
    assert bool(there.left) is not remove_old
    back = satellite.migrate(registry="sqlite", storage="files", remove_old=remove_old)
    assert back.files == there.files
    assert back.rows == there.rows
    assert state_of(satellite) == expected
    rest = list(ResourcePath.findFileResources([ResourcePath(object_storage, forceDirectory=True)]))
    assert bool(rest) is not remove_old
    assert [found.kind for found in satellite.check().findings] == [Kind.BATCH]


@pytest.mark.parametrize("what", ["registry", "storage"])
def test_one_of_both_can_be_moved_alone_and_written_then(
    small: Satellite, postgres: str, object_storage: str, what: str
) -> None:
    expected = settled(small)
    small.migrate(**{what: {"registry": postgres, "storage": object_storage}[what]})
    assert state_of(small) == expected
    with small.writer() as writer:
        writer.collections.register("u/me/later")
        ref = writer.put(table(7), new_ref(writer, 7, "u/me/later"))
    small.migrate(**{what: {"registry": "sqlite", "storage": "files"}[what]})
    with small.reader() as reader:
        found = reader.find_dataset(TYPE, htm7=FIRST + 7, collections="u/me/later")
        assert found == ref
        assert list(reader.get(found)["a"]) == [7, 8]


def test_a_batch_that_was_left_is_committed_in_the_new_place(
    small: Satellite, postgres: str, object_storage: str
) -> None:
    (left,) = Spool(small).batches()
    small.migrate(registry=postgres, storage=object_storage)
    batch = Spool(small).open_batch(left.id)
    assert len(batch) == 3
    batch.commit()
    with small.reader() as reader:
        ref = reader.find_dataset(TYPE, htm7=FIRST + 201, collections="u/me/stars/v2")
        assert list(reader.get(ref)["a"]) == [201, 202]


def test_a_batch_that_somebody_works_on_is_waited_for_by_a_person(small: Satellite, tmp_path: Path) -> None:
    batch = Spool(small).begin("at work")
    with small.reader() as reader:
        batch.put(reader, table(1), new_ref(reader, 301))
    with pytest.raises(SatelliteError, match="batch of 1 datasets is open"):
        small.migrate(root=tmp_path / "new")
    batch.commit()
    assert small.migrate(root=tmp_path / "new").root == tmp_path / "new"


@pytest.mark.parametrize("remove_old", [False, True], ids=["left", "removed"])
def test_another_directory_becomes_the_satellite_and_the_old_one_cannot_be_written(
    small: Satellite, tmp_path: Path, remove_old: bool
) -> None:
    expected = settled(small)
    new = tmp_path / "elsewhere" / "dp2"
    report = small.migrate(root=new, remove_old=remove_old)
    assert report.root == new
    moved = Satellite.open("dp2", new)
    assert state_of(moved) == expected
    with moved.writer() as writer:
        writer.collections.register("u/me/later")
    if remove_old:
        assert not small.root.exists()
        return
    assert report.left == (str(small.root),)
    assert state_of(small) == expected
    with pytest.raises(SatelliteError, match=f"was moved to {new}"), small.writer():
        pass
    with pytest.raises(IntegrityError, match="cannot be written"):
        Butler.from_config(str(small.root), writeable=True)


def test_files_that_are_elsewhere_stay_there_when_the_directory_moves(
    small: Satellite, postgres: str, object_storage: str, tmp_path: Path
) -> None:
    expected = settled(small)
    small.migrate(registry=postgres, storage=object_storage)
    report = small.migrate(root=tmp_path / "new", remove_old=True)
    assert report.files == 0
    moved = Satellite.open("dp2", tmp_path / "new")
    assert state_of(moved) == expected
    with moved.writer() as writer:
        writer.collections.register("u/me/later")


def test_while_it_is_moved_it_can_be_read_and_nobody_can_write(
    small: Satellite, postgres: str, tmp_path: Path
) -> None:
    told: list[str] = []

    def look(progress: Progress) -> None:
        if progress.what != "copying the registry" or told:
            return
        told.append(progress.what)
        with small.reader() as reader:
            assert list(reader.get(TYPE, htm7=FIRST + 3, collections="u/me/stars")["a"]) == [3, 4]
            with pytest.raises(SatelliteError, match="is being moved"):
                Spool(small).store(reader, table(1), new_ref(reader, 400))
        with pytest.raises(SatelliteError, match="is being moved"), small.writer():
            pass
        with pytest.raises(SatelliteError, match="is being moved"):
            small.migrate(registry=postgres)
        with pytest.raises(IntegrityError, match="is being moved"):
            Butler.from_config(str(small.root), writeable=True)
        with pytest.raises(IntegrityError, match="is being moved"):
            begun.collections.register("u/me/later")

    with small.writer() as begun:
        small.migrate(registry=postgres, progress=look)
    assert told
    with small.reader() as reader:
        assert "u/me/later" not in reader.collections.query("*")


def test_a_move_that_is_stopped_leaves_the_old_place_writable_and_goes_on_later(
    small: Satellite, postgres: str, object_storage: str
) -> None:
    expected = settled(small)
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.what == "copying files":
            cancel.set()

    report = small.migrate(registry=postgres, storage=object_storage, progress=stop, cancel=cancel)
    assert report.cancelled
    assert state_of(small) == expected
    with small.writer() as writer:
        writer.collections.register("u/me/later")
        writer.put(table(7), new_ref(writer, 7, "u/me/later"))
    with pytest.raises(InvalidRequestError, match="on its way"):
        small.migrate(storage="s3://another/place")
    expected = state_of(small)
    small.migrate()
    assert state_of(small) == expected
    assert small.info().registry.startswith(postgres)


def test_a_move_that_was_stopped_can_be_given_up(
    small: Satellite, postgres: str, object_storage: str
) -> None:
    before = sorted(path.name for path in small.root.iterdir())
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        if progress.what == "copying files":
            cancel.set()

    assert small.migrate(registry=postgres, storage=object_storage, progress=stop, cancel=cancel).cancelled
    assert small.abandon_migration()
    assert sorted(path.name for path in small.root.iterdir()) == before
    assert not list(ResourcePath.findFileResources([ResourcePath(object_storage, forceDirectory=True)]))
    assert not small.abandon_migration()
    small.migrate(registry=postgres, storage=object_storage)


def test_a_missing_file_stops_the_move_and_nothing_has_changed(small: Satellite, object_storage: str) -> None:
    expected = settled(small)
    victim = next((small.root / "files" / "u" / "me" / "stars").rglob("*.parq"))
    content = victim.read_bytes()
    victim.unlink()
    with pytest.raises(SatelliteError, match=f"{victim.name} is missing"):
        small.migrate(storage=object_storage)
    victim.write_bytes(content)
    assert state_of(small) == expected
    small.migrate()
    assert state_of(small) == expected


def test_what_is_in_a_new_place_is_left_alone(small: Satellite, object_storage: str, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "notes.txt").write_text("mine")
    ResourcePath(object_storage).join("mine").write(b"mine")
    with pytest.raises(SatelliteError, match="holds something"):
        small.migrate(root=tmp_path / "taken")
    with pytest.raises(SatelliteError, match="not empty"):
        small.migrate(storage=object_storage)
    assert ResourcePath(object_storage).join("mine").read() == b"mine"
    with small.writer() as writer:
        writer.collections.register("u/me/later")


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"registry": "sqlite"},
        {"storage": "files"},
        {"registry": "mysql://server/database"},
        {"registry": "postgresql://me:secret@server/database"},
    ],
)
def test_what_leads_nowhere_is_refused(small: Satellite, where: dict[str, str]) -> None:
    with pytest.raises(InvalidRequestError):
        small.migrate(**where)
    assert not (small.root / "moving.json").exists()


def test_a_move_to_a_server_that_does_not_answer_changes_nothing(small: Satellite) -> None:
    with pytest.raises(SatelliteError, match="cannot be used"):
        small.migrate(registry="postgresql://127.0.0.1:1/database")
    with small.writer() as writer:
        writer.collections.register("u/me/later")
    assert not (small.root / "moving.json").exists()
