"""Values as texts that hold every digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .columns import kind_of
from .models import ColumnKind

__all__ = ["as_texts", "milliseconds", "number_text", "numbers"]

_LONGEST = 300
"""Characters of a text that are shown."""
_LIST = 8
"""Values of a list that are shown."""


def as_texts(column: pa.ChunkedArray | pa.Array) -> list[str | None]:
    """Write values as texts.

    Parameters
    ----------
    column : `pyarrow.ChunkedArray` or `pyarrow.Array`
        Some values of one column.

    Returns
    -------
    texts : `list` [`str` or `None`]
        Numbers with as many digits as tell them from all others of their type, ``nan`` and ``inf`` among
        them; times in ISO form; `None` for missing values. Long texts and lists are cut, and end with "…".
    """
    column = _decoded(column)
    match kind_of(column.type):
        case ColumnKind.TEXT:
            return [None if each is None else _cut(each) for each in column.to_pylist()]
        case ColumnKind.BOOLEAN:
            return [None if each is None else str(each) for each in column.to_pylist()]
        case ColumnKind.OTHER:
            return [None if each is None else _cut(_other(each)) for each in column.to_pylist()]
        case ColumnKind.TIME:
            values = column.cast(pa.timestamp(_unit(column.type))).to_numpy(zero_copy_only=False)
            # One that is missing is one that is no time: numpy has no other.
            return [None if each == "NaT" else each for each in values.astype(str).tolist()]
    missing = column.is_null().to_numpy(zero_copy_only=False)
    texts = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(str)
    return [None if gone else text for gone, text in zip(missing.tolist(), texts.tolist(), strict=True)]


def numbers(column: pa.ChunkedArray | pa.Array) -> np.ndarray[Any, Any]:
    """Give values as numbers; what is missing must have been dropped.

    Parameters
    ----------
    column : `pyarrow.ChunkedArray` or `pyarrow.Array`
        Numbers, truths or times.

    Returns
    -------
    values : `numpy.ndarray`
        In the column's own type; times as `numpy.datetime64`.
    """
    column = _decoded(column)
    if kind_of(column.type) is ColumnKind.TIME:
        column = column.cast(pa.timestamp(_unit(column.type)))
    return np.asarray(column.to_numpy(zero_copy_only=False))


def milliseconds(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give times as numbers that JavaScript has.

    Parameters
    ----------
    values : `numpy.ndarray`
        Times, or numbers, which are given back.

    Returns
    -------
    values : `numpy.ndarray`
        Milliseconds since 1970.
    """
    if values.dtype.kind != "M":
        return values
    return np.asarray(values.astype("datetime64[us]").astype(np.int64) / 1000.0)


def number_text(value: Any) -> str:
    """Write one number of numpy's, or one time, with every digit."""
    return str(value.astype(str))


def _decoded(column: Any) -> Any:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _unit(kind: pa.DataType) -> str:
    return str(kind.unit) if pa.types.is_timestamp(kind) else "ms"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _other(value: Any) -> str:
    if isinstance(value, list) and len(value) > _LIST:
        return f"[{', '.join(map(str, value[:_LIST]))}, …] ({len(value)} values)"
    return str(value)
