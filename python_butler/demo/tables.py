"""Catalogues with Data Preview 2's true columns, filled with what was measured on the simulated images.

Room: demo. Column names, types, units and descriptions come from the package ``lsst-sdm-schemas``; columns
that this small pipeline does not measure are there too, and empty (NaN, 0, false). Makes astropy tables;
it knows no Butler and writes no files.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from astropy.table import Table

__all__ = ["Column", "columns_of", "make_table"]

_TYPES = {
    "boolean": np.dtype(np.bool_),
    "short": np.dtype(np.int16),
    "int": np.dtype(np.int32),
    "long": np.dtype(np.int64),
    "float": np.dtype(np.float32),
    "double": np.dtype(np.float64),
    "timestamp": np.dtype("datetime64[us]"),
}


@dataclass(frozen=True)
class Column:
    """One column of a catalogue, as the data release defines it."""

    name: str
    dtype: np.dtype[Any]
    unit: str
    description: str


@cache
def _schemas() -> dict[str, tuple[Column, ...]]:
    root = importlib.resources.files("lsst.sdm.schemas")

    def load(name: str) -> dict[str, Any]:
        loaded = yaml.load(root.joinpath(name).read_text(), yaml.CSafeLoader)
        assert isinstance(loaded, dict)
        return loaded

    release = load("dp2.yaml")
    sources = {
        label: {table["name"]: table for table in load(resource["uri"])["tables"]}
        for label, resource in release["resources"].items()
    }
    schemas = {}
    for table in release["tables"]:
        found = []
        for label, tables in table["columnRefs"].items():
            for name, references in tables.items():
                definitions = {column["name"]: column for column in sources[label][name]["columns"]}
                for column in references:
                    definition = definitions[column]
                    found.append(
                        Column(
                            column,
                            _TYPES.get(definition["datatype"], np.dtype(np.str_)),
                            definition.get("ivoa:unit") or definition.get("fits:tunit") or "",
                            " ".join(definition.get("description", "").split()),
                        )
                    )
        schemas[table["name"]] = tuple(found)
    return schemas


def columns_of(table: str) -> tuple[Column, ...]:
    """Columns of one of the release's tables.

    Parameters
    ----------
    table : `str`
        Name as in the release's schema, for example ``Object`` or ``ForcedSource``.

    Returns
    -------
    columns : `tuple` [`Column`]
        In the schema's order.

    Raises
    ------
    KeyError
        If the release has no such table.
    """
    return _schemas()[table]


def _empty(dtype: np.dtype[Any], rows: int) -> npt.NDArray[Any]:
    if dtype.kind == "f":
        return np.full(rows, np.nan, dtype=dtype)
    if dtype.kind == "M":
        return np.full(rows, "NaT", dtype=dtype)
    return np.zeros(rows, dtype=dtype)


def make_table(
    name: str, rows: int, values: Mapping[str, npt.ArrayLike], *, first: Sequence[str] = ()
) -> Table:
    """Make a catalogue with all columns of one of the release's tables.

    Parameters
    ----------
    name : `str`
        Name of the table in the release's schema.
    rows : `int`
        Number of rows.
    values : `~collections.abc.Mapping`
        Columns that are known. Names that the schema does not have become columns of their own, as the
        files behind a release have a few more than its database.
    first : `~collections.abc.Sequence` [`str`], optional
        Columns to put before all others.

    Returns
    -------
    table : `astropy.table.Table`
        Without units, like the files of the real release.
    """
    schema = {column.name: column for column in columns_of(name)}
    order = [*first, *(column for column in schema if column not in first)]
    order += [column for column in values if column not in order]
    columns = {}
    for column in order:
        if column in values:
            found = np.broadcast_to(np.asarray(values[column]), (rows,))
            dtype = schema[column].dtype if column in schema else found.dtype
            columns[column] = found.astype(np.str_ if dtype.kind == "U" else dtype)
        else:
            columns[column] = _empty(schema[column].dtype, rows)
    return Table(columns, copy=False)
