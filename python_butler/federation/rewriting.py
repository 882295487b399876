"""Data IDs that name dimensions by their records, such as an exposure by its ``obs_id``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from lsst.daf.butler import Butler, DataCoordinate, DataId, DatasetType, DimensionUniverse
from lsst.daf.butler.direct_butler import DirectButler

__all__ = ["rewrite"]


def rewrite(
    butler: Butler, data_id: DataId | None, dataset_type: DatasetType, values: dict[str, Any]
) -> tuple[DataId | None, dict[str, Any]]:
    """Replace what a data ID says by dimension records, as ``exposure.obs_id``, by dimension values.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        Where the records are looked up.
    data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
        Data ID as the user gave it.
    dataset_type : `lsst.daf.butler.DatasetType`
        Dataset type it is for.
    values : `dict`
        More values of the data ID.

    Returns
    -------
    data_id : `dict` or `lsst.daf.butler.DataCoordinate` or `None`
        Data ID with dimension values only.
    values : `dict`
        The rest of them.

    Raises
    ------
    lsst.daf.butler.DimensionValueError
        If no record, or more than one, is as the data ID says.
    """
    if _is_plain(data_id, dataset_type, values):
        return data_id, values
    # Upstream's method needs nothing of its class but what every Butler has.
    return DirectButler._rewrite_data_id(cast(DirectButler, butler), data_id, dataset_type, **values)


def _is_plain(data_id: Any, dataset_type: DatasetType, values: Mapping[str, Any]) -> bool:
    """Whether there is nothing to replace: upstream's look at each value takes its time."""
    if isinstance(data_id, Mapping):
        values = {**data_id, **values}
    elif data_id is not None and not isinstance(data_id, DataCoordinate):
        return False
    dimensions = dataset_type.dimensions
    return all(
        name in dimensions and type(value) is _python_type(dimensions.universe, name)
        for name, value in values.items()
    )


@lru_cache(maxsize=256)
def _python_type(universe: DimensionUniverse, name: str) -> type:
    """Type of a dimension's values."""
    found: type = universe.dimensions[name].primaryKey.getPythonType()
    return found
