"""Queries of the panel find what a butler finds that is given the same call, whatever they are cut into."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from lsst.daf.butler import Butler, DatasetRef
from lsst.sphgeom import Circle, LonLat, Region, UnitVector3d

from python_butler.backend.queries.calls import bound
from python_butler.backend.queries.models import QueryCall
from python_butler.demo.platform import Platform

from .conftest import Backend, kernel_environment

FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one value": {"data_id": {"band": ["r"]}},
    "several values": {"data_id": {"band": ["r", "g"], "detector": [10, 11]}},
    "a circle": {"near": {"ra": 53.07, "dec": -27.55, "radius": 0.1}},
    "a time range": {"time": {"begin": "2025-12-01", "end": "2025-12-04T12:00:00"}},
    "a beginning": {"time": {"begin": "2025-12-03", "end": None}},
    "an expression": {"where": "visit.exposure_time > 25 AND (detector = 10 OR detector = 5)"},
    "all of them": {
        "data_id": {"band": ["r", "i", "g"]},
        "near": {"ra": 53.07, "dec": -27.55, "radius": 0.3},
        "time": {"begin": "2025-01-01", "end": "2027-01-01"},
        "where": "detector > 1 OR visit.exposure_time > 25",
    },
    "an order": {"order_by": ["-visit.timespan.begin", "detector"]},
    "an order and a limit": {"order_by": ["-band", "run"], "limit": 17},
    "an order by what may be missing": {"order_by": ["visit.azimuth"]},
    "the other way round": {"order_by": ["-visit.azimuth"]},
}

NARROW = {
    "one value",
    "several values",
    "a circle",
    "a time range",
    "a beginning",
    "an expression",
    "all of them",
    "an order and a limit",
}
"""Those that leave something out of the 120."""


@pytest.fixture(scope="module")
def demo(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    directory = tmp_path_factory.mktemp("queries")
    backend = Backend(directory, kernel_environment(platform, directory / "butler"))
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture(scope="module")
def official(platform: Platform) -> Iterator[Butler]:
    """What a notebook has."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        yield Butler("dp2", collections="dp2")


def search(filter: dict[str, Any], dataset_type: str = "visit_image") -> dict[str, Any]:
    return {"collection": "dp2", "dataset_type": dataset_type, "filter": filter}


