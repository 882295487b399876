"""What the rows of a query hold, and in which order they come.

The order of merged rows is defined here, since databases differ: texts by code point, missing values
before all others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any

from lsst.daf.butler import DimensionGroup
from lsst.daf.butler.queries.result_specs import (
    DataCoordinateResultSpec,
    DatasetRefResultSpec,
    DimensionRecordResultSpec,
    GeneralResultSpec,
    ResultSpec,
)

__all__ = [
    "Row",
    "RowReader",
    "UnmergeableError",
    "direction",
    "is_missing_possible",
    "is_portable",
    "portable_ties",
]

Row = Any
"""A data coordinate, dataset reference, dimension record or tuple of columns."""

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}


class UnmergeableError(Exception):
    """Rows of several parts cannot be merged as they were asked for; the text is the reason."""


class _Reversed:
    """Sorts the other way round."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: _Reversed) -> bool:
        return bool(other.value < self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Reversed) and bool(other.value == self.value)

    __hash__ = None  # type: ignore[assignment]  # keys are compared, not looked up


class RowReader:
    """Reads rows as the parts of a query give them.

    Parameters
    ----------
    spec : `lsst.daf.butler.queries.result_specs.ResultSpec`
        What rows were asked for.
    part_spec : `lsst.daf.butler.queries.result_specs.ResultSpec`
        What the parts were asked for: the same, or more.
    """

    def __init__(self, spec: ResultSpec, part_spec: ResultSpec) -> None:
        self._spec = spec
        # Positions of the columns of general rows, as the parts give them.
        self._columns: dict[tuple[str, str | None], int] = {}
        if isinstance(part_spec, GeneralResultSpec):
            columns = part_spec.get_result_columns()
            self._columns = {(str(c.logical_table), c.field): i for i, c in enumerate(columns)}
        self._asked: list[int] | None = None
        if isinstance(spec, GeneralResultSpec):
            self._asked = [self._columns[str(c.logical_table), c.field] for c in spec.get_result_columns()]

    def identity(self, row: Row) -> Hashable:
        """Value that rows have in common of which only the first counts.

        Parameters
        ----------
        row : `Row`
            A row.

        Returns
        -------
        identity : hashable
            Data ID, identifier of the dataset, or all that was asked for.
        """
        # The type of a row follows from the specification, which a type checker cannot know.
        match self._spec:
            case DataCoordinateResultSpec():
                return row.required_values  # type: ignore[no-any-return]  # rows have no type
            case DimensionRecordResultSpec():
                return row.dataId.required_values  # type: ignore[no-any-return]  # rows have no type
            case DatasetRefResultSpec(find_first=True):
                return row.dataId.required_values  # type: ignore[no-any-return]  # rows have no type
            case DatasetRefResultSpec():
                return row.id  # type: ignore[no-any-return]  # rows have no type
            case GeneralResultSpec(find_first=True):
                return tuple(row[self._columns[name, None]] for name in self._spec.dimensions.required)
            case _:
                return tuple(map(repr, self.asked(row)))

    def asked(self, row: Row) -> tuple[Any, ...]:
        """Columns of a general row without those that only the merging needs.

        Parameters
        ----------
        row : `tuple`
            A row of a part.

        Returns
        -------
        row : `tuple`
            The row that was asked for.
        """
        assert self._asked is not None, "a general query"
        return tuple(row[i] for i in self._asked)

    def key(self, terms: Sequence[Any]) -> Callable[[Row], tuple[Any, ...]]:
        """Make a function by which rows are sorted.

        Parameters
        ----------
        terms : sequence
            Upstream's terms of an order.

        Returns
        -------
        key : callable
            Gives a value that can be compared with those of other rows.
        """
        parts = [direction(term) for term in terms]

        def key(row: Row) -> tuple[Any, ...]:
            values: list[Any] = []
            for expression, descending in parts:
                value = self._value(expression, row)
                present = (value is not None, value)
                values.append(_Reversed(present) if descending else present)
            return tuple(values)

        return key

    def _value(self, expression: Any, row: Row) -> Any:
        """Value of a column expression in a row."""
        match expression.expression_type:
            case "dimension_key":
                return self._dimension_value(expression.dimension.name, row)
            case "dimension_field":
                return self._record_value(expression.element.name, expression.field, row)
            case "dataset_field":
                if self._columns:
                    return row[self._columns[str(expression.dataset_type), expression.field]]
                return row.run if expression.field == "run" else row.id
            case "unary":
                value = self._value(expression.operand, row)
                if value is None:
                    return None
                match expression.operator:
                    case "begin_of":
                        return value.nsec[0]
                    case "end_of":
                        return value.nsec[1]
                    case _:
                        return -value
            case "binary":
                a, b = self._value(expression.a, row), self._value(expression.b, row)
                return None if a is None or b is None else _OPERATORS[expression.operator](a, b)
            case _:
                return expression.value

    def _dimension_value(self, name: str, row: Row) -> Any:
        match self._spec:
            case DataCoordinateResultSpec():
                return row[name]
            case DatasetRefResultSpec():
                return row.dataId[name]
            case DimensionRecordResultSpec():
                return row.dataId[name] if name in row.dataId.dimensions.required else getattr(row, name)
            case _:
                return row[self._columns[name, None]]

    def _record_value(self, element: str, field: str, row: Row) -> Any:
        match self._spec:
            case DataCoordinateResultSpec():
                return getattr(row.records[element], field)
            case DatasetRefResultSpec():
                return getattr(row.dataId.records[element], field)
            case DimensionRecordResultSpec(element=asked) if asked.name == element:
                return getattr(row, field)
            case _:
                return row[self._columns[element, field]]


