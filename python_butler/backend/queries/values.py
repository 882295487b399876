"""The values of a dimension that occur among the datasets of a type, to choose from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from lsst.daf.butler import Dimension
from lsst.daf.butler.queries.expression_factory import ExpressionFactory, ScalarExpressionProxy
from lsst.daf.butler.queries.tree import Predicate

from ...errors import InvalidRequestError
from ..listing import plan
from ..models import DataIdValue
from ..repository import BrowsedRepository
from ..streaming import Sink
from .calls import apply
from .models import DatasetSearch, FacetValues
from .shape import governors, is_text

__all__ = ["find_values"]

_DIGITS = 19
"""Digits of the largest integer that a database has."""


def find_values(
    repository: BrowsedRepository,
    search: DatasetSearch,
    dimension: str,
    prefix: str,
    limit: int,
    sink: Sink,
) -> FacetValues:
    """Find the values of a dimension, and remember them for a while.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    search : `DatasetSearch`
        Among which datasets; what it says of the dimension itself, of order and limit does not count.
    dimension : `str`
        Name of the dimension.
    prefix : `str`
        What the values begin with; in text, ``*`` and ``?`` stand for other characters.
    limit : `int`
        Most values.
    sink : `Sink`
        Told how to end the query.

    Returns
    -------
    values : `FacetValues`
        The values, in order.

    Raises
    ------
    InvalidRequestError
        If there is no such dimension, or the rest of the filter cannot be used.
    """
    data_id = {name: values for name, values in search.filter.data_id.items() if name != dimension}
    others = search.filter.model_copy(update={"data_id": data_id, "order_by": [], "limit": None})
    search = search.model_copy(update={"filter": others})
    question = ("values", search.model_dump_json(), dimension, prefix, limit)
    return repository.memory.get(
        question,
        lambda: _ask(repository, search, dimension, prefix.strip(), limit, sink),
        version=repository.version(),
    )


def _ask(
    repository: BrowsedRepository, search: DatasetSearch, name: str, prefix: str, limit: int, sink: Sink
) -> FacetValues:
    listing = plan(repository, search)
    dimensions = listing.dataset_type.dimensions.universe.dimensions
    if name not in dimensions.names:
        raise InvalidRequestError(f"There is no dimension {name}.", "Choose one of the dataset type's.")
    if listing.is_empty:
        return FacetValues(values=[], capped=False)
    values: list[DataIdValue] = []
    with repository.query(sink) as butler, butler.query() as query:
        joined = apply(query.join_dataset_search(listing.dataset_type, search.collection), listing.call)
        if prefix:
            factory = query.expression_factory
            predicate = _beginning(factory, dimensions[name], prefix)
            if predicate is None:
                return FacetValues(values=[], capped=False)
            joined = joined.where(predicate)
            # Upstream refuses to compare visits unless it is said of which instruments.
            for governor, known in governors(repository, search.collection).items():
                if governor in dimensions[name].minimal_group.governors and known:
                    proxy = cast(ScalarExpressionProxy, getattr(factory, governor))
                    joined = joined.where(factory.any(*(proxy == value for value in sorted(known))))
        found = joined.data_ids([name]).order_by(name).limit(limit + 1)
        values.extend(dict.fromkeys(cast(Iterable[DataIdValue], (data_id[name] for data_id in found))))
    return FacetValues(values=values[:limit], capped=len(values) > limit)


def _beginning(factory: ExpressionFactory, dimension: Dimension, prefix: str) -> Predicate | None:
    """Express that a value begins so; `None` if none can."""
    proxy = cast(ScalarExpressionProxy, getattr(factory, dimension.name))
    if is_text(dimension):
        return proxy.glob(f"{prefix}*")
    if not prefix.isdecimal() or len(prefix) > _DIGITS - 1:
        return None
    first = int(prefix)
    if first == 0:
        return proxy == 0
    # All numbers that begin with these digits, by how many digits follow.
    scales = [10**following for following in range(_DIGITS - len(prefix))]
    return factory.any(*(proxy.in_range(first * scale, (first + 1) * scale) for scale in scales))
