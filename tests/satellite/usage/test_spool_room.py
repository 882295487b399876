"""The spool on a disk that is really full: what cannot be made durable is not acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse

from python_butler.errors import NoSpaceError
from python_butler.satellite import Satellite
from python_butler.satellite.spool import Spool


@pytest.fixture
def on_small_disk(small_disk: Callable[[int], Path]) -> Satellite:
    satellite = Satellite.create("dp2", small_disk(8_000_000) / "dp2", universe=DimensionUniverse())
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("image", (), "NumpyArray", universe=writer.dimensions)
        )
        for run in ("u/me/a", "u/me/b"):
            writer.collections.register(run)
    return satellite


def _ref(satellite: Satellite, run: str) -> DatasetRef:
    with satellite.reader() as reader:
        return DatasetRef(
            reader.get_dataset_type("image"), DataCoordinate.make_empty(reader.dimensions), run=run
        )


def test_what_does_not_fit_into_the_spool_leaves_nothing(on_small_disk: Satellite) -> None:
    spool = Spool(on_small_disk)
    with on_small_disk.reader() as reader:
        with pytest.raises(NoSpaceError, match="satellite usage"):
            spool.store(reader, np.zeros(3_000_000), _ref(on_small_disk, "u/me/a"))
        assert spool.waiting() == 0
        kept = spool.store(reader, np.arange(3), _ref(on_small_disk, "u/me/b"))
    files = [path for path in (on_small_disk.root / "files").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert spool.commit(wait=60).left == 0
    with on_small_disk.reader() as reader:
        ref = reader.get_dataset(kept.id)
        assert ref is not None
        assert list(reader.get(ref)) == [0, 1, 2]


def test_a_batch_that_finds_no_room_can_go_on_later(on_small_disk: Satellite) -> None:
    batch = Spool(on_small_disk).begin()
    with on_small_disk.reader() as reader:
        batch.put(reader, np.arange(3), _ref(on_small_disk, "u/me/a"))
        with pytest.raises(NoSpaceError):
            batch.put(reader, np.zeros(3_000_000), _ref(on_small_disk, "u/me/b"))
    assert len(batch) == 1
    with on_small_disk.writer() as writer:
        batch.commit(writer=writer)
    with on_small_disk.reader() as reader:
        (ref,) = reader.query_all_datasets("*", find_first=False)
        assert list(reader.get(ref)) == [0, 1, 2]
