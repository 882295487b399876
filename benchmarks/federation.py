"""One Butler over both repositories: what it costs beside each of them alone.

The official repository has 400,000 datasets, the satellites 20,034 and 99,981 of the same type for other
visits. Where a figure says nothing else, Butlers are open and have answered once before they are timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .alone import growth
from .figures import Pair, Reading, figure
from .personal import DATASET_TYPE, filled_satellite
from .scene import LARGE, LARGE_VISITS, SMALL, SMALL_VISITS, Scene

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

MINE = "u/bench/mine"
"""The personal run of both satellites."""


@cache
def small_satellite(scene: Scene) -> Path:
    """A satellite with 20,034 datasets of its own, of the visits that follow those of `SMALL`."""
    root = scene.directory / "small satellite"
    filled_satellite(root, MINE, scene.release.directory, SMALL_VISITS, 2 * SMALL_VISITS)
    return root


@cache
def _large_satellite(scene: Scene) -> Path:
    root = scene.directory / "large satellite"
    filled_satellite(root, MINE, scene.release.directory, LARGE_VISITS, 2 * LARGE_VISITS)
    return root


@contextmanager
def _butlers(scene: Scene) -> Iterator[tuple[Butler, Butler, Butler]]:
    """Ours over both, upstream's on the official and upstream's on the personal repository."""
    from lsst.daf.butler import Butler

    import python_butler

    assert scene.release
    root = small_satellite(scene)
    with ExitStack() as stack:
        yield (
            stack.enter_context(python_butler.open("dp2", root=root)),
            stack.enter_context(Butler.from_config("dp2")),
            stack.enter_context(Butler.from_config(str(root))),
        )


def _search(butler: Butler, *collections: str) -> list[Any]:
    return butler.query_datasets(DATASET_TYPE, collections, limit=None)


def _check_same(ours: list[Any], upstream: list[Any]) -> None:
    if {ref.id for ref in ours} != {ref.id for ref in upstream} or len(ours) != len(upstream):
        raise RuntimeError(f"The answers differ: {len(ours)} datasets, {len(upstream)} from upstream.")


@figure("federation", "official query of 20,000 / RemoteButler", goal=1.1, rounds=9)
def official_query(scene: Scene) -> Iterator[Pair]:
    """The official repository has the dataset type and the collection, the satellite has only the type."""
    with _butlers(scene) as (ours, remote, _):
        _check_same(_search(ours, SMALL), _search(remote, SMALL))
        yield Pair(ours=lambda: _search(ours, SMALL), upstream=lambda: _search(remote, SMALL))


@figure("federation", "official query of 20,000, more requests", goal=0, rounds=2, unit="requests")
def official_requests(scene: Scene) -> Iterator[Reading]:
    """Requests that the server sees, less those of a RemoteButler that asks the same."""

    def requests(search: Callable[[], object]) -> int:
        scene.release.requests("server", forget=True)
        search()
        return len(scene.release.requests("server"))

    with _butlers(scene) as (ours, remote, _):
        yield Reading(
            lambda: requests(lambda: _search(ours, SMALL)) - requests(lambda: _search(remote, SMALL))
        )


@figure("federation", "personal query of 20,000 / DirectButler", goal=1.1, rounds=9)
def personal_query(scene: Scene) -> Iterator[Pair]:
    """The same for the satellite."""
    with _butlers(scene) as (ours, _, direct):
        _check_same(_search(ours, MINE), _search(direct, MINE))
        yield Pair(ours=lambda: _search(ours, MINE), upstream=lambda: _search(direct, MINE))


@figure("federation", "mixed query of 20,000 + 20,000 / one after the other", goal=1.2, rounds=7)
def mixed_query(scene: Scene) -> Iterator[Pair]:
    """Find-first over a personal run and an official collection; upstream asks each for itself."""
    with _butlers(scene) as (ours, remote, direct):
        _check_same(_search(ours, MINE, SMALL), _search(direct, MINE) + _search(remote, SMALL))
        yield Pair(
            ours=lambda: _search(ours, MINE, SMALL),
            upstream=lambda: (_search(direct, MINE), _search(remote, SMALL)),
        )


def _seconds_to_first(butler: Butler, *collections: str) -> float:
    start = time.perf_counter()
    with butler.query() as query:
        next(iter(query.datasets(DATASET_TYPE, collections)))
        return time.perf_counter() - start


@figure("federation", "first page of a mixed query / the slower one's", goal=1.2, rounds=9)
def first_page(scene: Scene) -> Iterator[Reading]:
    """Time to the first dataset of a query of 40,000, over that of the slower repository alone."""
    with _butlers(scene) as (ours, remote, direct):
        yield Reading(
            lambda: (
                _seconds_to_first(ours, MINE, SMALL)
                / max(_seconds_to_first(remote, SMALL), _seconds_to_first(direct, MINE))
            )
        )


def stream(root: str) -> Iterator[None]:
    """Read 200,000 datasets, half of them personal, and keep none; see `benchmarks.alone`."""
    import python_butler

    with python_butler.open("dp2", root=root) as butler:
        butler.query_datasets(DATASET_TYPE, [MINE, LARGE], limit=1)
        yield
        with butler.query() as query:
            count = sum(1 for _ in query.datasets(DATASET_TYPE, [MINE, LARGE]))
    if count < 200_000:
        raise RuntimeError(f"There are only {count} datasets.")


@figure("federation", "memory for 200,000 streamed", goal=150, rounds=1, unit="MB", warm_up=False)
def memory(scene: Scene) -> Iterator[Reading]:
    """In a process of its own: the most it held, less what it held before it asked."""
    assert scene.release
    root = str(_large_satellite(scene))
    yield Reading(lambda: growth("benchmarks.federation", "stream", root))


@figure("federation", "open to first answer / opening RemoteButler", goal=1.2, rounds=9)
def opening(scene: Scene) -> Iterator[Pair]:
    """In one process that has imported everything: opening, and a query for one dataset."""
    from lsst.daf.butler import Butler

    import python_butler

    assert scene.release
    root = small_satellite(scene)

    def first_answer(butler: Butler) -> None:
        with butler:
            if len(butler.query_datasets(DATASET_TYPE, limit=-1)) != 1:
                raise RuntimeError("There is no answer.")

    yield Pair(
        ours=lambda: first_answer(python_butler.open("dp2", collections=SMALL, root=root)),
        upstream=lambda: first_answer(Butler.from_config("dp2", collections=SMALL)),
    )


@figure("federation", "requests for 100 personal datasets by data ID", goal=0, rounds=2, unit="requests")
def found_personally(scene: Scene) -> Iterator[Reading]:
    """What the server is asked by ``find_dataset`` of a Butler that searches a personal run first."""
    import python_butler

    assert scene.release
    root = small_satellite(scene)

    def take() -> float:
        with python_butler.open("dp2", collections=[MINE, SMALL], root=root) as butler:
            data_ids = [ref.dataId for ref in butler.query_datasets(DATASET_TYPE, MINE, limit=100)]
            scene.release.requests("server", forget=True)
            found = [butler.find_dataset(DATASET_TYPE, data_id) for data_id in data_ids]
            if len([ref for ref in found if ref is not None and ref.run == MINE]) != 100:
                raise RuntimeError("Personal datasets were not found.")
            return len(scene.release.requests("server"))

    yield Reading(take)
