"""Runs in one satellite at the same time, while a notebook saves into it, and the official one untouched."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from lsst.daf.butler import Butler

import python_butler
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Options, check
from tests.processes import PATIENCE, running

from .conftest import DETECTORS, VISIT, Prepare, pipeline
from .tasks import CalibrateTask, GatherTask, MeasureTask

RUN = """
import json, sys
from python_butler import processing
run = processing.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
report = run.start(processes=1, progress=False)
assert report.complete, report
print("executed", flush=True)
sys.stdin.readline()
report = run.collect(progress=False)
assert report.complete, report
print(json.dumps(report.new), flush=True)
"""

NOTEBOOK = """
import threading, sys
import python_butler
from astropy.table import Table
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
with python_butler.open("dp2") as butler:
    count = 0
    while not done.is_set():
        ref = butler.save(Table({"count": [count]}), "note")
        assert butler.get(ref)["count"][0] == count
        print(ref.run, flush=True)
        count += 1
"""


def process(program: str, *arguments: Path) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def say(told: subprocess.Popen[str]) -> None:
    assert told.stdin is not None
    print(file=told.stdin, flush=True)


def hear(told: subprocess.Popen[str]) -> str:
    assert told.stdout is not None
    return told.stdout.readline().strip()


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("official_untouched")
@pytest.mark.parametrize("satellite", ["here", "elsewhere"], indirect=True)
def test_two_runs_at_once_and_a_notebook_that_saves_all_the_time_are_not_in_each_others_way(
    prepare_run: Prepare, satellite: Satellite
) -> None:
    # Of one name: they come into the same chain, and refer to the same inputs.
    tasks = [pipeline(MeasureTask, GatherTask), pipeline(MeasureTask, GatherTask, CalibrateTask)]
    workdirs = [prepare_run(each, directory=name) for each, name in zip(tasks, "ab", strict=True)]
    chain, *_ = {workdir.settings().output for workdir in workdirs}
    runs = {workdir.settings().output_run for workdir in workdirs}
    assert len(runs) == 2
    with contextlib.ExitStack() as stack:
        notebook = stack.enter_context(process(NOTEBOOK))
        working = [stack.enter_context(process(RUN, workdir.path)) for workdir in workdirs]
        saved = [hear(notebook)]
        for word in ("ready", "executed"):
            assert [hear(each) for each in working] == [word, word]
            for each in working:
                say(each)
        new = [Counter(json.loads(hear(each))) for each in working]
        assert [each.wait(PATIENCE) for each in working] == [0, 0]
        assert notebook.poll() is None
        said, _ = notebook.communicate(timeout=PATIENCE)
        assert notebook.returncode == 0
        saved += said.split()
    assert [each["measured"] for each in new] == [3, 3]
    assert [each["calibrated"] for each in new] == [0, 3]
    assert len(saved) > 1
    with (
        Butler.from_config(str(satellite.root), collections=chain) as plain,
        python_butler.open("dp2", collections=chain) as both,
    ):
        children = plain.collections.get_info(chain).children
        assert children[:2] == tuple(sorted(runs, reverse=True))
        assert len(children) == len(set(children))
        for run, told in zip([workdir.settings().output_run for workdir in workdirs], new, strict=True):
            found = list(plain.query_all_datasets(run, find_first=False))
            # And the provenance graph.
            assert len(found) == told.total() + 1
            assert all(plain.get(ref) is not None for ref in found)
        for butler in (plain, both):
            table = butler.get("gathered", instrument="LSSTCam", visit=VISIT)
            assert sorted(table["detector"]) == sorted(DETECTORS)
            data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": DETECTORS[0]}
            assert butler.find_dataset("visit_image", data_id) is not None
        counts = [both.get("note", collections=run)["count"][0] for run in saved]
    assert counts == list(range(len(saved)))
    assert check(satellite, Options(min_age=0)).clean
