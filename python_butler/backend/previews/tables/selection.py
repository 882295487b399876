"""Which rows a view has, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ....errors import InvalidRequestError
from .cells import as_texts, milliseconds, numbers
from .giving_up import Waiting
from .models import ColumnKind, RowFilter, TableView
from .table import OpenTable, find_columns

__all__ = ["FILTERED_ROWS", "SORTED_ROWS", "Selection", "keep", "select_rows"]

FILTERED_ROWS = 4_000_000
"""Rows from the beginning of a table that are looked at for a filter or a summary."""

SORTED_ROWS = 500_000
"""Rows that are sorted: cells of a sorted view are all over the file, so more would read most of it."""


@dataclass(frozen=True)
class Selection:
    """Rows of a view.

    Attributes
    ----------
    rows : `numpy.ndarray` or `None`
        Their numbers in the table, in order; `None` if it has all of them in the file's order.
    considered : `int`
        How many rows of the table were looked at.
    """

    rows: npt.NDArray[np.integer[Any]] | None
    considered: int

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.considered if self.rows is None else len(self.rows)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return 0 if self.rows is None else self.rows.nbytes


def select_rows(table: OpenTable, view: TableView, waiting: Waiting) -> Selection:
    """Find the rows of a view.

    Parameters
    ----------
    table : `OpenTable`
        Where.
    view : `TableView`
        Filters and order.
    waiting : `Waiting`
        Asked now and then.

    Returns
    -------
    selection : `Selection`
        The rows. What is missing or not a number comes last in either order; what is equal stays in the
        file's order.
    """
    if not view.filters and view.sort is None:
        return Selection(None, table.rows)
    if view.sort is not None and find_columns(table, [view.sort])[0].kind is ColumnKind.OTHER:
        raise InvalidRequestError(f"Column {view.sort!r} cannot be sorted by.", "Sort by another column.")
    # A filter that keeps everything must not make more be sorted.
    limit = min(table.rows, FILTERED_ROWS)
    names = [each.column for each in view.filters] + ([] if view.sort is None else [view.sort])
    kinds = {column.name: column.kind for column in find_columns(table, names)}
    found: list[npt.NDArray[np.int64]] = []
    keys: list[pa.Array] = []
    first = kept = 0
    for batch in table.scan(list(dict.fromkeys(names)), limit, waiting):
        mask = keep(batch, view.filters, kinds)
        rows = np.flatnonzero(mask) + first
        first += batch.num_rows
        if view.sort is not None:
            rows = rows[: SORTED_ROWS - kept]
            places = rows - (first - batch.num_rows)
            keys.append(batch.column(batch.schema.get_field_index(view.sort)).take(pa.array(places)))
        found.append(rows)
        kept += len(rows)
        if view.sort is not None and kept >= SORTED_ROWS:
            first = int(rows[-1]) + 1 if len(rows) else first
            break
    chosen = np.concatenate(found) if found else np.empty(0, np.int64)
    if view.sort is not None and len(chosen):
        chosen = chosen[_order(pa.chunked_array(keys), view.descending)]
    # Half the memory, as long as it suffices.
    small = np.int32 if table.rows < 2**31 else np.int64
    return Selection(chosen.astype(small), first)


def keep(
    batch: pa.RecordBatch, filters: Sequence[RowFilter], kinds: dict[str, ColumnKind]
) -> npt.NDArray[np.bool_]:
    """Tell which rows pass all filters.

    Parameters
    ----------
    batch : `pyarrow.RecordBatch`
        Some rows, with the filters' columns.
    filters : sequence of `RowFilter`
        The filters.
    kinds : `dict` [`str`, `ColumnKind`]
        Kinds of these columns.

    Returns
    -------
    mask : `numpy.ndarray`
        One truth a row.
    """
    mask = np.ones(batch.num_rows, np.bool_)
    for each in filters:
        column = batch.column(batch.schema.get_field_index(each.column))
        mask &= _passes(column, each, kinds[each.column])
    return mask


def _passes(column: pa.Array, wanted: RowFilter, kind: ColumnKind) -> npt.NDArray[np.bool_]:
    mask = np.asarray(column.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    if wanted.values is not None:
        # By their texts, as they are shown.
        texts = column if kind is ColumnKind.TEXT else pa.array(as_texts(column), pa.string())
        if pa.types.is_dictionary(texts.type):
            texts = texts.cast(texts.type.value_type)
        among = pc.is_in(texts, pa.array(wanted.values, texts.type))
        mask &= np.asarray(among.to_numpy(zero_copy_only=False), np.bool_)
    if wanted.low is not None or wanted.high is not None:
        if kind not in (ColumnKind.INTEGER, ColumnKind.FLOAT, ColumnKind.TIME):
            raise InvalidRequestError(
                f"Values of column {wanted.column!r} have no range.", "Filter by another column."
            )
        values = np.zeros(len(column))
        present = np.flatnonzero(mask)
        values[present] = _number_of(column.take(pa.array(present)))
        with np.errstate(invalid="ignore"):
            if wanted.low is not None:
                mask &= values >= wanted.low
            if wanted.high is not None:
                mask &= values <= wanted.high
    return mask


def _number_of(column: pa.Array) -> np.ndarray[Any, Any]:
    return milliseconds(numbers(column)).astype(np.float64)


def _order(column: pa.ChunkedArray, descending: bool) -> npt.NDArray[np.int64]:
    """Order of values: those that are missing or not a number last, equal ones as they come."""
    whole = column.combine_chunks()
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    direction = "descending" if descending else "ascending"
    order = pc.array_sort_indices(whole, order=direction, null_placement="at_end")
    return np.asarray(order.to_numpy()).astype(np.int64)
