"""Running a pipeline and collecting what it made, beside upstream's own tools.

Execution is timed as a person sees it: one command, from its start to its end, `satellite run start` or
`pipetask run-qbb`. Ours reads from the official repository over HTTP with nothing cached; upstream's has
copies of the inputs beside it, whatever the delay. Each executes one quantum at a time: with several,
upstream's starts an interpreter for every quantum, which takes longer than these quanta do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figures import Pair, Reading, figure
from .scene import Scene

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef

    from python_butler.processing import Run

_WHERE = "instrument = 'LSSTCam' AND day_obs < 20260110 AND band = 'r'"
_COLLECTED = 334
"""Quanta of which each leaves a table, a log and metadata: 1,002 outputs."""


@dataclass(frozen=True)
class _Kept:
    """Directories as they were, to begin from again."""

    copies: dict[Path, Path]

    @classmethod
    def of(cls, *directories: Path) -> _Kept:
        copies = {each: each.with_name(f"{each.name} as it was") for each in directories}
        kept = cls(copies)
        for directory, copy in copies.items():
            shutil.copytree(directory, copy, symlinks=True)
        return kept

    def restore(self) -> None:
        for directory, copy in self.copies.items():
            shutil.rmtree(directory)
            shutil.copytree(copy, directory, symlinks=True)


def _command(*words: str | Path) -> None:
    """Run one of the commands of this environment."""
    program = Path(sys.executable).with_name(str(words[0]))
    done = subprocess.run([program, *words[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words} fails:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


def _prepared(scene: Scene, name: str, **arguments: Any) -> Run:
    """Prepare a run in a satellite of its own."""
    from python_butler import Satellite, processing

    assert scene.release
    satellite = Satellite.create("dp2", scene.directory / f"{name} satellite")
    return processing.prepare(
        label="dp2",
        root=satellite.root,
        directory=scene.directory / f"{name} run",
        name=name,
        progress=False,
        **arguments,
    )


def _upstreams_repository(scene: Scene) -> tuple[Path, Path]:
    """A repository with copies of the inputs, and a graph over it, ready to be run."""
    from lsst.daf.butler import Butler
    from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder
    from lsst.pipe.base.pipeline_graph import PipelineGraph
    from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor

    from python_butler.example_pipeline import DetectSourcesTask

    root, path = scene.directory / "local repository", scene.directory / "local.qg"
    run = "u/bench/local/20261101T000000Z"
    with Butler.from_config(str(scene.repository / "repo"), collections="dp2") as official:
        executor = SimplePipelineExecutor.from_task_class(
            DetectSourcesTask,
            where=_WHERE,
            butler=official,
            output="u/bench/copy",
            output_run="u/bench/copy/1",
        )
        executor.use_local_butler(str(root)).close()
    graph = PipelineGraph()
    graph.add_task("detectSources", DetectSourcesTask)
    with Butler.from_config(str(root)) as local:
        builder = AllDimensionsQuantumGraphBuilder(
            graph, local, input_collections=["u/bench/copy"], output_run=run, where=_WHERE
        )
        builder.finish(attach_datastore_records=True).write(str(path))
    _command("pipetask", "pre-exec-init-qbb", root, path)
    return root, path


@cache
def _executed(scene: Scene) -> tuple[Callable[[int], None], Callable[[int], None], Callable[[], None]]:
    """Run ours, run upstream's, and begin from the same again: shared by all figures."""
    from python_butler.example_pipeline import DetectSourcesTask

    run = _prepared(scene, "detections", pipeline=DetectSourcesTask, where=_WHERE, inputs=["dp2"])
    root, graph = _upstreams_repository(scene)
    kept = _Kept.of(run.directory, run.settings.satellite, root)
    cache_directory = scene.directory / "execution cache"
    os.environ["XDG_CACHE_HOME"] = str(cache_directory)

    def before() -> None:
        kept.restore()
        shutil.rmtree(cache_directory, ignore_errors=True)

    def ours(processes: int) -> None:
        _command("satellite", "run", "start", run.directory, "-j", str(processes))

    def upstreams(processes: int) -> None:
        _command("pipetask", "run-qbb", root, graph, "-j", str(processes))

    before()
    ours(1)
    upstreams(1)
    found = [len(list(place.rglob("example_source*.parq"))) for place in (run.settings.satellite, root)]
    if found[0] != found[1] or not found[0]:
        raise RuntimeError(f"The results differ: {found} catalogues.")
    return ours, upstreams, before


