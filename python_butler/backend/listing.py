"""Pages of the datasets of one type in one collection, ordered by data ID.

A page begins after the data ID at which the one before ended, so that it costs no more the further down the
list it is, and nothing is listed twice or left out when pages are put together.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from lsst.daf.butler import Butler, CollectionType, DatasetRef
from lsst.daf.butler import DatasetType as ButlerDatasetType
from lsst.daf.butler.queries import Query
from lsst.daf.butler.queries.expression_factory import ExpressionFactory
from lsst.daf.butler.queries.tree import Predicate

from ..errors import InvalidRequestError
from .collections import flatten
from .dataset_types import find_dataset_type
from .models import DataIdValue, Dataset, DatasetCount
from .repository import BrowsedRepository
from .streaming import Sink

__all__ = ["COUNT_BOUND", "Listing", "count", "plan", "produce"]

COUNT_BOUND = 1_000_000
"""Counting stops here."""

_LISTED_COUNT_BOUND = 20_000
_BATCH = 500

_Position = tuple[DataIdValue, ...]


@dataclass(frozen=True)
class Listing:
    """What is to be listed, and how."""

    dataset_type: ButlerDatasetType
    collection: str
    search: Literal["nothing", "first", "all"]
    """Whether a data ID is shown once, as a search finds it, or with all its datasets: in a calibration
    collection each has its own validity range, and only an exposure could tell them apart."""
    repeats: bool
    """Whether the query may give a dataset more than once: for each of its validity ranges."""


def plan(repository: BrowsedRepository, collection: str, dataset_type: str) -> Listing:
    """Find out how the datasets of a type in a collection are listed.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        Name of a collection of any type.
    dataset_type : `str`
        Name of a dataset type.

    Returns
    -------
    listing : `Listing`
        The plan.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError, lsst.daf.butler.MissingDatasetTypeError
        If there is no such collection or dataset type.
    """
    holding = [info for info in flatten(repository, collection) if dataset_type in (info.dataset_types or ())]
    definition = find_dataset_type(repository, dataset_type)
    search: Literal["nothing", "first", "all"] = "first"
    if not holding:
        search = "nothing"
    elif any(info.type is CollectionType.CALIBRATION for info in holding):
        search = "all"
    return Listing(definition, collection, search, repeats=search == "all")


def produce(
    repository: BrowsedRepository, listing: Listing, limit: int, cursor: str | None, sink: Sink
) -> str | None:
    """List one page; runs in a thread.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    listing : `Listing`
        What `plan` made.
    limit : `int`
        Most datasets; only datasets of the same data ID may exceed it, since they are never torn apart.
    cursor : `str` or `None`
        Where the page before ended.
    sink : `Sink`
        Takes the rows.

    Returns
    -------
    cursor : `str` or `None`
        Where this page ended; `None` at the end of the list.

    Raises
    ------
    InvalidRequestError
        If the cursor is none of this list's.
    """
    sink.cursor = cursor
    after = None if cursor is None else _decode(cursor, listing)
    if listing.search == "nothing":
        return None
    with repository.query(sink) as butler:
        ask_for = limit
        while True:
            page = _Page(butler, listing, ask_for, after)
            _deliver(page, sink)
            if page.complete:
                return None
            if page.position is not None:
                return _encode(page.position)
            # All that was asked for has one data ID, and there may be more of it.
            ask_for *= 2


def count(repository: BrowsedRepository, listing: Listing, sink: Sink) -> DatasetCount:
    """Count what a listing would list, up to a bound.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    listing : `Listing`
        What `plan` made.
    sink : `Sink`
        Told how to end the query; no rows are put into it.

    Returns
    -------
    count : `DatasetCount`
        How many.
    """
    if listing.search == "nothing":
        return DatasetCount(count=0, exact=True)
    with repository.query(sink) as butler:
        if not listing.repeats:
            with butler.query() as query:
                results = query.datasets(listing.dataset_type, listing.collection)
                found = results.limit(COUNT_BOUND).count(exact=False, discard=True)
            return DatasetCount(count=found, exact=found < COUNT_BOUND)
        page = _Page(butler, listing, _LISTED_COUNT_BOUND, None)
        found = sum(len(group) for _, group in page.groups())
        return DatasetCount(count=found, exact=page.complete)


class _Page:
    """One query, in groups of the same data ID."""

    def __init__(self, butler: Butler, listing: Listing, limit: int, after: _Position | None) -> None:
        self._butler = butler
        self._listing = listing
        self._limit = limit
        self._after = after
        self.complete = False
        """Whether the end of the list was reached; good after the groups were taken."""
        self.position: _Position | None = None
        """The last data ID whose datasets were all given."""

    def groups(self) -> Iterator[tuple[_Position, list[DatasetRef]]]:
        taken = 0
        with self._butler.query() as query:
            held: tuple[_Position, list[DatasetRef]] | None = None
            for position, refs in groupby(self._refs(query), _position):
                if held is not None:
                    yield self._whole(held)
                found = list(refs)
                taken += len(found)
                held = (position, found)
            self.complete = taken < self._limit
            # Where a data ID has one dataset, the last one cannot be cut in two.
            if held is not None and (self.complete or not self._listing.repeats):
                yield self._whole(held)

    def _whole(self, group: tuple[_Position, list[DatasetRef]]) -> tuple[_Position, list[DatasetRef]]:
        self.position = group[0]
        unique = {ref.id: ref for ref in group[1]}
        return group[0], sorted(unique.values(), key=lambda ref: (ref.run, ref.id))

    def _refs(self, query: Query) -> Iterator[DatasetRef]:
        names = list(self._listing.dataset_type.dimensions.required)
        first = self._listing.search == "first"
        results = query.datasets(self._listing.dataset_type, self._listing.collection, find_first=first)
        if self._after is not None:
            predicate = _beyond(query.expression_factory, names, self._after)
            if predicate is None:
                return
            results = results.where(predicate)
        if names:
            results = results.order_by(*names)
        yield from results.limit(self._limit)


def _deliver(page: _Page, sink: Sink) -> None:
    rows: list[Dataset] = []
    for position, refs in page.groups():
        rows.extend(_row(ref) for ref in refs)
        if len(rows) >= _BATCH:
            sink.rows(rows, _encode(position))
            rows = []
    if rows:
        sink.rows(rows, None if page.position is None else _encode(page.position))


def _beyond(factory: ExpressionFactory, names: list[str], after: _Position) -> Predicate | None:
    """Express that a data ID comes after another in the order of the list.

    ``(a, b) > (A, B)`` as conditions that must all hold, each short: ``a >= A`` and ``(a > A or b > B)``.
    """
    conditions = []
    larger: list[Predicate] = []
    for name, value in zip(names, after, strict=True):
        dimension = getattr(factory, name)
        last = name == names[-1]
        conditions.append(factory.any(*larger, dimension > value if last else dimension >= value))
        larger.append(dimension > value)
    return factory.all(*conditions) if conditions else None


def _position(ref: DatasetRef) -> _Position:
    return ref.dataId.required_values


def _row(ref: DatasetRef) -> Dataset:
    return Dataset(id=ref.id, data_id=dict(ref.dataId.required), run=ref.run)


def _encode(position: _Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _decode(cursor: str, listing: Listing) -> _Position:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        values = None
    names = listing.dataset_type.dimensions.required
    dimensions = [listing.dataset_type.dimensions.universe.dimensions[name] for name in names]
    if (
        not isinstance(values, list)
        or len(values) != len(dimensions)
        or any(
            type(value) is not dimension.primaryKey.getPythonType()
            for value, dimension in zip(values, dimensions, strict=True)
        )
    ):
        raise InvalidRequestError(
            "The cursor does not belong to this list.", "Begin again at the top of the list."
        )
    return tuple(values)
