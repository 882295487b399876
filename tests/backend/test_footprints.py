"""Footprints are where the dimension records say, on the real demonstration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lsst.daf.butler import Butler
from lsst.sphgeom import Angle, LonLat, UnitVector3d

from python_butler.demo.platform import Platform

from .conftest import Backend, kernel_environment

CLOSE = 1e-6
"""Degrees."""


@pytest.fixture(scope="module")
def demo(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    directory = tmp_path_factory.mktemp("footprints")
    backend = Backend(directory, kernel_environment(platform, directory / "butler"))
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture(scope="module")
def records(repository: Path) -> Iterator[Butler]:
    with Butler.from_config(str(repository / "repo")) as butler:
        yield butler


def ask(backend: Backend, collection: str, dataset_type: str, **more: Any) -> httpx.Response:
    body = {"collection": collection, "dataset_type": dataset_type, "filter": more.pop("filter", {})}
    return backend.client.post("/repositories/official/dp2/footprints", json=body, params=more)


def footprints(backend: Backend, collection: str, dataset_type: str, **more: Any) -> dict[str, Any]:
    """The stream put together."""
    response = ask(backend, collection, dataset_type, **more)
    assert response.status_code == 200, response.text
    begin, *batches, summary, end = [json.loads(line) for line in response.text.splitlines()]
    assert [begin["event"], summary["event"], end["event"]] == ["begin", "summary", "end"]
    return {
        **begin,
        **summary,
        "regions": [region for batch in batches for region in batch["regions"]],
        "datasets": [dataset for batch in batches for dataset in batch["datasets"]],
    }


def separation(vertex: list[float], other: UnitVector3d) -> float:
    here = UnitVector3d(LonLat.fromDegrees(*vertex))
    return Angle(here.dot(other) and (here - other).getNorm()).asDegrees()


@pytest.mark.parametrize(
    ("dataset_type", "element"),
    [
        ("visit_image", "visit_detector_region"),
        ("source", "visit"),
        ("deep_coadd", "patch"),
        ("object", "tract"),
    ],
)
def test_the_regions_are_those_of_the_dimension_records(
    demo: Backend, records: Butler, dataset_type: str, element: str
) -> None:
    found = footprints(demo, "dp2", dataset_type)
    assert found["element"] == element
    refs = {str(ref.id): ref for ref in records.query_datasets(dataset_type, "dp2", limit=None)}
    assert {dataset["id"] for dataset in found["datasets"]} == set(refs)
    with records.query() as query:
        known = {record.dataId.required_values: record for record in query.dimension_records(element)}
    for dataset in found["datasets"]:
        ref, region = refs[dataset["id"]], found["regions"][dataset["region"]]
        assert dataset["values"] == list(ref.dataId.required_values)
        data_id = dict(zip(found["region_dimensions"], region["values"], strict=True))
        assert data_id.items() <= dict(ref.dataId.required).items()
        (ring,), vertices = region["rings"], known[tuple(region["values"])].region.getVertices()
        assert len(ring) == len(vertices)
        assert max(map(separation, ring, vertices)) < CLOSE
        assert not region["approximate"]


def test_a_region_that_several_datasets_share_is_sent_once(demo: Backend) -> None:
    found = footprints(demo, "dp2", "deep_coadd")
    patches = [tuple(region["values"]) for region in found["regions"]]
    assert len(patches) == len(set(patches)) < len(found["datasets"])


def test_the_order_is_that_of_the_list(demo: Backend) -> None:
    found = footprints(demo, "dp2", "visit_image")
    rows = demo.rows("official", "dp2", "visit_image", 1000)
    assert [dataset["id"] for dataset in found["datasets"]] == [row["id"] for row in rows]


@pytest.mark.parametrize(
    "narrow",
    [
        {"where": "detector = 10"},
        {"data_id": {"band": ["r"]}, "order_by": ["-visit"]},
        {"near": {"ra": 53.08, "dec": -28.11, "radius": 0.02}},
        {"near": {"ra": 53.08, "dec": -28.11, "radius": 0.02}, "limit": 3},
    ],
    ids=["expression", "band, other order", "circle", "circle and limit"],
)
def test_they_are_those_of_the_narrowed_list(demo: Backend, records: Butler, narrow: dict[str, Any]) -> None:
    found = footprints(demo, "dp2", "visit_image", filter=narrow)
    body = {"collection": "dp2", "dataset_type": "visit_image", "filter": narrow}
    lines = demo.client.post("/repositories/official/dp2/query", json=body).text.splitlines()
    rows = [row for line in lines for row in json.loads(line).get("rows", [])]
    everything = len(list(records.query_datasets("visit_image", "dp2", limit=None)))
    assert 0 < len(rows) < everything
    assert [dataset["id"] for dataset in found["datasets"]] == [row["id"] for row in rows]
    assert (found["capped"], found["without_region"]) == (False, 0)


def test_what_is_left_out_is_told(demo: Backend) -> None:
    whole = footprints(demo, "dp2", "visit_image")
    assert (whole["capped"], whole["without_region"]) == (False, 0)
    some = footprints(demo, "dp2", "visit_image", limit=7)
    assert some["capped"]
    assert some["datasets"] == whole["datasets"][:7]


def test_datasets_whose_records_have_no_region_are_counted(backend: Backend) -> None:
    found = footprints(backend, "LSSTCam/runs/a", "deep_coadd")
    assert found["datasets"] == found["regions"] == []
    assert found["without_region"] == 3 * 3 * 16


def test_a_type_without_a_place_on_the_sky_says_so(demo: Backend) -> None:
    response = ask(demo, "LSSTCam/calib/DP2", "flat")
    begin, end = [json.loads(line) for line in response.text.splitlines()]
    assert (begin["element"], end["event"]) == (None, "end")
    assert begin["dimensions"] == ["instrument", "detector", "physical_filter"]


def test_an_unknown_collection_is_an_error_event(demo: Backend) -> None:
    (line,) = ask(demo, "nowhere", "visit_image").text.splitlines()
    event = json.loads(line)
    assert event["event"] == "error"
    assert "nowhere" in event["error"]["message"]
