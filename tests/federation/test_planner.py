"""What is answered over both repositories, exactly, and the little that is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from astropy.table import Table
from lsst.daf.butler import CollectionType, DatasetType, InvalidQueryError

from python_butler.demo.platform import Platform
from python_butler.federation import InexactQueryError, SatelliteButler, driver, gathering
from python_butler.federation import open as open_butler
from python_butler.federation.shared import Side

from .conftest import RUNS, VISITS, night


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


def test_own_records_are_joined_with_those_that_only_the_server_has(own_run: SatelliteButler) -> None:
    add_own_visit(own_run, 7)
    # The detectors are in the official repository only, visit 7 in the satellite only.
    data_ids = own_run.query_data_ids(["visit", "detector"], order_by=["visit", "-detector"])
    assert [(d["visit"], d["detector"]) for d in data_ids[:5]] == [(7, 4), (7, 3), (7, 2), (7, 1), (101, 4)]
    assert len(data_ids) == 16
    with own_run.query() as query:
        pairs = query.data_ids(["visit", "detector"]).where("visit < 102", instrument="Cam")
        assert pairs.count() == 8
        assert pairs.any()


def test_what_would_be_ruinous_is_refused_and_the_error_names_the_constraint_to_add(
    own_run: SatelliteButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The limit is for hundreds of thousands of records, which this server does not have.
    monkeypatch.setattr(gathering, "MAX_ROWS", 2)
    add_own_visit(own_run, 7)
    with pytest.raises(InexactQueryError, match=r"3 records of visit of dp2.*constraint on visit") as caught:
        own_run.query_data_ids(["visit", "detector"])
    assert isinstance(caught.value, InvalidQueryError)
    assert len(own_run.query_data_ids(["visit", "detector"], where="visit < 103")) == 12


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


def test_filtering_by_fields_of_own_datasets_finds_official_ones(own_run: SatelliteButler) -> None:
    own_run.registry.registerDatasetType(
        DatasetType("quality", ("instrument", "visit"), "StructuredDataDict", universe=own_run.dimensions)
    )
    own_run.put({}, "quality", visit=101)
    with own_run.query() as query:
        joined = query.join_dataset_search("quality").where("quality.run = 'u/me/mine'")
        assert [ref.dataId["visit"] for ref in joined.datasets("detected")] == [101]
        late = joined.join_dataset_search("source").where("source.ingest_date < T'2000-01-01'")
        assert not list(late.datasets("detected"))


def test_counting_reads_the_rows_of_the_smaller_side_only(own_small_platform: Platform) -> None:
    def check(count: Callable[[], int], expected: int) -> None:
        assert count() == expected  # what is compared once is compared now
        own_small_platform.requests("server", forget=True)
        assert count() == expected
        asked = {request.path.rpartition("/")[2] for request in own_small_platform.requests("server")}
        assert asked <= {"count", "query_collection_info"}

    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine") as butler:
        with_quality(butler, 101, 103)
        butler.put(table(1), "source", visit=101)
        with butler.query() as query:
            sources = query.datasets("source")
            check(sources.count, 3)
            check(sources.limit(2).count, 2)
            check(sources.where("visit > 102", instrument="Cam").count, 1)
            check(query.datasets("source", find_first=False).count, 5)
            check(query.datasets("source", ["u/me/mine", "Cam/runs/DRP/stage2"]).count, 1)
            check(query.join_dataset_search("quality").datasets("detected").count, 2)
            check(query.join_dataset_search("detected").datasets("quality").count, 2)
            # Data IDs that both have may be counted twice unless the number has to be exact.
            assert 3 <= sources.count(exact=False) <= 4
        add_own_visit(butler, 7)
        with butler.query() as query:
            check(query.dimension_records("visit").count, 4)
            check(query.data_ids(["visit"]).count, 4)


def tagged(butler: SatelliteButler) -> list[str]:
    """Collections two of which have the same datasets, personal and official ones."""
    for visit in (101, 102):
        butler.put(table(visit), "source", visit=visit)
    butler.collections.register("u/me/good", CollectionType.TAGGED)
    butler.registry.associate("u/me/good", butler.query_datasets("source"))
    return ["u/me/mine", "u/me/good", "dp2"]


ORDERS = [(), ("visit",), ("-visit.timespan.begin",), ("visit.name",), ("source.ingest_date",)]


@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_dataset_that_several_collections_have_is_listed_once(
    own_run: SatelliteButler, order_by: tuple[str, ...], reverse: bool
) -> None:
    names = tagged(own_run)
    names = names[::-1] if reverse else names
    with own_run.query() as query:
        results = query.datasets("source", names, find_first=False).order_by(*order_by)
        refs = list(results)
        assert len(refs) == len(set(refs)) == results.count() == 6
        if order_by[:1] == ("visit",):
            assert [ref.dataId["visit"] for ref in refs] == [101, 101, 101, 102, 102, 103]
        for limit in range(1, 7):
            first = list(results.limit(limit))
            assert len(set(first)) == len(first) == results.limit(limit).count() == limit
            if order_by[:1] == ("visit",):
                assert [ref.dataId["visit"] for ref in first] == [ref.dataId["visit"] for ref in refs[:limit]]


def test_a_calibration_that_is_certified_several_times_is_listed_once(own_run: SatelliteButler) -> None:
    mine = own_run.put(table(5), "bias", detector=1)
    own_run.collections.register("u/me/calib", CollectionType.CALIBRATION)
    for visit in VISITS:
        own_run.registry.certify("u/me/calib", [mine], night(visit))
    with own_run.query() as query:
        results = query.datasets("bias", ["u/me/calib", "Cam/calib"], find_first=False)
        assert len(list(results)) == results.count() == 3
        for order_by in ((), ("detector",)):
            assert len(set(results.order_by(*order_by).limit(2))) == 2
            assert len(set(results.order_by(*order_by).limit(3))) == 3


def test_an_empty_result_is_explained(own_run: SatelliteButler) -> None:
    own_run.put(table(1), "source", visit=101)
    with own_run.query() as query:
        results = query.datasets("bias", ["u/me/mine", "dp2"])
        assert not results.any()
        assert results.count() == 0
        assert list(results) == []
        assert any("bias" in message for message in results.explain_no_results())


def with_quality(butler: SatelliteButler, *visits: int) -> None:
    butler.registry.registerDatasetType(
        DatasetType("quality", ("instrument", "visit"), "StructuredDataDict", universe=butler.dimensions)
    )
    for visit in visits:
        butler.put({"v": visit}, "quality", visit=visit)


@pytest.mark.parametrize("order_by", [(), ("visit",), ("-visit.timespan.begin", "visit"), ("visit.name",)])
def test_more_data_ids_than_fit_into_one_upload_are_sent_in_pieces(
    own_run: SatelliteButler, monkeypatch: pytest.MonkeyPatch, order_by: tuple[str, ...]
) -> None:
    with_quality(own_run, *VISITS)
    # The limit is for tens of thousands of data IDs, which this server does not have.
    monkeypatch.setattr(driver, "UPLOAD_ROWS", 1)
    with own_run.query() as query:
        joined = query.join_dataset_search("quality").where(instrument="Cam")
        official = joined.datasets("detected", "dp2").order_by(*order_by)
        personal = joined.join_dataset_search("detected", "dp2").datasets("quality").order_by(*order_by)
        expected = sorted(VISITS, reverse=order_by[:1] == ("-visit.timespan.begin",))
        for results in (official, personal):
            visits = [ref.dataId["visit"] for ref in results]
            assert (visits if order_by else sorted(visits)) == expected
            assert results.count() == 3
        assert len(list(official.limit(2))) == 2


def test_what_goes_with_data_ids_of_several_pieces_is_listed_once(
    own_run: SatelliteButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    for visit, detector in ((101, 1), (101, 2), (102, 1)):
        own_run.put(table(visit), "detected", visit=visit, detector=detector)
    monkeypatch.setattr(driver, "UPLOAD_ROWS", 1)
    with own_run.query() as query:
        joined = query.join_dataset_search("detected", "u/me/mine").where(instrument="Cam")
        results = joined.datasets("source", "Cam/runs/DRP/stage1")
        for order_by in ((), ("visit",)):
            assert sorted(r.dataId["visit"] for r in results.order_by(*order_by)) == [101, 102]
        assert results.count() == 2


def test_the_side_with_fewer_data_ids_sends_them(
    own_run: SatelliteButler, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_quality(own_run, 101, 102)
    for visit in VISITS:  # the satellite has all records that are needed, so either side could answer
        own_run.put(table(visit), "detected", visit=visit, detector=1)
    sent: list[Side] = []
    original = driver.FederatedQueryDriver._data_ids
    monkeypatch.setattr(
        driver.FederatedQueryDriver,
        "_data_ids",
        lambda self, semi_join: sent.append(semi_join.side) or original(self, semi_join),
    )

    def ask(run: str) -> int:
        with own_run.query() as query:
            joined = query.join_dataset_search("quality").where(instrument="Cam")
            return len(list(joined.datasets("source", run)))

    three, one = RUNS[0], RUNS[2]
    assert [ask(three), ask(one)] == [2, 1]
    assert sent == [Side.PERSONAL] * 2
    # They are more than go into one upload, and it pays only where the others are fewer.
    monkeypatch.setattr(driver, "UPLOAD_ROWS", 1)
    assert [ask(three), ask(one)] == [2, 1]
    assert sent[2:] == [Side.PERSONAL, Side.OFFICIAL]
