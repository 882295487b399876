"""What is answered exactly over both repositories, and what is refused."""

from __future__ import annotations

import pytest
from astropy.table import Table
from lsst.daf.butler import DatasetType, InvalidQueryError

from python_butler.federation import InexactQueryError, SatelliteButler


def table(seed: int) -> Table:
    return Table({"id": [seed, seed + 1, seed + 2], "flux": [1.5, 2.5, 3.5]})


def add_own_visit(butler: SatelliteButler, visit: int) -> None:
    butler.registry.insertDimensionData("day_obs", {"instrument": "Cam", "id": 20270101})
    butler.registry.insertDimensionData(
        "visit",
        {
            "instrument": "Cam",
            "id": visit,
            "name": f"own{visit}",
            "physical_filter": "g_1",
            "day_obs": 20270101,
            "exposure_time": 5.0,
        },
    )


def test_own_dimension_records_are_found_beside_official_ones(own_run: SatelliteButler) -> None:
    add_own_visit(own_run, 7)
    records = own_run.query_dimension_records("visit", order_by="visit")
    assert [record.id for record in records] == [7, 101, 102, 103]
    assert [d["visit"] for d in own_run.query_data_ids(["visit"], order_by="-visit")] == [103, 102, 101, 7]
    with own_run.query() as query:
        assert query.data_ids(["visit"]).count() == 4
    assert own_run.registry.expandDataId(instrument="Cam", visit=7).records["visit"].exposure_time == 5.0


def test_an_own_visit_can_have_datasets_beside_official_ones(own_run: SatelliteButler) -> None:
    add_own_visit(own_run, 7)
    own_run.put(table(1), "source", visit=7)
    refs = own_run.query_datasets("source", order_by="visit")
    assert [ref.dataId["visit"] for ref in refs] == [7, 101, 102, 103]
    (short,) = own_run.query_datasets("source", where="visit.exposure_time < 10")
    assert short.dataId["visit"] == 7
    late = own_run.query_datasets("source", where="visit.exposure_time > 10", order_by="-visit.exposure_time")
    assert len(late) == 3


def test_an_own_instrument_stands_beside_the_official_one(own_run: SatelliteButler) -> None:
    insert = own_run.registry.insertDimensionData
    insert("instrument", {"name": "Mine", "class_name": ""})
    insert("detector", {"instrument": "Mine", "id": 1, "full_name": "M1"})
    assert len(own_run.query_data_ids(["detector"])) == 4  # of the instrument that is the default
    with own_run.clone(inferDefaults=False) as butler:
        data_ids = butler.query_data_ids(["detector"], order_by=["instrument", "detector"])
    assert [(d["instrument"], d["detector"]) for d in data_ids] == [
        ("Cam", 1),
        ("Cam", 2),
        ("Cam", 3),
        ("Cam", 4),
        ("Mine", 1),
    ]
    # Detectors go with any visit, but only of their own instrument.
    assert len(own_run.query_data_ids(["visit", "detector"], instrument="Cam")) == 12


def test_what_mixes_the_records_of_both_is_refused_with_the_reason(own_run: SatelliteButler) -> None:
    add_own_visit(own_run, 7)
    # Visit 7 with the detectors that only the official repository has would be missed.
    with pytest.raises(InexactQueryError, match="visit") as caught:
        own_run.query_data_ids(["visit", "detector"])
    assert isinstance(caught.value, InvalidQueryError)
    assert caught.value.next_step


def test_conditions_on_records_that_a_dataset_does_not_bring_are_answered_officially(
    own_run: SatelliteButler,
) -> None:
    own_run.registry.registerDatasetType(
        DatasetType("stars", ("skymap", "tract"), "ArrowAstropy", universe=own_run.dimensions)
    )
    own_run.put(table(1), "stars", skymap="sky", tract=1)
    own_run.put(table(2), "stars", skymap="sky", tract=2)
    # The visits that overlap the tracts are not in the satellite.
    with own_run.query() as query:
        refs = list(query.datasets("stars").where("visit = 102", instrument="Cam", skymap="sky"))
        assert [ref.dataId["tract"] for ref in refs] == [2]
        data_ids = query.join_dataset_search("stars").data_ids(["tract", "visit"]).order_by("visit")
        assert [(d["tract"], d["visit"]) for d in data_ids] == [(1, 101), (2, 102)]


def test_general_results_take_columns_from_both(own_run: SatelliteButler) -> None:
    own_run.registry.registerDatasetType(
        DatasetType("quality", ("instrument", "visit"), "StructuredDataDict", universe=own_run.dimensions)
    )
    mine = {visit: own_run.put({"v": visit}, "quality", visit=visit) for visit in (101, 103)}
    with own_run.query() as query:
        query = query.join_dataset_search("quality").join_dataset_search("source", "Cam/runs/DRP/stage1")
        rows = list(
            query.general(
                ["visit"],
                dimension_fields={"visit": {"exposure_time"}},
                dataset_fields={"quality": {"dataset_id", "run"}, "source": {"run"}},
                find_first=False,
            ).order_by("-visit")
        )
    assert [row["visit"] for row in rows] == [103, 101]
    for row in rows:
        assert row["quality.dataset_id"] == mine[row["visit"]].id
        assert (row["quality.run"], row["source.run"]) == ("u/me/mine", "Cam/runs/DRP/stage1")
        assert row["visit.exposure_time"] == 30.0


def test_materialized_and_uploaded_data_ids_serve_both_sides(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    data_ids = own_run.query_data_ids(["visit"], where="visit > 101", instrument="Cam")
    with own_run.query() as query:
        assert len(list(query.join_data_coordinates(data_ids).datasets("source"))) == 2
        chosen = query.where("visit < 103", instrument="Cam").materialize(dimensions=["visit"])
        refs = list(chosen.datasets("source").order_by("visit"))
        assert [ref.run for ref in refs] == ["u/me/mine", "Cam/runs/DRP/stage1"]


def test_filtering_by_the_other_sides_fields_is_refused_with_the_reason(own_run: SatelliteButler) -> None:
    own_run.registry.registerDatasetType(
        DatasetType("quality", ("instrument", "visit"), "StructuredDataDict", universe=own_run.dimensions)
    )
    own_run.put({}, "quality", visit=101)
    with own_run.query() as query:
        joined = query.join_dataset_search("quality").where("quality.run = 'u/me/mine'")
        with pytest.raises(InexactQueryError, match="fields of quality"):
            list(joined.datasets("detected"))


def test_an_empty_result_is_explained(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with own_run.query() as query:
        results = query.datasets("bias", ["u/me/mine", "dp2"])
        assert not results.any()
        assert results.count() == 0
        assert list(results) == []
        assert any("bias" in message for message in results.explain_no_results())
