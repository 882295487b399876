"""Words for completion: what expressions are made of, and what a word begun may become."""

from __future__ import annotations

from typing import Any

import pytest
from lsst.daf.butler import Butler

from .conftest import Backend

KINDS = ["official", "personal"]


def completions(backend: Backend, kind: str, what: str, prefix: str = "", **more: Any) -> list[Any]:
    path = f"/repositories/{kind}/dp2/vocabulary/complete"
    return [item["value"] for item in backend.get(path, what=what, prefix=prefix, **more)["items"]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_vocabulary_is_that_of_the_repository_s_dimensions(
    backend: Backend, expected: Butler, kind: str
) -> None:
    vocabulary = backend.get(f"/repositories/{kind}/dp2/vocabulary")
    elements = {element["name"]: element for element in vocabulary["elements"]}
    visit = elements["visit"]
    assert (visit["is_dimension"], visit["key_type"], visit["dimensions"]) == (
        True,
        "int",
        ["instrument", "visit"],
    )
    fields = {field["name"]: field for field in visit["fields"]}
    assert set(fields) == set(expected.dimensions["visit"].schema.remainder.names)
    assert (fields["exposure_time"]["type"], fields["exposure_time"]["unit"]) == ("float", "s")
    assert (fields["zenith_angle"]["unit"], fields["target_name"]["unit"]) == ("deg", "")
    assert not elements["visit_detector_region"]["is_dimension"]
    assert not any(name.startswith(("htm", "healpix")) for name in elements)
    assert vocabulary["instruments"] == ["Another", "LSSTCam", "lower"]
    assert vocabulary["skymaps"] == ["lsst_cells_v2"]


def test_every_operator_and_function_is_one_of_the_language(backend: Backend, expected: Butler) -> None:
    vocabulary = backend.get("/repositories/official/dp2/vocabulary")
    calls = {
        "POINT": "patch.region OVERLAPS POINT(1, 2)",
        "CIRCLE": "patch.region OVERLAPS CIRCLE(1, 2, 0.1)",
        "BOX": "patch.region OVERLAPS BOX(1, 2, 3, 4)",
        "POLYGON": "patch.region OVERLAPS POLYGON(1, 2, 3, 4, 5, 2)",
        "REGION": "patch.region OVERLAPS REGION('CIRCLE 1 2 0.1')",
        "GLOB": "GLOB(band, 'r*')",
    }
    operations = {
        **{operator: f"tract {operator} 1" for operator in ("=", "!=", "<", "<=", ">", ">=")},
        **{operator: f"tract {operator} (1, 2)" for operator in ("IN", "NOT IN")},
        **{operator: f"tract = 1 {operator} tract = 2" for operator in ("AND", "OR")},
        "NOT": "NOT tract = 1",
        "OVERLAPS": calls["POINT"],
    }
    assert {function["name"] for function in vocabulary["functions"]} == set(calls)
    assert set(vocabulary["operators"]) == set(operations)
    for expression in (*calls.values(), *operations.values()):
        with expected.query() as query:
            query.where(expression)


@pytest.mark.parametrize("kind", KINDS)
def test_collections_that_begin_so_come_before_those_that_contain_it(backend: Backend, kind: str) -> None:
    assert completions(backend, kind, "collection", "LSSTCam/r") == [
        "LSSTCam/runs/a",
        "LSSTCam/runs/b",
        "LSSTCam/runs/big",
    ]
    assert completions(backend, kind, "collection", "dp") == ["dp2"]
    assert completions(backend, kind, "collection", "calib")[0] == "LSSTCam/calib"
    path = f"/repositories/{kind}/dp2/vocabulary/complete"
    some = backend.get(path, what="collection", prefix="lsst", limit=2)
    assert (len(some["items"]), some["capped"]) == (2, True)
    assert some["items"][0] == {"value": "LSSTCam/calib", "note": "CALIBRATION", "dimensions": []}


@pytest.mark.parametrize("kind", KINDS)
def test_dataset_types_are_those_present_in_the_collections(backend: Backend, kind: str) -> None:
    everything = completions(backend, kind, "dataset_type")
    assert everything == ["deep_coadd", "flat", "object", "packages", "stray", "visit_image"]
    assert completions(backend, kind, "dataset_type", collection=["LSSTCam/calib"]) == ["flat"]
    assert completions(backend, kind, "dataset_type", "im", collection=["dp2"]) == ["visit_image"]
    item = backend.get(f"/repositories/{kind}/dp2/vocabulary/complete", what="dataset_type", prefix="visit")[
        "items"
    ][0]
    assert item["note"] == "StructuredDataDict"
    assert item["dimensions"] == ["instrument", "detector", "visit"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_of_dimensions_are_those_that_exist(backend: Backend, kind: str) -> None:
    assert completions(backend, kind, "value", column="band") == ["g", "i", "r"]
    assert completions(backend, kind, "value", "_03", column="physical_filter", data_id=["band=g"]) == [
        "g_03"
    ]
    assert completions(backend, kind, "value", "lo", column="instrument") == ["lower"]
    visits = completions(
        backend, kind, "value", "202512020419", column="visit", data_id=["instrument=LSSTCam"]
    )
    assert visits == [2025120204190 + n for n in range(10)]
    assert completions(backend, kind, "value", column="detector", data_id=["instrument=lower"]) == [
        0,
        1,
        2,
        3,
        4,
    ]
    assert completions(backend, kind, "value", "1", column="patch", data_id=["tract=2"], limit=4) == [
        1,
        10,
        11,
        12,
    ]
    assert completions(backend, kind, "value", "v41", column="visit.name", limit=3) == [
        "v41",
        "v410",
        "v4100",
    ]


@pytest.mark.parametrize("prefix", ["[", "*", "\\", "'", "%", "x y"])
def test_no_character_has_a_meaning_in_a_prefix(backend: Backend, prefix: str) -> None:
    for what, more in (("collection", {}), ("dataset_type", {}), ("value", {"column": "band"})):
        assert completions(backend, "official", what, prefix, **more) == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"what": "value", "column": "nonsense"},
        {"what": "value", "column": "visit.region"},
        {"what": "value", "column": "visit_detector_region"},
        {"what": "value", "column": "visit", "prefix": "abc"},
        {"what": "value", "column": "visit", "data_id": ["instrument"]},
        {"what": "verb"},
    ],
)
def test_what_cannot_be_completed_is_refused(backend: Backend, parameters: dict[str, Any]) -> None:
    status, error = backend.error("/repositories/official/dp2/vocabulary/complete", **parameters)
    assert (status, error["kind"]) == (400, "invalid")
