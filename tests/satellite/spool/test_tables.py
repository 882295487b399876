"""Tables are written as upstream's formatter writes them, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.table import Column, MaskedColumn, QTable, Table
from hypothesis import given, settings
from hypothesis import strategies as st
from lsst.daf.butler.formatters.parquet import (
    add_pandas_index_to_astropy,
    arrow_to_astropy,
    astropy_to_arrow,
)

from python_butler.satellite.spool.tables import ready

NUMBERS = np.arange(4)

PROVENANCE = {
    "LSST.BUTLER.ID": "6f0d6e53-6f7e-4f4f-9a1d-1f8a7f0c2b11",
    "LSST.BUTLER.RUN": "u/somebody/bright_stars/v2",
    "LSST.BUTLER.DATAID.VISIT": 2025010100012,
    "LSST.BUTLER.N_INPUTS": 0,
}

QUICK = {
    "integers": Table({f"i{n}": NUMBERS.astype(f"int{n}") for n in (8, 16, 32, 64)}),
    "unsigned": Table({f"u{n}": NUMBERS.astype(f"uint{n}") for n in (8, 16, 32, 64)}),
    "floats": Table({f"f{n}": (NUMBERS / 3).astype(f"float{n}") for n in (16, 32, 64)}),
    "truth": Table({"flag": NUMBERS > 2}),
    "not a number": Table({"x": [np.nan, np.inf, -np.inf, -0.0]}),
    "every second row": Table({"x": np.arange(9.0)[::2]}),
    "no rows": Table({"x": np.array([], dtype=float)}),
    "units": Table(
        [
            Column(NUMBERS, name=str(unit), unit=unit)
            for unit in (u.nJy, u.ABmag, u.deg, u.Unit("m / s"), u.Unit("km2 s-2"), u.dimensionless_unscaled)
        ]
    ),
    "an unknown unit": Table([Column(NUMBERS, name="x", unit="furlong_per_fortnight")]),
    "words": Table([Column(NUMBERS, name="x: [y]", description='It\'s "só": #1', format="%.3f")]),
    "metadata": Table({"x": NUMBERS}, meta=PROVENANCE | {"a": None, "b": True, "c": 1.5e-300, "d": "null"}),
    "long metadata": Table({"x": NUMBERS}, meta={"words": "many words " * 50, "word": "w" * 300}),
}

AS_IT_IS = {
    "strings": Table({"name": ["a", "b"]}),
    "arrays": Table({"x": np.zeros((4, 2))}),
    "big endian": Table({"x": NUMBERS.astype(">i8")}),
    "masked": Table({"x": MaskedColumn(NUMBERS, mask=NUMBERS > 2)}),
    "quantities": QTable({"x": NUMBERS * u.m}),
    "nested metadata": Table({"x": NUMBERS}, meta={"list": [1, 2]}),
    "metadata of numpy": Table({"x": NUMBERS}, meta={"mean": np.float64(1.5)}),
    "metadata of a column": Table([Column(NUMBERS, name="x", meta={"ucd": "pos.eq.ra"})]),
    "no columns": Table(),
    "an array": NUMBERS,
}


def written(obj: Any, path: Path) -> bytes:
    pq.write_table(obj if isinstance(obj, pa.Table) else astropy_to_arrow(obj), path)
    return path.read_bytes()


@pytest.mark.parametrize("name", QUICK)
def test_files_are_the_same(name: str, tmp_path: Path) -> None:
    table = QUICK[name]
    before = table.copy()
    # Twice, since what was learned of the first is used for the second.
    for given_table in (table, table[:2]):
        made = ready(given_table)
        assert isinstance(made, pa.Table)
        assert written(made, tmp_path / "ours") == written(given_table, tmp_path / "upstream's")
    assert table.meta == before.meta
    assert repr(table) == repr(before)


@pytest.mark.parametrize("name", AS_IT_IS)
def test_what_is_not_plain_is_left_to_upstream(name: str) -> None:
    assert ready(AS_IT_IS[name]) is AS_IT_IS[name]


def test_an_index_for_pandas_is_left_to_upstream() -> None:
    table = Table({"x": NUMBERS})
    add_pandas_index_to_astropy(table, "x")
    assert ready(table) is table


def test_a_unit_that_astropy_reads_otherwise_than_it_writes_it_is_left_to_upstream() -> None:
    table = Table([Column(NUMBERS, name="x", unit=u.Unit("2.54 cm"))])
    made = ready(table)
    expected = astropy_to_arrow(table)
    assert made is table or made.equals(expected, check_metadata=True)


def test_equal_values_are_written_each_in_its_own_way(tmp_path: Path) -> None:
    for value in (1, True, 1.0, 0, False, 0.0, -0.0, "1", "true"):
        table = Table({"x": NUMBERS}, meta={"a": value, "b": "always the same"})
        assert written(ready(table), tmp_path / "ours") == written(table, tmp_path / "upstream's")


keys = st.text(min_size=1, max_size=200)
values = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300)


@settings(max_examples=200, deadline=None)
@given(meta=st.dictionaries(keys, values, max_size=5))
def test_metadata_are_read_as_they_were_given(meta: dict[str, Any]) -> None:
    table = Table({"x": NUMBERS}, meta=meta)
    try:
        expected = arrow_to_astropy(astropy_to_arrow(table))
    except Exception:
        # Upstream does not keep these: there is nothing to compare with.
        return
    made = ready(table)
    assert isinstance(made, pa.Table)
    read = arrow_to_astropy(made)
    assert list(read.meta.items()) == list(expected.meta.items())
