"""`save` and `load`: what is missing is made, nothing is overwritten, what is wrong is said."""

from __future__ import annotations

import os
import time
from pathlib import Path

import astropy.table
import numpy as np
import pandas as pd
import pytest
from lsst.daf.butler import (
    Butler,
    CollectionType,
    DataIdValue,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    DimensionNameError,
)
from lsst.daf.butler.registry import ConflictingDefinitionError, DataIdError

from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, OfficialRunError, UnknownVersionError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.federation.safety import ReadOnlyError
from python_butler.satellite.place import Place
from python_butler.satellite.spool import Spool

from .conftest import RUNS, table


def _ids(butler: SatelliteButler, name: str, collection: str) -> set[object]:
    refs = butler.query_datasets(name, collections=collection, find_first=False, explain=False)
    return {ref.id for ref in refs}


def test_the_first_save_makes_everything_that_is_missing(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "bright_stars", skymap="sky", tract=1)
    assert ref.run == "u/me/bright_stars/v1"
    assert ref.datasetType.storageClass_name == "ArrowAstropy"
    assert set(ref.datasetType.dimensions.required) == {"skymap", "tract"}
    loaded = butler.load("bright_stars", skymap="sky", tract=1)
    assert list(loaded["id"]) == [1, 2, 3]
    info = butler.collections.get_info("u/me/bright_stars")
    assert info.type is CollectionType.CHAINED
    assert info.children == ("u/me/bright_stars/v1",)
    # Upstream's own ways find it too, here and without this package's Butler.
    assert butler.get("bright_stars", ref.dataId, collections="u/me/bright_stars")["id"][0] == 1
    root = Path(os.environ["PYTHON_BUTLER_ROOT"]) / "dp2"
    with Butler.from_config(str(root), collections="u/me/bright_stars") as plain:
        assert plain.get(ref)["id"][0] == 1


def test_saving_another_data_id_goes_to_the_same_version(butler: SatelliteButler) -> None:
    refs = [butler.save(table(tract), "bright", skymap="sky", tract=tract) for tract in (1, 2)]
    assert {ref.run for ref in refs} == {"u/me/bright/v1"}
    assert butler.load("bright", skymap="sky", tract=2)["id"][0] == 2


def test_saving_again_begins_a_version_and_overwrites_nothing(butler: SatelliteButler) -> None:
    first = butler.save(table(1), "bright", skymap="sky", tract=1)
    butler.save(table(2), "bright", skymap="sky", tract=2)
    second = butler.save(table(10), "bright", skymap="sky", tract=1)
    assert (first.run, second.run) == ("u/me/bright/v1", "u/me/bright/v2")
    assert butler.load("bright", skymap="sky", tract=1)["id"][0] == 10
    assert butler.load("bright", skymap="sky", tract=1, version=1)["id"][0] == 1
    # What the newest version has not got comes from the one before.
    assert butler.load("bright", skymap="sky", tract=2)["id"][0] == 2
    with pytest.raises(DatasetNotFoundError):
        butler.load("bright", skymap="sky", tract=2, version=2)


def test_a_dataset_without_dimensions_needs_no_data_id(butler: SatelliteButler) -> None:
    ref = butler.save({"stars": 3, "fraction": np.float64(0.5)}, "summary")
    assert not ref.dataId.dimensions
    assert butler.load("summary") == {"stars": 3, "fraction": 0.5}


