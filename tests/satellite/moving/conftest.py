"""A satellite with everything in it that one can have, and all that there is to say about one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from astropy.time import Time
from lsst.daf.butler import (
    CollectionType,
    DatasetRef,
    DatasetType,
    DimensionUniverse,
    FileDataset,
    Timespan,
)
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import personal_of, references_of
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite
from python_butler.satellite.place import Place
from python_butler.satellite.provenance import note, notes_of
from python_butler.satellite.spool import Spool

RUN, OLD_RUN, CHAIN = "u/me/stars/v2", "u/me/stars/v1", "u/me/stars"
TYPE = "stars"
FIRST = 131072


def table(number: int) -> Table:
    """A table that differs from others."""
    return Table({"a": [number, number + 1], "b": [0.5 * number, 1.0]})


def new_ref(butler: DirectButler, number: int, run: str = RUN) -> DatasetRef:
    """A new dataset for a pixel of the sky."""
    data_id = butler.registry.expandDataId(htm7=FIRST + number)
    return DatasetRef(butler.get_dataset_type(TYPE), data_id, run)


@pytest.fixture(scope="session")
def _everything(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A satellite with references, copies, datasets of all kinds and what waits in the spool."""
    root = tmp_path_factory.mktemp("everything") / "dp2"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        patch.setenv("PYTHON_BUTLER_ROOT", str(root.parent))
        patch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(root.parent / "cache"))
        satellite = Satellite.create("dp2", root, calibrations="LSSTCam/calib/DP2")
        satellite.reference("source", collections="dp2")
        with satellite.reader() as reader:
            sources = reader.query_datasets("source", "dp2")
        assert satellite.pin(sources[:3]).done == 3
        _fill(satellite)
        _let_wait(satellite)
    return root


def _fill(satellite: Satellite) -> None:
    outside = satellite.root.parent / "outside.parq"
    with satellite.writer() as writer:
        universe = writer.dimensions
        writer.registry.registerDatasetType(DatasetType(TYPE, ["htm7"], "ArrowAstropy", universe=universe))
        writer.registry.registerDatasetType(
            DatasetType(
                "my_dark", ["instrument", "detector"], "ArrowAstropy", universe=universe, isCalibration=True
            )
        )
        writer.registry.registerDatasetType(
            DatasetType("unused", ["skymap", "tract"], "StructuredDataDict", universe=universe)
        )
        for run in (RUN, OLD_RUN, "u/me/empty", "u/me/dark", "u/me/ingested"):
            writer.collections.register(run, doc=f"Run {run}, with a “note”.")
        writer.collections.register("u/me/tagged", CollectionType.TAGGED, doc="chosen")
        writer.collections.register("u/me/calib", CollectionType.CALIBRATION)
        for chain in (CHAIN, "u/me/all"):
            writer.collections.register(chain, CollectionType.CHAINED)
        writer.collections.redefine_chain(CHAIN, [RUN, OLD_RUN])
        writer.collections.redefine_chain("u/me/all", ["u/me/tagged", CHAIN, "u/me/dark", "u/me/calib"])
        refs = [writer.put(table(n), new_ref(writer, n, run)) for run in (OLD_RUN, RUN) for n in range(20)]
        writer.registry.associate("u/me/tagged", refs[:5])
        darks = [
            writer.put(table(detector), "my_dark", instrument="LSSTCam", detector=detector, run="u/me/dark")
            for detector in _detectors(writer)[:2]
        ]
        begin, middle = Time("2025-01-01", scale="tai"), Time("2025-06-01T12:00:00.123456789", scale="tai")
        writer.registry.certify("u/me/calib", darks[:1], Timespan(begin, middle))
        writer.registry.certify("u/me/calib", darks, Timespan(middle, None))
        note(writer, {refs[0].id: {"inputs": [str(refs[1].id)], "text": "naïve"}, refs[7].id: {"n": 7}})
        table(1).write(outside, format="parquet")
        ingested = FileDataset(outside, [new_ref(writer, 0, "u/me/ingested")])
        writer.ingest(ingested, transfer="direct")
        # Removed, and not yet gone: upstream leaves this if it is interrupted.
        writer.pruneDatasets([refs[19]], disassociate=True, unstore=True, purge=True)


def _detectors(butler: DirectButler) -> list[int]:
    return sorted(record.id for record in butler.query_dimension_records("detector"))


def _let_wait(satellite: Satellite) -> None:
    """Let something wait in the spool, and leave a batch as a process does that was killed."""
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.satellite.moving.conftest import leave\n"
        "leave(Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(satellite.root)],
        check=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
    )


