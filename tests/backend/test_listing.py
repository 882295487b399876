"""Pages of datasets agree with what a butler finds, however they are cut."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from lsst.daf.butler import Butler, DatasetRef

from .conftest import Backend
from .small import BIG, BIG_RUN

KINDS = ["official", "personal"]


def key(ref: DatasetRef) -> tuple[Any, ...]:
    return (*ref.dataId.required_values, ref.run)


def row_keys(rows: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(*row["data_id"].values(), row["run"]) for row in rows]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("collection", "dataset_type", "limit"),
    [
        ("LSSTCam/runs/a", "visit_image", 7),
        ("LSSTCam/runs/a", "visit_image", 100),
        ("LSSTCam/runs/a", "deep_coadd", 5),
        ("LSSTCam/runs/a", "packages", 1),
        ("LSSTCam/calib/gen", "flat", 4),
        ("u/someone/best", "visit_image", 2),
        ("dp2", "visit_image", 11),
        ("dp2", "object", 2),
    ],
)
def test_pages_together_are_the_whole_list_in_order(
    backend: Backend, expected: Butler, kind: str, collection: str, dataset_type: str, limit: int
) -> None:
    rows = backend.rows(kind, collection, dataset_type, limit)
    refs = expected.query_datasets(dataset_type, collection, limit=None)
    assert row_keys(rows) == sorted(map(key, refs))
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [2, 7, 1000])
@pytest.mark.parametrize("collection", ["LSSTCam/calib", "dp2"])
def test_a_calibration_collection_lists_each_dataset_once_whatever_its_validity_ranges(
    backend: Backend, expected: Butler, kind: str, collection: str, limit: int
) -> None:
    rows = backend.rows(kind, collection, "flat", limit)
    refs = set(expected.query_datasets("flat", collection, find_first=False, limit=None))
    assert len(refs) == 90
    assert row_keys(rows) == sorted(map(key, refs))
    assert len({row["id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_shows_what_a_search_finds_first(backend: Backend, kind: str) -> None:
    rows = backend.rows(kind, "dp2", "visit_image", 1000)
    by_run = {row["data_id"]["visit"] - 2025120200000: row["run"] for row in rows}
    assert by_run[14] == "LSSTCam/runs/a"
    assert by_run[15] == by_run[19] == "LSSTCam/runs/b"


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_thousand_rows_come_in_one_page_of_short_lines(backend: Backend, kind: str) -> None:
    response = backend.client.get(
        f"/repositories/{kind}/dp2/datasets",
        params={"collection": BIG_RUN, "dataset_type": "visit_image", "limit": 20_000},
    )
    assert response.text.count('"id"') == 20_000
    lines = response.text.splitlines()
    assert max(map(len, lines)) < 200_000
    assert len(lines) < 100
    cursor = json.loads(lines[-1])["next_cursor"]
    rows, end = backend.page(kind, BIG_RUN, "visit_image", limit=20_000, cursor=cursor)[-2:]
    assert len(rows["rows"]) > 0
    assert end["next_cursor"] is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_that_the_collection_does_not_hold_is_an_empty_list(backend: Backend, kind: str) -> None:
    events = backend.page(kind, "u/someone/nothing", "visit_image")
    assert events == [{"event": "end", "next_cursor": None, "superseded": False}]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("collection", "dataset_type", "said"),
    [("no/such", "visit_image", "no/such"), ("dp2", "no_such", "no_such")],
)
def test_an_unknown_collection_or_dataset_type_is_named(
    backend: Backend, kind: str, collection: str, dataset_type: str, said: str
) -> None:
    for route in ("datasets", "count"):
        status, error = backend.error(
            f"/repositories/{kind}/dp2/{route}", collection=collection, dataset_type=dataset_type
        )
        assert (status, error["kind"]) == (404, "gone")
        assert said in error["message"]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJMU1NUQ2FtIiwgIngiLCAxXQ", "bnVsbA"])
def test_a_foreign_cursor_is_told_in_the_stream(backend: Backend, cursor: str) -> None:
    (event,) = backend.page("personal", "LSSTCam/runs/a", "visit_image", cursor=cursor)
    assert event["event"] == "error"
    assert event["error"]["kind"] == "invalid"
    assert event["error"]["request_id"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("collection", "dataset_type", "number"),
    [
        (BIG_RUN, "visit_image", BIG),
        ("dp2", "visit_image", 150),
        ("LSSTCam/calib", "flat", 90),
        ("LSSTCam/runs/a", "packages", 1),
        ("u/someone/nothing", "visit_image", 0),
    ],
)
def test_a_count_is_the_length_of_the_list(
    backend: Backend, kind: str, collection: str, dataset_type: str, number: int
) -> None:
    for _ in range(2):
        count = backend.get(
            f"/repositories/{kind}/dp2/count", collection=collection, dataset_type=dataset_type
        )
        assert count == {"count": number, "exact": True}
