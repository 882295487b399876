"""A run meets what runs meet: a server that is down, a token that expires, a full disk, a sudden end."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

import python_butler
from python_butler.datastore import signer_for
from python_butler.datastore.prefetching import WORKERS
from python_butler.demo.platform import Platform
from python_butler.errors import NoSpaceError, OfflineError, TokenError
from python_butler.processing.execution.journal import State
from python_butler.processing.execution.reading import events, last_events
from python_butler.processing.execution.starting import start
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress
from tests.effort import kills
from tests.processes import PATIENCE, running

from .conftest import DETECTORS, Prepare, pipeline
from .tasks import CalibrateTask, GatherTask, MeasureTask

pytestmark = pytest.mark.timeout(900)

type Outage = tuple[Callable[[], None], type[Exception]]

KILLS = kills(4)
"""How often a run is killed."""


@pytest.fixture(autouse=True)
def _no_addresses_at_hand(environment: dict[str, str]) -> None:
    """Let no signed address be at hand from an earlier test."""
    signer_for("dp2").forget_signed()


@pytest.fixture(params=["server", "token"])
def outage(request: pytest.FixtureRequest, platform: Platform) -> Iterator[Outage]:
    """Begins some trouble; the platform is calm again when the test is over."""
    if request.param == "token":
        yield platform.refuse_token, TokenError
    else:
        yield partial(platform.trouble, "server", status=500), OfflineError
    platform.calm()
    platform.accept_token()


def test_each_official_file_is_fetched_once_whoever_reads_it(
    prepare_run: Prepare, platform: Platform
) -> None:
    # Two tasks read the same images.
    workdir = prepare_run(pipeline(MeasureTask, CalibrateTask))
    platform.requests(forget=True)
    assert start(workdir, processes=2).complete
    signed = [seen.path for seen in platform.requests("server") if "get_file" in seen.path]
    fetched = [seen.path for seen in platform.requests("store")]
    # Three images and the bias of each detector.
    assert len(signed) == len(set(signed)) == 6
    assert len(fetched) == len(set(fetched)) == 6


def test_while_the_server_is_in_trouble_a_run_waits_and_then_stops_with_nothing_lost(
    prepare_run: Prepare,
    platform: Platform,
    outage: Outage,
) -> None:
    begin, error = outage
    workdir = prepare_run()
    begin()
    told: list[Progress] = []
    with pytest.raises(error, match="satellite run start"):
        start(workdir, progress=told.append, patience=0.5)
    assert not any(event.state is State.FAILED for event in last_events(workdir).values())
    # Now it is well again while the run waits.
    waiting = threading.Event()

    def notice(progress: Progress) -> None:
        told.append(progress)
        if "(" in progress.what:
            waiting.set()

    def mend() -> None:
        waiting.wait()
        platform.calm()
        platform.accept_token()

    mender = threading.Thread(target=mend, daemon=True)
    mender.start()
    try:
        assert start(workdir, progress=notice).complete
    finally:
        waiting.set()
        mender.join(PATIENCE)


def test_a_file_that_alone_cannot_be_read_is_the_failure_of_its_quantum(
    prepare_run: Prepare, platform: Platform
) -> None:
    where = f"instrument = 'LSSTCam' AND detector IN {DETECTORS}"
    with python_butler.open("dp2", collections="dp2") as butler:
        images = butler.query_datasets("visit_image", where=where)
    # More than are fetched at the same time, so that some are asked for after the bad one failed.
    assert len(images) > 2 * WORKERS
    bad = min(images, key=lambda ref: (ref.dataId["visit"], ref.dataId["detector"]))
    workdir = prepare_run(pipeline(MeasureTask, GatherTask), where=where)
    platform.trouble("server", path=str(bad.id), status=500)
    try:
        result = start(workdir, processes=2, patience=5.0)
    finally:
        platform.calm()
    (failure,) = result.failures
    assert failure.data_id == dict(bad.dataId.required)
    assert "OfflineError" in failure.error or "500" in failure.error
    assert [(task.failed, task.skipped, task.waiting) for task in result.tasks] == [(1, 0, 0), (0, 1, 0)]
    # The file is well again.
    assert start(workdir, processes=2).complete


def test_a_full_disk_is_told_once_and_the_run_goes_on_when_there_is_room(prepare_run: Prepare) -> None:
    workdir = prepare_run()
    with PredictedQuantumGraph.open(str(workdir.graph)) as reader:
        reader.read_thin_graph()
    (first, *_) = reader.components.thin_graph.quanta["measure"]
    full = workdir.log("measure", first.quantum_id)
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    with pytest.raises(NoSpaceError, match=r"no room.*satellite run start"):
        start(workdir)
    full.unlink()
    assert start(workdir).complete


def _starting(workdir: WorkDirectory) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    program = "from python_butler.cli import main; main()"
    command = [sys.executable, "-c", program, "run", "start", str(workdir.path), "-j", "2"]
    return running(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _gone(pids: set[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.usefixtures("official_untouched")
def test_a_run_that_is_killed_at_any_moment_goes_on_where_it_was(
    prepare_run: Prepare, satellite: Satellite, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    workdir = prepare_run(pipeline((MeasureTask, {"seconds": 0.02, "marks": str(marks)}), GatherTask))
    chance = random.Random(7)
    for _ in range(KILLS):
        seen = sum(1 for _ in events(workdir))
        # Some while it starts, some after so many more lines of the journal.
        lines, deadline = seen + chance.randrange(8), time.monotonic() + chance.uniform(0.0, 20.0)
        with _starting(workdir) as process:
            while time.monotonic() < deadline and process.poll() is None:
                if sum(1 for _ in events(workdir)) > lines:
                    break
                time.sleep(0.005)
            process.kill()
            process.wait(PATIENCE)
            # Nobody goes on by himself: a second start would find him writing.
            workers = {event.pid for event in events(workdir)}
            patience = time.monotonic() + 20
            while not _gone(workers) and time.monotonic() < patience:
                time.sleep(0.02)
            assert _gone(workers)
    with _starting(workdir) as process:
        output, _ = process.communicate(timeout=2 * PATIENCE)
        assert process.returncode == 0, output
    last = last_events(workdir)
    assert {event.state for event in last.values()} == {State.SUCCEEDED}
    # Whoever succeeded was not executed again, and everything is there once, complete.
    done: set[object] = set()
    for event in sorted(events(workdir), key=lambda event: event.at):
        assert event.quantum not in done
        if event.state is State.SUCCEEDED:
            done.add(event.quantum)
    names = Counter(
        path.name.partition("_LSSTCam")[0] for path in (satellite.root / "files").rglob("*") if path.is_file()
    )
    tasks = Counter(event.task for event in last.values())
    for task, output_name in (("measure", "measured"), ("gather", "gathered")):
        assert names[output_name] == names[f"{task}_log"] == names[f"{task}_metadata"] == tasks[task]
    prefixes = ("packages", "measured_columns", "measure_config", "gather_config")
    once = [name for name in names if name.startswith(prefixes)]
    assert len(once) == 4
    assert {names[name] for name in once} == {1}
    assert names.total() == 3 * tasks.total() + len(once)