def leave(root: Path) -> None:
    """Save some datasets, put others into a batch, and be gone."""
    place = Place("dp2", root)
    spool = Spool(place)
    with place.reader() as reader:
        for number in range(100, 104):
            spool.store(reader, table(number), new_ref(reader, number), notes={"number": number})
        batch = spool.begin("mine")
        for number in range(200, 203):
            batch.put(reader, table(number), new_ref(reader, number))
    # Without the commit that follows at the end of an interpreter.
    os._exit(0)


@pytest.fixture(scope="session")
def _little(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A satellite with datasets of one kind, made without a server."""
    root = tmp_path_factory.mktemp("little") / "dp2"
    satellite = Satellite.create("dp2", root, universe=DimensionUniverse())
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType(TYPE, ["htm7"], "ArrowAstropy", universe=writer.dimensions)
        )
        writer.collections.register(RUN)
        writer.collections.register(CHAIN, CollectionType.CHAINED)
        writer.collections.redefine_chain(CHAIN, [RUN])
        with writer.transaction():
            refs = [writer.put(table(n), new_ref(writer, n)) for n in range(24)]
        note(writer, {refs[0].id: {"n": 7}})
    _let_wait(satellite)
    return root


@pytest.fixture
def small(_little: Path, tmp_path: Path) -> Satellite:
    """A copy of that one for one test."""
    root = tmp_path / "butler" / "dp2"
    shutil.copytree(_little, root)
    return Satellite.open("dp2", root)


@pytest.fixture
def satellite(_everything: Path, environment: dict[str, str], tmp_path: Path) -> Satellite:
    """A copy of that satellite for one test."""
    root = tmp_path / "butler" / "dp2"
    shutil.copytree(_everything, root)
    return Satellite.open("dp2", root)


@dataclass
class State:
    """All that there is to say about a satellite, however its database and files are kept."""

    collections: list[Any]
    dataset_types: list[Any]
    records: dict[str, list[Any]]
    associations: set[Any]
    ingested: dict[Any, Any]
    references: dict[Any, Any]
    contents: dict[Any, Any]
    elsewhere: dict[Any, str]
    notes: dict[Any, Any]
    waiting: dict[Any, bytes] = field(default_factory=dict)
    batches: list[Any] = field(default_factory=list)


def state_of(place: Place) -> State:
    """Describe a satellite through upstream's interfaces and ours."""
    with place.reader() as reader:
        state = _described(reader)
    spool = Spool(place)
    personal = {ref.id: ref for ref in spool.acknowledged().values()}
    with place.reader() as reader:
        state.waiting = {i: repr(list(reader.get(ref).iterrows())) for i, ref in personal.items()}
    state.batches = [(b.id, b.name, b.datasets, b.size) for b in spool.batches()]
    return state


def _described(reader: DirectButler) -> State:
    infos = reader.collections.query_info("*", include_chains=True, include_doc=True)
    types = sorted(reader.registry.queryDatasetTypes(), key=lambda each: each.name)
    names = [info.name for info in infos]
    associations = set()
    refs: dict[Any, DatasetRef] = {}
    for dataset_type in types:
        for each in reader.registry.queryDatasetAssociations(dataset_type, names, flattenChains=False):
            refs[each.ref.id] = each.ref
            associations.add((each.ref, each.ref.run, each.collection, each.timespan))
    records = references_of(reader)._get_stored_records_associated_with_refs(
        refs.values(), ignore_datastore_records=True
    )
    personal = personal_of(reader)
    own = [ref for i, ref in refs.items() if i not in records]
    infos_of = personal._get_stored_records_associated_with_refs(own, ignore_datastore_records=True)
    outside = {i: info.path for i, each in infos_of.items() for info in each if "://" in info.path}
    return State(
        collections=[(i.name, i.type, i.doc, i.children) for i in sorted(infos, key=lambda each: each.name)],
        dataset_types=types,
        records={
            element.name: sorted(
                map(str, reader.query_dimension_records(element.name, explain=False, limit=None))
            )
            for element in reader.dimensions.database_elements
            if hasattr(element, "has_own_table") and element.has_own_table
        },
        associations=associations,
        ingested=dict(_ingested(reader, [each.name for each in types], names)),
        references={i: sorted(map(str, each)) for i, each in records.items()},
        contents={
            ref.id: (
                [info.path for info in infos_of[ref.id]],
                reader.getURI(ref).read() if ref.id not in outside else b"",
            )
            for ref in own
            if ref.id in infos_of
        },
        elsewhere=outside,
        notes=notes_of(reader, refs),
    )


def _ingested(reader: DirectButler, names: list[str], collections: list[str]) -> Iterator[tuple[Any, Any]]:
    for name in names:
        dimensions = reader.get_dataset_type(name).dimensions
        with reader.query() as query:
            rows = query.join_dataset_search(name, collections).general(
                dimensions, dataset_fields={name: {"dataset_id", "ingest_date"}}, find_first=False
            )
            yield from ((row[f"{name}.dataset_id"], row[f"{name}.ingest_date"]) for row in rows)
