"""By what the datasets of a type can be narrowed."""

from __future__ import annotations

from lsst.daf.butler import DatasetType, Dimension

from ..collections import flatten
from ..repository import BrowsedRepository
from .models import FacetDimension, QueryShape

__all__ = ["governors", "is_text", "shape_of"]


def shape_of(dataset_type: DatasetType) -> QueryShape:
    """Tell by what the datasets of a type can be narrowed.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        The type.

    Returns
    -------
    shape : `QueryShape`
        Its dimensions, and the columns of position and time.
    """
    dimensions = dataset_type.dimensions
    region, timespan = dimensions.region_dimension, dimensions.timespan_dimension
    return QueryShape(
        facets=[
            FacetDimension(
                name=name,
                type="str" if is_text(dimensions.universe.dimensions[name]) else "int",
                implied=name in dimensions.implied,
            )
            for name in dimensions.names
        ],
        region=None if region is None else f"{region}.region",
        timespan=None if timespan is None else f"{timespan}.timespan",
    )


def is_text(dimension: Dimension) -> bool:
    """Tell whether a dimension's values are text; otherwise they are integers.

    Parameters
    ----------
    dimension : `lsst.daf.butler.Dimension`
        The dimension.

    Returns
    -------
    is_text : `bool`
        Whether they are.
    """
    return dimension.primaryKey.getPythonType() is str


def governors(repository: BrowsedRepository, collection: str) -> dict[str, set[str]]:
    """Give the instruments and skymaps that a collection has datasets of.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        Name of a collection of any type.

    Returns
    -------
    governors : `dict` [`str`, `set` [`str`]]
        By dimension, the values.
    """

    def ask() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        registry = repository.butler().registry
        for info in flatten(repository, collection):
            for name, values in registry.getCollectionSummary(info.name).governors.items():
                found.setdefault(name, set()).update(values)
        return found

    return repository.memory.get(("governors", collection), ask, version=repository.version())
