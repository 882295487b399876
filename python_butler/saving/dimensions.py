"""Which dimensions a new dataset type has, told by the data ID of its first dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from lsst.daf.butler import DataCoordinate, DataId, DimensionGroup, DimensionUniverse

from ..errors import InvalidRequestError

__all__ = ["check_values", "dimensions_of"]


def dimensions_of(
    data_id: DataId | None, values: Mapping[str, Any], universe: DimensionUniverse
) -> DimensionGroup:
    """Infer dimensions from a data ID.

    Parameters
    ----------
    data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
        Data ID; may name dimensions by their records, as ``exposure.obs_id``.
    values : `dict`
        More values of it.
    universe : `lsst.daf.butler.DimensionUniverse`
        All dimensions.

    Returns
    -------
    dimensions : `lsst.daf.butler.DimensionGroup`
        Those named, and those that they require, as a tract requires a skymap.

    Raises
    ------
    InvalidRequestError
        If something is named that is no dimension.
    """
    if isinstance(data_id, DataCoordinate):
        names = [*data_id.dimensions.required, *values]
    else:
        names = [*(data_id or {}), *values]
    found = {name.partition(".")[0] for name in names}
    unknown = sorted(found - set(universe.dimensions.names))
    if unknown:
        raise InvalidRequestError(*_no_dimension(unknown[0], universe))
    return universe.conform(found)


def check_values(
    name: str, dimensions: DimensionGroup, data_id: DataId | None, values: Mapping[str, Any]
) -> None:
    """Refuse dimensions that a dataset type does not have: two datasets could seem to be one.

    Parameters
    ----------
    name : `str`
        Name of the dataset type.
    dimensions : `lsst.daf.butler.DimensionGroup`
        Its dimensions.
    data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
        Data ID.
    values : `dict`
        More values of it.

    Raises
    ------
    InvalidRequestError
        If one of them is not among its dimensions, nor a part of one of their records.
    """
    given = data_id.dimensions.required if isinstance(data_id, DataCoordinate) else (data_id or {})
    universe = dimensions.universe
    for key in [*given, *values]:
        dimension = key.partition(".")[0]
        if dimension in dimensions or (dimension not in universe.dimensions and _is_field(key, dimensions)):
            continue
        if dimension in universe.dimensions:
            has = ", ".join(dimensions.required) or "none"
            raise InvalidRequestError(
                f"Dataset type {name!r} has the dimensions {has}, the data ID also has {dimension}.",
                "Leave it out, or save under another name.",
            )
        raise InvalidRequestError(*_no_dimension(key, universe, dimensions.names))


def _is_field(key: str, dimensions: DimensionGroup) -> bool:
    """Whether upstream would look for a value in the dimensions' records, as for ``obs_id``."""
    universe = dimensions.universe
    return any(
        key in universe.dimensions[name].metadata.names or key in universe.dimensions[name].uniqueKeys.names
        for name in dimensions.names
    )


def _no_dimension(
    name: str, universe: DimensionUniverse, among: Iterable[str] | None = None
) -> tuple[str, str]:
    names = sorted(universe.dimensions.names)
    close = get_close_matches(name, names, n=3, cutoff=0.5)
    owners = [
        d
        for d in names
        if name in universe.dimensions[d].metadata.names | universe.dimensions[d].uniqueKeys.names
    ]
    if owners and among is None:
        step = f"It is a field of {owners[0]}: give {{'{owners[0]}.{name}': ...}} as the data ID."
    elif close:
        step = f"Did you mean {' or '.join(close)}?"
    else:
        step = f"Dimensions are {', '.join(sorted(among) if among else names)}."
    return f"There is no dimension {name!r}.", step
