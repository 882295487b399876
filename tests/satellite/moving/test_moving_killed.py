"""What becomes of a satellite whose move is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.moving.mark import Stage, read_move
from python_butler.satellite.repair import Kind
from python_butler.satellite.spool import Spool

from .conftest import FIRST, RUN, TYPE, new_ref, state_of, table

MOVES = """
import os, signal, sys
from pathlib import Path
from python_butler.satellite import Satellite
from python_butler.satellite.moving import migrate, switch

root, moment, *where = sys.argv[1:]
satellite = Satellite.open("dp2", root)

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def told(progress):
    if progress.what == moment:
        kill()

def kill_after(module, name):
    do = getattr(module, name)
    def done(*arguments, **options):
        do(*arguments, **options)
        kill()
    setattr(module, name, done)

match moment:
    case "checked":
        migrate.switch = kill
    case "switched":
        switch._confirm = kill
    case "put away":
        kill_after(switch, "_put_away")
        kill_after(switch, "leave")
    case "removing":
        # After some of what is left behind is gone.
        count, remove = int(where.pop()), switch._remove
        def removing(path):
            global count
            remove(path)
            count -= 1
            if not count:
                kill()
        switch._remove = removing
    case "frozen":
        kill_after(migrate, "freeze")
satellite.migrate(progress=told, remove_old=moment == "removing", **dict(zip(where[::2], where[1::2])))
"""
"""Moves a satellite and is killed at a moment."""

BEFORE = ["frozen", "copying the registry", "copying files"]
AFTER = ["checked", "switched", "put away"]


def kill(satellite: Satellite, moment: str, *more: str, **where: str) -> None:
    arguments = [word for pair in where.items() for word in pair] + list(more)
    done = subprocess.run(
        [sys.executable, "-c", MOVES, str(satellite.root), moment, *arguments],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def put(satellite: Satellite, number: int) -> None:
    with satellite.writer() as writer:
        writer.put(table(number), new_ref(writer, number))


@pytest.mark.parametrize("moment", BEFORE)
def test_a_move_that_is_killed_on_its_way_hinders_nobody_and_goes_on(
    small: Satellite, postgres: str, object_storage: str, moment: str
) -> None:
    Spool(small).commit(wait=60)
    expected = state_of(small)
    kill(small, moment, registry=postgres, storage=object_storage)
    assert state_of(small) == expected
    move = read_move(small.root)
    assert move is not None
    assert move.stage is Stage.COPYING
    put(small, 500)
    expected = state_of(small)
    kinds = {found.kind for found in small.check(min_age=0).findings}
    assert kinds <= {Kind.BATCH, Kind.BATCH_LEFT, Kind.PAUSED_MOVE}
    small.migrate()
    assert state_of(small) == expected
    assert small.info().registry.startswith(postgres)
    assert not (small.root / "moving.json").exists()


@pytest.mark.parametrize("moment", AFTER)
def test_a_move_that_is_killed_at_its_end_is_completed_by_the_next_writer(
    small: Satellite, postgres: str, tmp_path: Path, moment: str
) -> None:
    Spool(small).commit(wait=60)
    expected = state_of(small)
    kill(small, moment, registry=postgres, storage=str(tmp_path / "files"))
    assert state_of(small) == expected
    put(small, 500)
    assert small.info().registry.startswith(postgres)
    assert not (small.root / "moving.json").exists()
    assert not list(small.root.glob("moving-*"))
    expected = state_of(small)
    kinds = {found.kind for found in small.check(min_age=0).findings}
    assert kinds <= {Kind.BATCH, Kind.BATCH_LEFT}
    small.migrate(registry="sqlite", storage="files")
    assert state_of(small) == expected


@pytest.mark.parametrize("moment", ["copying files", *AFTER])
def test_a_move_to_another_directory_that_is_killed_has_one_place_that_counts(
    small: Satellite, tmp_path: Path, moment: str
) -> None:
    Spool(small).commit(wait=60)
    expected = state_of(small)
    new = tmp_path / "new"
    kill(small, moment, root=str(new))
    if moment in BEFORE:
        put(small, 500)
        expected = state_of(small)
        assert not new.exists()
        small.migrate()
    else:
        with pytest.raises(SatelliteError, match="was moved to"):
            put(small, 500)
    moved = Satellite.open("dp2", new)
    assert state_of(moved) == expected
    put(moved, 501)
    with moved.reader() as reader:
        assert reader.find_dataset(TYPE, htm7=FIRST + 501, collections=RUN) is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["butler", "new"]


@pytest.mark.parametrize("removed", [1, 6, 8])
def test_what_a_killed_move_did_not_remove_is_removed_by_whoever_writes_next(
    small: Satellite, tmp_path: Path, removed: int
) -> None:
    Spool(small).commit(wait=60)
    expected = state_of(small)
    kill(small, "removing", str(removed), root=str(tmp_path / "new"))
    moved = Satellite.open("dp2", tmp_path / "new")
    assert state_of(moved) == expected
    if removed < 8:
        assert small.root.exists()
        assert Kind.UNFINISHED_MOVE in {found.kind for found in moved.check().findings}
    put(moved, 500)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["butler", "new"]
    assert not list((tmp_path / "butler").iterdir())
    assert not (moved.root / "moving.json").exists()


def test_what_is_somebody_elses_by_now_is_not_removed(small: Satellite, tmp_path: Path) -> None:
    Spool(small).commit(wait=60)
    kill(small, "removing", "3", root=str(tmp_path / "new"))
    (small.root / "moving.json").unlink()
    before = sorted(small.root.rglob("*"))
    put(Satellite.open("dp2", tmp_path / "new"), 500)
    assert sorted(small.root.rglob("*")) == before


def test_files_elsewhere_that_a_killed_move_did_not_remove_are_removed(
    small: Satellite, tmp_path: Path
) -> None:
    Spool(small).commit(wait=60)
    small.migrate(storage=tmp_path / "elsewhere")
    names = sorted(path.name for path in (tmp_path / "elsewhere").iterdir())
    assert len(names) > 1
    kill(small, "removing", "1", storage=str(tmp_path / "third"))
    put(small, 500)
    assert not (tmp_path / "elsewhere").exists()


def test_a_killed_move_can_be_given_up(small: Satellite, postgres: str, object_storage: str) -> None:
    before = sorted(path.name for path in small.root.iterdir())
    kill(small, "copying files", registry=postgres, storage=object_storage)
    assert small.abandon_migration()
    assert sorted(path.name for path in small.root.iterdir()) == before
    put(small, 500)
    small.migrate(registry=postgres, storage=object_storage)


def test_repair_looks_after_a_killed_move(small: Satellite, tmp_path: Path) -> None:
    Spool(small).commit(wait=60)
    kill(small, "checked", root=str(tmp_path / "new"))
    assert Kind.UNFINISHED_MOVE in {found.kind for found in small.check().findings}
    with pytest.raises(SatelliteError, match="was moved to"):
        small.repair()
    assert Satellite.open("dp2", tmp_path / "new").info().own_datasets == 28
