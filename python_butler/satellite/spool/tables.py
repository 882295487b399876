"""Plain tables made ready for upstream's Parquet formatter, which says the same of them more slowly.

Of a small table most of the time goes into the YAML that describes its columns and metadata, by a dumper in
Python. Many tables that are saved one after another have the same columns: their description is made once,
by upstream. Metadata of plain values are dumped by the C library of the same YAML package.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyarrow as pa
import yaml
from astropy.table import Column, Table
from lsst.daf.butler.formatters.parquet import ASTROPY_PANDAS_INDEX_KEY, astropy_to_arrow

__all__ = ["ready"]

_HEADER = b"table_meta_yaml"
_ROWS = b"lsst::arrow::rowcount"
_PLAIN = (str, int, float, bool, type(None))

type _Description = tuple[str, str, str | None, str | None, str | None]
"""Of a column: name, type of its values, unit, format, description."""


def ready(obj: Any) -> Any:
    """Convert a table to what upstream's formatter would make of it, where that is quickly done.

    Parameters
    ----------
    obj : `object`
        What is to be written.

    Returns
    -------
    obj : `pyarrow.Table` or `object`
        Of an `astropy.table.Table` whose columns are numbers and whose metadata are plain values, the
        arrow table with the schema, and with the metadata, that upstream would give it; anything else as
        it is.
    """
    if type(obj) is not Table or not obj.columns or ASTROPY_PANDAS_INDEX_KEY in obj.meta:
        return obj
    columns = [_describe(column) for column in obj.columns.values()]
    described = tuple(column for column in columns if column)
    plain = all(type(key) is str and type(value) in _PLAIN for key, value in obj.meta.items())
    if len(described) < len(columns) or not plain:
        return obj
    if (schema := _schema(described)) is None:
        return obj
    metadata = schema.metadata | {_ROWS: str(len(obj)).encode()}
    if obj.meta:
        metadata[_HEADER] += b"\nmeta: !!omap\n" + _dump(obj.meta)
    arrays = [pa.array(column.data) for column in obj.columns.values()]
    return pa.Table.from_arrays(arrays, schema=schema.with_metadata(metadata))


def _describe(column: Any) -> _Description | None:
    """Tell all that a column's description depends on; nothing of one that is not of plain numbers."""
    if type(column) is not Column or column.ndim != 1 or column.meta:
        return None
    if column.dtype.kind not in "biuf" or not column.dtype.isnative or column.dtype.itemsize > 8:
        return None
    words = (column.format, column.description)
    if not all(word is None or type(word) is str for word in words):
        return None
    return (column.name, column.dtype.str, None if column.unit is None else str(column.unit), *words)


@lru_cache(maxsize=128)
def _schema(columns: tuple[_Description, ...]) -> pa.Schema | None:
    """What upstream makes of columns without rows; nothing if a unit is not read as it is written."""
    empty = Table(
        [
            Column(name=name, dtype=dtype, unit=unit, format=format, description=description)
            for name, dtype, unit, format, description in columns
        ]
    )
    for column, (_, _, unit, _, _) in zip(empty.columns.values(), columns, strict=True):
        if (None if column.unit is None else str(column.unit)) != unit:
            return None
    return astropy_to_arrow(empty).schema


def _dump(metadata: dict[str, Any]) -> bytes:
    # As astropy does it: one mapping an entry, which keeps their order. Most tables differ in few of them.
    entries = (
        _entry(key, value) if type(value) is float else _remembered_entry(key, value)
        for key, value in metadata.items()
    )
    return "".join(entries).rstrip("\n").encode()


def _entry(key: str, value: Any) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump([{key: value}], Dumper=dumper, default_flow_style=None, width=130)
    return text


# Not of floating-point numbers, of which two equal ones may be written differently.
_remembered_entry = lru_cache(maxsize=1024, typed=True)(_entry)
