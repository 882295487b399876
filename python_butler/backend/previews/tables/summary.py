"""Summary of one column: what numpy would say of it, and a histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .cells import as_texts, milliseconds, number_text, numbers
from .giving_up import Waiting
from .models import (
    ColumnKind,
    ColumnSummary,
    Histogram,
    HistogramRange,
    HistogramScale,
    SummaryRequest,
    ValueCount,
)
from .selection import FILTERED_ROWS, keep
from .table import OpenTable, find_columns

__all__ = ["summarise"]

_HEAVY = 64_000_000
"""Bytes of values at which looking at more rows ends."""
_COMMON = 12
"""Most frequent values that are told."""
_FEW = 64
"""Distinct integers up to which they are more like names than like numbers."""
_TAIL = 0.5
"""Percent of the values on either side that a histogram may leave out."""
_NUMBERS = (ColumnKind.INTEGER, ColumnKind.FLOAT)


def summarise(table: OpenTable, request: SummaryRequest, waiting: Waiting) -> ColumnSummary:
    """Summarise one column.

    Parameters
    ----------
    table : `OpenTable`
        Where.
    request : `SummaryRequest`
        Which column, of which rows, with which histogram.
    waiting : `Waiting`
        Asked now and then.

    Returns
    -------
    summary : `ColumnSummary`
        Of the first rows of the table only, if it has very many.
    """
    before = table.bytes_read
    (column,) = find_columns(table, [request.column])
    names = list(dict.fromkeys([request.column, *(each.column for each in request.filters)]))
    kinds = {each.name: each.kind for each in find_columns(table, names)}
    parts: list[pa.Array] = []
    considered = weight = 0
    for batch in table.scan(names, min(table.rows, FILTERED_ROWS), waiting):
        part = batch.column(0)
        if request.filters:
            part = part.filter(pa.array(keep(batch, request.filters, kinds)))
        parts.append(part)
        considered += batch.num_rows
        weight += part.nbytes
        if weight > _HEAVY:
            break
    waiting.check()
    values = pa.chunked_array(parts) if parts else pa.chunked_array([], pa.null())
    valid = values.drop_null()
    told: dict[str, Any] = {
        "column": request.column,
        "kind": column.kind,
        "considered": considered,
        "total": table.rows,
        "rows": len(values),
        "nulls": values.null_count,
        "nans": 0,
        "infinities": 0,
        "count": len(valid),
    }
    if len(valid):
        if column.kind in _NUMBERS:
            told |= _of_numbers(numbers(valid), request, waiting)
        elif column.kind is ColumnKind.TIME:
            told |= _of_times(numbers(valid), request)
        elif column.kind in (ColumnKind.TEXT, ColumnKind.BOOLEAN):
            told |= _of_names(valid)
    return ColumnSummary(**told, bytes_read=table.bytes_read - before)


def _of_numbers(values: np.ndarray[Any, Any], request: SummaryRequest, waiting: Waiting) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if values.dtype.kind == "f":
        finite = np.isfinite(values)
        told["nans"] = int(np.isnan(values).sum())
        told["count"] = int(finite.sum())
        told["infinities"] = len(values) - told["count"] - told["nans"]
        values = values[finite]
    if not len(values):
        return told
    waiting.check()
    # In double precision, whatever the column's: a sum of many single ones is off.
    quartiles = np.percentile(values.astype(np.float64), [25, 50, 75])
    told |= {
        "min": number_text(values.min()),
        "max": number_text(values.max()),
        "mean": number_text(values.mean(dtype=np.float64)),
        "std": number_text(values.std(dtype=np.float64)),
        "lower_quartile": number_text(quartiles[0]),
        "median": number_text(quartiles[1]),
        "upper_quartile": number_text(quartiles[2]),
        "histogram": _histogram(values.astype(np.float64), request, whole=values.dtype.kind in "iu"),
    }
    if values.dtype.kind in "iu":
        waiting.check()
        found, counts = np.unique(values, return_counts=True)
        told["distinct"] = len(found)
        if len(found) <= _FEW:
            order = np.argsort(-counts, kind="stable")[:_COMMON]
            told["common"] = [ValueCount(value=number_text(found[at]), count=int(counts[at])) for at in order]
    return told


def _of_times(values: np.ndarray[Any, Any], request: SummaryRequest) -> dict[str, Any]:
    ticks = np.sort(values.astype(np.int64))
    middle = ticks[(len(ticks) - 1) // 2]
    return {
        "min": str(values.min()),
        "max": str(values.max()),
        "mean": str(np.int64(np.rint(ticks.mean(dtype=np.float64))).astype(values.dtype)),
        "median": str(middle.astype(values.dtype)),
        "histogram": _histogram(milliseconds(values), request),
    }


def _of_names(values: pa.ChunkedArray) -> dict[str, Any]:
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    counted = pc.value_counts(values)
    counts = counted.field("counts").to_numpy()
    order = np.argsort(-counts, kind="stable")[:_COMMON]
    texts = as_texts(counted.field("values").take(pa.array(order)))
    told: dict[str, Any] = {
        "distinct": len(counts),
        "common": [
            ValueCount(value=text or "", count=int(count))
            for text, count in zip(texts, counts[order], strict=True)
        ],
    }
    if not pa.types.is_boolean(values.type):
        extremes = pc.min_max(values).as_py()
        told |= {"min": extremes["min"][:100], "max": extremes["max"][:100]}
    return told


def _histogram(
    values: np.ndarray[Any, Any], request: SummaryRequest, *, whole: bool = False
) -> Histogram | None:
    scale = request.scale
    inside = values[values > 0] if scale is HistogramScale.LOG else values
    if not len(inside):
        return None
    axis = np.log10(inside) if scale is HistogramScale.LOG else inside
    low, high = float(axis.min()), float(axis.max())
    if request.range is HistogramRange.MOST:
        inner_low, inner_high = (float(each) for each in np.percentile(axis, [_TAIL, 100 - _TAIL]))
        # Only if the tails are long: else nothing is gained by leaving them out.
        if 0 < inner_high - inner_low < (high - low) / 2:
            low, high = inner_low, inner_high
    if not low < high:
        half = 0.5 if scale is HistogramScale.LOG else max(abs(low) * 1e-6, 0.5)
        low, high = low - half, high + half
    if whole and scale is HistogramScale.LINEAR and high - low < request.bins:
        # A bin for each number, with the number in its middle.
        edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
    else:
        edges = np.linspace(low, high, request.bins + 1)
    counts, _ = np.histogram(axis, edges)
    below = int((axis < edges[0]).sum()) + len(values) - len(inside)
    return Histogram(
        scale=scale,
        edges=(10.0**edges if scale is HistogramScale.LOG else edges).tolist(),
        counts=counts.tolist(),
        below=below,
        above=int((axis > edges[-1]).sum()),
    )
