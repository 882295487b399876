"""Pages of the datasets of one type in one collection, in an order that the data ID decides in the end.

A page begins after the position at which the one before ended, so that it costs no more the further down the
list it is, and nothing is listed twice or left out when pages are put together.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from lsst.daf.butler import Butler, DatasetRef
from lsst.daf.butler import DatasetType as ButlerDatasetType
from lsst.daf.butler.queries import DatasetRefQueryResults, Query

from ..errors import InvalidRequestError
from .collections import flatten
from .dataset_types import find_dataset_type
from .models import Dataset, DatasetCount
from .queries.calls import apply, call_in, is_narrow
from .queries.check import find_problems, raise_problems
from .queries.models import DatasetSearch, QueryCall
from .queries.ordering import Key, Position, beyond, keys_of, nulls_are_small, position_of
from .repository import BrowsedRepository
from .streaming import Sink

__all__ = ["COUNT_BOUND", "Listing", "count", "plan", "produce"]

COUNT_BOUND = 1_000_000
"""Counting stops here."""

_LISTED_COUNT_BOUND = 20_000
_BATCH = 500


@dataclass(frozen=True)
class Listing:
    """What is to be listed, and how."""

    dataset_type: ButlerDatasetType
    search: DatasetSearch
    call: QueryCall
    """What a butler is asked."""
    keys: tuple[Key, ...]
    """What it is ordered by."""
    is_empty: bool
    """Whether it is known without asking that there is nothing."""
    repeats: bool
    """Whether the query may give a dataset more than once: for each of its validity ranges."""


@dataclass(frozen=True)
class _Cursor:
    """Where a page ended."""

    position: Position
    nulls_small: bool | None = None
    """Where this database puts what has no value, if that was seen already."""
    taken: int = 0
    """How many datasets came before, which matters if there is a limit for all pages together."""


def plan(repository: BrowsedRepository, search: DatasetSearch) -> Listing:
    """Find out how datasets are listed.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    search : `DatasetSearch`
        What.

    Returns
    -------
    listing : `Listing`
        The plan.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError, lsst.daf.butler.MissingDatasetTypeError
        If there is no such collection or dataset type.
    InvalidRequestError
        If the filter cannot be used.
    """
    infos = flatten(repository, search.collection)
    definition = find_dataset_type(repository, search.dataset_type)
    raise_problems(find_problems(definition, search.filter))
    call = call_in(repository, definition, search)
    return Listing(
        definition,
        search,
        call,
        keys_of(definition, search.filter.order_by),
        is_empty=not any(search.dataset_type in (info.dataset_types or ()) for info in infos),
        repeats=not call.find_first,
    )


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
    if listing.is_empty:
        return None
    rest = None
    if listing.call.limit is not None:
        rest = listing.call.limit - (0 if after is None else after.taken)
        if rest <= 0:
            return None
    with repository.query(sink) as butler:
        ask_for = limit if rest is None else min(limit, rest)
        while True:
            page = _Page(butler, listing, ask_for, after)
            _deliver(page, sink)
            if page.complete:
                return None
            if page.end is not None:
                return None if rest is not None and page.given >= rest else _encode(page.end)
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
    if listing.is_empty:
        return DatasetCount(count=0, exact=True)
    asked = listing.call.limit
    with repository.query(sink) as butler:
        if not listing.repeats:
            bound = COUNT_BOUND if asked is None else min(asked, COUNT_BOUND)
            # A database leaves some things to its client to sort out, such as the edge of a circle.
            exactly = is_narrow(listing.search.filter)
            with butler.query() as query:
                found = _results(query, listing).limit(bound).count(exact=exactly, discard=True)
            return DatasetCount(count=found, exact=found < COUNT_BOUND)
        bound = _LISTED_COUNT_BOUND if asked is None else min(asked, _LISTED_COUNT_BOUND)
        page = _Page(butler, listing, bound, None)
        found = sum(len(group) for _, group in page.groups())
        return DatasetCount(count=found, exact=page.complete or found == asked)


class _Page:
    """One query, in groups of the same data ID."""

    def __init__(self, butler: Butler, listing: Listing, limit: int, after: _Cursor | None) -> None:
        self._butler = butler
        self._listing = listing
        self._limit = limit
        self._after = after
        self._nulls_small = None if after is None else after.nulls_small
        self.given = 0
        """How many datasets were in the groups that were given."""
        self.complete = False
        """Whether the end of the list was reached; good after the groups were taken."""
        self.end: _Cursor | None = None
        """Where the last data ID stands whose datasets were all given."""

    def groups(self) -> Iterator[tuple[Position, list[DatasetRef]]]:
        taken = 0
        keys = self._listing.keys
        with self._butler.query() as query:
            held: tuple[Position, list[DatasetRef]] | None = None
            before = None if self._after is None else self._after.position
            for position, refs in groupby(self._refs(query), partial(position_of, keys)):
                if held is not None:
                    yield self._whole(held)
                if before is not None and self._nulls_small is None:
                    self._nulls_small = nulls_are_small(keys, before, position)
                before = position
                found = list(refs)
                taken += len(found)
                held = (position, found)
            self.complete = taken < self._limit
            # Where a data ID has one dataset, the last one cannot be cut in two.
            if held is not None and (self.complete or not self._listing.repeats):
                yield self._whole(held)

    def _whole(self, group: tuple[Position, list[DatasetRef]]) -> tuple[Position, list[DatasetRef]]:
        position, refs = group
        unique = {ref.id: ref for ref in refs}
        self.given += len(unique)
        taken = self.given + (0 if self._after is None else self._after.taken)
        self.end = _Cursor(position, self._nulls_small, taken)
        return position, sorted(unique.values(), key=lambda ref: (ref.run, ref.id))

    def _refs(self, query: Query) -> Iterator[DatasetRef]:
        keys = self._listing.keys
        results = _results(query, self._listing)
        if self._after is not None:
            if not keys:
                return
            results = results.where(beyond(keys, self._after.position, self._after.nulls_small))
        if keys:
            results = results.order_by(*(key.order() for key in keys))
        if any(key.needs_records for key in keys):
            results = results.with_dimension_records()
        yield from results.limit(self._limit)


def _results(query: Query, listing: Listing) -> DatasetRefQueryResults:
    search, call = listing.search, listing.call
    results = query.datasets(listing.dataset_type, search.collection, find_first=call.find_first)
    return apply(results, call)


def _deliver(page: _Page, sink: Sink) -> None:
    rows: list[Dataset] = []
    for _, refs in page.groups():
        rows.extend(_row(ref) for ref in refs)
        if len(rows) >= _BATCH:
            sink.rows(rows, None if page.end is None else _encode(page.end))
            rows = []
    if rows:
        sink.rows(rows, None if page.end is None else _encode(page.end))


def _row(ref: DatasetRef) -> Dataset:
    return Dataset(id=ref.id, data_id=dict(ref.dataId.required), run=ref.run)


def _encode(cursor: _Cursor) -> str:
    text = json.dumps([list(cursor.position), cursor.nulls_small, cursor.taken])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str, listing: Listing) -> _Cursor:
    try:
        position, nulls_small, taken = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError):
        position = nulls_small = taken = None
    if (
        not isinstance(position, list)
        or len(position) != len(listing.keys)
        or not all(_fits(key, value) for key, value in zip(listing.keys, position, strict=True))
        or not (nulls_small is None or isinstance(nulls_small, bool))
        or type(taken) is not int
    ):
        raise InvalidRequestError(
            "The cursor does not belong to this list.", "Begin again at the top of the list."
        )
    return _Cursor(tuple(position), nulls_small, taken)


def _fits(key: Key, value: object) -> bool:
    if value is None:
        return not key.is_required
    return type(value) is key.type or (key.type is float and type(value) is int)