def post(backend: Backend, what: str, body: dict[str, Any], **parameters: Any) -> Any:
    response = backend.client.post(f"/repositories/official/dp2/query{what}", json=body, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()


def rows(backend: Backend, body: dict[str, Any], page: int) -> list[dict[str, Any]]:
    """All rows, by as many pages as it takes."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        response = backend.client.post(
            "/repositories/official/dp2/query", json=body, params={"limit": page, **cursor}
        )
        *events, end = [json.loads(line) for line in response.text.splitlines()]
        assert end["event"] == "end", end
        for event in events:
            found += event["rows"]
        if end["next_cursor"] is None:
            return found
        cursor = {"cursor": end["next_cursor"]}


def run(butler: Butler, dataset_type: str, call: dict[str, Any]) -> list[DatasetRef]:
    """What the code does that the panel shows."""
    asked = QueryCall.model_validate(call)
    return butler.query_datasets(
        dataset_type,
        where=asked.where,
        bind=bound(asked),
        order_by=asked.order_by,
        limit=asked.limit,
        find_first=asked.find_first,
        explain=False,
        **asked.data_id,
    )


@pytest.mark.parametrize("what", FILTERS)
def test_pages_and_count_are_what_the_call_that_is_shown_finds(
    demo: Backend, official: Butler, what: str
) -> None:
    body = search(FILTERS[what])
    check = post(demo, "/check", body)
    assert check["problems"] == []
    refs = run(official, "visit_image", check["call"])
    found = rows(demo, body, 7)
    assert [row["id"] for row in found] == [row["id"] for row in rows(demo, body, 1000)]
    assert len({row["id"] for row in found}) == len(found)
    assert {row["id"] for row in found} == {str(ref.id) for ref in refs}
    assert post(demo, "/count", body) == {"count": len(refs), "exact": True}
    assert 0 < len(refs) <= 120
    assert (len(refs) < 120) == (what in NARROW)


def test_an_order_is_the_butlers(demo: Backend, official: Butler) -> None:
    body = search({"order_by": ["-visit.timespan.begin", "detector"]})
    refs = official.query_datasets("visit_image", order_by=["-visit.timespan.begin", "detector"], limit=None)
    assert [row["id"] for row in rows(demo, body, 11)] == [str(ref.id) for ref in refs]


def test_a_position_without_radius_finds_what_it_lies_in(demo: Backend, official: Butler) -> None:
    (ref,) = official.query_datasets("visit_image", limit=1, with_dimension_records=True)
    region = ref.dataId.region
    assert region is not None
    centre = LonLat(region.getBoundingCircle().getCenter())
    ra, dec = centre.getLon().asDegrees(), centre.getLat().asDegrees()
    body = search({"near": {"ra": ra, "dec": dec, "radius": 0}})
    found = {row["id"] for row in rows(demo, body, 3)}
    call = post(demo, "/check", body)["call"]
    assert str(ref.id) in found
    assert found == {str(ref.id) for ref in run(official, "visit_image", call)}
    assert len(found) < 120


@pytest.mark.parametrize("radius", [0.02, 0.1])
def test_a_circle_has_the_radius_it_says(demo: Backend, radius: float) -> None:
    """Upstream's own CIRCLE() is twice as wide."""
    call = post(demo, "/check", search({"near": {"ra": 53.07, "dec": -27.55, "radius": radius}}))["call"]
    region = Region.from_ivoa_pos(call["bind"]["circle"])
    assert isinstance(region, Circle)
    assert region.getOpeningAngle().asDegrees() == pytest.approx(radius)
    assert region.contains(UnitVector3d(LonLat.fromDegrees(53.07, -27.55 + 0.99 * radius)))
    assert not region.contains(UnitVector3d(LonLat.fromDegrees(53.07, -27.55 + 1.01 * radius)))


def test_values_that_occur_are_offered_in_order_and_narrowed(demo: Backend, official: Butler) -> None:
    refs = official.query_datasets("visit_image", limit=None)
    visits = sorted({ref.dataId["visit"] for ref in refs})
    body = search({})
    everything = post(demo, "/values", body, dimension="visit")
    assert everything == {"values": visits, "capped": False}
    assert post(demo, "/values", body, dimension="visit", limit=3) == {"values": visits[:3], "capped": True}
    prefix = str(visits[-1])[:11]
    expected = [visit for visit in visits if str(visit).startswith(prefix)]
    assert post(demo, "/values", body, dimension="visit", prefix=prefix)["values"] == expected
    assert post(demo, "/values", body, dimension="visit", prefix="nothing")["values"] == []
    assert post(demo, "/values", body, dimension="band", prefix="r")["values"] == ["r"]


def test_values_depend_on_the_other_facets_but_not_on_their_own(demo: Backend) -> None:
    by_band = search({"data_id": {"band": ["r"]}, "order_by": ["-visit"], "limit": 1})
    assert len(post(demo, "/values", by_band, dimension="band")["values"]) == 6
    filters = post(demo, "/values", by_band, dimension="physical_filter")["values"]
    assert len(filters) == 1
    assert filters[0].startswith("r")


@pytest.mark.parametrize(
    ("where", "marked", "said"),
    [
        ("visit.exposre_time > 3", "visit.exposre_time", "exposre_time"),
        ("visit.exposure_time >> 3", ">", "not expected"),
        ("visit.exposure_time > 3 & band = 'r'", "&", "not expected"),
        ("band = 'r' AND (detector > 3", "3", "missing"),
        ('band = "r"', '"', "single quotes"),
        ("band = 'r", "'r", "not closed"),
        ("detector > 1 AND visit.exposure_time > 'a' AND band = 'r'", "visit.exposure_time > 'a'", "agree"),
        ("band = :band", ":band", "not known"),
    ],
)
def test_an_error_in_an_expression_is_told_at_its_place(
    demo: Backend, where: str, marked: str, said: str
) -> None:
    check = post(demo, "/check", search({"where": where}))
    assert check["call"] is None
    (problem,) = check["problems"]
    assert problem["field"] == "where"
    assert where[problem["begin"] : problem["end"]] == marked
    assert said in problem["message"]


@pytest.mark.parametrize(
    ("filter", "field", "said"),
    [
        ({"data_id": {"visit": ["x"]}}, "data_id", "whole numbers"),
        ({"data_id": {"nonsense": [1]}}, "data_id", "nonsense"),
        ({"time": {"begin": "yesterday", "end": None}}, "time", "yesterday"),
        ({"time": {"begin": "2025-12-04", "end": "2025-12-03"}}, "time", "before it begins"),
        ({"order_by": ["visit.nonsense"]}, "order_by", "nonsense"),
        ({"order_by": ["ingest_date"]}, "order_by", "cannot be ordered"),
    ],
)
def test_other_errors_name_their_field(demo: Backend, filter: dict[str, Any], field: str, said: str) -> None:
    (problem,) = post(demo, "/check", search(filter))["problems"]
    assert problem["field"] == field
    assert said in problem["message"]
    response = demo.client.post("/repositories/official/dp2/query", json=search(filter))
    assert response.status_code == 400
    assert response.json()["message"] == problem["message"]


def test_a_type_without_position_and_time_says_so(demo: Backend) -> None:
    shape = demo.get("/repositories/official/dp2/query/shape", dataset_type="bias")
    assert (shape["region"], shape["timespan"]) == (None, None)
    filter = {"near": {"ra": 1, "dec": 2, "radius": 1}, "time": {"begin": "2025-12-03", "end": None}}
    problems = post(demo, "/check", search(filter, "bias"))["problems"]
    assert [problem["field"] for problem in problems] == ["near", "time"]


def test_the_shape_names_dimensions_and_what_follows_from_them(demo: Backend) -> None:
    shape = demo.get("/repositories/official/dp2/query/shape", dataset_type="visit_image")
    facets = {facet["name"]: (facet["type"], facet["implied"]) for facet in shape["facets"]}
    assert facets["visit"] == ("int", False)
    assert facets["band"] == ("str", True)
    assert facets["day_obs"] == ("int", True)
    assert (shape["region"], shape["timespan"]) == ("visit_detector_region.region", "visit.timespan")
