"""What is known of a table's columns before any value is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.types as pt

from .models import ColumnKind, TableColumn

__all__ = ["describe_columns", "is_selectable", "kind_of"]

_INDEX = "__index_level_"
_SHAPE = "lsst::arrow::shape::"


def kind_of(kind: pa.DataType) -> ColumnKind:
    """Tell how values of a type are shown.

    Parameters
    ----------
    kind : `pyarrow.DataType`
        Type of a column.

    Returns
    -------
    kind : `ColumnKind`
        How.
    """
    if pt.is_dictionary(kind):
        return kind_of(kind.value_type)
    for test, answer in _TESTS:
        if test(kind):
            return answer
    return ColumnKind.OTHER


_TESTS = (
    (pt.is_boolean, ColumnKind.BOOLEAN),
    (pt.is_integer, ColumnKind.INTEGER),
    (pt.is_floating, ColumnKind.FLOAT),
    (pt.is_string, ColumnKind.TEXT),
    (pt.is_large_string, ColumnKind.TEXT),
    (pt.is_timestamp, ColumnKind.TIME),
    (pt.is_date, ColumnKind.TIME),
)


def describe_columns(schema: pa.Schema) -> list[TableColumn]:
    """Describe the columns of a table.

    Parameters
    ----------
    schema : `pyarrow.Schema`
        As the file has it.

    Returns
    -------
    columns : `list` [`TableColumn`]
        In the file's order, without the row labels that pandas adds.
    """
    fields = [field for field in schema if not field.name.startswith(_INDEX)]
    metadata = schema.metadata or {}
    header: Mapping[str, Mapping[str, object]] = {}
    if b"table_meta_yaml" in metadata and not any(field.metadata for field in fields):
        header = _astropy_header(metadata[b"table_meta_yaml"])
    return [_describe(field, metadata, header.get(field.name, {})) for field in fields]


def _describe(field: pa.Field, metadata: Mapping[bytes, bytes], header: Mapping[str, object]) -> TableColumn:
    known = field.metadata or {}

    def text(key: str) -> str:
        found = known[key.encode()].decode(errors="replace") if key.encode() in known else header.get(key, "")
        return " ".join(str(found or "").split())

    return TableColumn(
        name=field.name,
        kind=kind_of(field.type),
        type=_type_name(field, metadata),
        unit=text("unit"),
        description=text("description"),
    )


def _type_name(field: pa.Field, metadata: Mapping[bytes, bytes]) -> str:
    kind = field.type
    if pt.is_dictionary(kind):
        kind = kind.value_type
    if pt.is_fixed_size_list(kind):
        shape = metadata.get(f"{_SHAPE}{field.name}".encode(), str(kind.list_size).encode()).decode()
        return f"{_simple(kind.value_type)}[{shape.strip('()').rstrip(',')}]"
    return _simple(kind)


def _simple(kind: pa.DataType) -> str:
    # As numpy and astropy name them.
    return {"float": "float32", "double": "float64", "halffloat": "float16", "large_string": "string"}.get(
        str(kind), str(kind)
    )


def _astropy_header(document: bytes) -> dict[str, Mapping[str, object]]:
    """Columns' attributes in tables of older versions, which have them in one YAML document."""
    from astropy.table import meta

    try:
        header = meta.get_header_from_yaml(document.decode().split("\n"))
        columns: Iterable[Mapping[str, object]] = header["datatype"]
        return {str(column["name"]): column for column in columns}
    except Exception:  # whatever a foreign file says there, its values can still be shown
        return {}


def is_selectable(schema: pa.Schema) -> bool:
    """Tell whether columns can be read by their names in this schema.

    Parameters
    ----------
    schema : `pyarrow.Schema`
        As the file has it.

    Returns
    -------
    selectable : `bool`
        `False` for data frames whose columns have names of several levels.
    """
    document = (schema.metadata or {}).get(b"pandas")
    if document is None:
        return True
    try:
        return len(json.loads(document)["column_indexes"]) <= 1
    except (ValueError, KeyError, TypeError):
        return True
