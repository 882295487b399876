"""Arguments of a wrong kind are told as upstream tells them, before either repository is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import Any

from lsst.daf.butler import DataCoordinate, DatasetType, MissingCollectionError
from lsst.daf.butler.registry import DatasetTypeExpressionError
from lsst.utils.iteration import ensure_iterable

__all__ = [
    "check_dataset_type_expression",
    "collection_name",
    "collection_terms",
    "dataset_type_name",
    "may_exist",
]


def dataset_type_name(dataset_type: DatasetType | str) -> str:
    """Name of a dataset type that was given as such or by its name.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType` or `str`
        What was given.

    Returns
    -------
    name : `str`
        Its name; that of a component if one is meant.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(dataset_type, str):
        return dataset_type
    if isinstance(dataset_type, DatasetType):
        return dataset_type.name
    raise TypeError(f"A dataset type is given by its name or as a DatasetType, not as {_said(dataset_type)}.")


def check_dataset_type_expression(expression: Any) -> None:
    """Make sure that dataset types are asked for by names, patterns or themselves.

    Parameters
    ----------
    expression : dataset type expression
        What was given; ``...`` means all of them.

    Raises
    ------
    lsst.daf.butler.registry.DatasetTypeExpressionError
        If a part of it is something else.
    """
    for term in () if expression is ... else ensure_iterable(expression):
        if not isinstance(term, str | re.Pattern | DatasetType):
            raise DatasetTypeExpressionError(
                f"Invalid dataset type expression: {_said(term)} is neither the name of a dataset type, "
                "nor a pattern, nor a DatasetType."
            )


def collection_name(name: str) -> str:
    """Name of a collection, which has to be a string.

    Parameters
    ----------
    name : `str`
        What was given.

    Returns
    -------
    name : `str`
        The same.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If it is anything else: there is no such collection.
    """
    if not isinstance(name, str):
        raise MissingCollectionError(
            f"No collection with name '{name}' found: a name is a string, not {_said(name)}."
        )
    return name


def collection_terms(expression: Any) -> list[str]:
    """Names and patterns of collections.

    Parameters
    ----------
    expression : collection expression
        What was given; ``...`` means all of them.

    Returns
    -------
    terms : `list` [`str`]
        Names and glob patterns.

    Raises
    ------
    TypeError
        If it is something else, such as a mapping, of which only the keys would be looked at.
    """
    if expression is ...:
        return ["*"]
    terms = [expression] if isinstance(expression, str) else expression
    if isinstance(terms, Iterable) and not isinstance(terms, Mapping | bytes):
        terms = list(terms)
    for term in terms if isinstance(terms, list) else [terms]:
        if not isinstance(term, str):
            raise TypeError(f"Collections are given by their names, not as {_said(term)}.")
    return terms


def may_exist(data_id: Any, values: Mapping[str, Any]) -> bool:
    """Tell whether a data ID has values that dimensions can have, before the server is asked for them.

    Parameters
    ----------
    data_id : `dict` or `lsst.daf.butler.DataCoordinate` or `None`
        Data ID as the user gave it.
    values : `dict`
        More values of it.

    Returns
    -------
    may : `bool`
        `False` if one is a fraction, which no dimension has: there is no such dataset.

    Raises
    ------
    TypeError
        If one is nothing that a data ID can hold.
    """
    if isinstance(data_id, Mapping) and not isinstance(data_id, DataCoordinate):
        values = {**data_id, **values}
    for name, value in values.items():
        if value is None or isinstance(value, type) or (isinstance(value, Iterable) and not _is_text(value)):
            raise TypeError(f"Invalid type of value {value!r} for {name!r} in a data ID: {_said(value)}.")
    fractions = (value for value in values.values() if isinstance(value, Real))
    return all(isinstance(value, Integral) or float(value).is_integer() for value in fractions)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bytes)


def _said(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
