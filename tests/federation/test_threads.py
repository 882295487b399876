"""Many threads that share one Butler object, which upstream's own cannot bear."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType, DatasetRef, DatasetType
from lsst.daf.butler.registry import ConflictingDefinitionError

from python_butler.federation import SatelliteButler

from .conftest import VISITS, table

THREADS = 20
ENOUGH = 240.0
"""Seconds after which something is stuck: less than SQLite waits for a lock."""


def flux(visit: int, detector: int) -> dict[str, int | str]:
    return {"instrument": "Cam", "visit": visit, "detector": detector}


@pytest.fixture
def shared(own_run: SatelliteButler) -> SatelliteButler:
    """A Butler with a dataset type of its own, to be used by many threads."""
    own_run.registry.registerDatasetType(
        DatasetType("flux", ("instrument", "visit", "detector"), "ArrowAstropy", universe=own_run.dimensions)
    )
    return own_run


def together(count: int, work: Callable[[int], None]) -> None:
    """Do something in many threads that start at the same moment; what goes wrong in one is raised."""
    start = threading.Barrier(count)

    def one(number: int) -> None:
        start.wait(ENOUGH)
        work(number)

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(one, number) for number in range(count)]:
            done.result(ENOUGH)


def put_and_fail(butler: SatelliteButler, visit: int, run: str) -> None:
    with butler.transaction():
        butler.put(table(0), "flux", flux(visit, 4), run=run)
        raise ZeroDivisionError


def everything(butler: SatelliteButler, number: int) -> list[DatasetRef]:
    """What one of the threads does: a bit of everything. Returns what it has written."""
    run, tag = f"u/me/thread{number}", f"u/me/tag{number}"
    assert butler.collections.register(run)
    written: list[DatasetRef] = []
    for visit in VISITS[:2]:
        seed = 1000 * number + visit
        ref = butler.put(table(seed), "flux", flux(visit, 1), run=run)
        assert list(butler.get(ref)["id"]) == [seed, seed + 1, seed + 2]
        assert butler.find_dataset("flux", flux(visit, 1), collections=run) == ref
        assert butler.exists(ref)
        assert butler.stored(ref)
        assert len(butler.getDeferred(ref).get()) == 3
        with butler.transaction():
            two = butler.put(table(seed + 100), "flux", flux(visit, 2), run=run)
            assert butler.get_dataset(two.id) == two, "a transaction sees what it has written"
            three = butler.put(table(seed + 200), "flux", flux(visit, 3), run=run)
        with pytest.raises(ZeroDivisionError):
            put_and_fail(butler, visit, run)
        written += [ref, two, three]
        assert butler.get("source", instrument="Cam", visit=visit)["id"][0] == visit
        found = butler.query_datasets("flux", collections=run, find_first=False)
        assert set(found) == set(written), "neither what was undone nor another thread's"
    assert butler.collections.register(tag, CollectionType.TAGGED)
    butler.registry.associate(tag, written[:2])
    assert len(butler.query_datasets("flux", collections=tag)) == 2
    assert {record.id for record in butler.query_dimension_records("visit")} == set(VISITS)
    with pytest.raises(ConflictingDefinitionError):
        butler.put(table(0), "flux", flux(VISITS[0], 1), run=run)
    return written


def test_twenty_threads_do_everything_with_one_butler(shared: SatelliteButler) -> None:
    written: dict[int, list[DatasetRef]] = {}

    def work(number: int) -> None:
        written[number] = everything(shared, number)

    together(THREADS, work)
    with shared.clone() as fresh:
        for number, refs in written.items():
            run = f"u/me/thread{number}"
            assert set(fresh.query_datasets("flux", collections=run)) == set(refs)
            for ref in refs:
                visit, detector = ref.dataId["visit"], ref.dataId["detector"]
                first = 1000 * number + int(visit) + 100 * (int(detector) - 1)
                assert list(fresh.get(ref)["id"]) == [first, first + 1, first + 2]


def test_threads_that_put_the_same_dataset_put_it_once(shared: SatelliteButler) -> None:
    outcomes: list[DatasetRef | None] = []

    def work(number: int) -> None:
        try:
            outcomes.append(shared.put(table(number), "flux", flux(101, 1)))
        except ConflictingDefinitionError:
            outcomes.append(None)

    together(8, work)
    (ref,) = [ref for ref in outcomes if ref is not None]
    assert shared.find_dataset("flux", flux(101, 1)) == ref
    assert len(shared.get(ref)) == 3


def test_the_first_threads_to_write_make_one_satellite(own_run: SatelliteButler) -> None:
    def work(number: int) -> None:
        own_run.put(table(number), "object", skymap="sky", tract=1, run=f"u/me/{number}")

    for number in range(THREADS):
        own_run.collections.register(f"u/me/{number}")
    together(THREADS, work)
    runs = [f"u/me/{number}" for number in range(THREADS)]
    assert len(own_run.query_datasets("object", collections=runs, find_first=False)) == THREADS


def test_a_transaction_belongs_to_its_thread(shared: SatelliteButler) -> None:
    refs: list[DatasetRef] = []

    def other() -> None:
        assert not shared.exists(refs[0]), "not committed yet"
        assert not shared.query_datasets("flux", collections="u/me/mine", explain=False)

    with ThreadPoolExecutor(1) as pool:
        with shared.transaction():
            refs.append(shared.put(table(1), "flux", flux(101, 1)))
            pool.submit(other).result(ENOUGH)
            waiting = pool.submit(shared.put, table(2), "flux", flux(101, 2))
            refs.append(shared.put(table(3), "flux", flux(101, 3)))
        refs.append(waiting.result(ENOUGH))
    assert set(shared.query_datasets("flux", collections="u/me/mine")) == set(refs)


def test_what_one_thread_has_written_all_others_see_at_once(shared: SatelliteButler) -> None:
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        second.submit(shared.query_datasets, "flux", explain=False).result(ENOUGH)
        for detector in range(1, 5):
            ref = first.submit(shared.put, table(1), "flux", flux(101, detector)).result(ENOUGH)
            assert second.submit(shared.find_dataset, "flux", flux(101, detector)).result(ENOUGH) == ref


def test_a_query_that_one_thread_leaves_open_holds_up_no_other_threads_write(shared: SatelliteButler) -> None:
    for detector in (1, 2):
        shared.put(table(detector), "flux", flux(101, detector))
    opened, written = threading.Event(), threading.Event()

    def read() -> int:
        with shared.query() as query:
            refs = iter(query.datasets("flux", "u/me/mine"))
            next(refs)
            assert query.datasets("flux", "u/me/mine").count() == 2
            opened.set()
            assert written.wait(ENOUGH), "the other thread waits for this one"
            return 1 + sum(1 for _ in refs)

    with ThreadPoolExecutor(2) as pool:
        reading = pool.submit(read)
        assert opened.wait(ENOUGH)
        ref = pool.submit(shared.put, table(3), "flux", flux(101, 3)).result(ENOUGH)
        written.set()
        assert reading.result(ENOUGH) == 2
    assert shared.exists(ref)


def test_threads_that_end_keep_nothing_open(shared: SatelliteButler) -> None:
    shared.put(table(1), "flux", flux(101, 1))

    def use() -> None:
        assert len(shared.get("flux", flux(101, 1))) == 3
        shared.collections.register("u/me/again")

    def open_files() -> int:
        gc.collect()
        descriptors = Path("/proc/self/fd").iterdir()
        return sum(".sqlite3" in os.path.realpath(descriptor) for descriptor in descriptors)

    for _ in range(3):
        together(THREADS, lambda number: use())
    before = open_files()
    for _ in range(3):
        together(THREADS, lambda number: use())
    assert open_files() <= before


def test_all_threads_count_into_the_same_metrics(shared: SatelliteButler) -> None:
    ref = shared.put(table(1), "flux", flux(101, 1))

    def work(number: int) -> None:
        for _ in range(5):
            shared.get(ref)

    with shared.record_metrics() as metrics:
        together(THREADS, work)
    assert metrics.n_get == 5 * THREADS


def test_a_closed_butler_is_closed_for_all_threads(shared: SatelliteButler) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(shared.query_datasets, "flux", explain=False).result(ENOUGH)
        shared.close()
        with pytest.raises(RuntimeError, match="closed"):
            pool.submit(shared.query_datasets, "flux").result(ENOUGH)
