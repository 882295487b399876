"""What the table preview tells of the demonstration's tables agrees with what numpy says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from astropy.table import Table
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform

from ..conftest import Backend

Post = Callable[..., Any]


@pytest.fixture(scope="module")
def objects(repository: Any) -> Table:
    (file,) = (repository / "bucket").rglob("object/**/*.parq")
    return Table.read(file, format="parquet")


@pytest.fixture(scope="module")
def path(demonstration: Butler) -> str:
    ref = demonstration.query_datasets("object", "dp2")[0]
    return f"/repositories/official/dp2/datasets/{ref.id}/table"


def values(page: dict[str, Any]) -> list[np.ndarray[Any, Any]]:
    return [
        np.array([np.nan if cell is None else float(cell) for cell in column]) for column in page["columns"]
    ]


def test_the_overview_has_all_columns_and_reads_hardly_anything(
    previews: Backend, platform: Platform, objects: Table, path: str
) -> None:
    platform.requests(forget=True)
    overview = previews.get(path)
    sent = sum(seen.sent for seen in platform.requests("store"))
    assert [column["name"] for column in overview["columns"]] == objects.colnames
    assert len(overview["columns"]) > 1_000
    assert overview["rows"] == len(objects)
    assert overview["format"] == "Parquet"
    assert overview["selectable"]
    assert sent < overview["size"] / 2


def test_some_cells_are_those_of_the_file_and_only_their_columns_are_fetched(
    post: Post, platform: Platform, objects: Table, path: str
) -> None:
    names = ["r_psfFlux", "coord_ra", "objectId"]
    post(f"{path}/rows", columns=["tract"], start=0, count=1)
    platform.requests(forget=True)
    page = post(f"{path}/rows", columns=names, start=20, count=30)
    sent = sum(seen.sent for seen in platform.requests("store"))
    flux, ra, _ = values(page)
    np.testing.assert_array_equal(flux.astype(np.float32), objects["r_psfFlux"][20:50])
    np.testing.assert_array_equal(ra, objects["coord_ra"][20:50])
    assert page["columns"][2] == [str(each) for each in objects["objectId"][20:50]]
    assert (page["rows"], page["total"]) == (len(objects), len(objects))
    assert page["bytes_read"] == sent
    assert 0 < sent <= 8 * len(objects) * len(names) * 1.2
    platform.requests(forget=True)
    post(f"{path}/rows", columns=names, start=100, count=30)
    assert platform.requests("store") == []


@pytest.mark.parametrize("name", ["r_psfFlux", "coord_dec", "g_cModelMag", "objectId", "patch"])
def test_statistics_are_those_of_numpy(post: Post, objects: Table, path: str, name: str) -> None:
    summary = post(f"{path}/summary", column=name, range="all", bins=40)
    column = np.ma.filled(objects[name].astype(float), np.nan)
    good = column[np.isfinite(column)]
    assert summary["count"] == len(good)
    assert summary["nans"] == np.isnan(column).sum()
    assert summary["rows"] == summary["considered"] == summary["total"] == len(objects)
    assert float(summary["min"]) == pytest.approx(good.min(), rel=1e-6)
    assert float(summary["max"]) == pytest.approx(good.max(), rel=1e-6)
    assert float(summary["mean"]) == pytest.approx(good.mean(), rel=1e-12)
    assert float(summary["std"]) == pytest.approx(good.std(), rel=1e-9)
    assert float(summary["median"]) == pytest.approx(np.median(good), rel=1e-12)
    assert float(summary["upper_quartile"]) == pytest.approx(np.percentile(good, 75), rel=1e-12)
    histogram = summary["histogram"]
    counts, _ = np.histogram(good, histogram["edges"])
    assert histogram["counts"] == counts.tolist()
    assert sum(histogram["counts"]) + histogram["below"] + histogram["above"] == len(good)


def test_texts_and_truths_have_distinct_and_common_values(post: Post, objects: Table, path: str) -> None:
    flag = post(f"{path}/summary", column="detect_isIsolated")
    good = int(np.sum(objects["detect_isIsolated"]))
    assert flag["distinct"] == 2
    assert {each["value"]: each["count"] for each in flag["common"]} == {
        "True": good,
        "False": len(objects) - good,
    }
    band = post(f"{path}/summary", column="refBand")
    assert (band["distinct"], band["common"]) == (1, [{"value": "r", "count": len(objects)}])


@pytest.mark.parametrize("descending", [False, True])
def test_rows_are_sorted_with_what_is_no_number_at_the_end(
    post: Post, objects: Table, path: str, descending: bool
) -> None:
    view = {"sort": "g_psfFlux", "descending": descending}
    count = len(objects)
    page = post(f"{path}/rows", view=view, columns=["g_psfFlux"], start=0, count=min(1000, count))
    (found,) = values(page)
    flux = np.asarray(objects["g_psfFlux"], float)
    good = np.sort(flux[np.isfinite(flux)])[:: -1 if descending else 1]
    expected = np.concatenate([good, np.full(count - len(good), np.nan)])
    np.testing.assert_allclose(found, expected[: len(found)], rtol=1e-6)
    np.testing.assert_array_equal(flux[page["row_numbers"]].astype(np.float32), found.astype(np.float32))


def test_filters_together_keep_the_rows_that_pass_all(post: Post, objects: Table, path: str) -> None:
    filters = [
        {"column": "r_psfFlux", "low": 1_000.0, "high": 50_000.0},
        {"column": "detect_isIsolated", "values": ["True"]},
    ]
    flux = np.asarray(objects["r_psfFlux"])
    mask = (flux >= 1_000) & (flux <= 50_000) & np.asarray(objects["detect_isIsolated"])
    assert 0 < mask.sum() < len(objects)
    page = post(f"{path}/rows", view={"filters": filters}, columns=["objectId"], start=0, count=1000)
    assert page["columns"][0] == [str(each) for each in objects["objectId"][mask]][:1000]
    assert page["rows"] == mask.sum()
    summary = post(f"{path}/summary", column="g_psfFlux", filters=filters)
    assert summary["rows"] == mask.sum()
    assert float(summary["max"]) == pytest.approx(np.nanmax(objects["g_psfFlux"][mask]), rel=1e-6)


def test_what_cannot_be_is_told(post: Post, path: str) -> None:
    assert "no column" in post(f"{path}/rows", 400, columns=["nope"], start=0, count=1)["message"]
    assert (
        "no range"
        in post(f"{path}/summary", 400, column="tract", filters=[{"column": "refBand", "low": 1}])["message"]
    )
    assert "too many" in post(f"{path}/rows", 400, columns=["tract"] * 100, start=0, count=1000)["message"]


def test_what_is_no_table_is_told_to_be_none(previews: Backend, demonstration: Butler) -> None:
    ref = demonstration.query_datasets("packages", "dp2")[0]
    status, report = previews.error(f"/repositories/official/dp2/datasets/{ref.id}/table")
    assert (status, report["kind"]) == (400, "invalid")
    assert "no table" in report["message"]
