"""From a filter to the arguments of a butler's query; the same that a notebook would use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any, Protocol, Self

from astropy.time import Time
from lsst.daf.butler import CollectionType, DatasetType

from ..collections import flatten
from ..models import DataIdValue
from ..repository import BrowsedRepository
from .models import BindValue, DatasetFilter, DatasetSearch, QueryCall, TaiTime
from .shape import governors, is_text, shape_of

__all__ = ["apply", "bound", "call_for", "call_in", "is_narrow"]


class _Narrowable(Protocol):
    """What has upstream's ``where``: a query, or its results."""

    def where(self, *args: Any, bind: Mapping[str, Any] | None = None, **kwargs: Any) -> Self: ...


def is_narrow(filter: DatasetFilter) -> bool:
    """Tell whether a filter leaves anything out.

    Parameters
    ----------
    filter : `DatasetFilter`
        The filter.

    Returns
    -------
    is_narrow : `bool`
        Whether there is a condition in it; an order is none, and neither is a limit.
    """
    chosen = any(filter.data_id.values())
    return chosen or filter.near is not None or filter.time is not None or bool(filter.where.strip())


def call_for(
    dataset_type: DatasetType,
    filter: DatasetFilter,
    governors: Mapping[str, Set[str]],
    *,
    find_first: bool,
) -> QueryCall:
    """Write a filter as arguments of ``Butler.query_datasets``.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        What is looked for.
    filter : `DatasetFilter`
        How it must be; taken to be without problems.
    governors : mapping
        Instruments and skymaps in the collection: where there is one, it need not be named.
    find_first : `bool`
        Whether to search as ``get`` does, unless the filter says.

    Returns
    -------
    call : `QueryCall`
        The arguments.
    """
    universe = dataset_type.dimensions.universe
    data_id: dict[str, DataIdValue] = {}
    terms: list[str] = []
    bind: dict[str, BindValue] = {}
    for name, values in filter.data_id.items():
        if len(values) == 1:
            data_id[name] = values[0]
        elif values:
            # Never a dimension's name, for which the expression would take the dimension instead.
            bound_name = f"{name}_{'names' if is_text(universe.dimensions[name]) else 'ids'}"
            terms.append(f"{name} IN (:{bound_name})")
            bind[bound_name] = list(values)
    _add_shape(dataset_type, filter, terms, bind)
    if expression := filter.where.strip():
        terms.append(f"({expression})" if terms else expression)
    if is_narrow(filter):
        # Upstream refuses to compare visits unless it knows of which instrument.
        for name in dataset_type.dimensions.governors:
            known = governors.get(name, set())
            if len(known) == 1 and not filter.data_id.get(name):
                data_id[name] = next(iter(known))
    order_by = list(filter.order_by)
    if filter.limit is not None:
        # Which ones are within the limit must not be left to chance.
        named = {key.removeprefix("-") for key in order_by}
        order_by += [name for name in dataset_type.dimensions.required if name not in named]
    return QueryCall(
        data_id=data_id,
        where=" AND ".join(terms),
        bind=bind,
        order_by=order_by,
        limit=filter.limit,
        find_first=find_first if filter.find_first is None else filter.find_first,
    )


def call_in(repository: BrowsedRepository, dataset_type: DatasetType, search: DatasetSearch) -> QueryCall:
    """Write a search as arguments of ``Butler.query_datasets``; see `call_for`.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where the collection is.
    dataset_type : `lsst.daf.butler.DatasetType`
        What is looked for.
    search : `DatasetSearch`
        The search; its filter is taken to be without problems.

    Returns
    -------
    call : `QueryCall`
        The arguments. In a calibration collection each dataset is found, since each has its own validity
        range, and only an exposure could tell them apart.
    """
    holding = [
        info
        for info in flatten(repository, search.collection)
        if search.dataset_type in (info.dataset_types or ())
    ]
    find_first = not any(info.type is CollectionType.CALIBRATION for info in holding)
    known = governors(repository, search.collection) if is_narrow(search.filter) else {}
    return call_for(dataset_type, search.filter, known, find_first=find_first)


def bound(call: QueryCall) -> dict[str, Any]:
    """Give the values that a call's expression refers to, as upstream takes them.

    Parameters
    ----------
    call : `QueryCall`
        The call.

    Returns
    -------
    bind : `dict`
        By name.
    """
    return {
        name: Time(value.tai, scale="tai") if isinstance(value, TaiTime) else value
        for name, value in call.bind.items()
    }


def apply[T: _Narrowable](narrowable: T, call: QueryCall) -> T:
    """Narrow a query of upstream's, or its results; order and limit are left to the caller.

    Parameters
    ----------
    narrowable : `lsst.daf.butler.queries.Query` or results
        What is to be narrowed.
    call : `QueryCall`
        What `call_for` made.

    Returns
    -------
    narrowed
        Of the same type.
    """
    arguments: Iterable[str] = [call.where] if call.where else []
    if not call.where and not call.data_id:
        return narrowable
    return narrowable.where(*arguments, bind=bound(call), **call.data_id)


def _add_shape(
    dataset_type: DatasetType, filter: DatasetFilter, terms: list[str], bind: dict[str, BindValue]
) -> None:
    shape = shape_of(dataset_type)
    if (near := filter.near) is not None:
        if near.radius > 0:
            # Not CIRCLE(), which upstream makes twice as wide as it says.
            terms.append(f"{shape.region} OVERLAPS REGION(:circle)")
            bind["circle"] = f"CIRCLE {near.ra:.12g} {near.dec:.12g} {near.radius:.12g}"
        else:
            terms.append(f"{shape.region} OVERLAPS POINT(:ra, :dec)")
            bind |= {"ra": near.ra, "dec": near.dec}
    if (time := filter.time) is not None:
        ends = {"begin": time.begin, "end": time.end}
        bind |= {name: TaiTime(tai=_iso(value)) for name, value in ends.items() if value is not None}
        if time.begin is not None and time.end is not None:
            terms.append(f"{shape.timespan} OVERLAPS (:begin, :end)")
        elif time.begin is not None:
            terms.append(f"{shape.timespan}.end > :begin")
        elif time.end is not None:
            terms.append(f"{shape.timespan}.begin < :end")


def _iso(text: str) -> str:
    return str(Time(text, scale="tai", precision=3).isot).removesuffix(".000")
