"""One process at a time has the lock; nobody who is dead keeps it."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from json import dumps
from pathlib import Path

import pytest

from python_butler.satellite.spool import FileLock, lock
from python_butler.satellite.spool.lock import Owner, this_process
from tests.processes import PATIENCE, Forked, running

COUNT = """
import sys
from pathlib import Path
from python_butler.satellite.spool.lock import FileLock
path, number = Path(sys.argv[1]), Path(sys.argv[2])
for _ in range(int(sys.argv[3])):
    with FileLock(path):
        number.write_text(str(int(number.read_text()) + 1))
"""
HOLD = """
import sys, time
from pathlib import Path
from python_butler.satellite.spool.lock import FileLock
assert FileLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def elsewhere() -> Owner:
    """A process on another machine, of which nothing can be known here."""
    return replace(this_process(), host="elsewhere")


def test_processes_have_it_one_after_the_other(path: Path, tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    command = [sys.executable, "-c", COUNT, str(path), str(number), "30"]
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(running(command)) for _ in range(3)]
        assert [process.wait(PATIENCE) for process in processes] == [0] * 3
    assert number.read_text() == "90"
    assert list(tmp_path.iterdir()) == [number]


def test_a_killed_owner_does_not_keep_it(path: Path) -> None:
    with running([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert not FileLock(path).acquire()
        assert FileLock(path).held()
        process.kill()
    assert not FileLock(path).held()
    mine = FileLock(path)
    assert mine.acquire()
    mine.release()
    assert not path.exists()


def test_a_number_that_another_process_has_by_now_keeps_nothing_alive(path: Path) -> None:
    path.write_text(dumps(asdict(replace(this_process(), started="1"))))
    assert FileLock(path).acquire()


def test_a_silent_owner_on_another_machine_loses_it_in_the_end(
    path: Path, elsewhere: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "STALE", 0.5)
    path.write_text(dumps(asdict(elsewhere)))
    mine = FileLock(path)
    begin = time.monotonic()
    assert mine.acquire(60)
    assert time.monotonic() - begin >= 0.5
    assert mine.owner() != elsewhere


def test_who_asks_again_and_again_without_waiting_finds_a_silent_owner_out_too(
    path: Path, elsewhere: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "STALE", 0.3)
    path.write_text(dumps(asdict(elsewhere)))
    begin = time.monotonic()
    while not FileLock(path).acquire():
        assert time.monotonic() - begin < 60
        time.sleep(0.05)
    assert time.monotonic() - begin >= 0.3


def test_an_owner_that_shows_life_keeps_it(
    path: Path, elsewhere: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "STALE", 2.0)
    monkeypatch.setattr(lock, "HEARTBEAT", 0.1)
    mine = FileLock(path)
    assert mine.acquire()
    # As another machine sees it.
    monkeypatch.setattr(Owner, "alive", lambda self: None)
    assert not FileLock(path).acquire(3.0)
    mine.release()
    assert FileLock(path).acquire()


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_jumps_takes_it_from_nobody(path: Path, elsewhere: Owner, hours: int) -> None:
    path.write_text(dumps(asdict(elsewhere)))
    then = time.time() + 3600 * hours
    os.utime(path, (then, then))
    assert not FileLock(path).acquire(0.2)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_does_not_give_back_what_its_parent_has(path: Path) -> None:
    mine = FileLock(path)
    assert mine.acquire()
    with Forked(mine.release) as child:
        assert child.wait() == 0
    assert path.exists()
    mine.release()
    assert not path.exists()


def test_who_lost_it_does_not_take_it_from_the_next(path: Path) -> None:
    first, second = FileLock(path), FileLock(path)
    assert first.acquire()
    path.unlink()
    assert second.acquire()
    first.release()
    assert second.owner() is not None
    second.release()


def test_it_does_without_second_names(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **keywords: object) -> None:
        raise OSError(errno.EPERM, "no links")

    # No file system without hard links can be mounted here.
    monkeypatch.setattr(os, "link", refuse)
    mine = FileLock(path)
    assert mine.acquire()
    assert not FileLock(path).acquire()
    mine.release()
    # What its owner has not written yet is not taken away.
    path.touch()
    assert not FileLock(path).acquire(0.1)
