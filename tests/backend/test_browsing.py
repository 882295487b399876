"""Repositories, collections, dataset types and details agree with what a butler says."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, CollectionType

from python_butler.demo.platform import Platform

from .conftest import Backend
from .small import BIG_RUN

KINDS = ["official", "personal"]


def test_official_repositories_come_first_each_followed_by_its_satellite(
    backend: Backend, official: Platform
) -> None:
    dp2, personal = backend.get("/repositories")["repositories"]
    assert (dp2["kind"], dp2["label"], dp2["state"], dp2["writeable"]) == (
        "official",
        "dp2",
        "connected",
        False,
    )
    assert dp2["location"] == official.url.split("/")[2]
    assert dp2["default_collections"] == ["dp2"]
    assert (personal["kind"], personal["label"], personal["state"]) == ("personal", "dp2", "connected")
    assert personal["location"] == str(backend.root / "dp2")
    assert personal["writeable"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "route", ["", "/collections", "/dataset-types", "/datasets/00000000-0000-4000-8000-000000000000"]
)
def test_an_unknown_label_is_told_with_those_that_are_known(backend: Backend, kind: str, route: str) -> None:
    status, error = backend.error(f"/repositories/{kind}/dp9{route}", collection="dp9")
    assert (status, error["kind"]) == (404, "unknown_repository")
    assert "dp9" in error["message"]
    assert "dp2" in error["next_step"]


@pytest.mark.parametrize("path", ["/repositories/mine/dp2", "/repositories/official/dp2/datasets/nonsense"])
def test_a_malformed_request_is_invalid(backend: Backend, path: str) -> None:
    status, error = backend.error(path)
    assert (status, error["kind"]) == (400, "invalid")


@pytest.mark.parametrize("kind", KINDS)
def test_the_top_level_has_what_is_in_no_chain_the_default_first(backend: Backend, kind: str) -> None:
    page = backend.get(f"/repositories/{kind}/dp2/collections")
    names = [collection["name"] for collection in page["entries"]]
    assert names == [
        "dp2",
        "an/empty/chain",
        "LSSTCam/calib/later",
        BIG_RUN,
        "u/someone/best",
        "u/someone/nothing",
    ]
    assert (page["total"], page["offset"]) == (6, 0)
    by_name = {collection["name"]: collection for collection in page["entries"]}
    assert by_name["dp2"]["doc"] == "Everything"
    assert by_name["dp2"]["type"] == "CHAINED"
    assert by_name["an/empty/chain"]["children"] == []
    assert by_name["u/someone/best"]["children"] is None
    assert by_name["u/someone/best"]["type"] == "TAGGED"


@pytest.mark.parametrize("kind", KINDS)
def test_a_chain_has_its_children_in_search_order(backend: Backend, kind: str) -> None:
    page = backend.get(f"/repositories/{kind}/dp2/collections", parent="dp2")
    children = ["LSSTCam/runs/b", "LSSTCam/runs/a", "LSSTCam/calib", "LSSTCam/calib/gen"]
    assert [collection["name"] for collection in page["entries"]] == children
    assert page["entries"][2]["type"] == "CALIBRATION"
    page = backend.get(f"/repositories/{kind}/dp2/collections", parent="LSSTCam/calib")
    assert page == {"entries": [], "total": 0, "offset": 0}


@pytest.mark.parametrize("kind", KINDS)
def test_a_level_comes_in_stretches(backend: Backend, kind: str) -> None:
    page = backend.get(f"/repositories/{kind}/dp2/collections", parent="dp2", limit=2, offset=1)
    assert [collection["name"] for collection in page["entries"]] == ["LSSTCam/runs/a", "LSSTCam/calib"]
    assert (page["total"], page["offset"]) == (4, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_top_level_is_grouped_by_slashes(backend: Backend, kind: str) -> None:
    page = backend.get(f"/repositories/{kind}/dp2/collections", folder="")
    entries = [entry.get("path") or entry["name"] for entry in page["entries"]]
    assert entries == ["dp2", "an/empty/chain", "LSSTCam/", "u/someone/"]
    assert page["entries"][2] == {"type": "FOLDER", "path": "LSSTCam/", "count": 2}
    page = backend.get(f"/repositories/{kind}/dp2/collections", folder="u/someone/")
    assert [entry["name"] for entry in page["entries"]] == ["u/someone/best", "u/someone/nothing"]
    assert page["entries"][0]["doc"] == "Chosen by hand"


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_to_a_collection_leads_through_folders_and_chains(backend: Backend, kind: str) -> None:
    def steps(collection: str, **more: object) -> list[tuple[object, ...]]:
        path = backend.get(f"/repositories/{kind}/dp2/collections/path", collection=collection, **more)
        assert path["collection"]["name"] == collection
        return [tuple(step[key] for key in ("parent", "folder", "entry", "offset")) for step in path["steps"]]

    assert steps("u/someone/nothing") == [
        (None, "", "u/someone/", 3),
        (None, "u/someone/", "u/someone/nothing", 1),
    ]
    assert steps("LSSTCam/calib") == [(None, "", "dp2", 0), ("dp2", None, "LSSTCam/calib", 2)]
    assert steps("u/someone/nothing", grouped=False) == [(None, None, "u/someone/nothing", 5)]
    status, error = backend.error(f"/repositories/{kind}/dp2/collections/path", collection="no/such")
    assert (status, error["kind"]) == (404, "gone")


@pytest.mark.parametrize("kind", KINDS)
def test_calibrations_tell_for_which_times_they_are_valid(backend: Backend, kind: str) -> None:
    validity = backend.get(
        f"/repositories/{kind}/dp2/validity", collection="LSSTCam/calib", dataset_type="flat"
    )
    assert validity == {
        "begin": "2025-01-01T00:00:00.000",
        "end": "2025-04-01T00:00:00.000",
        "ranges": 3,
        "exact": True,
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("route", "name"), [("collections", "parent"), ("dataset-types", "collection")])
def test_an_unknown_collection_is_gone(backend: Backend, kind: str, route: str, name: str) -> None:
    status, error = backend.error(f"/repositories/{kind}/dp2/{route}", **{name: "no/such"})
    assert (status, error["kind"]) == (404, "gone")
    assert "no/such" in error["message"]


def test_a_pattern_is_no_name(backend: Backend) -> None:
    status, error = backend.error("/repositories/official/dp2/dataset-types", collection="u/*")
    assert (status, error["kind"]) == (400, "invalid")


@pytest.mark.parametrize("kind", KINDS)
def test_only_dataset_types_that_are_present_are_listed(backend: Backend, kind: str) -> None:
    def names(collection: str) -> list[str]:
        page = backend.get(f"/repositories/{kind}/dp2/dataset-types", collection=collection)
        return [dataset_type["name"] for dataset_type in page["dataset_types"]]

    assert names(BIG_RUN) == ["stray", "visit_image"]
    assert names("LSSTCam/calib") == ["flat"]
    assert names("dp2") == ["deep_coadd", "flat", "object", "packages", "visit_image"]
    assert names("u/someone/nothing") == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_type_tells_its_required_dimensions_and_storage_class(backend: Backend, kind: str) -> None:
    page = backend.get(f"/repositories/{kind}/dp2/dataset-types", collection="LSSTCam/calib")
    assert page["dataset_types"] == [
        {
            "name": "flat",
            "dimensions": ["instrument", "detector", "physical_filter"],
            "storage_class": "StructuredDataDict",
            "is_calibration": True,
            "components": [],
            "parameters": [],
        }
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_details_tell_files_records_and_the_whole_data_id(
    backend: Backend, kind: str, expected: Butler
) -> None:
    ref = expected.find_dataset("object", skymap="lsst_cells_v2", tract=1, collections="dp2")
    assert ref is not None
    details = backend.get(f"/repositories/{kind}/dp2/datasets/{ref.id}")
    assert details["stored"]
    assert details["run"] == "LSSTCam/runs/a"
    assert details["data_id"] == {"skymap": "lsst_cells_v2", "tract": 1}
    (file,) = details["files"]
    path = expected.getURI(ref)
    assert file["size"] == path.size()
    assert file["name"].endswith(path.basename())
    assert "://" not in file["name"]
    assert file["formatter"]
    elements = {record["element"]: record["fields"] for record in details["records"]}
    assert elements["tract"]["id"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_details_give_times_as_tai_and_implied_dimensions(
    backend: Backend, kind: str, expected: Butler
) -> None:
    (ref,) = expected.query_datasets(
        "visit_image", "LSSTCam/runs/a", visit=2025120200003, detector=2, instrument="LSSTCam"
    )
    details = backend.get(f"/repositories/{kind}/dp2/datasets/{ref.id}")
    assert list(details["data_id"])[:1] == ["instrument"]
    assert details["data_id"]["band"] == "r"
    assert details["data_id"]["detector"] == 2
    elements = {record["element"]: record["fields"] for record in details["records"]}
    assert elements["visit"]["timespan.begin"] == "2025-12-03T01:00:00.000"
    assert elements["visit"]["timespan.end"] == "2025-12-03T01:00:30.000"
    assert elements["visit"]["exposure_time"] == 30.0
    # Only the registry knows of this one.
    assert (details["files"], details["stored"]) == ([], False)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_dataset_is_gone(backend: Backend, kind: str) -> None:
    status, error = backend.error(f"/repositories/{kind}/dp2/datasets/{uuid.uuid4()}")
    assert (status, error["kind"]) == (404, "gone")


def test_a_dataset_whose_file_is_gone_says_so(
    small_repository: Path, tmp_path: Path, start_backend: Callable[..., Backend]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(small_repository, copy)
    with Butler.from_config(str(copy / "repo")) as butler:
        ref = butler.find_dataset("object", skymap="lsst_cells_v2", tract=2, collections="dp2")
        assert ref is not None
        relative = butler.getURI(ref).relative_to(butler._config.configDir)
    (copy / "bucket" / "dp2" / str(relative)).unlink()
    (copy / "repo" / str(relative)).unlink()
    with Platform(tmp_path / "platform", repository=copy) as platform:
        backend = start_backend(platform)
        shutil.copytree(copy / "repo", backend.root / "dp2")
        for kind in KINDS:
            details = backend.get(f"/repositories/{kind}/dp2/datasets/{ref.id}")
            assert not details["stored"]
            assert len(details["files"]) == 1


def test_a_hundred_thousand_collections_are_listed_in_time(
    official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official)
    root = backend.root / "dp2"
    Butler.makeRepo(str(root))
    with Butler.from_config(str(root), writeable=True) as butler:
        butler.collections.register("dp2", CollectionType.CHAINED)
        database = butler._registry._db
        rows = [{"name": f"u/user{n % 300}/run{n:06}", "type": 1} for n in range(100_000)]
        table = butler._registry._managers.collections._tables.collection
        with database.transaction():
            identifiers = database.insert(table, *rows, returnIds=True)
            run_table = butler._registry._managers.collections._tables.run
            database.insert(run_table, *({"collection_id": identifier} for identifier in identifiers))
    page = backend.get("/repositories/personal/dp2/collections")
    assert (page["total"], len(page["entries"])) == (100_001, 1000)
    assert page["entries"][0]["name"] == "dp2"
    page = backend.get("/repositories/personal/dp2/collections", folder="", limit=10_000)
    assert [entry.get("path") for entry in page["entries"]] == [None, "u/"]
    page = backend.get("/repositories/personal/dp2/collections", folder="u/")
    assert page["total"] == 300
    path = backend.get(
        "/repositories/personal/dp2/collections/path", collection="u/user7/run099907", grouped=False
    )
    page = backend.get("/repositories/personal/dp2/collections", offset=path["steps"][0]["offset"], limit=1)
    assert page["entries"][0]["name"] == "u/user7/run099907"
