"""Putting datasets into the satellite, and what comes with them."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest
from astropy.table import Table
from lsst.daf.butler import (
    Butler,
    CollectionType,
    DataCoordinate,
    DatasetRef,
    DatasetType,
    DimensionRecord,
    FileDataset,
)
from lsst.daf.butler.registry import (
    ConflictingDefinitionError,
    DimensionNameError,
    MissingCollectionError,
    MissingDatasetTypeError,
    NoDefaultCollectionError,
)

from python_butler.demo.platform import Platform
from python_butler.errors import OfficialRunError, SatelliteError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.satellite import Satellite
from python_butler.settings import satellite_directory
from tests.processes import PATIENCE


def table(seed: int) -> Table:
    return Table({"id": [seed, seed + 1, seed + 2], "flux": [1.5, 2.5, 3.5]})


def first_id(found: Table) -> int:
    return int(found["id"][0])


def test_what_was_put_is_read_back_by_everyone(own_run: SatelliteButler) -> None:
    ref = own_run.put(table(1), "source", visit=101)
    assert ref.run == "u/me/mine"
    assert first_id(own_run.get(ref)) == 1
    assert first_id(own_run.get("source", visit=101)) == 1
    assert first_id(own_run.get("source", visit=101, collections="u/me/mine")) == 1
    with Butler.from_config(str(satellite_directory("dp2")), collections="u/me/mine") as plain:
        assert first_id(plain.get("source", visit=101)) == 1
        assert plain.query_datasets("source") == [ref]


def test_a_run_that_was_registered_by_half_is_completed_by_registering_it_again(
    own_run: SatelliteButler,
) -> None:
    with Satellite.open("dp2").writer() as writer:
        manager: Any = writer._registry._managers.collections
        half = {"collection_id": manager.find("u/me/mine").key}
        manager._db.delete(manager._tables.run, list(half), half)
    with pytest.raises(ConflictingDefinitionError):
        own_run.put(table(1), "source", visit=101)
    assert not own_run.collections.register("u/me/mine")
    assert first_id(own_run.get(own_run.put(table(1), "source", visit=101))) == 1


def test_another_butler_sees_it_without_being_opened_anew(
    butler: SatelliteButler, own_run: SatelliteButler
) -> None:
    with pytest.raises(MissingCollectionError):
        butler.query_datasets("source", collections="u/me/nothing")
    own_run.put(table(1), "source", visit=101)
    assert first_id(butler.get("source", visit=101, collections="u/me/mine")) == 1
    own_run.put(table(2), "source", visit=102)
    assert first_id(butler.get("source", visit=102, collections="u/me/mine")) == 2


def test_the_dimension_records_that_a_put_needs_come_along(
    own_run: SatelliteButler, kernel: Platform
) -> None:
    own_run.put(table(1), "detected", visit=102, detector=3)
    official = Butler.from_config("dp2")
    with Butler.from_config(str(satellite_directory("dp2"))) as plain:

        def records(element: str, butler: Butler, **data_id: object) -> list[DimensionRecord]:
            return butler.query_dimension_records(
                element, data_id={"instrument": "Cam", **data_id}, explain=False
            )

        for element in (
            "instrument",
            "detector",
            "physical_filter",
            "day_obs",
            "visit",
            "visit_detector_region",
        ):
            found = records(element, plain)
            assert found, element
            assert set(found) <= set(records(element, official)), element
        assert [r.exposure for r in records("visit_definition", plain)] == [102]
        assert [r.id for r in records("exposure", plain)] == [102]
        (visit,) = records("visit", plain)
        assert visit.region == records("visit", official, visit=102)[0].region


def test_regions_of_all_detectors_come_with_a_visit(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=102)
    with Butler.from_config(str(satellite_directory("dp2")), instrument="Cam") as plain:
        assert len(plain.query_dimension_records("visit_detector_region")) == 4


def test_records_of_many_data_ids_come_although_some_are_unknown_officially(own_run: SatelliteButler) -> None:
    visits = [101, 102, 103, *range(901, 909)]
    group = own_run.dimensions.conform(["visit", "detector"])
    own_run._writing.prepare_records(
        DataCoordinate.standardize(instrument="Cam", visit=visit, detector=detector, dimensions=group)
        for visit in visits
        for detector in (1, 2)
    )
    own_run._writing.prepare_records(
        DataCoordinate.standardize(skymap="mine", tract=tract, universe=own_run.dimensions)
        for tract in range(20)
    )
    with Butler.from_config(str(satellite_directory("dp2")), instrument="Cam") as plain:
        found = plain.query_dimension_records("visit")
        assert {record.id for record in found} == {101, 102, 103}
        assert {d.id for d in plain.query_dimension_records("detector")} >= {1, 2}
        assert not plain.query_dimension_records("tract", skymap="mine", explain=False)


def test_an_official_visit_cannot_be_inserted_otherwise(own_run: SatelliteButler) -> None:
    (visit,) = own_run.query_dimension_records("visit", instrument="Cam", visit=102)
    with pytest.raises(ConflictingDefinitionError):
        own_run.registry.syncDimensionData("visit", {**visit.toDict(), "exposure_time": 31.0})
    own_run.registry.insertDimensionData("visit", visit, skip_existing=True)
    assert not own_run.registry.syncDimensionData("visit", visit)
    assert own_run.query_dimension_records("visit", instrument="Cam", visit=102) == [visit]


def test_a_put_by_exposure_fields_is_rewritten_as_upstream_does(own_run: SatelliteButler) -> None:
    own_run.registry.registerDatasetType(
        DatasetType("note", ("instrument", "exposure"), "StructuredDataDict", universe=own_run.dimensions)
    )
    ref = own_run.put({"a": 1}, "note", {"instrument": "Cam", "exposure.obs_id": "obs102"})
    assert ref.dataId["exposure"] == 102
    assert own_run.get("note", {"instrument": "Cam", "exposure.obs_id": "obs102"}) == {"a": 1}


def test_a_resolved_reference_can_be_put(own_run: SatelliteButler) -> None:
    data_id = own_run.registry.expandDataId(instrument="Cam", visit=103)
    ref = DatasetRef(own_run.get_dataset_type("source"), data_id, run="u/me/mine")
    assert own_run.put(table(8), ref) is ref
    assert first_id(own_run.get(ref)) == 8


def test_an_own_dataset_type_is_registered_on_request_only(own_run: SatelliteButler) -> None:
    stars = DatasetType("stars", ("skymap", "tract"), "ArrowAstropy", universe=own_run.dimensions)
    with pytest.raises(MissingDatasetTypeError, match="stars"):
        own_run.put(table(1), stars, skymap="sky", tract=1)
    assert own_run.registry.registerDatasetType(stars)
    assert not own_run.registry.registerDatasetType(stars)
    own_run.put(table(1), stars, skymap="sky", tract=1)
    assert first_id(own_run.get("stars", skymap="sky", tract=1)) == 1


def test_an_official_name_cannot_mean_something_else(own_run: SatelliteButler) -> None:
    other = DatasetType("source", ("skymap", "tract"), "ArrowAstropy", universe=own_run.dimensions)
    with pytest.raises(ConflictingDefinitionError, match="official repository dp2"):
        own_run.registry.registerDatasetType(other)


def test_official_collections_cannot_be_written(butler: SatelliteButler) -> None:
    run = "Cam/runs/DRP/stage1"
    with pytest.raises(OfficialRunError, match="u/me/stage1"):
        butler.put(table(1), "source", instrument="Cam", visit=101, run=run)
    with pytest.raises(OfficialRunError):
        butler.collections.redefine_chain("dp2", [])
    with pytest.raises(OfficialRunError):
        butler.collections.x_remove(run)
    with pytest.raises(OfficialRunError):
        butler.removeRuns([run])
    with pytest.raises(OfficialRunError):
        open_butler("dp2", run=run)
    assert not satellite_directory("dp2").exists()


def test_official_datasets_cannot_be_deleted(own_run: SatelliteButler) -> None:
    ref = own_run.find_dataset("source", visit=102)
    assert ref is not None
    with pytest.raises(OfficialRunError, match="cannot be deleted"):
        own_run.pruneDatasets([ref], unstore=True, purge=True)
    assert first_id(own_run.get(ref)) == 102


def test_a_run_has_to_be_made_first_as_upstream_wants_it(butler: SatelliteButler) -> None:
    with pytest.raises(NoDefaultCollectionError):
        butler.put(table(1), "source", visit=101)
    with pytest.raises(MissingCollectionError) as caught:
        butler.put(table(1), "source", visit=101, run="u/me/new")
    assert any("collections.register('u/me/new')" in note for note in caught.value.__notes__)
    assert butler.collections.register("u/me/new")
    butler.put(table(1), "source", visit=101, run="u/me/new")


def test_with_a_run_alone_that_run_alone_is_searched(kernel: Platform) -> None:
    with open_butler("dp2", run="u/me/mine", instrument="Cam") as butler:
        assert tuple(butler.collections.defaults) == ("u/me/mine",)
        assert butler.query_datasets("source", explain=False) == []
    with open_butler("dp2", collections="dp2", run="u/me/mine") as butler:
        butler.put(table(1), "source", visit=101)
        assert first_id(butler.get("source", visit=101)) == 101


def test_putting_twice_is_a_conflict(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with pytest.raises(ConflictingDefinitionError):
        own_run.put(table(2), "source", visit=101)
    assert first_id(own_run.get("source", visit=101)) == 1


def test_an_incomplete_data_id_is_named(own_run: SatelliteButler) -> None:
    with pytest.raises(DimensionNameError, match="visit"):
        own_run.put(table(1), "source")


def test_a_read_only_butler_writes_nothing(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2", writeable=False) as butler:
        assert not butler.isWriteable()
        with pytest.raises(TypeError, match="read-only"):
            butler.put(table(1), "source", visit=101, run="u/me/mine")
        with pytest.raises(TypeError, match="read-only"):
            butler.collections.register("u/me/mine")
    assert not satellite_directory("dp2").exists()


def test_a_transaction_is_undone_as_a_whole(own_run: SatelliteButler) -> None:
    own_run.registry.registerDatasetType(own_run.get_dataset_type("source"))
    ref = None
    with contextlib.suppress(ArithmeticError), own_run.transaction():
        ref = own_run.put(table(1), "source", visit=101)
        assert first_id(own_run.get(ref)) == 1
        assert [r.run for r in own_run.query_datasets("source", visit=101)] == ["u/me/mine"]
        raise ArithmeticError
    assert ref is not None
    assert own_run.get_dataset(ref.id) is None
    assert first_id(own_run.get("source", visit=101)) == 101


def test_a_type_that_a_transaction_cannot_bring_is_explained(own_run: SatelliteButler) -> None:
    with pytest.raises(SatelliteError, match="Before the transaction"), own_run.transaction():
        own_run.put(table(1), "source", visit=101)
    own_run.put(table(1), "source", visit=101)


def test_results_can_be_put_while_a_query_runs(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with own_run.query() as query:
        for ref in query.datasets("source").order_by("visit"):
            own_run.put(table(5), "detected", ref.dataId, detector=4)
    assert len(own_run.query_datasets("detected", collections="u/me/mine")) == 3


def test_personal_results_can_be_read_on_after_a_put(own_run: SatelliteButler) -> None:
    for visit in (101, 102, 103):
        own_run.put(table(visit), "source", visit=visit)
    with own_run.query() as query:
        results = query.datasets("source", collections="u/me/mine").order_by("visit")
        refs = iter(results)
        seen = [next(refs).dataId["visit"]]
        own_run.put(table(1), "detected", visit=101, detector=4)
        seen += [ref.dataId["visit"] for ref in refs]
        assert seen == [101, 102, 103]
        assert results.count() == 3


def test_each_thread_writes_with_its_own_clone(own_run: SatelliteButler) -> None:
    failures: list[BaseException] = []

    def work(visit: int) -> None:
        try:
            with own_run.clone() as mine:
                for detector in range(1, 4):
                    mine.put(table(visit), "detected", visit=visit, detector=detector)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(visit,), daemon=True) for visit in (101, 102, 103)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert len(own_run.query_datasets("detected", collections="u/me/mine")) == 9


def test_files_are_ingested_with_their_records(own_run: SatelliteButler, tmp_path: Path) -> None:
    source = own_run.put(table(4), "source", visit=101)
    (path,) = own_run.retrieveArtifacts([source], f"{tmp_path}/", transfer="copy")
    data_id = own_run.registry.expandDataId(instrument="Cam", visit=103)
    ref = DatasetRef(own_run.get_dataset_type("source"), data_id, run="u/me/mine")
    own_run.ingest(FileDataset(path=path, refs=[ref]), transfer="copy")
    assert first_id(own_run.get("source", visit=103)) == 4


def test_own_datasets_are_removed_from_both_registry_and_disk(own_run: SatelliteButler) -> None:
    ref = own_run.put(table(1), "source", visit=101)
    own_run.pruneDatasets([ref], unstore=True, purge=True)
    assert own_run.get_dataset(ref.id) is None
    own_run.put(table(2), "source", visit=101)
    own_run.removeRuns(["u/me/mine"])
    files = [path for path in (satellite_directory("dp2") / "files").rglob("*") if path.is_file()]
    assert files == []


def test_a_personal_chain_may_hold_official_collections(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    own_run.collections.register("u/me/all", CollectionType.CHAINED)
    own_run.collections.redefine_chain("u/me/all", ["u/me/mine", "dp2"])
    found = own_run.query_datasets("source", collections="u/me/all", order_by="visit")
    assert [ref.run for ref in found] == ["u/me/mine", "Cam/runs/DRP/stage1", "Cam/runs/DRP/stage1"]
    with open_butler("dp2", collections="u/me/all") as again:
        assert first_id(again.get("source", visit=101)) == 1
        assert first_id(again.get("source", visit=102)) == 102
        assert again.registry.defaults.dataId["instrument"] == "Cam"


def test_official_datasets_can_be_tagged(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    refs = own_run.query_datasets("source", order_by="visit")
    own_run.collections.register("u/me/good", CollectionType.TAGGED)
    own_run.registry.associate("u/me/good", refs)
    found = own_run.query_datasets("source", collections="u/me/good", order_by="visit")
    assert found == refs
    assert [first_id(own_run.get(ref)) for ref in found] == [1, 102, 103]
    assert own_run.stored_many(refs) == dict.fromkeys(refs, True)


def test_a_satellite_that_is_moved_away_is_made_anew(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    root = satellite_directory("dp2")
    root.rename(root.with_name("old"))
    assert first_id(own_run.get("source", visit=101, collections="dp2")) == 101
    own_run.collections.register("u/me/mine")
    own_run.put(table(2), "source", visit=101)
    with Butler.from_config(str(root), collections="u/me/mine") as plain:
        assert first_id(plain.get("source", instrument="Cam", visit=101)) == 2


def test_export_and_the_datastore_need_a_satellite(butler: SatelliteButler) -> None:
    with pytest.raises(SatelliteError, match="first put creates it"):
        butler.get_datastore_names()


def test_a_satellite_of_other_dimensions_is_refused(butler: SatelliteButler) -> None:
    from lsst.daf.butler import DimensionConfig, DimensionUniverse

    config = DimensionConfig(butler.dimensions.dimensionConfig)
    config["version"] = 999
    Satellite.create("dp2", universe=DimensionUniverse(config))
    with pytest.raises(SatelliteError, match="other dimensions"):
        butler.collections.register("u/me/mine")
    with pytest.raises(SatelliteError, match="other dimensions"):
        butler.query_datasets("source", collections=["u/me/mine", "dp2"])
    # What is official only does not concern it.
    assert butler.query_datasets("source")
