"""What became of datasets that a notebook used."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform

from .conftest import Backend


def used(backend: Backend, kind: str, collection: str, ids: list[Any]) -> list[dict[str, Any]]:
    response = backend.client.post(
        f"/repositories/{kind}/dp2/used", json={"collection": collection, "ids": [str(id) for id in ids]}
    )
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["datasets"]
    return found


@pytest.fixture
def personal(
    official: Platform, small_repository: Path, tmp_path: Path, start_backend: Callable[..., Backend]
) -> Iterator[tuple[Backend, Butler]]:
    """A backend whose personal repository a test may write to."""
    root = tmp_path / "butler" / "dp2"
    shutil.copytree(small_repository / "repo", root)
    with Butler.from_config(str(root), writeable=True) as butler:
        yield start_backend(official), butler


@pytest.mark.parametrize("kind", ["official", "personal"])
def test_what_a_search_finds_is_current(backend: Backend, expected: Butler, kind: str) -> None:
    refs = expected.query_datasets("object", "dp2")
    found = used(backend, kind, "dp2", [ref.id for ref in refs])
    assert [(one["id"], one["state"], one["newer"]) for one in found] == [
        (str(ref.id), "current", None) for ref in refs
    ]
    assert [one["data_id"] for one in found] == [dict(ref.dataId.required) for ref in refs]


@pytest.mark.parametrize("kind", ["official", "personal"])
def test_what_another_run_hides_is_told_with_what_hides_it(
    backend: Backend, expected: Butler, kind: str
) -> None:
    hidden = expected.query_datasets(
        "visit_image", "LSSTCam/runs/a", where="instrument = 'LSSTCam' AND visit = 2025120200015"
    )
    instead = {
        ref.dataId.required_values: ref
        for ref in expected.query_datasets(
            "visit_image", "LSSTCam/runs/b", where="instrument = 'LSSTCam' AND visit = 2025120200015"
        )
    }
    assert hidden
    for ref, one in zip(hidden, used(backend, kind, "dp2", [ref.id for ref in hidden]), strict=True):
        assert one["run"] == "LSSTCam/runs/a"
        assert one["newer"]["id"] == str(instead[ref.dataId.required_values].id)
        assert one["newer"]["run"] == "LSSTCam/runs/b"


def test_more_than_fit_into_one_query_are_looked_for(backend: Backend, expected: Butler) -> None:
    refs = expected.query_datasets("object", "dp2")
    many = expected.query_datasets("visit_image", "LSSTCam/runs/a", limit=100)
    more = expected.query_datasets("visit_image", "LSSTCam/runs/b", limit=75)
    found = used(backend, "official", "dp2", [ref.id for ref in [*refs, *many, *more]])
    by_run = [one["newer"] is not None for one in found]
    # Visits 15 to 19 of five detectors are in both runs, and b is searched first.
    assert by_run.count(True) == 25


def test_each_is_told_once_and_in_order(backend: Backend, expected: Butler) -> None:
    one, other, *_ = expected.query_datasets("object", "dp2")
    found = used(backend, "official", "dp2", [other.id, one.id, other.id])
    assert [each["id"] for each in found] == [str(other.id), str(one.id)]


def test_what_nobody_knows_is_unknown(backend: Backend) -> None:
    (one,) = used(backend, "official", "dp2", [uuid.uuid4()])
    assert (one["state"], one["dataset_type"], one["data_id"]) == ("unknown", None, {})


def test_a_collection_that_went_leaves_its_datasets_current(backend: Backend, expected: Butler) -> None:
    ref = expected.query_datasets("object", "dp2")[0]
    (one,) = used(backend, "official", "u/someone/removed", [ref.id])
    assert one["state"] == "current"


def test_calibrations_do_not_make_each_other_stale(backend: Backend, expected: Butler) -> None:
    refs = expected.registry.queryDatasets("flat", collections=["LSSTCam/calib/gen", "LSSTCam/calib/later"])
    found = used(backend, "official", "dp2", [ref.id for ref in refs])
    assert {one["newer"] is None for one in found} == {True}


def test_a_removed_file_and_a_newer_version_are_noticed(personal: tuple[Backend, Butler]) -> None:
    backend, butler = personal
    first, second, third = butler.query_datasets("object", "dp2", order_by="tract")
    assert [one["state"] for one in used(backend, "personal", "dp2", [first.id])] == ["current"]
    Path(butler.getURI(first).ospath).unlink()
    butler.put({"better": True}, "object", second.dataId, run="LSSTCam/runs/b")
    butler.pruneDatasets([third], purge=True, unstore=True, disassociate=True)
    states = [one["state"] for one in used(backend, "personal", "dp2", [first.id, second.id, third.id])]
    assert states == ["gone", "stale", "unknown"]
