"""What a new satellite gets from the official repository."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest
from astropy.time import Time
from click.testing import CliRunner
from lsst.daf.butler import Butler, DatasetRef, DimensionConfig, DimensionUniverse, Timespan

import python_butler
from python_butler.cli import main
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, OfflineError, SatelliteError
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite
from python_butler.satellite.calibrations import certified

CALIBRATIONS = "LSSTCam/calib/DP2"
FIXED = ("instrument", "detector", "physical_filter", "skymap")


def records(butler: Butler, element: str) -> set[str]:
    return {
        json.dumps(record.to_simple().model_dump(mode="json"), sort_keys=True)
        for record in butler.query_dimension_records(element, explain=False)
    }


def names(satellite: Satellite, element: str) -> set[object]:
    with satellite.reader() as reader:
        found = reader.query_dimension_records(element, explain=False)
        return {record.dataId[element] for record in found}


@pytest.fixture
def official(environment: dict[str, str]) -> Iterator[Butler]:
    butler = connect("dp2")
    yield butler
    disconnect(butler)


@pytest.mark.usefixtures("environment")
def test_it_knows_the_instruments_and_skymaps_with_detectors_and_filters(official: Butler) -> None:
    with Satellite.create("dp2").reader() as reader:
        assert reader.dimensions is official.dimensions
        for element in FIXED:
            assert records(reader, element) == records(official, element) != set(), element
        assert records(reader, "tract") == set()


@pytest.mark.usefixtures("environment")
def test_only_chosen_instruments_and_skymaps_are_registered_and_more_can_be_added(official: Butler) -> None:
    (instrument,) = {str(r.dataId["instrument"]) for r in official.query_dimension_records("instrument")}
    satellite = Satellite.create("dp2", records=[instrument])
    assert names(satellite, "instrument") == {instrument}
    assert len(names(satellite, "detector")) == len(records(official, "detector"))
    assert names(satellite, "skymap") == set()
    Satellite.create("dp2", records="all")
    assert len(names(satellite, "skymap")) == len(records(official, "skymap"))
    assert names(satellite, "instrument") == {instrument}


@pytest.mark.usefixtures("environment")
def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequestError, match=r"knows no LSSTCan. Known names: .*LSSTCam"):
        Satellite.create("dp2", records="LSSTCan")
    assert not Satellite.exists("dp2")


@pytest.mark.usefixtures("environment")
def test_none_are_registered_if_none_are_wanted() -> None:
    assert names(Satellite.create("dp2", records=()), "instrument") == set()


@pytest.mark.usefixtures("environment")
def test_one_that_is_there_needs_no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    satellite = Satellite.create("dp2", tmp_path / "mine")
    monkeypatch.delenv("DAF_BUTLER_REPOSITORY_INDEX")
    assert Satellite.create("dp2", tmp_path / "mine").version() == satellite.version()


def test_trouble_with_the_server_leaves_nothing(own_index: Path, tmp_path: Path) -> None:
    own_index.write_text("dp2: http://127.0.0.1:9/api/butler/repo/dp2\n")
    with pytest.raises(OfflineError):
        Satellite.create("dp2", tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


@pytest.fixture
def own_index(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository index for one test."""
    index = tmp_path / "index.yaml"
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))
    return index


# Calibrations


@pytest.mark.usefixtures("environment")
def test_calibrations_valid_at_some_time_come_by_reference(official: Butler) -> None:
    valid = Timespan(Time("2025-09-01", scale="tai"), Time("2025-09-02", scale="tai"))
    satellite = Satellite.create("dp2", calibrations=(CALIBRATIONS, valid))
    expected = {
        (a.ref.id, a.timespan)
        for name in ("bias", "dark", "flat")
        for a in official.registry.queryDatasetAssociations(name, [CALIBRATIONS])
    }
    overlapping = {id for id, timespan in expected if timespan is not None and timespan.overlaps(valid)}
    assert overlapping
    assert overlapping < {id for id, _ in expected}
    with satellite.reader() as reader:
        here = {
            (a.ref.id, a.timespan)
            for name in ("bias", "dark", "flat")
            for a in reader.registry.queryDatasetAssociations(name, [CALIBRATIONS])
        }
    assert here == {(id, timespan) for id, timespan in expected if id in overlapping}
    assert satellite.info().references == len(overlapping)
    assert satellite.info().own_datasets == 0


@pytest.mark.usefixtures("environment")
def test_calibrations_that_could_not_be_had_are_told() -> None:
    satellite = Satellite.create("dp2", calibrations=CALIBRATIONS)
    assert satellite.calibrations is not None
    assert satellite.calibrations.problems == []
    with satellite.reader() as reader:
        (ref, *_) = reader.query_datasets("bias", CALIBRATIONS, find_first=False)
    satellite.forget([ref])
    taken = DatasetRef(ref.datasetType, ref.dataId, ref.run, id=uuid4())
    with satellite.writer() as writer:
        writer.registry._importDatasets([taken], expand=False)
    again = Satellite.create("dp2", calibrations=CALIBRATIONS)
    assert again.calibrations is not None
    assert [problem.ref for problem in again.calibrations.problems] == [ref]
    # The command tells too, and its status is that of a failure.
    result = CliRunner().invoke(main, ["create", "dp2", "--calibrations", CALIBRATIONS])
    assert result.exit_code == 3
    assert str(taken.id) in result.output


