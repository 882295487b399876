"""Tables of every storage class can be looked at, with their units; what changes is looked at anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import astropy.time
import astropy.units as u
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from lsst.daf.butler import Butler, DatasetType

from python_butler.backend.previews.tables.whole import arrow_from, from_fits
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from ..conftest import Backend

Post = Callable[..., Any]


@pytest.fixture(scope="module")
def butler(previews: Backend, platform: Platform) -> Any:
    """The personal repository beside the backend, to write to."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        satellite = Satellite.create("dp2", previews.root / "dp2")
        with satellite.writer() as butler:
            yield butler


def put(butler: Butler, name: str, storage_class: str, value: Any, run: str = "u/me/tables") -> str:
    kind = DatasetType(name, [], storage_class, universe=butler.dimensions)
    butler.registry.registerDatasetType(kind)
    butler.registry.registerRun(run)
    ref = butler.put(value, name, run=run)
    return f"/repositories/personal/dp2/datasets/{ref.id}/table"


def plain() -> Table:
    table = Table({"n": np.arange(5), "flux": [1.5, np.nan, 2.5, np.inf, -3.0], "band": list("grizy")})
    table["flux"].unit = "nJy"
    table["flux"].description = "How bright it is"
    return table


@pytest.mark.parametrize(
    ("storage_class", "value"),
    [
        ("ArrowAstropy", plain()),
        ("ArrowTable", pa.table({name: pa.array(plain()[name].tolist()) for name in plain().colnames})),
        ("DataFrame", pd.DataFrame({name: plain()[name].tolist() for name in plain().colnames})),
        ("ArrowNumpy", plain().as_array()),
        ("ArrowNumpyDict", {name: np.asarray(plain()[name]) for name in plain().colnames}),
        ("AstropyTable", plain()),
        ("AstropyQTable", QTable(plain())),
    ],
)
def test_a_table_of_any_storage_class_is_shown(
    previews: Backend, post: Post, butler: Butler, storage_class: str, value: Any
) -> None:
    path = put(butler, f"table_{storage_class}", storage_class, value)
    overview = previews.get(path)
    assert [column["name"] for column in overview["columns"]] == ["n", "flux", "band"]
    assert overview["rows"] == 5
    page = post(f"{path}/rows", columns=["n", "flux", "band"], start=0, count=100)
    # pandas writes what is not a number as a missing value.
    is_pandas = storage_class == "DataFrame"
    assert page["columns"] == [
        ["0", "1", "2", "3", "4"],
        ["1.5", None if is_pandas else "nan", "2.5", "inf", "-3.0"],
        list("grizy"),
    ]
    summary = post(f"{path}/summary", column="flux")
    assert [summary[key] for key in ("count", "infinities")] == [3, 1]
    assert (summary["nans"], summary["nulls"]) == ((0, 1) if is_pandas else (1, 0))
    assert (summary["min"], summary["max"]) == ("-3.0", "2.5")
    if "Astropy" in storage_class:
        assert (overview["columns"][1]["unit"], overview["columns"][1]["description"]) == (
            "nJy",
            "How bright it is",
        )


def test_what_is_missing_is_told_from_what_is_not_a_number(post: Post, butler: Butler) -> None:
    value = pa.table({"x": pa.array([1.0, None, float("nan")])})
    path = put(butler, "missing", "ArrowTable", value)
    assert post(f"{path}/rows", columns=["x"], start=0, count=9)["columns"] == [["1.0", None, "nan"]]
    summary = post(f"{path}/summary", column="x")
    assert (summary["count"], summary["nulls"], summary["nans"]) == (1, 1, 1)


def test_times_and_integers_are_summarised_as_such(post: Post, butler: Butler) -> None:
    times = np.array(["2025-12-03T01:00:00", "2025-12-03T03:00:00", "2025-12-03T05:00:00"], "datetime64[us]")
    path = put(butler, "times", "ArrowAstropy", Table({"t": times, "n": [7, 7, 9]}))
    time = post(f"{path}/summary", column="t")
    assert time["median"] == "2025-12-03T03:00:00.000000"
    assert time["histogram"]["edges"][0] == 1764723600000.0
    low = time["histogram"]["edges"][0] + 3_600_000
    kept = post(
        f"{path}/rows", view={"filters": [{"column": "t", "low": low}]}, columns=["n"], start=0, count=9
    )
    assert kept["columns"] == [["7", "9"]]
    number = post(f"{path}/summary", column="n")
    assert number["histogram"]["edges"] == [6.5, 7.5, 8.5, 9.5]
    assert number["histogram"]["counts"] == [2, 0, 1]
    assert number["distinct"] == 2


def test_a_table_that_was_removed_is_gone_though_it_was_open(
    previews: Backend, post: Post, butler: Butler
) -> None:
    path = put(butler, "fleeting", "ArrowAstropy", plain(), run="u/me/fleeting")
    post(f"{path}/rows", columns=["n"], start=0, count=1)
    butler.removeRuns(["u/me/fleeting"])
    status, report = previews.error(path)
    assert (status, report["kind"]) == (404, "gone")


def test_masked_columns_times_and_arrays_of_astropy_are_kept() -> None:
    table = QTable(
        {
            "m": MaskedColumn([1, 2, 3], mask=[False, True, False]),
            "t": astropy.time.Time(["2025-12-03", "2025-12-04", "2025-12-05"], scale="tai"),
            "d": [1, 2, 3] * u.km,
            "a": np.arange(6.0).reshape(3, 2),
        }
    )
    arrow = arrow_from(table)
    assert arrow["m"].to_pylist() == [1, None, 3]
    assert arrow["t"].to_pylist()[0] == "2025-12-03T00:00:00.000"
    assert arrow.schema.field("d").metadata[b"unit"] == b"km"
    assert arrow["a"].to_pylist()[1] == [2.0, 3.0]


def test_catalogues_in_fits_need_no_science_pipelines(tmp_path: Any) -> None:
    columns = [
        fits.Column("id", "K", array=np.arange(3)),
        fits.Column("flux", "D", unit="nJy", array=np.array([1.0, np.nan, 3.0])),
    ]
    path = tmp_path / "catalogue.fits"
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(path)
    with path.open("rb") as file:
        arrow = from_fits(file)
    assert arrow["id"].to_pylist() == [0, 1, 2]
    assert arrow.schema.field("flux").metadata[b"unit"] == b"nJy"
