"""Which datasets count as inputs: those a thread read since it last saved under the same name."""

from __future__ import annotations

import threading

from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse

from python_butler.saving.reads import ReadTracker

UNIVERSE = DimensionUniverse()


def dataset(name: str) -> DatasetRef:
    dataset_type = DatasetType(name, (), "ArrowAstropy", universe=UNIVERSE)
    return DatasetRef(dataset_type, DataCoordinate.make_empty(UNIVERSE), run="r")


def names(refs: list[DatasetRef]) -> list[str]:
    return [ref.datasetType.name for ref in refs]


def test_each_dataset_counts_once_in_the_order_of_reading() -> None:
    tracker = ReadTracker()
    first, second = dataset("a"), dataset("b")
    for ref in (first, second, first, second.makeComponentRef("columns")):
        tracker.read(ref)
    assert names(tracker.since("x")) == ["a", "b"]


def test_saving_one_name_leaves_the_reads_for_others() -> None:
    tracker = ReadTracker()
    tracker.read(dataset("a"))
    tracker.saved("x")
    assert names(tracker.since("x")) == []
    assert names(tracker.since("y")) == ["a"]
    tracker.read(dataset("b"))
    assert names(tracker.since("x")) == ["b"]
    assert names(tracker.since("y")) == ["a", "b"]


def test_what_other_threads_read_counts_only_if_this_one_read_nothing() -> None:
    tracker = ReadTracker()
    other = threading.Thread(target=tracker.read, args=(dataset("theirs"),))
    other.start()
    other.join()
    assert names(tracker.since("x")) == ["theirs"]
    tracker.read(dataset("mine"))
    assert names(tracker.since("x")) == ["mine"]
