"""Planning 10,000 quanta: upstream's builder over both repositories beside the same over a RemoteButler.

The official repository has 400,000 datasets. Only the builder is compared: where files are is asked for
by `processing.prepare` afterwards, which upstream cannot do on a RemoteButler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .federation import MINE, small_satellite
from .figures import Pair, Reading, figure
from .scene import SMALL, Scene

if TYPE_CHECKING:
    from lsst.daf.butler import Butler
    from lsst.pipe.base.pipeline_graph import PipelineGraph

    from python_butler.federation import SatelliteButler

_VISITS = 53
"""Visits with 189 images each: 10,017 quanta."""

_RUN = "u/bench/planned/20261101T000000Z"


def _pipeline() -> PipelineGraph:
    """A pipeline of one task; resolving it changes it, so each plan has its own."""
    from lsst.pipe.base.pipeline_graph import PipelineGraph

    from .tasks import MeasureTask

    graph = PipelineGraph()
    graph.add_task("measure", MeasureTask)
    return graph


@dataclass(frozen=True)
class _Planners:
    """Both ways to plan. What they return is the number of quanta."""

    both: SatelliteButler
    remote: Butler
    official: list[int]
    personal: list[int]

    def ours(self, collections: list[str], first: int, last: int) -> int:
        """Over both repositories, as `processing.prepare` does it."""
        from python_butler.processing.preparing.building import build
        from python_butler.processing.preparing.planning import PlanningButler
        from python_butler.processing.preparing.reasons import Reasons
        from python_butler.processing.preparing.watching import Watching
        from python_butler.satellite.progress import Reporter

        watching = Watching(Reporter(None, None))
        with PlanningButler.over(self.both, watching) as planning:
            graph = build(
                _pipeline(),
                planning,
                watching,
                Reasons(),
                inputs=collections,
                chain=_RUN.rpartition("/")[0],
                run=_RUN,
                skip_existing_in=(),
                limit=None,
                **_between(first, last),
            )
        return int(graph.header.n_quanta)

    def upstreams(self) -> int:
        """Upstream's builder as it is, on the official repository alone."""
        from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder

        builder = AllDimensionsQuantumGraphBuilder(
            _pipeline(),
            self.remote,
            input_collections=[SMALL],
            output_run=_RUN,
            **_between(self.official[0], self.official[_VISITS - 1]),
        )
        return int(builder.finish(attach_datastore_records=False).header.n_quanta)

    def official_only(self) -> int:
        """The same plan as upstream's."""
        return self.ours([SMALL], self.official[0], self.official[_VISITS - 1])

    def mixed(self) -> int:
        """As many quanta, every other of them with a personal input."""
        half = _VISITS // 2
        return self.ours([MINE, SMALL], self.official[-half], self.personal[_VISITS - half - 1])


def _between(first: int, last: int) -> dict[str, Any]:
    where = "instrument = 'LSSTCam' AND visit >= :first AND visit <= :last"
    return {"where": where, "bind": {"first": first, "last": last}}


@contextmanager
def _planners(scene: Scene) -> Iterator[_Planners]:
    from lsst.daf.butler import Butler

    import python_butler

    assert scene.release
    root = small_satellite(scene)
    with ExitStack() as stack:
        both = stack.enter_context(python_butler.open("dp2", root=root))
        remote = stack.enter_context(Butler.from_config("dp2"))

        def visits(collection: str) -> list[int]:
            refs = both.query_datasets("visit_image", collection, limit=None)
            return sorted({int(ref.dataId["visit"]) for ref in refs})

        planners = _Planners(both, remote, visits(SMALL), visits(MINE))
        expected = planners.upstreams()
        if not expected == planners.official_only() == planners.mixed() == _VISITS * 189:
            raise RuntimeError("The plans differ.")
        yield planners


@figure("processing", "graph of 10,000 quanta / builder on RemoteButler", goal=1.1, rounds=5, warm_up=False)
def official_graph(scene: Scene) -> Iterator[Pair]:
    """All inputs are official."""
    with _planners(scene) as planners:
        yield Pair(ours=planners.official_only, upstream=planners.upstreams)


@figure(
    "processing", "graph of 10,000 quanta, more requests", goal=0, rounds=1, unit="requests", warm_up=False
)
def official_requests(scene: Scene) -> Iterator[Reading]:
    """Requests that the server sees, less those of the builder on a RemoteButler."""

    def requests(plan: Callable[[], object]) -> int:
        scene.release.requests("server", forget=True)
        plan()
        return len(scene.release.requests("server"))

    with _planners(scene) as planners:
        yield Reading(lambda: requests(planners.official_only) - requests(planners.upstreams))


@figure("processing", "graph of mixed inputs / official builder", goal=1.4, rounds=5, warm_up=False)
def mixed_graph(scene: Scene) -> Iterator[Pair]:
    """Half of the inputs are personal; upstream plans as many quanta with official ones."""
    with _planners(scene) as planners:
        yield Pair(ours=planners.mixed, upstream=planners.upstreams)
