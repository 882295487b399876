"""One Butler over both repositories where the personal one is in PostgreSQL, sorted in its way, and S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetType

from python_butler.demo.platform import Platform
from python_butler.demo.postgres import PostgresServer
from python_butler.errors import SatelliteError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.satellite import Satellite
from python_butler.satellite.report import Status

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