# Directories


@pytest.mark.parametrize("name", ["a#b", "a b", "à", "100%", "a&b;c", "[x]", "~x", "a:b"])
@pytest.mark.usefixtures("environment")
def test_a_directory_may_have_any_plain_name(tmp_path: Path, name: str) -> None:
    places = tmp_path / "places"
    root = places / name / "dp2"
    satellite = Satellite.create("dp2", root)
    with satellite.writer() as writer:
        writer.collections.register("u/me/run")
    with Satellite.open("dp2", root).reader() as reader:
        assert list(reader.collections.query("*")) == ["u/me/run"]
    assert [path.name for path in places.iterdir()] == [name]
    assert (root / "gen3.sqlite3").is_file()


@pytest.mark.parametrize(("name", "strange"), [("a?b", "?"), ("a%20b", "%20"), ("%23", "%23")])
@pytest.mark.usefixtures("environment")
def test_a_name_that_upstream_would_read_as_another_is_refused(
    tmp_path: Path, name: str, strange: str
) -> None:
    with pytest.raises(SatelliteError, match=re.escape(repr(strange))):
        Satellite.create("dp2", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_all_calibrations_are_found_once(official: Butler) -> None:
    refs = certified(official, CALIBRATIONS, None)
    assert len({ref.id for ref in refs}) == len(refs) > 0
    assert {ref.datasetType.name for ref in refs} == {"bias", "dark", "flat"}
    # Of a chain, its calibration collections.
    assert {ref.id for ref in certified(official, "dp2", None)} == {ref.id for ref in refs}


def test_a_collection_without_calibrations_is_refused(official: Butler) -> None:
    with pytest.raises(InvalidRequestError, match="no calibration collection"):
        certified(official, "LSSTCam/DP2/best-seeing", None)


# Dimension universes


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A server whose repository was made with dimensions that are not the local default."""
    directory = tmp_path_factory.mktemp("older")
    (directory / "bucket").mkdir()
    configuration = "resource://lsst.daf.butler/configs/old_dimensions/daf_butler_universe5.yaml"
    Butler.makeRepo(str(directory / "repo"), dimensionConfig=DimensionConfig(configuration))
    with Butler.from_config(str(directory / "repo"), writeable=True) as butler:
        butler.registry.insertDimensionData("instrument", {"name": "Cam", "class_name": ""})
        butler.registry.insertDimensionData(
            "detector",
            {"instrument": "Cam", "id": 1, "full_name": "D1"},
            {"instrument": "Cam", "id": 2, "full_name": "D2"},
        )
        butler.registry.insertDimensionData("skymap", {"name": "sky", "hash": b"x"})
    with Platform(tmp_path_factory.mktemp("platform"), repository=directory) as platform:
        yield platform


def test_a_server_with_other_dimensions_than_the_local_ones(
    older: Platform, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", older.environment["DAF_BUTLER_REPOSITORY_INDEX"])
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", older.token)
    satellite = Satellite.create("dp2")
    assert DimensionUniverse().version != 5
    assert satellite.info().dimensions == "daf_butler 5"
    assert names(satellite, "detector") == {1, 2}
    assert names(satellite, "skymap") == {"sky"}
    with python_butler.open("dp2", run="u/me/run") as butler:
        assert butler.dimensions.version == 5
        from lsst.daf.butler import DatasetType

        butler.registry.registerDatasetType(
            DatasetType("note", ("instrument", "detector"), "StructuredDataDict", universe=butler.dimensions)
        )
        butler.put({"a": 1}, "note", instrument="Cam", detector=2)
        assert butler.get("note", instrument="Cam", detector=2) == {"a": 1}


def test_records_of_other_dimensions_are_not_added(environment: dict[str, str], tmp_path: Path) -> None:
    other = DimensionUniverse(
        DimensionConfig("resource://lsst.daf.butler/configs/old_dimensions/daf_butler_universe4.yaml")
    )
    satellite = Satellite.create("dp2", tmp_path / "mine", universe=other)
    with pytest.raises(SatelliteError, match="other dimensions than dp2: it was made for version 4"):
        Satellite.create("dp2", tmp_path / "mine", records="all")
    assert names(satellite, "instrument") == set()


def test_dimensions_that_the_installed_packages_do_not_understand(own_index: Path, tmp_path: Path) -> None:
    universe = DimensionUniverse().dimensionConfig.toDict()
    universe["version"] = 4711
    universe["elements"]["instrument"]["keys"][0]["type"] = "of a later version"

    # Upstream's own server cannot serve what its packages do not understand.
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"universe": universe}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        own_index.write_text(f"dp2: http://127.0.0.1:{server.server_port}/api/butler/repo/dp2\n")
        with pytest.raises(SatelliteError, match=r"does not understand the dimensions of dp2: .*Upgrade"):
            Satellite.create("dp2", tmp_path / "mine")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not (tmp_path / "mine").exists()
