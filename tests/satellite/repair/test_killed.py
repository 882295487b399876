"""Whatever a process was killed in is found, exactly, and put right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from python_butler.satellite import Satellite
from python_butler.satellite.repair import Kind, Outcome
from python_butler.satellite.repair.case import Options
from python_butler.satellite.repair.examining import repair

from .conftest import RUN, Killed, contents, only, tree

WHOLE = {name: {"name": name} for name in ("first", "second", "third")}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("put_before_its_file_has_its_name", Kind.UNFINISHED_FILE),
        ("put_before_its_rows", Kind.FILE_WITHOUT_ROW),
        ("ingest_while_copying", Kind.UNFINISHED_FILE),
        ("transaction_in_the_middle", Kind.HOT_JOURNAL),
        ("store_before_it_is_acknowledged", Kind.FILE_WITHOUT_SLIP),
        ("save_straight_before_its_rows", Kind.CLAIM),
        ("create_another", Kind.UNFINISHED_SATELLITE),
        ("write_configuration", Kind.UNFINISHED_FILE),
    ],
)
def test_what_was_not_finished_is_found_alone_and_cleared_away(
    satellite: Satellite, killed: Killed, action: str, kind: Kind
) -> None:
    before = tree(satellite.root)
    killed(action, satellite)
    damaged = tree(satellite.root.parent)
    only(satellite.check(min_age=0), kind)
    dry = satellite.repair(dry_run=True, min_age=0)
    only(dry, kind)
    assert not dry.clean
    assert tree(satellite.root.parent) == damaged, "a dry run changed something"
    report = satellite.repair(min_age=0)
    assert [result.outcome for result in report.results] == [Outcome.MENDED]
    assert report.clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == WHOLE
    # SQLite takes a journal with nothing in it for none.
    apart = ("lost+found", "gen3.sqlite3-journal")
    after = {name: what for name, what in tree(satellite.root).items() if not name.startswith(apart)}
    # Directories of a dataset that never was may stay, as upstream leaves them.
    assert {name: what for name, what in after.items() if what and name in before} == {
        name: what for name, what in before.items() if what
    }
    assert not {name for name, what in after.items() if what and name not in before}


def test_a_killed_save_leaves_a_slip_under_way_and_a_file(satellite: Satellite, killed: Killed) -> None:
    killed("store_while_its_slip_is_written", satellite)
    found = satellite.check(min_age=0).counts()
    assert found == {Kind.UNFINISHED_FILE: 1, Kind.FILE_WITHOUT_SLIP: 1}
    assert satellite.repair(min_age=0).clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == WHOLE


def test_datasets_of_a_removed_run_go_with_their_files(satellite: Satellite, killed: Killed) -> None:
    killed("remove_run_before_its_files", satellite)
    report = satellite.check(min_age=0)
    assert report.counts() == {Kind.TRASH: 3}
    assert [each.where for each in report.remarks] == ["u/me/run"]
    report = satellite.repair(min_age=0, empty_runs=True)
    assert report.clean
    after = satellite.check(min_age=0)
    assert (after.findings, after.remarks) == ([], [])
    assert not [path for path in (satellite.root / "files").rglob("*") if path.is_file()]
    with satellite.reader() as reader:
        assert reader.collections.query("*") == []


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("store_and_wait", Kind.WAITING),
        ("commit_before_its_slips_are_removed", None),
        ("commit_a_batch_before_it_is_closed", Kind.BATCH_LEFT),
    ],
)
def test_what_was_acknowledged_is_committed(
    satellite: Satellite, killed: Killed, action: str, kind: Kind | None
) -> None:
    killed(action, satellite)
    found = satellite.check(min_age=0).counts()
    if kind is None:
        # The process that committed it also left the lock.
        assert found == {Kind.WAITING: 1, Kind.SPOOL_LOCK: 1}
    else:
        assert found == {kind: 1}
    assert satellite.repair(min_age=0).clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == WHOLE | {"lost": {"a": 1}}


@pytest.mark.parametrize(("wish", "there"), [("commit", True), ("discard", False)])
def test_a_batch_that_nobody_ended_is_ended_as_one_says(
    satellite: Satellite, killed: Killed, wish: str, there: bool
) -> None:
    killed("gather_a_batch", satellite)
    only(satellite.check(min_age=0), Kind.BATCH)
    left = satellite.repair(min_age=0)
    assert [(each.finding.kind, each.detail) for each in left.left] == [
        (Kind.BATCH, "Repair it with --batches.")
    ]
    mend: Callable[..., object] = satellite.repair
    mend(min_age=0, batches=wish)
    assert satellite.check(min_age=0).clean
    assert ("lost" in contents(satellite)) is there


@pytest.mark.parametrize("damaged_line", [0, 1])
def test_a_damaged_batch_is_moved_away_with_its_files_only_if_asked_for(
    satellite: Satellite, killed: Killed, damaged_line: int
) -> None:
    killed("gather_a_batch", satellite)
    (path,) = (satellite.root / "spool" / "batches").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    lines[damaged_line] = b"\0" * 100 + b"\n"
    path.write_bytes(b"".join(lines))
    only(satellite.check(min_age=0), Kind.DAMAGED_BATCH)
    assert satellite.check().clean, "it has just been changed"
    left = satellite.repair(min_age=0)
    assert [each.detail for each in left.left] == ["Repair it with --quarantine."]
    assert satellite.repair(min_age=0, quarantine=True).clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == WHOLE
    kept = [each for each in (satellite.root / "lost+found").rglob("*") if each.is_file()]
    assert sorted(each.suffix for each in kept) == [".batch", ".jsonl", ".yaml"]


def test_a_batch_that_was_being_begun_is_a_leftover(satellite: Satellite, killed: Killed) -> None:
    killed("gather_a_batch", satellite)
    (path,) = (satellite.root / "spool" / "batches").iterdir()
    path.write_bytes(b"")
    found = satellite.check(min_age=0).counts()
    assert found == {Kind.UNFINISHED_FILE: 1, Kind.FILE_WITHOUT_SLIP: 1}
    assert satellite.repair(min_age=0).clean
    assert not path.exists()


def test_a_slip_whose_content_never_came_is_a_leftover_and_bars_nothing(
    satellite: Satellite, killed: Killed
) -> None:
    killed("store_and_wait", satellite)
    (slip,) = (satellite.root / "spool").glob("*.slip")
    slip.write_bytes(b"")
    found = satellite.check(min_age=0).counts()
    assert found == {Kind.UNFINISHED_FILE: 1, Kind.FILE_WITHOUT_SLIP: 1}
    assert satellite.repair(min_age=0).clean
    assert not slip.exists()
    # The same dataset can be saved again.
    killed("store_and_wait", satellite)
    assert slip.stat().st_size


def test_a_batch_of_a_newer_version_is_left_and_keeps_its_files(satellite: Satellite, killed: Killed) -> None:
    killed("gather_a_batch", satellite)
    (path,) = (satellite.root / "spool" / "batches").iterdir()
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":99'))
    before = tree(satellite.root)
    report = satellite.repair(min_age=0, quarantine=True)
    assert any("a newer version" in note for note in report.notes)
    assert tree(satellite.root) == before


def leave_in_spool(satellite: Satellite) -> Path:
    """Let the file of a dataset be as if its commit had not moved it; return where it should be."""
    with satellite.reader() as reader:
        ref = reader.find_dataset("first", collections=RUN)
        assert ref is not None
        place = Path(reader.getURI(ref).ospath)
    waits = satellite.root / "files" / ".spool" / f"{ref.id}.yaml"
    waits.parent.mkdir(exist_ok=True)
    place.rename(waits)
    return place


def test_the_file_of_a_dataset_that_was_not_moved_is_put_in_its_place(
    satellite: Satellite, killed: Killed
) -> None:
    leave_in_spool(satellite).parent.rmdir()
    only(satellite.check(), Kind.FILE_NOT_MOVED)
    report = satellite.repair(min_age=0, quarantine=True, forget_lost="all")
    assert [result.outcome for result in report.results] == [Outcome.MENDED]
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == WHOLE


def test_a_file_that_was_not_moved_is_not_lost_while_somebody_writes(satellite: Satellite) -> None:
    leave_in_spool(satellite)
    with satellite.writer() as writer, writer.transaction():
        writer.collections.register("u/me/another")
        report = repair(satellite, Options(min_age=0, wait=0, mend=True, forget_lost="all"))
    assert [each.finding.kind for each in report.left] == [Kind.FILE_NOT_MOVED]
    assert satellite.repair(min_age=0).clean
    assert contents(satellite) == WHOLE


def test_a_move_whose_process_ended_is_brought_in_order(satellite: Satellite, killed: Killed) -> None:
    killed("migrate_while_copying", satellite)
    only(satellite.check(min_age=0), Kind.UNFINISHED_MOVE)
    assert satellite.repair(min_age=0).clean
    # It can be used again, or moved on.
    only(satellite.check(min_age=0), Kind.PAUSED_MOVE)
    assert contents(satellite) == WHOLE


def test_a_killed_repair_is_finished_by_the_next(satellite: Satellite, killed: Killed) -> None:
    killed("put_before_its_rows", satellite)
    killed("repair_while_moving_away", satellite)
    only(satellite.check(min_age=0), Kind.FILE_WITHOUT_ROW)
    assert satellite.repair(min_age=0).clean
    assert contents(satellite) == WHOLE
    assert len([path for path in (satellite.root / "lost+found").rglob("*.yaml") if path.is_file()]) == 1