def is_portable(term: Any) -> bool:
    """Tell whether all databases, and this module, sort by a term in the same way, but for missing values.

    Parameters
    ----------
    term : `lsst.daf.butler.queries.tree.OrderExpression`
        A term of an order.

    Returns
    -------
    portable : `bool`
        `True` for numbers and times that belong to dimensions.
    """
    expression, _ = direction(term)
    return term.column_type in ("int", "float", "datetime") and not _uses_datasets(expression)


def is_missing_possible(term: Any) -> bool:
    """Tell whether a row may have no value for a term.

    Parameters
    ----------
    term : `lsst.daf.butler.queries.tree.OrderExpression`
        A term of an order.

    Returns
    -------
    possible : `bool`
        `False` for dimensions themselves.
    """
    return direction(term)[0].expression_type not in ("dimension_key", "literal")


def portable_ties(dimensions: DimensionGroup, pinned: Collection[str]) -> list[str] | None:
    """Dimensions that break all ties in the same way in all databases.

    Parameters
    ----------
    dimensions : `lsst.daf.butler.DimensionGroup`
        Dimensions of the rows.
    pinned : collection of `str`
        Dimensions that have one value in all rows.

    Returns
    -------
    names : `list` [`str`] or `None`
        `None` if texts are among them, which databases sort each in its way.
    """
    names = [name for name in dimensions.required if name not in pinned]
    types = {dimensions.universe.dimensions[name].primaryKey.getPythonType() for name in names}
    return names if types <= {int} else None


def direction(term: Any) -> tuple[Any, bool]:
    """Take a term of an order apart.

    Parameters
    ----------
    term : `lsst.daf.butler.queries.tree.OrderExpression`
        A term of an order.

    Returns
    -------
    expression : `lsst.daf.butler.queries.tree.ColumnExpression`
        What is sorted by.
    descending : `bool`
        Whether the largest comes first.
    """
    if term.expression_type == "reversed":
        return term.operand, True
    return term, False


def _uses_datasets(expression: Any) -> bool:
    match expression.expression_type:
        case "dataset_field":
            return True
        case "unary":
            return _uses_datasets(expression.operand)
        case "binary":
            return _uses_datasets(expression.a) or _uses_datasets(expression.b)
        case _:
            return False
