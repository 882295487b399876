"""Official datasets taken into a satellite by reference."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy
from lsst.daf.butler import (
    Butler,
    CollectionType,
    DatasetRef,
    DatasetType,
    DimensionConfig,
    DimensionUniverse,
    MissingCollectionError,
    MissingDatasetTypeError,
)
from sqlalchemy.engine import Engine

from python_butler.datastore import references_of, signer_for
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, NoSpaceError, TokenError
from python_butler.official import connect, disconnect, official_url
from python_butler.satellite import Satellite
from python_butler.satellite.background import unhurried_garbage
from python_butler.satellite.progress import Progress
from python_butler.satellite.report import Status
from python_butler.satellite.selecting_here import select_here
from python_butler.satellite.structure import merged_children

CALIBRATIONS = "LSSTCam/calib/DP2"
TAGGED = "LSSTCam/DP2/best-seeing"


@pytest.fixture
def official(environment: dict[str, str]) -> Iterator[Butler]:
    butler = connect("dp2")
    yield butler
    disconnect(butler)


@pytest.fixture
def satellite(environment: dict[str, str]) -> Satellite:
    return Satellite.create("dp2")


def found(butler: Butler, name: str, collections: object = "*") -> set[DatasetRef]:
    return set(
        butler.query_all_datasets(collections, name=name, find_first=False, limit=None)  # type: ignore[arg-type]
    )


def associations(butler: Butler, name: str, collection: str) -> set[tuple[object, ...]]:
    dataset_type = butler.get_dataset_type(name)
    with butler.query() as query:
        rows = query.join_dataset_search(dataset_type, collection).general(
            dataset_type.dimensions, dataset_fields={name: {"dataset_id", "timespan"}}, find_first=False
        )
        return {(row[f"{name}.dataset_id"], row[f"{name}.timespan"]) for row in rows}


def records(butler: Butler, element: str) -> dict[object, object]:
    return {r.dataId: r for r in butler.query_dimension_records(element, explain=False, limit=None)}


def test_a_reference_is_the_official_dataset(satellite: Satellite, official: Butler) -> None:
    report = satellite.reference("source")
    with satellite.reader() as reader:
        assert found(reader, "source") == found(official, "source", "dp2")
        ref = official.query_datasets("source", "dp2", limit=1)[0]
        assert reader.get_dataset(ref.id) == ref
        assert reader.get(ref).to_pandas().equals(official.get(ref).to_pandas())
        # Where the chain leads officially it leads here.
        assert reader.find_dataset("source", ref.dataId, collections="dp2") == ref
    assert report.counts == {"source": {Status.NEW: len(found(official, "source", "dp2"))}}
    assert report.problems == []


def test_referencing_again_changes_nothing(satellite: Satellite) -> None:
    everything = ["dp2", TAGGED]
    first = satellite.reference(["source", "bias", "deep_coadd"], collections=everything)
    version = satellite.version()
    again = satellite.reference(["source", "bias", "deep_coadd"], collections=everything)
    assert satellite.version() == version
    assert again.count(Status.THERE) == again.total == first.count(Status.NEW) > 0


def test_wildcards_and_incomplete_data_ids_choose(satellite: Satellite, official: Butler) -> None:
    visit = next(iter(found(official, "visit_image", "dp2"))).dataId["visit"]
    report = satellite.reference(["visit_im*", "sour*"], instrument="LSSTCam", visit=visit)
    assert set(report.counts) == {"visit_image", "source"}
    with satellite.reader() as reader:
        expected = {r for r in found(official, "visit_image", "dp2") if r.dataId["visit"] == visit}
        assert found(reader, "visit_image") == expected
        assert len(found(reader, "source")) == 1


def test_an_expression_with_bound_values_and_a_limit_chooses(satellite: Satellite, official: Butler) -> None:
    expression = "instrument = 'LSSTCam' AND band = :my_band AND detector > :last"
    values = {"my_band": "r", "last": 90}
    expected = official.query_datasets("visit_image", "dp2", where=expression, bind=values, limit=None)
    assert 0 < len(expected) < 120
    report = satellite.reference("visit_image", where=expression, bind=values, limit=2)
    assert report.total == 2
    assert satellite.reference("visit_image", where=expression, bind=values).total == len(expected)
    with satellite.reader() as reader:
        assert found(reader, "visit_image") == set(expected)


def test_datasets_results_and_queries_can_be_given(satellite: Satellite, official: Butler) -> None:
    refs = official.query_datasets("source", "dp2", limit=3)
    assert satellite.reference(refs[0]).count(Status.NEW) == 1
    assert satellite.reference(iter(refs)).count(Status.NEW) == 2
    with official.query() as query:
        results = query.where(band="g").datasets("visit_image", "dp2")
        assert satellite.reference(results).count(Status.NEW) == results.count() > 0
    with official.query() as query:
        joined = query.join_dataset_search("object", "dp2")
        assert satellite.reference(joined).count(Status.NEW) == 1
    with satellite.reader() as reader:
        # The collections of queries are made again; single datasets have none.
        assert found(reader, "object", "dp2")
        assert reader.get(refs[0])


def test_a_component_stands_for_the_whole_dataset(satellite: Satellite, official: Butler) -> None:
    (ref,) = official.query_datasets("visit_image", "dp2", limit=1)
    report = satellite.reference([ref.makeComponentRef("psf")])
    assert report.counts == {"visit_image": {Status.NEW: 1}}


@pytest.mark.parametrize("with_detector", [True, False])
def test_all_records_come_that_belong_to_a_visit(
    satellite: Satellite, official: Butler, with_detector: bool
) -> None:
    visit = next(iter(found(official, "source", "dp2"))).dataId["visit"]
    satellite.reference("visit_image" if with_detector else "source", visit=visit, instrument="LSSTCam")
    with satellite.reader() as reader:
        for element in ("visit", "visit_definition", "visit_system_membership", "visit_detector_region"):
            expected = {k: r for k, r in records(official, element).items() if r.dataId["visit"] == visit}  # type: ignore[attr-defined]
            assert records(reader, element) == expected != {}, element
        (exposure,) = {r.dataId["exposure"] for r in records(reader, "visit_definition").values()}  # type: ignore[attr-defined]
        assert [r.dataId["exposure"] for r in records(reader, "exposure").values()] == [exposure]  # type: ignore[attr-defined]


def test_chains_grow_in_the_official_order_and_lose_nothing(satellite: Satellite, official: Butler) -> None:
    order = official.collections.get_info("dp2").children
    satellite.reference("source")
    satellite.reference("object")
    satellite.reference("bias")
    with satellite.writer() as writer:
        children = writer.collections.get_info("dp2").children
        assert children == tuple(name for name in order if name in children)
        assert len(children) == 3
        # A run of the user's own in the chain stays where it was put.
        writer.collections.register("u/me/mine")
        writer.collections.redefine_chain("dp2", ["u/me/mine", *children])
    satellite.reference("deep_coadd")
    with satellite.reader() as reader:
        assert reader.collections.get_info("dp2").children[0] == "u/me/mine"
        assert set(reader.collections.get_info("dp2").children) > {"u/me/mine", *children}


@pytest.mark.parametrize(
    ("official", "existing", "merged"),
    [
        ("abc", "", "abc"),
        ("abc", "ac", "abc"),
        ("abc", "xab", "xabc"),
        ("abc", "axb", "axbc"),
        ("abc", "abcx", "abcx"),
        ("bc", "abxyc", "abxyc"),
        ("ab", "ba", "ab"),
    ],
)
def test_children_that_are_not_official_keep_their_places(official: str, existing: str, merged: str) -> None:
    assert merged_children(list(official), list(existing)) == list(merged)


def test_tags_are_restricted_to_what_is_referenced_and_grow(satellite: Satellite, official: Butler) -> None:
    (name, *_) = official.collections.get_info(TAGGED, include_summary=True).dataset_types or ()
    everything = found(official, name, TAGGED)
    one = next(iter(everything))
    satellite.reference([one], collections=[TAGGED])
    with satellite.reader() as reader:
        assert found(reader, name, TAGGED) == {one}
    satellite.reference(name, collections=[TAGGED])
    with satellite.reader() as reader:
        assert found(reader, name, TAGGED) == everything
        assert reader.collections.get_info(TAGGED).type is CollectionType.TAGGED


def test_calibrations_keep_their_validity_ranges(satellite: Satellite, official: Butler) -> None:
    satellite.reference("bias", detector=10, instrument="LSSTCam")
    expected = found(official, "bias", CALIBRATIONS)
    with satellite.reader() as reader:
        assert found(reader, "bias") == {ref for ref in expected if ref.dataId["detector"] == 10}
        few = associations(reader, "bias", CALIBRATIONS)
    satellite.reference("bias")
    with satellite.reader() as reader:
        assert associations(reader, "bias", CALIBRATIONS) == associations(official, "bias", CALIBRATIONS)
        assert few < associations(reader, "bias", CALIBRATIONS)


def test_without_structure_there_are_runs_only(satellite: Satellite) -> None:
    satellite.reference("source", with_structure=False)
    with satellite.reader() as reader:
        infos = reader.collections.query_info("*", include_chains=True)
        assert {info.type for info in infos} == {CollectionType.RUN}


def test_what_the_server_does_not_know_is_missing(satellite: Satellite, official: Butler) -> None:
    known, other = official.query_datasets("source", "dp2", limit=2)
    unknown = DatasetRef(other.datasetType, other.dataId, other.run, id=uuid4())
    report = satellite.reference([known, unknown])
    assert report.counts["source"] == {Status.NEW: 1, Status.MISSING: 1}
    assert [problem.ref for problem in report.problems] == [unknown]
    assert report.statuses == {known.id: Status.NEW, unknown.id: Status.MISSING}
    with satellite.reader() as reader:
        assert found(reader, "source") == {known}


def test_another_dataset_type_of_the_same_name_is_refused(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        mine = DatasetType("source", ["instrument"], "ArrowAstropy", universe=writer.dimensions)
        writer.registry.registerDatasetType(mine)
    report = satellite.reference(["source", "object"])
    assert report.counts["object"] == {Status.NEW: 1}
    assert set(report.counts["source"]) == {Status.REFUSED}
    assert "another dataset type" in report.problems[0].reason


def test_a_storage_class_that_can_be_converted_is_taken(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        mine = DatasetType("object", ["skymap", "tract"], "DataFrame", universe=writer.dimensions)
        writer.registry.registerDatasetType(mine)
    assert satellite.reference("object").count(Status.NEW) == 1


def test_a_storage_class_that_cannot_be_converted_is_refused(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        mine = DatasetType("object", ["skymap", "tract"], "StructuredDataDict", universe=writer.dimensions)
        writer.registry.registerDatasetType(mine)
    (problem,) = satellite.reference("object").problems
    assert problem.status is Status.REFUSED
    assert "cannot be converted" in problem.reason


@pytest.mark.parametrize("version", [4, 7])
def test_a_satellite_of_other_dimensions_than_the_server_now_has_is_refused(
    environment: dict[str, str], version: int
) -> None:
    configuration = f"resource://lsst.daf.butler/configs/old_dimensions/daf_butler_universe{version}.yaml"
    satellite = Satellite.create("dp2", universe=DimensionUniverse(DimensionConfig(configuration)))
    report = satellite.reference(["source", "object", "bias"])
    assert report.count(Status.REFUSED) == report.total > 0
    assert set(report.counts) == {"source", "object", "bias"}
    assert f"satellite version {version}: create another" in report.problems[0].reason


def test_a_condition_that_would_choose_everything_is_refused(satellite: Satellite) -> None:
    with pytest.raises(InvalidRequestError, match="compares 'r' with itself") as caught:
        satellite.reference("source", where="band = :band", bind={"band": "r"})
    assert "another name" in caught.value.next_step
    all_of_them = satellite.reference("source", dry_run=True).total
    assert (
        0 < satellite.reference("source", where="band.name = :band", bind={"band": "r"}).total < all_of_them
    )


def test_what_was_referenced_before_the_server_had_other_dimensions_stays(
    environment: dict[str, str], official: Butler
) -> None:
    configuration = "resource://lsst.daf.butler/configs/old_dimensions/daf_butler_universe7.yaml"
    satellite = Satellite.create("dp2", universe=DimensionUniverse(DimensionConfig(configuration)))
    ref = min(found(official, "bias", CALIBRATIONS))
    with satellite.writer() as writer:
        for element in ("instrument", "detector"):
            records = official.query_dimension_records(element, data_id=ref.dataId)
            writer.registry.insertDimensionData(element, *[record.toDict() for record in records])
        before = DatasetType(
            "bias",
            ref.datasetType.dimensions.names,
            ref.datasetType.storageClass_name,
            isCalibration=True,
            universe=writer.dimensions,
        )
        writer.registry.registerDatasetType(before)
        writer.collections.register(ref.run)
        data_id = writer.registry.expandDataId(**ref.dataId.required)
        mine = DatasetRef(before, data_id, ref.run, id=ref.id)
        writer.registry._importDatasets([mine], expand=False)
        references_of(writer).add("dp2", {mine: signer_for("dp2").files([ref.id])[ref.id]})
    report = satellite.reference([ref])
    assert (report.count(Status.THERE), report.total) == (1, 1)
    assert "stay as they are" in report.notes[0]
    with satellite.reader() as reader:
        assert reader.exists(mine)
        assert reader.collections.query("*") == [ref.run]
        assert (reader.get(mine).array == official.get(ref).array).all()


def test_a_dimension_record_that_differs_is_named(environment: dict[str, str], official: Butler) -> None:
    satellite = Satellite.create("dp2", records=())
    (band, *_) = sorted({str(ref.dataId["band"]) for ref in found(official, "source", "dp2")})
    filters = [r for r in official.query_dimension_records("physical_filter") if r.band == band]  # type: ignore[attr-defined]
    with satellite.writer() as writer:
        instrument = official.query_dimension_records("instrument")
        writer.registry.insertDimensionData("instrument", *instrument)
        writer.registry.insertDimensionData(
            "physical_filter", *[record.toDict() | {"band": "w"} for record in filters]
        )
    report = satellite.reference("source")
    expected = {ref for ref in found(official, "source", "dp2") if ref.dataId["band"] == band}
    assert {problem.ref for problem in report.problems} == expected
    assert "physical_filter" in report.problems[0].reason
    assert "band" in report.problems[0].reason
    assert report.count(Status.NEW) == len(found(official, "source", "dp2")) - len(expected) > 0


def test_a_dataset_whose_place_is_taken_is_refused(satellite: Satellite, official: Butler) -> None:
    one, other = official.query_datasets("source", "dp2", limit=2)
    satellite.reference([one])
    with satellite.writer() as writer:
        references = DatasetRef(other.datasetType, other.dataId, other.run, id=uuid4())
        satellite.reference([other])
        satellite.forget([other])
        writer.registry._importDatasets([references], expand=False)
    report = satellite.reference("source")
    assert [problem.ref for problem in report.problems] == [other]
    assert str(references.id) in report.problems[0].reason
    assert report.count(Status.NEW) + 2 == report.total


def test_what_cannot_be_read_here_is_refused_at_once(satellite: Satellite) -> None:
    # A process in which the package of the images is not installed.
    script = (
        "import sys; sys.modules['lsst.images'] = None\n"
        "from python_butler.satellite import Satellite\n"
        "report = Satellite.open('dp2').reference(['visit_image', 'source'])\n"
        "print(report.counts, report.problems[0].reason)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "VisitImage" in done.stdout
    with satellite.reader() as reader:
        assert found(reader, "source")
        with pytest.raises(MissingDatasetTypeError):
            found(reader, "visit_image")


def test_a_dry_run_counts_and_writes_nothing(satellite: Satellite, official: Butler) -> None:
    version = satellite.version()
    report = satellite.reference("source", dry_run=True)
    assert satellite.version() == version
    assert report.count(Status.NEW) == len(found(official, "source", "dp2"))
    assert report.bytes == sum(int(official.getURI(ref).size()) for ref in found(official, "source", "dp2"))


def test_progress_is_told_and_a_cancelled_call_is_completed(
    satellite: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("python_butler.satellite.selecting._BATCH", 10)
    cancel = threading.Event()
    told: list[Progress] = []

    def tell(progress: Progress) -> None:
        told.append(progress)
        cancel.set()

    report = satellite.reference("visit_image", progress=tell, cancel=cancel)
    assert report.cancelled
    assert report.count(Status.NEW) == told[-1].done == 10
    completed = satellite.reference("visit_image", progress=told.append)
    assert (completed.count(Status.THERE), completed.count(Status.NEW)) == (10, 110)
    assert told[-1].done == told[-1].total == 120


def test_what_does_not_exist_is_an_error(satellite: Satellite, official: Butler) -> None:
    with pytest.raises(MissingDatasetTypeError, match="nope"):
        satellite.reference("nope")
    with pytest.raises(MissingCollectionError):
        satellite.reference("source", collections="nope")
    with pytest.raises(InvalidRequestError):
        satellite.reference(["source", *official.query_datasets("source", "dp2", limit=1)])
    assert satellite.reference("*", collections="u/hypatia/ecdfs-variables").total > 0


def test_where_no_collection_has_the_label_as_its_name_one_must_be_named(
    environment: dict[str, str], platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index.yaml"
    index.write_text(f"dp1: {official_url('dp2')}/butler.yaml\n")
    monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(index))
    satellite = Satellite.create("dp1")
    with pytest.raises(InvalidRequestError, match="collections=…"):
        satellite.reference("source")
    assert satellite.reference("source", collections="dp2", limit=1).count(Status.NEW) == 1


def test_a_refused_token_is_told_as_such(
    own_platform: Platform, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in own_platform.environment.items():
        monkeypatch.setenv(name, value)
    satellite = Satellite.create("dp2")
    own_platform.refuse_token()
    with pytest.raises(TokenError):
        satellite.reference("source")
    own_platform.accept_token()
    assert satellite.reference("source").count(Status.NEW) > 0


def test_the_only_instrument_need_not_be_said(satellite: Satellite, official: Butler) -> None:
    (ref,) = official.query_datasets("visit_image", "dp2", limit=1)
    named = {"visit": ref.dataId["visit"], "detector": ref.dataId["detector"]}
    report = satellite.reference(
        "visit_image", collections="dp2", where="band = :b", bind={"b": ref.dataId["band"]}, **named
    )
    assert report.count(Status.NEW) == 1
    assert [each.id for each in select_here(satellite, ["visit_image"], data_id=named)] == [ref.id]


def test_a_misspelt_dimension_is_named(satellite: Satellite) -> None:
    with pytest.raises(InvalidRequestError, match=r"'detektor'(.|\n)*detector"):
        satellite.reference("visit_image", detektor=3)


def test_collections_beside_a_query_are_refused(satellite: Satellite, official: Butler) -> None:
    with official.query() as query, pytest.raises(InvalidRequestError, match="query"):
        satellite.reference(query.datasets("source", "dp2"), collections="dp2")


def test_a_dry_run_needs_no_satellite(environment: dict[str, str], official: Butler) -> None:
    satellite = Satellite.open("dp2", missing_ok=True)
    report = satellite.reference("source", dry_run=True)
    assert report.count(Status.NEW) == len(found(official, "source", "dp2"))
    assert not Satellite.exists("dp2")


def test_the_garbage_collector_is_as_before_when_calls_overlap() -> None:
    usual = gc.get_threshold()
    first, second = unhurried_garbage(), unhurried_garbage()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert gc.get_threshold()[0] > usual[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == usual


def test_references_for_which_there_is_no_room_are_told_in_one_error_and_can_be_taken_again(
    satellite: Satellite, official: Butler
) -> None:
    def no_growth(connection: object, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # SQLite's own

    sqlalchemy.event.listen(Engine, "connect", no_growth)
    try:
        with pytest.raises(NoSpaceError, match="can be referenced again"):
            satellite.reference(["source", "visit_image", "object", "object_forced_source"])
    finally:
        sqlalchemy.event.remove(Engine, "connect", no_growth)
    report = satellite.reference(["source", "visit_image"])
    assert not report.problems
    with satellite.reader() as reader:
        assert found(reader, "visit_image") == found(official, "visit_image", "dp2")
