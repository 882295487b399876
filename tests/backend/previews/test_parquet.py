"""Parts of Parquet files are read as pyarrow would read all of them, and nothing else is."""

from __future__ import annotations

import resource
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from python_butler.backend.previews.tables.giving_up import Waiting
from python_butler.backend.previews.tables.models import ColumnKind, SummaryRequest, TableView
from python_butler.backend.previews.tables.selection import SORTED_ROWS, select_rows
from python_butler.backend.previews.tables.summary import summarise
from python_butler.backend.streaming import Cancelled

from .tables import Counted, leaves_after, left, rows_of, write, write_wide

ROWS = 120_000


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """Three row groups with columns of all kinds."""
    rng = np.random.default_rng(7)
    number = np.arange(ROWS)
    return write(
        tmp_path_factory.mktemp("mixed") / "mixed.parq",
        {
            "id": number + (1 << 60),
            "flux": pa.array(rng.normal(size=ROWS), mask=number % 7 == 0),
            "name": np.where(number % 3 == 0, "a", "b").astype(object),
            "flag": number % 2 == 0,
            "when": (number * 1_000_000).astype("datetime64[us]"),
            "point": pa.array([[1.0, float(n)] for n in number], pa.list_(pa.float64(), 2)),
            "kind": pa.array(np.where(number % 5 == 0, "x", "y")).dictionary_encode(),
            "dotted.name": number.astype(np.int16, casting="unsafe"),
        },
        flux={"unit": "nJy", "description": "How bright\nit is"},
    )


def test_any_rows_in_any_order_are_what_the_file_has(mixed: Counted) -> None:
    whole = pq.read_table(mixed.path)
    table = mixed.table()
    for rows in (
        [0],
        [ROWS - 1, 0, 60_000],
        [49_999, 50_000, 32_767, 32_768, 32_768],
        range(99_980, 100_020),
    ):
        found = table.take(whole.column_names, np.array(list(rows)), Waiting())
        assert found.to_pydict() == whole.take(pa.array(rows)).to_pydict()


def test_rows_are_the_same_when_hardly_anything_can_be_kept(mixed: Counted) -> None:
    whole = pq.read_table(mixed.path, columns=["flux", "name"])
    table = mixed.table(limit=10_000)
    rows = np.random.default_rng(3).integers(0, ROWS, 200)
    found = table.take(["name", "flux"], rows, Waiting())
    assert found.to_pydict() == whole.select(["name", "flux"]).take(pa.array(rows)).to_pydict()


def test_columns_have_kind_type_unit_and_description(mixed: Counted) -> None:
    columns = {column.name: column for column in mixed.table().columns}
    kinds = [column.kind for column in columns.values()]
    assert kinds == [
        ColumnKind.INTEGER,
        ColumnKind.FLOAT,
        ColumnKind.TEXT,
        ColumnKind.BOOLEAN,
        ColumnKind.TIME,
        ColumnKind.OTHER,
        ColumnKind.TEXT,
        ColumnKind.INTEGER,
    ]
    assert columns["flux"].unit == "nJy"
    assert columns["flux"].description == "How bright it is"
    assert columns["flux"].type == "float64"
    assert columns["point"].type == "float64[2]"


def test_what_was_read_is_not_read_again(mixed: Counted) -> None:
    table = mixed.table()
    rows_of(table, ["flux", "id"], range(100))
    mixed.reads.clear()
    rows_of(table, ["id", "flux"], range(500, 600))
    assert mixed.reads == []


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    """1,500 columns and a million rows: 800 MB in the file."""
    return write_wide(tmp_path_factory.mktemp("wide") / "wide.parq", 1_500, 1_000_000, 250_000)


def test_a_view_of_a_huge_table_reads_its_own_columns_in_one_row_group(wide: Counted) -> None:
    wide.reads.clear()
    table = wide.table()
    footer = wide.bytes
    assert footer < wide.path.stat().st_size / 10
    names = [f"c{number:04}" for number in range(700, 712)]
    found = rows_of(table, names, range(600_000, 600_040))
    assert found["c0710"][:2] == [600_710.0, 600_711.0]
    assert 0 < wide.bytes - footer <= 2 * wide.chunk() + 10 * wide.chunk() / 30
    # Neighbours in the file come in few requests.
    assert len(wide.reads) < 8


def test_memory_stays_bounded_while_all_of_a_huge_table_is_scrolled_over(wide: Counted) -> None:
    table = wide.table(limit=32_000_000)
    rows_of(table, ["c0000"], [0])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for step in range(60):
        names = [f"c{number:04}" for number in range(step * 25, step * 25 + 12)]
        first = (step * 17_001) % 999_000
        rows_of(table, names, range(first, first + 50))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert table._blocks.size <= 32_000_000
    assert (after - before) * 1024 < 250_000_000


def test_summary_and_order_of_a_huge_table_read_one_column(wide: Counted) -> None:
    table = wide.table()
    column = 4 * wide.chunk()
    assert column < wide.path.stat().st_size / 100
    wide.reads.clear()
    summary = summarise(table, SummaryRequest(column="c1200"), Waiting())
    assert summary.count == 1_000_000
    assert wide.bytes <= column
    assert summary.bytes_read == wide.bytes
    wide.reads.clear()
    selection = select_rows(table, TableView(sort="c1200", descending=True), Waiting())
    assert selection.considered == SORTED_ROWS
    assert wide.bytes <= column
    assert selection.nbytes == SORTED_ROWS * 4


def test_work_ends_soon_after_nobody_waits_any_more(wide: Counted) -> None:
    table = wide.table()
    with pytest.raises(Cancelled):
        table.take(["c0001"], np.array([5]), left())
    slow = Counted(wide.path)
    fetch = slow.fetch

    def slowly(start: int, stop: int) -> bytes:
        time.sleep(0.2)
        return fetch(start, stop)

    table._file._fetch = slowly  # type: ignore[method-assign]  # a slow network
    waiting = leaves_after(0.3)
    with pytest.raises(Cancelled):
        table.take([f"c{number:04}" for number in range(0, 1_500, 30)], np.array([5]), waiting)
    assert len(slow.reads) < 25
