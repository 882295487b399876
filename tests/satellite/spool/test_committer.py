"""After a burst of saves this process commits them by itself, without a word and without waiting long."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.satellite.place import Place
from python_butler.satellite.spool import FileLock, Spool, commit_soon
from python_butler.satellite.spool.spool import LOCK
from tests.processes import Forked

from .conftest import reference, same, table

ROOT = Path(__file__).parents[3]
END = """
import os, sys
from pathlib import Path
from tests.satellite.spool.conftest import reference, table
from python_butler.satellite.place import Place
from python_butler.satellite.spool import Spool, commit_soon
place = Place("dp2", Path(sys.argv[1]))
with place.reader() as reader:
    Spool(place).store(reader, table(1), reference(reader.dimensions, 1))
commit_soon(place)
"""

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_what_was_saved_is_committed_soon_by_a_thread_that_then_ends(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    refs = [reference(reader.dimensions, number) for number in range(3)]
    for number, ref in enumerate(refs):
        spool.store(reader, table(number), ref)
        commit_soon(place)
    wait_until(lambda: not spool.waiting())
    wait_until(lambda: "python-butler-commit" not in {thread.name for thread in threading.enumerate()})
    assert all(same(reader.get(ref), number) for number, ref in enumerate(refs))


def test_a_butler_that_is_open_already_is_used_for_it(
    spool: Spool, place: Place, reader: DirectButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = reference(reader.dimensions, 1)
    asked: list[str] = []
    with place.writer() as writer:
        # From here on no other can be opened.
        monkeypatch.setattr(Place, "writer", None)

        def spare(database: str) -> DirectButler:
            asked.append(database)
            return writer

        spool.store(reader, table(1), ref)
        commit_soon(place, spare)
        wait_until(lambda: not spool.waiting())
        wait_until(lambda: "python-butler-commit" not in {thread.name for thread in threading.enumerate()})
    assert asked == [place.version().partition("-")[0]]
    assert same(reader.get(ref), 1)


def test_it_is_tried_again_while_somebody_else_commits(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    spool.store(reader, table(1), reference(reader.dimensions, 1))
    with FileLock(place.root / "spool" / LOCK):
        commit_soon(place)
        time.sleep(1.0)
        assert spool.waiting() == 1
    wait_until(lambda: not spool.waiting())


def test_a_process_that_ends_commits_first_and_says_nothing(place: Place, spool: Spool) -> None:
    done = subprocess.run(
        [sys.executable, "-c", END, str(place.root)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert spool.waiting() == 0


def test_a_process_that_ends_while_somebody_else_commits_does_not_wait_for_long(
    place: Place, spool: Spool
) -> None:
    (place.root / "spool").mkdir()
    with FileLock(place.root / "spool" / LOCK):
        done = subprocess.run(
            [sys.executable, "-c", END, str(place.root)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=120,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert spool.waiting() == 1
    assert spool.commit().committed == 1


def test_a_forked_child_commits_its_own(spool: Spool, place: Place, reader: DirectButler) -> None:
    spool.store(reader, table(1), reference(reader.dimensions, 1))
    commit_soon(place)

    def save() -> None:
        with place.reader() as mine:
            spool.store(mine, table(2), reference(mine.dimensions, 2))
        commit_soon(place)
        wait_until(lambda: not spool.waiting())

    with Forked(save) as child:
        assert child.wait() == 0
    wait_until(lambda: not spool.waiting())


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for what is going to happen."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
