"""Tables whose columns tell their units and what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import astropy.units as u
from astropy.table import Column, Table

__all__ = ["ColumnSpec", "make_table"]

type ColumnSpec = tuple[Any, u.UnitBase | None, str]
"""A column's values, unit and description."""


def make_table(columns: Mapping[str, ColumnSpec], **meta: object) -> Table:
    """Make a table that the storage class ``ArrowAstropy`` keeps with its units and descriptions.

    Parameters
    ----------
    columns : `~collections.abc.Mapping`
        Values, unit and description of each column by its name.
    **meta
        What to note about the whole table.

    Returns
    -------
    table : `astropy.table.Table`
        Not a `~astropy.table.QTable`, which cannot be written; make one of what is read.
    """
    return Table(
        {
            name: Column(values, unit=unit, description=description)
            for name, (values, unit, description) in columns.items()
        },
        meta=meta,
    )
