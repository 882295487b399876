"""Collecting that is killed at any moment, or goes on beside others: nothing is lost, nothing doubled.

What is killed are real processes, forked from one that has everything imported, so that each is at work at
once.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.table import Table
from click.testing import CliRunner

import python_butler
from python_butler.cli.main import main
from python_butler.processing.collecting import collect
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Options, check
from tests.effort import kills
from tests.processes import PATIENCE, running

from .test_collecting import CHAIN, Ran, executed, ran

__all__ = ["executed", "ran"]

KILLS = kills(6)
IN_A_ROW = 5
"""Kills before it is completed, and begun anew."""

NURSERY = """
import os, sys
from python_butler.processing.collecting import collect
from python_butler.processing.workdir import WorkDirectory
import lsst.images
print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        collect(WorkDirectory(line.strip()))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


@pytest.fixture
def nursery(ran: Ran) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", NURSERY]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


def collect_and_kill(nursery: subprocess.Popen[str], directory: Path, after: float) -> None:
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    print(directory, file=nursery.stdin, flush=True)
    child = int(nursery.stdout.readline())
    time.sleep(after)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    assert nursery.stdout.readline() == "ended\n"


@pytest.mark.usefixtures("official_untouched")
def test_killed_at_any_moment_it_is_completed_by_another_call(
    ran: Ran, nursery: subprocess.Popen[str], tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "butler", tmp_path / "untouched" / "butler")
    shutil.copytree(tmp_path / "run", tmp_path / "untouched" / "run")
    begin = time.monotonic()
    first = collect(ran.workdir)
    took = time.monotonic() - begin
    expected, before = first.new, ran.count()
    moments = random.Random(7)
    for done in range(0, KILLS, IN_A_ROW):
        for name in ("butler", "run"):
            shutil.rmtree(tmp_path / name)
            shutil.copytree(tmp_path / "untouched" / name, tmp_path / name)
        for _ in range(min(IN_A_ROW, KILLS - done)):
            collect_and_kill(nursery, ran.workdir.path, moments.uniform(0, took))
        report = collect(ran.workdir)
        assert report.new + report.there == expected
        assert ran.count() == before
        assert not report.lost
        assert len(list((ran.satellite.root / "files" / ran.run / "run_provenance").iterdir())) == 1
        assert check(Satellite.open("dp2"), Options(min_age=0)).clean
        with ran.butler() as butler:
            for ref in butler.query_all_datasets(ran.run, find_first=False):
                assert butler.get(ref) is not None
            children = butler.collections.get_info(CHAIN).children
        assert len(children) == len(set(children))


def test_a_notebook_can_save_meanwhile(ran: Ran) -> None:
    done = threading.Event()
    failures: list[Exception] = []
    saved: list[str] = []

    def save() -> None:
        try:
            with python_butler.open("dp2") as butler:
                while not done.is_set() or len(saved) < 5:
                    saved.append(butler.save(Table({"count": [len(saved)]}), "note").run)
        except Exception as error:
            failures.append(error)

    notebook = threading.Thread(target=save, daemon=True)
    notebook.start()
    try:
        report = collect(ran.workdir)
    finally:
        done.set()
        notebook.join(PATIENCE)
    assert not notebook.is_alive()
    assert not failures
    assert report.new.total() == ran.count() - 1
    with python_butler.open("dp2") as butler:
        assert [butler.get("note", collections=run)["count"][0] for run in saved] == list(range(len(saved)))


def test_from_the_command_line(ran: Ran) -> None:
    directory = str(ran.workdir.path)
    done = CliRunner().invoke(main, ["run", "collect", directory, "--json"])
    # One quantum failed: it was done as far as possible.
    assert done.exit_code == 3, done.output
    told = json.loads(done.stdout)
    assert told["new"]["gathered"] == 1
    assert not told["complete"]
    again = CliRunner().invoke(main, ["run", "collect", directory, "--inputs", "none"])
    assert "start the run again" in again.stdout
    asked = CliRunner().invoke(main, ["run", "clean", directory])
    assert asked.exit_code == 2
    cleaned = CliRunner().invoke(main, ["run", "clean", directory, "--yes", "--json"])
    assert cleaned.exit_code == 0, cleaned.output
    assert json.loads(cleaned.stdout)["files"] == 1
    assert not WorkDirectory(directory).prepared
