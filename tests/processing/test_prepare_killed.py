"""Preparing that is killed at any moment: doing it again completes it, and nothing else is left."""

from __future__ import annotations

import os
import random
import select
import signal
import time
from pathlib import Path

import pytest
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from python_butler import processing
from python_butler.processing.workdir import WorkDirectory, runs_of
from python_butler.satellite import Satellite
from tests.effort import kills

from .conftest import WHERE
from .tasks import MeasureTask

KILLS = kills(6)
SEED = 7


def prepare(directory: Path) -> processing.Run:
    return processing.prepare(MeasureTask, label="dp2", directory=directory, where=WHERE, name="mysources")


def killed(directory: Path, after: float) -> bool:
    """Prepare in a process that is killed; say whether it came to its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        try:
            prepare(directory)
            os.write(writing, b"done")
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if not select.select([reading], [], [], after)[0]:
        os.kill(child, signal.SIGKILL)
    said = os.read(reading, 4)
    os.close(reading)
    os.waitpid(child, 0)
    return said == b"done"


def check_complete(directory: Path) -> None:
    run = processing.open(directory)
    assert run.summary.quanta == 3
    with PredictedQuantumGraph.open(run.workdir.graph) as reader:
        reader.read_all()
    assert all(quantum.datastore_records for quantum in reader.components.quantum_datasets.values())
    assert reader.components.header.output_run == run.settings.output_run
    # Files that were being written are hidden.
    assert not [path for path in directory.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("official_untouched")
@pytest.mark.timeout(600)
def test_preparing_again_completes_what_was_killed(satellite: Satellite, tmp_path: Path) -> None:
    begin = time.monotonic()
    prepare(tmp_path / "first")
    took = time.monotonic() - begin
    before = satellite.version()
    moments = random.Random(SEED)
    in_between = 0
    for kill in range(KILLS):
        directory = tmp_path / f"run{kill}"
        done = killed(directory, moments.uniform(0, took))
        in_between += not done
        # What is there says itself whether it is complete.
        assert WorkDirectory(directory).prepared or not done
        if not WorkDirectory(directory).prepared:
            prepare(directory)
        check_complete(directory)
    assert in_between
    assert satellite.version() == before
    found = [workdir.settings().output_run for workdir in runs_of(satellite.root)]
    assert len(found) == len(set(found)) == KILLS + 1
