"""Executing a run: what comes out, what is skipped, and what a second start does."""

from __future__ import annotations

import json
import queue
import shlex
import threading
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from python_butler.cli import main
from python_butler.cli.exits import ExitCode
from python_butler.errors import InvalidRequestError
from python_butler.processing.execution import rerun, start
from python_butler.processing.execution.crew_client import Crew
from python_butler.processing.execution.journal import Event, Journal, State
from python_butler.processing.execution.reading import last_events
from python_butler.processing.reporting import Report, report, status
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from tests.processes import PATIENCE

from .conftest import DETECTORS, Prepare, pipeline
from .tasks import CalibrateTask, GatherTask, MeasureTask

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Directory in which each real execution leaves a file."""
    directory = tmp_path / "marks"
    directory.mkdir()
    return directory


def executions(marks: Path) -> Counter[str]:
    """How often each quantum was really executed."""
    return Counter(path.name.rsplit(".", 2)[0] for path in marks.iterdir())


def files(satellite: Satellite, word: str) -> list[str]:
    """Names of the files that a run left whose names begin like this."""
    return sorted(path.name for path in (satellite.root / "files").rglob(f"{word}*") if path.is_file())


def states(workdir: WorkDirectory) -> dict[str, Counter[State]]:
    found: dict[str, Counter[State]] = {}
    for event in last_events(workdir).values():
        found.setdefault(event.task, Counter())[event.state] += 1
    return found


def test_a_run_writes_what_was_predicted_and_not_to_the_database(
    prepare_run: Prepare, satellite: Satellite, marks: Path
) -> None:
    workdir = prepare_run(pipeline((MeasureTask, {"marks": str(marks)}), (GatherTask, {"marks": str(marks)})))
    database = satellite.root / "gen3.sqlite3"
    before = database.read_bytes()
    told = []
    result = start(workdir, processes=2, progress=told.append)
    assert result.complete, result.failures
    assert len(files(satellite, "measured_LSSTCam")) == 3
    assert len(files(satellite, "gathered_LSSTCam")) == 1
    assert len(files(satellite, "measure_log_")) == len(files(satellite, "measure_metadata_")) == 3
    assert len(files(satellite, "packages")) == len(files(satellite, "measured_columns")) == 1
    assert database.read_bytes() == before
    assert {part.what: (part.done, part.total) for part in told[-1].parts} == {
        "measure": (3, 3),
        "gather": (1, 1),
    }
    logs = [path.read_text() for path in (workdir.logs / "measure").iterdir()]
    assert len(logs) == 3
    assert all("at work" in log for log in logs)
    # Once more: nothing is left to do.
    assert start(workdir).complete
    assert set(executions(marks).values()) == {1}
    assert len(executions(marks)) == 4
    # A quantum whose outputs were removed is executed again.
    for path in (satellite.root / "files").rglob("gather_metadata_*"):
        path.unlink()
    assert start(workdir).complete
    assert executions(marks)["gather.2025072100601"] == 2


def test_what_fails_is_told_and_is_in_the_way_of_its_dependents_only(
    prepare_run: Prepare, satellite: Satellite, marks: Path, tmp_path: Path
) -> None:
    cured = tmp_path / "cured"
    trouble = {"marks": str(marks), "fail": [DETECTORS[0]], "fail_unless": str(cured)}
    workdir = prepare_run(
        pipeline((MeasureTask, trouble), GatherTask, (CalibrateTask, {"die": [DETECTORS[1]]}))
    )
    result = start(workdir, processes=2)
    assert not result.complete
    assert states(workdir) == {
        "measure": {State.SUCCEEDED: 2, State.FAILED: 1},
        "gather": {State.SKIPPED: 1},
        "calibrate": {State.SUCCEEDED: 2, State.FAILED: 1},
    }
    by_task = {failure.task: failure for failure in result.failures}
    failure = by_task["measure"]
    assert failure.data_id["detector"] == DETECTORS[0]
    assert failure.error == f"RuntimeError: The sky of detector {DETECTORS[0]} has fallen."
    assert any("has fallen" in line for line in failure.lines)
    assert str(failure.quantum) in failure.command
    assert "ended with code 9" in by_task["calibrate"].error
    assert "1 skipped" in result.headline()
    assert "has fallen" in result._repr_html_()
    told = CliRunner().invoke(main, ["run", "report", str(workdir.path)])
    assert told.exit_code == ExitCode.PROBLEMS
    assert "4 of 7 quanta succeeded, 2 failed, 1 skipped." in told.output
    assert "  | RuntimeError: The sky of detector" in told.output
    counted = CliRunner().invoke(main, ["run", "status", str(workdir.path), "--json"])
    failed = {task["task"]: task["failed"] for task in json.loads(counted.stdout)["tasks"]}
    assert failed == {"measure": 1, "gather": 0, "calibrate": 1}
    # In this process, for a debugger: the task's own exception.
    with pytest.raises(RuntimeError, match="has fallen"):
        rerun(workdir, failure.quantum)
    cured.touch()
    alone = CliRunner().invoke(main, shlex.split(failure.command)[1:])
    assert alone.exit_code == ExitCode.PROBLEMS
    assert "5 of 7 quanta succeeded" in alone.output
    with pytest.raises(InvalidRequestError, match="no quantum"):
        rerun(workdir, UUID(int=1))
    # What needed it is executed now; what succeeded is left alone.
    result = start(workdir, processes=2)
    assert [each.task for each in result.failures] == ["calibrate"]
    assert files(satellite, "gathered_LSSTCam")
    assert executions(marks)[f"measure.2025072100601.{DETECTORS[1]}"] == 1


def test_a_quantum_that_does_nothing_failed_unless_it_says_that_there_was_nothing_to_do(
    prepare_run: Prepare, satellite: Satellite
) -> None:
    workdir = prepare_run(
        pipeline((MeasureTask, {"silent": [DETECTORS[0]]}), (CalibrateTask, {"no_work": [DETECTORS[1]]}))
    )
    result = start(workdir, processes=2)
    assert states(workdir) == {
        "measure": {State.SUCCEEDED: 2, State.NOTHING: 1},
        "calibrate": {State.SUCCEEDED: 3},
    }
    (failure,) = result.failures
    assert "without writing any of its outputs (measured)" in failure.error
    assert {task.task: task.no_work for task in result.tasks} == {"measure": 0, "calibrate": 1}
    # In upstream's eyes, too: no metadata, so no success.
    assert len(files(satellite, "measure_metadata_")) == 2
    assert len(files(satellite, "calibrate_metadata_")) == 3


def test_a_run_that_is_stopped_ends_what_is_being_executed_and_goes_on_later(
    prepare_run: Prepare, marks: Path, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    workdir = prepare_run(pipeline((MeasureTask, {"marks": str(marks), "wait_for": str(gate)}), GatherTask))
    cancelled = threading.Event()
    results: list[Report] = []
    runner = threading.Thread(target=lambda: results.append(start(workdir, cancel=cancelled)), daemon=True)
    runner.start()
    try:
        while not executions(marks):
            assert runner.is_alive()
            runner.join(0.05)
        # Seen from outside meanwhile: what runs, and that nobody else may.
        assert status(workdir).working
        assert sum(task.running for task in status(workdir).tasks) == 1
        with pytest.raises(InvalidRequestError, match="works on the run"):
            start(workdir)
        cancelled.set()
    finally:
        gate.touch()
        runner.join(PATIENCE)
    assert results[0].succeeded == 1
    assert not results[0].failures
    assert start(workdir, processes=2).complete
    assert set(executions(marks).values()) == {1}


def test_a_graph_without_records_is_refused(prepare_run: Prepare) -> None:
    workdir = prepare_run(pipeline(CalibrateTask))
    with PredictedQuantumGraph.open(str(workdir.graph)) as reader:
        reader.read_all()
    for quantum in reader.components.quantum_datasets.values():
        quantum.datastore_records = {}
    reader.components.write(str(workdir.graph))
    with pytest.raises(InvalidRequestError, match="where the files of its inputs are"):
        start(workdir)
    assert report(workdir).succeeded == 0


def test_nothing_runs_in_a_run_on_which_nobody_works(prepare_run: Prepare) -> None:
    workdir = prepare_run(pipeline(MeasureTask))
    with Journal(workdir) as journal:
        # A process with this number exists, as it may when a container was started again.
        journal.append(Event.now(uuid4(), "measure", State.STARTED, {}))
    (task,) = status(workdir).tasks
    assert (task.running, task.interrupted) == (0, 1)
    with workdir.locked():
        (task,) = status(workdir).tasks
    assert (task.running, task.interrupted) == (1, 0)


def test_an_order_to_a_crew_that_is_gone_is_answered_by_its_end(prepare_run: Prepare) -> None:
    heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    with Crew(prepare_run(), 1, heard.put) as crew:
        crew._process.kill()
        crew._process.wait(PATIENCE)
        crew.order(uuid4(), "first")
        while heard.get(timeout=PATIENCE) is not None:
            pass
