"""One Butler over both repositories where the personal one is in PostgreSQL, sorted in its way, and S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetNotFoundError, DatasetType
from lsst.resources import ResourcePath

from python_butler.demo.platform import Platform
from python_butler.demo.postgres import PostgresServer
from python_butler.errors import SatelliteError, UnknownVersionError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.satellite import Satellite
from python_butler.satellite.report import Status
from python_butler.satellite.spool import Spool
from python_butler.satellite.storage import storage_of

from .conftest import table

NAMES = ("a", "B", "_c", "C_d", "Cd", "ä", "Z")
"""Sorted by code point and as people do these come in different orders."""

OFFICIAL = ("g_1", "r_1")


@pytest.fixture(scope="module")
def collated(postgres_server: PostgresServer) -> str:
    """Collation of the personal database: unlike the official one's."""
    import psycopg

    try:
        postgres_server.create_database("collated", collation="icu:en-US")
    except psycopg.Error:
        pytest.skip("this PostgreSQL server sorts like SQLite only")
    return "icu:en-US"


@pytest.fixture
def satellite(
    kernel: Platform, collated: str, postgres: str, postgres_server: PostgresServer, object_storage: str
) -> Satellite:
    name = "sorted" + postgres.rpartition("/")[2]
    url = postgres_server.create_database(name, collation=collated)
    return Satellite.create("dp2", registry=url, storage=object_storage)


@pytest.fixture
def butler(satellite: Satellite) -> Iterator[SatelliteButler]:
    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine") as butler:
        yield butler


def own_filters(butler: SatelliteButler, *names: str) -> None:
    for name in names:
        butler.registry.insertDimensionData(
            "physical_filter", {"instrument": "Cam", "name": name, "band": "g"}
        )


def test_what_is_put_is_read_beside_what_is_official(butler: SatelliteButler) -> None:
    butler.put(table(1), "source", instrument="Cam", visit=101)
    assert list(butler.get("source", instrument="Cam", visit=101)["id"]) == [1, 2, 3]
    assert butler.getURI("source", instrument="Cam", visit=101).scheme == "s3"
    assert list(butler.get("source", instrument="Cam", visit=102)["id"]) == [102, 103, 104]
    found = {ref.dataId["visit"]: ref.run for ref in butler.query_datasets("source")}
    assert found[101] == "u/me/mine"
    assert found[102].startswith("Cam/runs")
    butler.pruneDatasets(
        butler.query_datasets("source", "u/me/mine"), disassociate=True, unstore=True, purge=True
    )
    assert list(butler.get("source", instrument="Cam", visit=101)["id"]) != [1, 2, 3]


def test_texts_of_both_come_in_one_order(butler: SatelliteButler) -> None:
    own_filters(butler, *NAMES)
    expected = sorted((*NAMES, *OFFICIAL))
    with butler.query() as query:
        rows = query.dimension_records("physical_filter").order_by("physical_filter")
        assert [row.name for row in rows] == expected
        assert [row.name for row in rows.order_by("-physical_filter")] == expected[::-1]
        assert [row.name for row in rows.order_by("physical_filter").limit(3)] == expected[:3]
        data_ids = query.data_ids(["physical_filter"]).order_by("band", "physical_filter")
        assert [row["physical_filter"] for row in data_ids] == [*sorted((*NAMES, "g_1")), "r_1"]


def test_datasets_of_both_are_sorted_by_texts_of_both(butler: SatelliteButler) -> None:
    own_filters(butler, *NAMES)
    kind = DatasetType(
        "note", ("instrument", "physical_filter"), "StructuredDataDict", universe=butler.dimensions
    )
    butler.registry.registerDatasetType(kind)
    for name in (*NAMES, *OFFICIAL):
        butler.put({"name": name}, kind, instrument="Cam", physical_filter=name)
    refs = butler.query_datasets("note", order_by=["physical_filter"])
    found = [str(ref.dataId["physical_filter"]) for ref in refs]
    assert set(found) == {*NAMES, *OFFICIAL}
    assert [butler.get(ref)["name"] for ref in refs] == found


def test_records_of_a_user_are_found_after_those_that_were_compared(butler: SatelliteButler) -> None:
    own_filters(butler, *NAMES)
    assert len(butler.query_dimension_records("physical_filter")) == len(NAMES) + len(OFFICIAL)
    own_filters(butler, "later")
    found = butler.query_dimension_records("physical_filter", where="band = 'r' OR physical_filter = 'later'")
    assert {record.name for record in found} == {"later", "r_1"}


