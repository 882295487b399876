"""Orders of a list, and positions in them: a page begins where the one before ended, whatever the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from astropy.time import Time
from lsst.daf.butler import DatasetRef, DatasetType, DimensionElement
from lsst.daf.butler.queries.convert_args import convert_order_by_args
from lsst.daf.butler.queries.tree import (
    ColumnExpression,
    DatasetFieldReference,
    DimensionFieldReference,
    DimensionKeyReference,
    OrderExpression,
    Predicate,
    Reversed,
    UnaryExpression,
    make_column_literal,
)
from lsst.daf.butler.time_utils import TimeConverter

from ...errors import InvalidRequestError

_Unreversed = DimensionKeyReference | DimensionFieldReference | DatasetFieldReference | UnaryExpression

__all__ = ["Key", "Position", "Value", "beyond", "keys_of", "nulls_are_small", "position_of"]

Value = int | float | str | None
Position = tuple[Value, ...]


@dataclass(frozen=True)
class Key:
    """One of the things that a list is ordered by."""

    name: str
    expression: _Unreversed
    descending: bool
    type: type
    """Of its values as they are in a cursor: times are integers there."""
    needs_records: bool
    """Whether its values are in dimension records, which have to be asked for."""
    is_required: bool
    """Whether it is one of the data ID's required dimensions, which always have a value."""

    def order(self) -> OrderExpression:
        """Give what upstream orders by."""
        return Reversed(operand=self.expression) if self.descending else self.expression

    def value(self, ref: DatasetRef) -> Value:
        """Give the value that a dataset has."""
        match self.expression:
            case DimensionKeyReference(dimension=dimension):
                return cast(Value, ref.dataId[dimension.name])
            case DimensionFieldReference(element=element, field=field):
                return cast(Value, _field(ref, element, field))
            case UnaryExpression(operand=DimensionFieldReference(element=element, field=field), operator=end):
                span = _field(ref, element, field)
                time = None if span is None else (span.begin if end == "begin_of" else span.end)
                return TimeConverter().astropy_to_nsec(time) if isinstance(time, Time) else None
            case _:
                return ref.run

    def literal(self, value: Value) -> ColumnExpression:
        """Give a value as upstream compares with it."""
        if isinstance(self.expression, UnaryExpression):
            return make_column_literal(TimeConverter().nsec_to_astropy(cast(int, value)))
        return make_column_literal(value)


def keys_of(dataset_type: DatasetType, order_by: Sequence[str]) -> tuple[Key, ...]:
    """Find out what a list is ordered by; in the end it is always the data ID that decides.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        What is listed.
    order_by : sequence of `str`
        As upstream takes it.

    Returns
    -------
    keys : `tuple` [`Key`]
        The keys, the most important first.

    Raises
    ------
    InvalidRequestError
        If a list of this type cannot be ordered so.
    """
    keys: dict[str, Key] = {}
    for text in [*order_by, *dataset_type.dimensions.required]:
        key = _key(dataset_type, text)
        keys.setdefault(str(key.expression), key)
    return tuple(keys.values())


def position_of(keys: Sequence[Key], ref: DatasetRef) -> Position:
    """Give the place that a dataset has in an order.

    Parameters
    ----------
    keys : sequence of `Key`
        The order.
    ref : `lsst.daf.butler.DatasetRef`
        The dataset, with dimension records if a key needs them.

    Returns
    -------
    position : `tuple`
        A value for each key.
    """
    return tuple(key.value(ref) for key in keys)


def nulls_are_small(keys: Sequence[Key], before: Position, after: Position) -> bool | None:
    """Learn from two positions, one after the other, where this database puts what has no value.

    Parameters
    ----------
    keys : sequence of `Key`
        The order.
    before, after : `tuple`
        The positions.

    Returns
    -------
    small : `bool` or `None`
        Whether a missing value counts as smaller than all others; `None` if this does not tell.
    """
    for key, one, other in zip(keys, before, after, strict=True):
        if one != other:
            return (one is None) != key.descending if one is None or other is None else None
    return None


def beyond(keys: Sequence[Key], position: Position, nulls_small: bool | None) -> Predicate:
    """Express that a dataset comes after a position.

    ``(a, b) > (A, B)`` as conditions that must all hold, each short: ``a >= A`` and ``(a > A or b > B)``.

    Parameters
    ----------
    keys : sequence of `Key`
        The order.
    position : `tuple`
        The position.
    nulls_small : `bool` or `None`
        What `nulls_are_small` told so far. As long as it could not tell, everything without a value on the
        other side of the position would have been seen, so it comes after, or there is none.

    Returns
    -------
    predicate : `lsst.daf.butler.queries.tree.Predicate`
        The condition.
    """
    conditions: list[Predicate] = []
    further: list[Predicate] = []
    for number, (key, value) in enumerate(zip(keys, position, strict=True)):
        nulls_first = None if nulls_small is None else nulls_small != key.descending
        strict, here = _after(key, value, nulls_first)
        is_last = number == len(keys) - 1
        options = [*further, *strict] if is_last else [*further, *strict, *here]
        conditions.append(Predicate.from_bool(False).logical_or(*options))
        further += strict
    return Predicate.from_bool(True).logical_and(*conditions)


def _after(key: Key, value: Value, nulls_first: bool | None) -> tuple[list[Predicate], list[Predicate]]:
    """Conditions of which one holds after a value, and such for the value itself."""
    missing = Predicate.is_null(key.expression)
    if value is None:
        return ([] if nulls_first is False else [missing.logical_not()]), [missing]
    literal = key.literal(value)
    strict = [Predicate.compare(key.expression, "<" if key.descending else ">", literal)]
    if not key.is_required and nulls_first is not True:
        strict.append(missing)
    return strict, [Predicate.compare(key.expression, "==", literal)]


def _key(dataset_type: DatasetType, text: str) -> Key:
    (order,) = convert_order_by_args(dataset_type.dimensions, {dataset_type.name}, text)
    descending = isinstance(order, Reversed)
    expression = order.operand if isinstance(order, Reversed) else order
    kind: type = object
    needs_records = is_required = False
    match expression:
        case DimensionKeyReference(dimension=dimension) if dimension.name in dataset_type.dimensions.names:
            is_required = dimension.name in dataset_type.dimensions.required
            kind = dimension.primaryKey.getPythonType()
        case DimensionFieldReference(element=element) if element.name in dataset_type.dimensions.elements:
            needs_records = True
            kind = {"int": int, "float": float, "string": str}.get(expression.column_type, object)
        case UnaryExpression(
            operand=DimensionFieldReference(element=element), operator="begin_of" | "end_of"
        ) if element.name in dataset_type.dimensions.elements:
            needs_records = True
            kind = int
        case DatasetFieldReference(field="run"):
            kind = str
    if kind is object or not isinstance(expression, _Unreversed):
        raise InvalidRequestError(
            f"Datasets of type {dataset_type.name} cannot be ordered by {text.removeprefix('-')}.",
            "Take one of their dimensions, a field of these such as visit.exposure_time, or run.",
        )
    return Key(text.removeprefix("-"), expression, descending, kind, needs_records, is_required)


def _field(ref: DatasetRef, element: DimensionElement, field: str) -> Any:
    record = ref.dataId.records[element.name]
    return None if record is None else getattr(record, field)
