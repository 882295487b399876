"""Reading both repositories as one, as upstream reads one."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from astropy.table import Table
from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    DataCoordinate,
    DatasetExistence,
    DatasetNotFoundError,
    DatasetType,
    EmptyQueryResultError,
    Timespan,
)
from lsst.daf.butler.registry import (
    DimensionNameError,
    MissingCollectionError,
    MissingDatasetTypeError,
    NoDefaultCollectionError,
    Registry,
)

from python_butler.demo.platform import Platform
from python_butler.federation import MeaninglessConditionWarning, SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.settings import satellite_directory


def table(seed: int) -> Table:
    return Table({"id": [seed, seed + 1, seed + 2], "flux": [1.5, 2.5, 3.5]})


def first_id(found: Table) -> int:
    return int(found["id"][0])


@pytest.fixture
def official(kernel: Platform) -> Butler:
    return Butler.from_config("dp2", collections="dp2")


def test_it_is_a_butler_with_every_method(butler: SatelliteButler) -> None:
    assert isinstance(butler, Butler)
    assert isinstance(butler.registry, Registry)
    assert SatelliteButler.__abstractmethods__ == frozenset()


def test_the_official_repository_is_read_as_upstream_reads_it(
    butler: SatelliteButler, official: Butler
) -> None:
    assert butler.query_datasets("source", order_by="visit") == official.query_datasets(
        "source", order_by="visit"
    )
    assert first_id(butler.get("source", visit=102)) == first_id(official.get("source", visit=102)) == 102
    assert list(butler.collections.query("*")) == list(official.collections.query("*"))
    assert butler.collections.get_info("dp2") == official.collections.get_info("dp2")
    assert butler.collections.query_info("dp2", flatten_chains=True, include_summary=True) == (
        official.collections.query_info("dp2", flatten_chains=True, include_summary=True)
    )
    assert butler.registry.defaults.dataId == official.registry.defaults.dataId
    assert butler.query_data_ids(["visit"], order_by="visit") == official.query_data_ids(
        ["visit"], order_by="visit"
    )
    assert butler.query_dimension_records("detector", order_by="detector") == (
        official.query_dimension_records("detector", order_by="detector")
    )


def test_reading_creates_no_satellite(butler: SatelliteButler) -> None:
    butler.get("source", visit=102)
    butler.query_datasets("source")
    butler.collections.query_info("*")
    assert not satellite_directory("dp2").exists()


def test_collections_are_searched_in_order_whoever_they_belong_to(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    mine_first = ["u/me/mine", "dp2"]
    official_first = ["dp2", "u/me/mine"]
    between = ["Cam/runs/DRP/stage3", "u/me/mine", "Cam/runs/DRP/stage1"]
    for collections, expected in ((mine_first, 1), (official_first, 101), (between, 9000)):
        assert first_id(own_run.get("source", visit=101, collections=collections)) == expected
        ref = own_run.find_dataset("source", visit=101, collections=collections)
        assert ref is not None
        assert first_id(own_run.get(ref)) == expected
        assert first_id(own_run.getDeferred("source", visit=101, collections=collections).get()) == expected
        (found,) = own_run.query_datasets("source", collections, where="visit = 101", instrument="Cam")
        assert found == ref


def test_all_datasets_are_listed_if_not_only_the_first_is_wanted(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    refs = own_run.query_datasets("source", find_first=False, where="visit = 101", instrument="Cam")
    assert sorted(ref.run for ref in refs) == ["Cam/runs/DRP/stage1", "Cam/runs/DRP/stage3", "u/me/mine"]


def test_merged_results_are_ordered_and_limited_as_a_whole(own_run: SatelliteButler) -> None:
    for visit, detector in ((101, 2), (103, 1), (102, 4)):
        own_run.put(table(1), "detected", visit=visit, detector=detector)
    everything = own_run.query_datasets("detected", order_by=["visit", "detector"])
    keys = [(ref.dataId["visit"], ref.dataId["detector"]) for ref in everything]
    assert keys == [(101, 1), (101, 2), (102, 1), (102, 4), (103, 1)]
    assert everything[-1].run == "u/me/mine"
    for order in (["visit", "detector"], ["-visit", "detector"], ["visit.timespan.begin", "-detector"]):
        whole = own_run.query_datasets("detected", order_by=order)
        assert own_run.query_datasets("detected", order_by=order, limit=3) == whole[:3]
    by_text = own_run.query_datasets("detected", order_by=["-physical_filter", "visit", "detector"], limit=2)
    assert [ref.dataId["visit"] for ref in by_text] == [102, 102]
    assert len(own_run.query_datasets("detected", limit=2)) == 2


def test_a_negative_limit_warns_of_what_it_cut_off(
    own_run: SatelliteButler, caplog: pytest.LogCaptureFixture
) -> None:
    own_run.put(table(1), "source", visit=101)
    assert len(own_run.query_datasets("source", limit=-2)) == 2
    assert "More datasets are available" in caplog.text


def test_conditions_hold_on_both_sides(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "detected", visit=101, detector=2)
    own_run.put(table(1), "detected", visit=102, detector=2)
    refs = own_run.query_datasets(
        "detected",
        where="visit_detector_region.region OVERLAPS POINT(:ra, :dec)",
        bind={"ra": 11.0, "dec": 0.2},
    )
    assert [(ref.dataId["visit"], ref.dataId["detector"]) for ref in refs] == [(101, 2)]
    refs = own_run.query_datasets(
        "detected", where="visit.exposure_time > 25 AND band = 'r'", order_by=["visit", "detector"]
    )
    assert [ref.run for ref in refs if ref.dataId["visit"] == 102] == ["Cam/runs/DRP/stage2", "u/me/mine"]


def test_a_value_bound_to_the_name_of_a_dimension_is_warned_of(own_run: SatelliteButler) -> None:
    def by_query(where: str, bind: dict[str, int]) -> list[DataCoordinate]:
        with own_run.query() as query:
            return list(query.data_ids(["visit"]).where(where, bind=bind))

    asks: list[Callable[[str, dict[str, int]], Sequence[object]]] = [
        lambda where, bind: own_run.query_datasets("source", "dp2", where=where, bind=bind, instrument="Cam"),
        lambda where, bind: own_run.query_dimension_records(
            "visit", where=where, bind=bind, instrument="Cam"
        ),
        by_query,
    ]
    for ask in asks:
        for where in ("visit = :visit", "visit IN (:visit)", "NOT visit != :visit"):
            # As upstream has it: all of them.
            with pytest.warns(
                MeaninglessConditionWarning, match="compares 102 with itself.*:my_band"
            ) as told:
                assert len(ask(where, {"visit": 102})) == 3
            assert {each.filename for each in told} == {__file__}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert len(ask("visit = :v AND visit.exposure_time > 1", {"v": 102})) == 1
            assert len(ask("visit.id = :visit", {"visit": 102})) == 1


def test_merged_results_are_counted_once_each(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with own_run.query() as query:
        assert query.datasets("source").count() == 3
        assert query.datasets("source", find_first=False).count() == 5
        assert query.datasets("source").any()
        assert query.join_dataset_search("source").data_ids(["visit"]).count() == 3


def test_a_personal_type_can_be_joined_with_an_official_one(own_run: SatelliteButler) -> None:
    mine = DatasetType("quality", ("instrument", "visit"), "StructuredDataDict", universe=own_run.dimensions)
    own_run.registry.registerDatasetType(mine)
    own_run.put({"good": True}, mine, visit=102)
    with own_run.query() as query:
        found = list(query.join_dataset_search("quality").datasets("detected"))
        assert [ref.dataId["visit"] for ref in found] == [102]
        backwards = list(query.join_dataset_search("detected").datasets("quality"))
        assert [(ref.dataId["visit"], ref.run) for ref in backwards] == [(102, "u/me/mine")]


def test_all_datasets_of_all_types_are_listed(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    found = own_run.query_all_datasets(name=["source", "object"])
    assert sorted({ref.datasetType.name for ref in found}) == ["object", "source"]
    assert len([ref for ref in found if ref.datasetType.name == "source"]) == 3
    everywhere = own_run.query_all_datasets("*", name="source", find_first=False)
    assert {ref.run for ref in everywhere} == {"u/me/mine", "Cam/runs/DRP/stage1", "Cam/runs/DRP/stage3"}


def test_parameters_and_storage_classes_pass_through(own_run: SatelliteButler) -> None:
    mine = own_run.put(table(1), "source", visit=101)
    theirs = own_run.find_dataset("source", visit=102)
    assert theirs is not None
    other = DatasetType("source", ("instrument", "visit"), "ArrowNumpy", universe=own_run.dimensions)
    for ref in (mine, theirs):
        visit = ref.dataId["visit"]
        assert own_run.get(ref, parameters={"columns": ["id"]}).colnames == ["id"]
        assert own_run.get("source", visit=visit, parameters={"columns": ["flux"]}).colnames == ["flux"]
        assert type(own_run.get(ref, storageClass="ArrowNumpy")).__name__ == "recarray"
        assert type(own_run.get("source", visit=visit, storageClass="ArrowNumpy")).__name__ == "recarray"
        assert type(own_run.get(other, visit=visit)).__name__ == "recarray"
        assert own_run.get("source.rowcount", visit=visit) == 3
        handle = own_run.getDeferred("source", visit=visit)
        assert handle.butler is own_run
        assert handle.get(component="rowcount") == 3
        assert own_run.getDeferred("source.rowcount", visit=visit).get() == 3


def test_calibrations_are_looked_up_by_time_on_both_sides(own_run: SatelliteButler) -> None:
    collections = ["u/me/calib", "Cam/calib"]
    own_run.collections.register("u/me/calib", type=own_run.collections.get_info("Cam/calib").type)
    assert first_id(own_run.get("bias", visit=101, detector=1, collections=collections)) == 700
    assert first_id(own_run.get("bias", visit=103, detector=1, collections=collections)) == 701
    ref = own_run.put(table(5), "bias", detector=1)
    (begin,) = (r.timespan.begin for r in own_run.query_dimension_records("visit", visit=103))
    own_run.registry.certify("u/me/calib", [ref], Timespan(begin, None))
    assert first_id(own_run.get("bias", visit=101, detector=1, collections=collections)) == 700
    assert first_id(own_run.get("bias", visit=103, detector=1, collections=collections)) == 5


def test_what_is_not_there_fails_as_upstream_does(own_run: SatelliteButler, official: Butler) -> None:
    own_run.put(table(1), "source", visit=101)
    for butler in (own_run, official):
        with pytest.raises(MissingDatasetTypeError):
            butler.get("nope", visit=101)
        with pytest.raises(DatasetNotFoundError):
            butler.get("source", visit=999)
        with pytest.raises(DatasetNotFoundError):
            butler.getDeferred("source", visit=999)
        with pytest.raises(DimensionNameError):
            butler.get("source")
        with pytest.raises(MissingCollectionError):
            butler.get("source", visit=101, collections="u/nobody/nothing")
        with pytest.raises(MissingCollectionError):
            butler.query_datasets("source", collections="u/nobody/nothing")
        with pytest.raises(EmptyQueryResultError):
            butler.query_datasets("source", where="visit = 999", instrument="Cam")
        with pytest.raises(EmptyQueryResultError, match="bias"):
            butler.query_datasets("bias")
        assert butler.find_dataset("source", visit=999) is None
        assert butler.exists("source", visit=999) == DatasetExistence.UNRECOGNIZED
        with pytest.raises(NoDefaultCollectionError):
            butler.clone(collections=None, run=None).get("source", instrument="Cam", visit=101)


def test_existence_is_told_for_both_sides(own_run: SatelliteButler) -> None:
    mine = own_run.put(table(1), "source", visit=101)
    theirs = own_run.find_dataset("source", visit=102)
    assert theirs is not None
    assert own_run.exists(mine) == own_run.exists("source", visit=101) == DatasetExistence.VERIFIED
    assert own_run.exists(theirs) == own_run.exists("source", visit=102) == DatasetExistence.VERIFIED
    assert own_run._exists_many([theirs, mine]) == dict.fromkeys([theirs, mine], DatasetExistence.VERIFIED)
    assert own_run.stored(mine)
    assert own_run.stored_many([mine, theirs]) == {mine: True, theirs: True}


def test_datasets_are_found_by_their_identifiers(own_run: SatelliteButler) -> None:
    mine = own_run.put(table(1), "source", visit=101)
    theirs = own_run.find_dataset("source", visit=102)
    assert theirs is not None
    assert own_run.get_dataset(mine.id) == mine
    assert own_run.get_dataset(str(theirs.id)) == theirs
    assert set(own_run.get_many_datasets([mine.id, theirs.id])) == {mine, theirs}
    expanded = own_run.get_dataset(theirs.id, dimension_records=True)
    assert expanded is not None
    assert expanded.dataId.hasRecords()


def test_a_file_that_is_in_the_way_is_told_as_such(butler: SatelliteButler, tmp_path: Path) -> None:
    ref = butler.query_datasets("source", limit=1)[0]
    butler.retrieveArtifacts([ref], f"{tmp_path}/")
    with pytest.raises(FileExistsError):
        butler.retrieveArtifacts([ref], f"{tmp_path}/")
    (path,) = butler.retrieveArtifacts([ref], f"{tmp_path}/", overwrite=True)
    assert path.exists()


def test_files_of_both_sides_are_retrieved(own_run: SatelliteButler, tmp_path: Path) -> None:
    own_run.put(table(1), "source", visit=101)
    refs = own_run.query_datasets("source")
    paths = own_run.retrieveArtifacts(refs, f"{tmp_path}/", preserve_path=True)
    assert len(paths) == 3
    assert all(path.exists() for path in paths)
    assert set(own_run.get_many_uris(refs)) == set(refs)
    assert own_run.getURI("source", visit=101).scheme == "file"
    assert own_run.getURI("source", visit=102).scheme == "http"
    assert own_run.getURI("source", visit=103, predict=True, run="u/me/other")


def test_a_signed_address_is_given_but_not_shown(butler: SatelliteButler) -> None:
    (ref,) = butler.query_datasets("source", visit=102, instrument="Cam")
    for uri in (butler.getURI(ref), butler.getURI("source", visit=102, instrument="Cam")):
        assert "Signature=" in str(uri)
        assert "Signature" not in repr(uri)
        assert b"Signature" not in pickle.dumps(uri)
        assert uri.read()[:4] == b"PAR1"


def test_a_clone_has_its_own_defaults(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with own_run.clone(collections="dp2", run=None) as clone:
        assert clone.run is None
        assert first_id(clone.get("source", visit=101)) == 101
    assert first_id(own_run.get("source", visit=101)) == 1
    assert own_run.clone().run == "u/me/mine"


def test_a_closed_butler_says_so_and_its_clones_go_on(butler: SatelliteButler) -> None:
    clone = butler.clone()
    butler.close()
    with pytest.raises(RuntimeError, match="closed"):
        butler.get("source", visit=102)
    assert first_id(clone.get("source", visit=102)) == 102
    clone.close()


def test_a_closed_query_says_so(butler: SatelliteButler) -> None:
    with butler.query() as query:
        results = query.datasets("source")
    with pytest.raises(RuntimeError, match="closed"):
        list(results)


def test_it_can_be_pickled_without_its_token(own_run: SatelliteButler, kernel: Platform) -> None:
    own_run.put(table(1), "source", visit=101)
    pickled = pickle.dumps(own_run)
    assert kernel.token.encode() not in pickled
    with pickle.loads(pickled) as copy:
        assert copy.run == "u/me/mine"
        assert first_id(copy.get("source", visit=101)) == 1
        assert copy.registry.defaults.dataId == own_run.registry.defaults.dataId


def test_usage_is_counted_once(own_run: SatelliteButler) -> None:
    with own_run.record_metrics(ButlerMetrics()) as metrics:
        own_run.put(table(1), "source", visit=101)
        own_run.get("source", visit=101)
        own_run.get("source", visit=102)
    assert (metrics.n_put, metrics.n_get) == (1, 2)


def test_default_data_ids_may_be_given_and_changed(kernel: Platform) -> None:
    from lsst.daf.butler.registry import RegistryDefaults

    with open_butler("dp2", collections="dp2", inferDefaults=False) as butler:
        with pytest.raises(DimensionNameError):
            butler.get("source", visit=102)
        butler.registry.defaults = RegistryDefaults(collections="dp2", instrument="Cam")
        assert first_id(butler.get("source", visit=102)) == 102
    with open_butler("dp2", collections="dp2", inferDefaults=False, instrument="Cam") as butler:
        assert first_id(butler.get("source", visit=102)) == 102
