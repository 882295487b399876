"""Referencing that is killed at any moment: the next run completes it, and no row points at nothing.

What is killed are real processes. They are forked from one that has everything imported, so that each is
at work at once.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from python_butler.demo.platform import Platform
from python_butler.demo.scale import RUN, scaled_registry
from python_butler.satellite import Satellite
from python_butler.satellite.layout import DATABASE
from python_butler.satellite.report import Status
from tests.effort import kills
from tests.processes import running

COUNT = 5_000
KILLS = kills(4)
"""Half of them at any moment, half when some batches are committed: those are over quickly."""

TYPES = ("visit_image", "difference_image", "bias", "flat")

NURSERY = """
import os, sys
from python_butler.satellite import Satellite
from python_butler.satellite import pins, references, structure
import lsst.images
print("ready", flush=True)
for line in sys.stdin:
    root, run, *types = line.split()
    child = os.fork()
    if not child:
        # Before anything else that it says.
        print(os.getpid(), flush=True)
        tell = lambda progress: print("referenced", progress.done, flush=True)
        Satellite.open("dp2", root).reference(types, collections=["dp2"], progress=tell)
        os._exit(0)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.fixture(scope="module")
def scaled_platform(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with some thousand datasets of true visits and detectors."""
    registry = scaled_registry(repository, COUNT, files=True)
    with Platform(tmp_path_factory.mktemp("platform"), repository=repository, registry=registry) as platform:
        yield platform


@pytest.fixture
def empty(scaled_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Satellite:
    """A satellite to make copies of."""
    for name, value in scaled_platform.environment.items():
        monkeypatch.setenv(name, value)
    return Satellite.create("dp2", tmp_path / "empty")


@pytest.fixture
def nursery(empty: Satellite) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", NURSERY]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def start(nursery: subprocess.Popen[str], root: Path) -> int:
    """Let a process reference everything; returns its ID."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(" ".join([str(root), RUN, *TYPES]) + "\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


def wait(nursery: subprocess.Popen[str], *, batches: int = sys.maxsize) -> bool:
    """Wait until a process has ended, or has told so often what it has referenced; says whether it lives."""
    assert nursery.stdout is not None
    for _ in range(batches):
        if (line := nursery.stdout.readline()) == "ended\n":
            return False
        assert line.startswith("referenced")
    return True


def check(root: Path) -> int:
    """Make sure that every row belongs to another; returns the number of datasets."""
    with sqlite3.connect(root / DATABASE) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        datasets = {row[0] for row in database.execute("SELECT id FROM dataset")}
        for table in ("reference_datastore_records", "dataset_location"):
            rows = {row[0] for row in database.execute(f"SELECT dataset_id FROM {table}")}
            assert rows == datasets, table
        assert database.execute("SELECT count(*) FROM dataset_location_trash").fetchone() == (0,)
    database.close()
    return len(datasets)


@pytest.mark.timeout(900)
def test_a_killed_call_leaves_whole_batches_and_is_completed_by_the_next(
    empty: Satellite, nursery: subprocess.Popen[str], tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(empty.root, whole)
    begin = time.monotonic()
    start(nursery, whole)
    assert not wait(nursery)
    took = time.monotonic() - begin
    total = check(whole)
    assert total >= COUNT
    moments = random.Random(5)
    partly = 0
    for kill in range(KILLS):
        root = tmp_path / f"killed-{kill}"
        shutil.copytree(empty.root, root)
        child = start(nursery, root)
        # The moment is what is tried out, so nothing can be waited for but the beginning.
        lives = kill % 2 == 0 or wait(nursery, batches=1)
        time.sleep(moments.uniform(0, took) if kill % 2 == 0 else moments.uniform(0, took / 20))
        if lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            wait(nursery)
        left = check(root)
        partly += 0 < left < total
        report = Satellite.open("dp2", root).reference(TYPES, collections=["dp2"])
        assert (report.count(Status.THERE), report.count(Status.NEW)) == (left, total - left)
        assert check(root) == total
        assert contents(root) == contents(whole)
        shutil.rmtree(root)
    print(f"{partly} of {KILLS} were killed between two batches")
    assert partly


def contents(root: Path) -> dict[str, int]:
    """How many rows every table has."""
    with sqlite3.connect(root / DATABASE) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        called = dict.fromkeys((name for (name,) in tables), "")
        # Numbered in the order in which they were made, which the moment of the kill may change.
        for kind in ("tag", "calibration"):
            column = f"{kind}_association_table"
            rows = database.execute(f"SELECT {column}, name FROM dataset_type ORDER BY name").fetchall()
            for name, dataset_type in rows:
                if name in called:
                    called[name] += f"{kind}: {dataset_type} "
        numbers = {
            called[name] or name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in called
        }
    database.close()
    return numbers
