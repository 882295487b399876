"""Putting the rows of several parts of a query together: each once, in one order, up to the limit.

The order of merged rows is defined here, since databases differ: texts by code point, missing values
before all others.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from lsst.daf.butler.queries.driver import (
    DataCoordinateResultPage,
    DatasetRefResultPage,
    DimensionRecordResultPage,
    GeneralResultPage,
    ResultPage,
)
from lsst.daf.butler.queries.result_specs import (
    DataCoordinateResultSpec,
    DatasetRefResultSpec,
    DimensionRecordResultSpec,
    GeneralResultSpec,
    ResultSpec,
)
from lsst.daf.butler.queries.tree import ColumnSet, DimensionKeyReference
from lsst.utils.iteration import chunk_iterable

__all__ = ["Merger", "UnmergeableError"]

_PAGE_ROWS = 2_000

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}

Row = Any
"""A data coordinate, dataset reference, dimension record or tuple of columns."""


class UnmergeableError(Exception):
    """Rows of several parts cannot be merged as they were asked for; the text is the reason."""


class Merger:
    """Merges the rows of the parts of one query.

    Parameters
    ----------
    spec : `lsst.daf.butler.queries.result_specs.ResultSpec`
        What rows are asked for, in which order, and how many.

    Raises
    ------
    UnmergeableError
        If the rows are to be ordered by what they do not hold.
    """

    def __init__(self, spec: ResultSpec) -> None:
        self._spec = spec
        self._part_spec = self._for_parts(spec)
        # Positions of the columns of general rows, as the parts give them.
        self._columns: dict[tuple[str, str | None], int] = {}
        if isinstance(self._part_spec, GeneralResultSpec):
            columns = self._part_spec.get_result_columns()
            self._columns = {(str(c.logical_table), c.field): i for i, c in enumerate(columns)}

    def pages(self, parts: Iterable[Callable[[ResultSpec], Iterator[Row]]]) -> Iterator[ResultPage]:
        """Merge rows.

        Parameters
        ----------
        parts : iterable of callable
            Each gives the rows of a part that fit the specification it is called with. They are
            called one after the other, since an official server allows few queries at once.

        Yields
        ------
        page : `lsst.daf.butler.queries.driver.ResultPage`
            Some more rows. Rows that have to be ordered are held in memory, others streamed.
        """
        rows = self._ordered(parts) if self._spec.order_by else self._unordered(parts)
        for chunk in chunk_iterable(rows, _PAGE_ROWS):
            yield self._page(list(chunk))

    def _unordered(self, parts: Iterable[Callable[[ResultSpec], Iterator[Row]]]) -> Iterator[Row]:
        limit = self._spec.limit
        seen: set[Hashable] = set()
        for part in parts:
            spec = self._part_spec
            if limit is not None:
                if len(seen) >= limit:
                    return
                # Rows of earlier parts may hide as many of this one.
                spec = spec.model_copy(update={"limit": limit + len(seen)})
            for row in part(spec):
                identity = self._identity(row)
                if identity in seen:
                    continue
                seen.add(identity)
                yield row
                if limit is not None and len(seen) >= limit:
                    return

    def _ordered(self, parts: Iterable[Callable[[ResultSpec], Iterator[Row]]]) -> Iterator[Row]:
        rows: dict[Hashable, Row] = {}
        for part in parts:
            for row in part(self._part_spec):
                rows.setdefault(self._identity(row), row)
        ordered = list(rows.values())
        # Sorting is stable: the last term first.
        for term in reversed(self._spec.order_by):
            descending = term.expression_type == "reversed"
            expression: Any = term.operand if term.expression_type == "reversed" else term

            def key(row: Row, expression: Any = expression) -> tuple[bool, Any]:
                value = self._value(expression, row)
                return (value is not None, value)

            ordered.sort(key=key, reverse=descending)
        yield from ordered[: self._spec.limit]

    def _for_parts(self, spec: ResultSpec) -> ResultSpec:
        """What to ask of each part, so that its rows can be compared with those of others."""
        if isinstance(spec, GeneralResultSpec) and spec.include_dimension_records:
            raise UnmergeableError("dimension records are asked for with general results")
        if not spec.order_by:
            return spec
        needed = ColumnSet(spec.dimensions)
        for term in spec.order_by:
            term.gather_required_columns(needed)
        update: dict[str, Any] = {"order_by": (), "limit": None}
        dataset_fields: dict[str, set[str]] = {
            str(name): {*fields} for name, fields in needed.dataset_fields.items() if fields
        }
        dimension_fields = {name: set(fields) for name, fields in needed.dimension_fields.items() if fields}
        if isinstance(spec, GeneralResultSpec):
            update["dataset_fields"] = _united(spec.dataset_fields, dataset_fields)
            update["dimension_fields"] = _united(spec.dimension_fields, dimension_fields)
        else:
            held = (
                {spec.dataset_type_name: {"dataset_id", "run"}}
                if isinstance(spec, DatasetRefResultSpec)
                else {}
            )
            for name, fields in dataset_fields.items():
                if beyond := fields - held.get(name, set()):
                    raise UnmergeableError(f"rows are ordered by {name}.{min(beyond)}")
            if dimension_fields and not isinstance(spec, DimensionRecordResultSpec):
                update["include_dimension_records"] = True
            numeric = all(term.column_type in ("int", "float", "datetime") for term in spec.order_by)
            if spec.limit is not None and numeric and not dataset_fields:
                # The first rows of all are among the first rows of each part, if every part breaks
                # ties in the same way.
                ties = tuple(
                    DimensionKeyReference.model_construct(dimension=spec.dimensions.universe.dimensions[name])
                    for name in spec.dimensions.required
                )
                update |= {"order_by": (*spec.order_by, *ties), "limit": spec.limit}
        return spec.model_copy(update=update)

    def _identity(self, row: Row) -> Hashable:
        # The type of a row follows from the specification, which a type checker cannot know.
        match self._spec:
            case DataCoordinateResultSpec():
                return row.required_values  # type: ignore[no-any-return]
            case DimensionRecordResultSpec():
                return row.dataId.required_values  # type: ignore[no-any-return]
            case DatasetRefResultSpec(find_first=True):
                return row.dataId.required_values  # type: ignore[no-any-return]
            case DatasetRefResultSpec():
                return row.id  # type: ignore[no-any-return]
            case GeneralResultSpec(find_first=True):
                return tuple(row[self._columns[name, None]] for name in self._spec.dimensions.required)
            case _:
                return tuple(map(repr, self._asked_columns(row)))

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
            case DimensionRecordResultSpec():
                raise UnmergeableError(f"rows are ordered by {element}.{field}")
            case _:
                return row[self._columns[element, field]]

    def _asked_columns(self, row: Row) -> tuple[Any, ...]:
        """Columns of a general row without those that only the merging needs."""
        asked = self._spec.get_result_columns()
        return tuple(row[self._columns[str(c.logical_table), c.field]] for c in asked)

    def _page(self, rows: list[Row]) -> ResultPage:
        match self._spec:
            case DataCoordinateResultSpec():
                return DataCoordinateResultPage(spec=self._spec, rows=rows)
            case DimensionRecordResultSpec():
                return DimensionRecordResultPage(spec=self._spec, rows=rows)
            case DatasetRefResultSpec():
                return DatasetRefResultPage(spec=self._spec, rows=rows)
            case GeneralResultSpec():
                asked = [self._asked_columns(row) for row in rows]
                return GeneralResultPage(spec=self._spec, rows=asked, dimension_records=None)
        raise AssertionError(f"Unknown result specification {self._spec!r}")


def _united(asked: Any, needed: dict[str, set[str]]) -> dict[str, set[str]]:
    united = {name: set(fields) for name, fields in asked.items()}
    for name, fields in needed.items():
        united.setdefault(name, set()).update(fields)
    return united
