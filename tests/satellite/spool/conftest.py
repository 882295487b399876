"""A satellite with a dataset type and runs, made without a server, and processes that save in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from astropy.table import Table
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources import ResourcePath

from python_butler.satellite import Satellite
from python_butler.satellite.place import Place
from python_butler.satellite.spool import Spool
from python_butler.satellite.storage import storage_of

RUN = "u/me/stars/v1"
TYPE = "stars"
FIRST = 131072


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Place:
    """A new satellite; with the parameter ``"elsewhere"``, in PostgreSQL and an object store."""
    where = {}
    if getattr(request, "param", "here") == "elsewhere":
        where = {
            "registry": request.getfixturevalue("postgres"),
            "storage": request.getfixturevalue("object_storage"),
        }
    made = Satellite.create("dp2", tmp_path / "satellite", universe=DimensionUniverse(), **where)
    with made.writer() as writer:
        writer.registry.registerDatasetType(dataset_type(writer.dimensions))
        writer.collections.register(RUN)
    return Place(made.label, made.root)


@pytest.fixture
def spool(place: Place) -> Spool:
    """Its spool."""
    return Spool(place)


@pytest.fixture
def reader(place: Place) -> Iterator[DirectButler]:
    """The satellite, open for reading."""
    butler = place.reader()
    yield butler
    butler.close()


def dataset_type(universe: DimensionUniverse) -> DatasetType:
    """Small tables, one for a pixel of the sky: no dimension record is needed."""
    return DatasetType(TYPE, ["htm7"], "ArrowAstropy", universe=universe)


def reference(universe: DimensionUniverse, number: int, run: str = RUN) -> DatasetRef:
    """A new dataset."""
    data_id = DataCoordinate.standardize({"htm7": FIRST + number}, universe=universe)
    return DatasetRef(dataset_type(universe), data_id, run)


def table(number: int) -> Table:
    """A table that differs from others."""
    return Table({"a": [number, number + 1], "b": [0.5 * number, 1.0]})


def files_of(place: Place) -> list[str]:
    """Names of all files in the datastore, from its root."""
    root = storage_of(place).files
    return sorted(
        path
        for file in ResourcePath.findFileResources([root])
        if (path := file.relative_to(root)) and path.endswith(".parq")
    )


def same(found: Table, number: int) -> bool:
    """Whether a table is the one with this number."""
    return bool(found.colnames == ["a", "b"] and (found == table(number)).all())
