"""A disk that is full while a run is prepared or collected: one clear error, and another call completes it.

As in `tests.hardship`, a library that is preloaded lets the steps of writing fail, from one of them on.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.preloading import NoCompilerError, preloaded
from python_butler import processing
from python_butler.processing.collecting import collect
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Options, check
from tests.processes import running

from .conftest import WHERE
from .tasks import MeasureTask
from .test_collecting import Ran, executed, ran

__all__ = ["executed", "ran"]

TRIES = int(os.environ.get("PYTHON_BUTLER_TEST_STEPS", "4"))
"""How many of the steps are tried of each stage."""

NURSERY = """
import ctypes, errno, json, os, sys, traceback
from python_butler import processing
from python_butler.processing.collecting import collect
from python_butler.processing.workdir import WorkDirectory
from processing.tasks import MeasureTask
import lsst.images

def prepare(directory, where):
    processing.prepare(MeasureTask, label="dp2", directory=directory, where=where, name="full")

disk = ctypes.CDLL(None)
disk.trouble_steps.restype = ctypes.c_long
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    if not os.fork():
        told = {"error": None}
        steps = ctypes.c_long(order["first"]), ctypes.c_long(10**9)
        disk.trouble_with_disk(os.fsencode(order["top"]), *steps, errno.ENOSPC)
        try:
            if order["stage"] == "prepare":
                prepare(order["directory"], order["where"])
            else:
                collect(WorkDirectory(order["directory"]))
        except BaseException as error:
            told["error"] = type(error).__name__, str(error), traceback.format_exc()
        print(json.dumps(told | {"steps": disk.trouble_steps()}), flush=True)
        os._exit(0)
    os.wait()
"""


class Nursery:
    """A process that has everything imported, and forks one for each order, with a disk that becomes full."""

    def __init__(self, process: subprocess.Popen[str], top: Path) -> None:
        self._process = process
        self._top = top

    def order(self, stage: str, directory: Path, first: int = 0) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        told = {"stage": stage, "directory": str(directory), "first": first, "where": WHERE}
        print(json.dumps(told | {"top": str(self._top)}), file=self._process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture
def nursery(ran: Ran, tmp_path: Path) -> Iterator[Nursery]:
    try:
        variables = preloaded(Path(__file__).parents[1] / "hardship" / "trouble.c")
    except NoCompilerError as reason:
        pytest.skip(str(reason))
    with running(
        [sys.executable, "-c", NURSERY],
        env={**os.environ, **variables},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Nursery(process, tmp_path)


def assert_clear(told: dict[str, Any], step: int) -> None:
    kind, text, trace = told["error"]
    assert kind == "NoSpaceError", (step, kind, text, trace)
    assert any(word in text.lower() for word in ("full", "no room", "no space")), (step, text)


def chosen(steps: int, stage: str) -> list[int]:
    """Some of the steps, each from another part of the work; all if there are not more."""
    count = min(TRIES, steps)
    choice = random.Random(f"{stage} {steps}")
    return [1 + (i * steps + choice.randrange(steps)) // count for i in range(count)]


@pytest.mark.timeout(600)
def test_collecting_is_completed_when_there_is_room_again(ran: Ran, nursery: Nursery, tmp_path: Path) -> None:
    for name in ("butler", "run"):
        shutil.copytree(tmp_path / name, tmp_path / "untouched" / name)
    whole = nursery.order("collect", ran.workdir.path)
    assert whole["error"] is None, whole["error"]
    expected, before = collect(ran.workdir).there, ran.count()
    for step in chosen(whole["steps"], "collect"):
        for name in ("butler", "run"):
            shutil.rmtree(tmp_path / name)
            shutil.copytree(tmp_path / "untouched" / name, tmp_path / name)
        told = nursery.order("collect", ran.workdir.path, step)
        if told["error"] is not None:
            assert_clear(told, step)
        report = collect(ran.workdir)
        assert report.new + report.there == expected
        assert ran.count() == before
        assert check(Satellite.open("dp2"), Options(min_age=0)).clean


@pytest.mark.timeout(600)
def test_preparing_leaves_nothing_and_is_done_again_when_there_is_room(
    ran: Ran, nursery: Nursery, tmp_path: Path
) -> None:
    whole = nursery.order("prepare", tmp_path / "whole")
    assert whole["error"] is None, whole["error"]
    directory = tmp_path / "prepared"
    for step in chosen(whole["steps"], "prepare"):
        told = nursery.order("prepare", directory, step)
        if told["error"] is None:
            assert WorkDirectory(directory).prepared
            continue
        assert_clear(told, step)
        assert not WorkDirectory(directory).prepared
        assert not directory.exists() or list(directory.iterdir()) == []
    if not WorkDirectory(directory).prepared:
        processing.prepare(MeasureTask, label="dp2", directory=directory, where=WHERE, name="full")
    assert processing.open(directory).summary.quanta == 3