def test_what_another_process_writes_is_seen_at_once(butler: SatelliteButler) -> None:
    assert butler.query_datasets("source", "u/me/*", find_first=False, explain=False) == []
    code = (
        "import python_butler; from astropy.table import Table\n"
        "with python_butler.open('dp2', collections='dp2', run='u/me/theirs') as butler:\n"
        "    butler.put(Table({'id': [7]}), 'source', instrument='Cam', visit=103)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    (ref,) = butler.query_datasets("source", "u/me/*", find_first=False)
    assert list(butler.get(ref)["id"]) == [7]


def test_a_transaction_is_undone_as_a_whole(butler: SatelliteButler) -> None:
    butler.put(table(1), "source", instrument="Cam", visit=101)

    def fail() -> None:
        with butler.transaction():
            butler.put(table(2), "source", instrument="Cam", visit=102)
            assert list(butler.get("source", instrument="Cam", visit=102)["id"]) == [2, 3, 4]
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert [ref.dataId["visit"] for ref in butler.query_datasets("source", "u/me/mine")] == [101]


def test_official_datasets_are_referenced_pinned_and_forgotten(
    satellite: Satellite, butler: SatelliteButler, object_storage: str
) -> None:
    report = satellite.reference("source", copy=True)
    assert report.count(Status.NEW) == 3
    assert not report.problems
    info = satellite.info()
    assert (info.references, info.pinned) == (0, 3)
    with satellite.reader() as reader:
        refs = reader.query_datasets("source", "dp2")
        assert {str(reader.getURI(ref)).startswith(object_storage) for ref in refs} == {True}
        uris = [reader.getURI(ref) for ref in refs]
    assert satellite.unpin(refs).done == 3
    assert not any(uri.exists() for uri in uris)
    assert satellite.forget(refs).forgotten == 3
    assert list(butler.get("source", instrument="Cam", visit=102)["id"]) == [102, 103, 104]


DETECTORS = [{"instrument": "Cam", "visit": 101, "detector": detector} for detector in (1, 2, 3, 4)]


def spooled(satellite: Satellite) -> list[str]:
    """Files that wait in the bucket."""
    root = storage_of(satellite).files.join(".spool/", forceDirectory=True)
    return [str(uri) for uri in ResourcePath.findFileResources([root])]


def test_what_is_saved_has_versions_that_are_loaded_and_retired(
    butler: SatelliteButler, satellite: Satellite
) -> None:
    first = butler.save(table(1), "bright", skymap="sky", tract=1)
    butler.save(table(2), "bright", skymap="sky", tract=2)
    source = butler.get("object", skymap="sky", tract=1)
    second = butler.save(source, "bright", skymap="sky", tract=1)
    assert (first.run, second.run) == ("u/me/bright/v1", "u/me/bright/v2")
    assert [(v.version, v.datasets) for v in butler.versions("bright")] == [(2, 1), (1, 2)]
    assert butler.getURI(second).scheme == "s3"
    (note,) = butler.provenance(second)["inputs"]
    assert note["dataset_type"] == "object"
    with open_butler("dp2", collections="dp2") as other:
        assert list(other.load("bright", skymap="sky", tract=1)["id"]) == list(source["id"])
        assert other.load("bright", skymap="sky", tract=1, version=1)["id"][0] == 1
        assert other.load("bright", skymap="sky", tract=2)["id"][0] == 2
        other.retire("bright", 1, purge=True)
        assert [(v.version, v.datasets) for v in other.versions("bright")] == [(2, 1)]
        with pytest.raises(DatasetNotFoundError):
            other.load("bright", skymap="sky", tract=2)
    assert satellite.check(min_age=0, thorough=True).clean


def test_saves_in_quick_succession_are_seen_at_once_and_committed(
    butler: SatelliteButler, satellite: Satellite
) -> None:
    for number, data_id in enumerate(DETECTORS):
        butler.save(table(number), "many", data_id)
        assert butler.load("many", data_id)["id"][0] == number
    with open_butler("dp2", collections="dp2") as other:
        assert [int(other.load("many", data_id)["id"][0]) for data_id in DETECTORS] == [0, 1, 2, 3]
        # This commits all that waits.
        assert [(v.version, v.datasets) for v in other.versions("many")] == [(1, 4)]
    assert Spool(satellite).waiting() == 0
    assert spooled(satellite) == []
    assert satellite.check(min_age=0).clean


def test_a_batch_is_saved_as_a_whole_or_not_at_all(butler: SatelliteButler, satellite: Satellite) -> None:
    with open_butler("dp2", collections="dp2") as other, butler.deferred() as batch:
        for number, data_id in enumerate(DETECTORS):
            batch.save(table(number), "many", data_id)
        with pytest.raises(UnknownVersionError):
            other.load("many", DETECTORS[0])
        assert len(spooled(satellite)) == len(DETECTORS)
    with open_butler("dp2", collections="dp2") as other:
        assert [int(other.load("many", data_id)["id"][0]) for data_id in DETECTORS] == [0, 1, 2, 3]
    with butler.deferred() as batch:
        batch.save(table(9), "many", DETECTORS[0])
        batch.put(table(9), "source", instrument="Cam", visit=102)
        batch.discard()
    assert [(v.version, v.datasets) for v in butler.versions("many")] == [(1, 4)]
    assert butler.load("many", DETECTORS[0])["id"][0] == 0
    assert spooled(satellite) == []
    assert satellite.check(min_age=0).clean


def test_a_batch_that_was_left_is_committed_by_another_butler(
    butler: SatelliteButler, satellite: Satellite
) -> None:
    def fails() -> None:
        with butler.deferred("night") as batch:
            batch.save(table(1), "many", DETECTORS[0])
            batch.keep()
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    with open_butler("dp2", collections="dp2") as other:
        (left,) = other.batches()
        assert left.commit() == 1
        assert other.load("many", DETECTORS[0])["id"][0] == 1
    assert spooled(satellite) == []
    assert satellite.check(min_age=0).clean


def test_a_newer_format_is_told(butler: SatelliteButler, satellite: Satellite) -> None:
    marker = satellite.root / "satellite.json"
    marker.write_text(marker.read_text().replace('"format": 3', '"format": 99'))
    with pytest.raises(SatelliteError, match="Upgrade"):
        open_butler("dp2", collections=["u/me/mine", "dp2"]).query_datasets("source", "u/me/mine")


def test_only_what_belongs_there_is_in_the_directory(butler: SatelliteButler, satellite: Satellite) -> None:
    butler.put(table(1), "source", instrument="Cam", visit=101)
    butler.query_dimension_records("physical_filter")
    names = {path.name for path in Path(satellite.root).iterdir()}
    assert {"butler.yaml", "satellite.json", "README.md", "personal.yaml"} <= names
    assert not names & {"files", "gen3.sqlite3", "gen3.sqlite3.locks"}