def _execution(scene: Scene, delay: float = 0.0, processes: int = 1) -> Iterator[Pair]:
    ours, upstreams, before = _executed(scene)
    scene.release.set_latency(delay)
    try:
        yield Pair(ours=partial(ours, processes), upstream=partial(upstreams, processes), before=before)
    finally:
        scene.release.set_latency(0.0)


@figure("processing", "execution / run-qbb with local inputs", goal=1.1, rounds=3, warm_up=False)
def execution(scene: Scene) -> Iterator[Pair]:
    """Sources of 40 images."""
    yield from _execution(scene)


@figure("processing", "execution at 20 ms / run-qbb with local inputs", goal=1.25, rounds=3, warm_up=False)
def slow_execution(scene: Scene) -> Iterator[Pair]:
    """The same with a delay of every request."""
    yield from _execution(scene, delay=0.02)


@figure(
    "processing", "execution, two at a time / run-qbb with local inputs", goal=1.1, rounds=1, warm_up=False
)
def parallel_execution(scene: Scene) -> Iterator[Pair]:
    """The same, two quanta at a time."""
    yield from _execution(scene, processes=2)


@cache
def _collecting(scene: Scene) -> tuple[Callable[[], None], Callable[[], None], Callable[[], None]]:
    """Collect, aggregate the same outputs, and begin from the same again."""
    from lsst.pipe.base.quantum_graph.aggregator import AggregatorConfig, aggregate_graph

    from python_butler import Satellite, processing
    from python_butler.demo.scale import RUN

    from .tasks import MeasureTask

    run = _prepared(scene, "tables", pipeline=MeasureTask, inputs=[RUN], limit=_COLLECTED)
    report = run.start(processes=2, progress=False)
    if report.failures:
        raise RuntimeError(f"Quanta failed: {report.failures[0]}")
    root = run.settings.satellite
    # Upstream's finds the dimension records there, and inputs.
    other = scene.directory / "aggregated satellite"
    shutil.copytree(root, other, symlinks=True)
    graph = other.with_suffix(".qg")
    shutil.copyfile(run.workdir.graph, graph)
    Satellite.open("dp2", other).reference(list(_inputs(graph)), progress=False)
    kept = _Kept.of(run.directory, root, other)
    provenance = other.with_suffix(".provenance.qg")
    settings = AggregatorConfig(output_path=str(provenance))

    def before() -> None:
        kept.restore()
        provenance.unlink(missing_ok=True)

    def ours() -> None:
        if processing.open(run.directory).collect(progress=False).new.total() < 3 * _COLLECTED:
            raise RuntimeError("Not everything was collected.")

    return ours, lambda: aggregate_graph(str(graph), str(other), settings), before


def _inputs(graph: Path) -> Iterator[DatasetRef]:
    from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

    with PredictedQuantumGraph.open(str(graph)) as reader:
        reader.read_execution_quanta()
        quanta = reader.finish().build_execution_quanta()
    for quantum in quanta.values():
        yield from quantum.inputs["visit_image"]


@figure("processing", "collect of 1,000 outputs / aggregate-graph", goal=1.2, rounds=3)
def collect(scene: Scene) -> Iterator[Pair]:
    """Ours adds dimension records and references to the inputs, which upstream finds there."""
    ours, upstreams, before = _collecting(scene)
    yield Pair(ours=ours, upstream=upstreams, before=before)


@figure("processing", "collect of 1,000 outputs with inputs", goal=15, rounds=3, unit="s", warm_up=False)
def collect_seconds(scene: Scene) -> Iterator[Reading]:
    """From the call to its end."""
    ours, _, before = _collecting(scene)

    def take() -> float:
        before()
        start = time.perf_counter()
        ours()
        return time.perf_counter() - start

    yield Reading(take)
