"""Rows of a general query whose columns come from both repositories, joined by data ID."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from lsst.daf.butler import DataIdValue
from lsst.daf.butler.queries.result_specs import GeneralResultSpec

__all__ = ["GeneralJoin"]

Row = tuple[Any, ...]
_Column = tuple[str, str | None]


class GeneralJoin:
    """Joins the columns of datasets on the other side to rows of a general query.

    Rows are first those of `base_spec`; each call of `joined` appends the columns of one dataset type.

    Parameters
    ----------
    spec : `lsst.daf.butler.queries.result_specs.GeneralResultSpec`
        The rows that are wanted.
    away : `set` [`str`]
        Dataset types on the other side, whose fields are among the columns.

    Attributes
    ----------
    base_spec : `lsst.daf.butler.queries.result_specs.GeneralResultSpec`
        The columns that the base side gives.
    away_specs : `dict` [`str`, `lsst.daf.butler.queries.result_specs.GeneralResultSpec`]
        For each dataset type on the other side, the columns it gives.
    """

    def __init__(self, spec: GeneralResultSpec, away: set[str]) -> None:
        self._spec = spec
        kept = {name: fields for name, fields in spec.dataset_fields.items() if name not in away}
        plain: dict[str, Any] = {"order_by": (), "limit": None}
        # Dimension records are the base side's.
        bare = {"dimension_fields": {}, "include_dimension_records": False}
        # The first dataset is looked for where it is; the base side has only its data IDs.
        first = {} if kept else {"find_first": False}
        self.base_spec = spec.model_copy(update=plain | {"dataset_fields": kept} | first)
        self.away_specs = {
            name: spec.model_copy(update=plain | bare | {"dataset_fields": {name: spec.dataset_fields[name]}})
            for name in sorted(away)
        }
        self._columns = _columns(self.base_spec)

    def data_ids(self, rows: Iterable[Row], name: str) -> set[tuple[DataIdValue, ...]]:
        """Data IDs for which datasets have to be looked up.

        Parameters
        ----------
        rows : iterable of `tuple`
            Rows so far.
        name : `str`
            Dataset type on the other side.

        Returns
        -------
        data_ids : `set` [`tuple`]
            Values of the required dimensions.
        """
        positions = self._key_positions()
        return {tuple(row[i] for i in positions) for row in rows}

    def joined(self, rows: Iterable[Row], name: str, found: Iterable[Row]) -> Iterator[Row]:
        """Append the columns of one dataset type.

        Parameters
        ----------
        rows : iterable of `tuple`
            Rows so far.
        name : `str`
            Dataset type on the other side.
        found : iterable of `tuple`
            What was looked up, as its specification says.

        Yields
        ------
        row : `tuple`
            A row for each match.
        """
        columns = _columns(self.away_specs[name])
        keys = [columns.index((dimension, None)) for dimension in self._spec.dimensions.required]
        fields = [i for i, (table, field) in enumerate(columns) if field is not None]
        matches: dict[Row, list[Row]] = defaultdict(list)
        for row in found:
            matches[tuple(row[i] for i in keys)].append(tuple(row[i] for i in fields))
        positions = self._key_positions()
        self._columns = [*self._columns, *(columns[i] for i in fields)]
        for row in rows:
            for match in matches.get(tuple(row[i] for i in positions), ()):
                yield row + match

    def in_order(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Bring the columns into the order in which they are wanted.

        Parameters
        ----------
        rows : iterable of `tuple`
            Rows with the columns of all dataset types.

        Yields
        ------
        row : `tuple`
            A row as the specification has it.
        """
        positions = [self._columns.index(column) for column in _columns(self._spec)]
        for row in rows:
            yield tuple(row[i] for i in positions)

    def _key_positions(self) -> list[int]:
        return [self._columns.index((dimension, None)) for dimension in self._spec.dimensions.required]


def _columns(spec: GeneralResultSpec) -> list[_Column]:
    return [(str(column.logical_table), column.field) for column in spec.get_result_columns()]