def test_a_new_butler_goes_on_with_the_versions_that_are_there(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        butler.save(table(1), "bright", skymap="sky", tract=1)
    with open_butler("dp2", collections="dp2") as butler:
        assert butler.save(table(2), "bright", skymap="sky", tract=1).run == "u/me/bright/v2"
        assert butler.save(table(2), "bright", skymap="sky", tract=2).run == "u/me/bright/v2"


def test_dimension_records_come_along(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "mine", instrument="Cam", visit=102, detector=3)
    assert set(ref.datasetType.dimensions.required) == {"instrument", "visit", "detector"}
    assert ref.dataId["band"] == "r"
    root = Path(os.environ["PYTHON_BUTLER_ROOT"]) / "dp2"
    with Butler.from_config(str(root)) as plain:
        (record,) = plain.query_dimension_records("visit", instrument="Cam", visit=102)
        assert record.region is not None


def test_records_that_are_remembered_complete_data_ids_as_upstream_does(butler: SatelliteButler) -> None:
    with butler.deferred() as batch:
        refs = [
            batch.save(
                table(visit), "pairs", instrument="Cam", visit=visit, exposure=visit, detector=detector
            )
            for detector in range(1, 5)
            for visit in (101, 102, 103)
        ]
        # Their filters differ.
        with pytest.raises(DataIdError):
            batch.save(table(1), "pairs", instrument="Cam", visit=101, exposure=102, detector=1)
    for ref in refs:
        expected = butler.registry.expandDataId(instrument="Cam", **_numbers(ref))
        assert ref.dataId == expected
        assert dict(ref.dataId.mapping) == dict(expected.mapping)
        for element in expected.dimensions.elements:
            assert ref.dataId.records[element] == expected.records[element]


def _numbers(ref: DatasetRef) -> dict[str, DataIdValue]:
    return {name: ref.dataId[name] for name in ("visit", "exposure", "detector")}


def test_data_ids_may_name_dimensions_by_their_records(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "mine", {"exposure.obs_id": "obs102"}, instrument="Cam", detector="D2")
    assert dict(ref.dataId.required) == {"instrument": "Cam", "exposure": 102, "detector": 2}


def test_default_values_complete_data_ids(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2", skymap="sky") as butler:
        assert butler.save(table(1), "mine", tract=1).dataId["skymap"] == "sky"


def test_an_official_dataset_type_is_taken_as_it_is(butler: SatelliteButler) -> None:
    ref = butler.save(table(8), "object", skymap="sky", tract=1)
    assert ref.datasetType == butler.get_dataset_type("object")
    assert butler.get("object", skymap="sky", tract=1)["id"][0] == 1
    assert butler.load("object", skymap="sky", tract=1)["id"][0] == 8


def test_objects_that_can_be_converted_fit_a_known_type(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)
    butler.save(pd.DataFrame({"id": [7]}), "mine", skymap="sky", tract=2)
    assert isinstance(butler.load("mine", skymap="sky", tract=2), astropy.table.Table)
    frame = butler.load("mine", skymap="sky", tract=2, storage_class="DataFrame")
    assert frame["id"][0] == 7
    columns = butler.load("mine", skymap="sky", tract=1, parameters={"columns": ["flux"]})
    assert columns.colnames == ["flux"]


def test_a_run_of_ones_own_may_be_named(butler: SatelliteButler) -> None:
    ref = butler.save(table(1), "mine", skymap="sky", tract=1, run="u/me/elsewhere")
    assert ref.run == "u/me/elsewhere"
    with pytest.raises(ConflictingDefinitionError):
        butler.save(table(2), "mine", skymap="sky", tract=1, run="u/me/elsewhere")
    assert butler.get(ref)["id"][0] == 1
    with pytest.raises(OfficialRunError):
        butler.save(table(2), "mine", skymap="sky", tract=1, run=RUNS[0])


# What is wrong is said, and leaves nothing behind


def test_wrong_dimensions_are_named_with_close_ones(butler: SatelliteButler) -> None:
    with pytest.raises(InvalidRequestError, match=r"no dimension 'tracts'.*Did you mean tract"):
        butler.save(table(1), "mine", skymap="sky", tracts=1)
    with pytest.raises(InvalidRequestError, match=r"obs_id.*exposure\.obs_id"):
        butler.save(table(1), "mine", instrument="Cam", obs_id="obs102")
    with (
        open_butler("dp2", collections="dp2", inferDefaults=False) as plain,
        pytest.raises(DimensionNameError) as missing,
    ):
        plain.save(table(1), "mine", tract=1)
    assert "skymap, tract" in missing.value.__notes__[-1]
    assert not list(butler.registry.queryDatasetTypes("mine"))


def test_a_dimension_that_the_type_has_not_is_refused(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)
    # Upstream would leave the patch out, and the second patch would seem to be the first one again.
    with pytest.raises(InvalidRequestError, match=r"has the dimensions skymap, tract, .* patch"):
        butler.save(table(1), "mine", skymap="sky", tract=1, patch=0)
    with pytest.raises(InvalidRequestError, match="no dimension 'tarct'"):
        butler.save(table(1), "mine", skymap="sky", tarct=1)


def test_an_object_of_another_kind_needs_another_name(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)
    with pytest.raises(InvalidRequestError, match=r"storage class ArrowAstropy.*another name"):
        butler.save("text", "mine", skymap="sky", tract=2)
    with pytest.raises(InvalidRequestError, match=r"ArrowAstropy.*StructuredDataList cannot be converted"):
        butler.save([1], "mine", skymap="sky", tract=2, storage_class="StructuredDataList")


def test_an_unknown_kind_of_object_is_told_what_can_be_saved(butler: SatelliteButler) -> None:
    with pytest.raises(InvalidRequestError) as unknown:
        butler.save(object(), "mine")
    text = str(unknown.value)
    assert "astropy Table" in text
    assert "pydantic" in text
    assert "storage_class='<name>'" in text
    with pytest.raises(InvalidRequestError, match="no storage class 'Nope'"):
        butler.save(table(1), "mine", storage_class="Nope")


@pytest.mark.parametrize("name", ["", "two words", "a/b", "a.b", "1st"])
def test_what_cannot_be_a_name_is_refused(butler: SatelliteButler, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be the name"):
        butler.save(table(1), name)


def test_a_run_in_the_place_of_the_chain_is_not_touched(butler: SatelliteButler) -> None:
    butler.registry.registerDatasetType(
        DatasetType("mine", ["skymap", "tract"], "ArrowAstropy", universe=butler.dimensions)
    )
    butler.collections.register("u/me/mine")
    kept = butler.put(table(1), "mine", skymap="sky", tract=1, run="u/me/mine")
    with pytest.raises(InvalidRequestError, match=r"no chain of versions.*run='u/me/mine'"):
        butler.save(table(2), "mine", skymap="sky", tract=1)
    assert butler.get(kept)["id"][0] == 1
    assert butler.save(table(2), "mine", skymap="sky", tract=2, run="u/me/mine").run == "u/me/mine"


def test_a_read_only_butler_saves_nothing(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2", writeable=False) as butler:
        with pytest.raises(ReadOnlyError):
            butler.save(table(1), "mine")
        with pytest.raises(UnknownVersionError, match="saved nothing under 'mine'"):
            butler.load("mine")
    assert not Path(os.environ["PYTHON_BUTLER_ROOT"]).exists()


def test_many_saves_in_quick_succession_are_seen_at_once(butler: SatelliteButler) -> None:
    data_ids = [
        {"instrument": "Cam", "visit": visit, "detector": detector}
        for visit in (101, 102, 103)
        for detector in (1, 2, 3, 4)
    ]
    for number, data_id in enumerate(data_ids):
        butler.save(table(number), "many", data_id)
        assert butler.load("many", data_id)["id"][0] == number
    # Whoever comes later sees all of them as well.
    with open_butler("dp2", collections="dp2") as other:
        assert [int(other.load("many", data_id)["id"][0]) for data_id in data_ids] == list(range(12))
        assert len(_ids(other, "many", "u/me/many")) == 12


@pytest.mark.parametrize("closed", [False, True])
def test_what_was_saved_in_quick_succession_is_committed_also_when_the_butler_was_closed(
    kernel: Platform, monkeypatch: pytest.MonkeyPatch, closed: bool
) -> None:
    with open_butler("dp2", collections="dp2") as butler:
        spool = butler._landing.spool
        for detector in (1, 2, 3):
            butler.save(table(detector), "mine", instrument="Cam", visit=101, detector=detector)
        if not closed:
            with monkeypatch.context() as nothing_more:
                # What is open is used, no other is opened.
                nothing_more.setattr(Place, "writer", None)
                _wait_until_committed(spool)
    _wait_until_committed(spool)
    with open_butler("dp2", collections="u/me/mine") as other:
        assert len(_ids(other, "mine", "u/me/mine")) == 3


def _wait_until_committed(spool: Spool) -> None:
    deadline = time.monotonic() + 60
    while spool.waiting() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not spool.waiting()


def test_in_a_transaction_nothing_is_spooled_and_all_is_undone(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)

    def undone() -> None:
        with butler.transaction():
            butler.save(table(2), "mine", skymap="sky", tract=2)
            butler.save(table(3), "mine", skymap="sky", tract=1)
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        undone()
    assert butler.load("mine", skymap="sky", tract=1)["id"][0] == 1
    with pytest.raises(DatasetNotFoundError):
        butler.load("mine", skymap="sky", tract=2)
    assert [version.version for version in butler.versions("mine")] == [1]


def test_a_busy_database_makes_a_save_wait_for_nobody(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)
    # The records of the other tract come along here: they are brought with the lock.
    butler.save(table(1), "other", skymap="sky", tract=2)
    butler._landing.spool.commit(wait=30)
    time.sleep(1.1)  # so that the next save is not one of many
    root = Path(os.environ["PYTHON_BUTLER_ROOT"]) / "dp2"
    with Butler.from_config(str(root), writeable=True) as other, other.transaction():
        # The other process, as it were, holds the lock until it has the dataset.
        ref = butler.save(table(2), "mine", skymap="sky", tract=2)
        assert butler._landing.spool.find("mine", ref.dataId, [ref.run]) is not None
    assert butler.load("mine", skymap="sky", tract=2)["id"][0] == 2


def test_what_was_removed_meanwhile_is_made_again(butler: SatelliteButler) -> None:
    butler.save(table(1), "mine", skymap="sky", tract=1)
    butler.save(table(1), "mine", skymap="sky", tract=1, run="u/me/named")
    butler._landing.spool.commit(wait=30)
    root = Path(os.environ["PYTHON_BUTLER_ROOT"]) / "dp2"
    with Butler.from_config(str(root), writeable=True) as other:
        other.removeRuns(["u/me/mine/v1", "u/me/named"], unlink_from_chains=True)
        other.collections.x_remove("u/me/mine")
        other.registry.removeDatasetType("mine")
    assert butler.save(table(2), "mine", skymap="sky", tract=1, run="u/me/named").run == "u/me/named"
    assert butler.save("text", "mine_too").run == "u/me/mine_too/v1"
    ref = butler.save(table(3), "mine", skymap="sky", tract=1)
    assert ref.run == "u/me/mine/v1"
    assert butler.load("mine", skymap="sky", tract=1)["id"][0] == 3
