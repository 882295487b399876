"""Where one query is asked: sessions with the two repositories, and what was gathered of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from lsst.daf.butler import DataCoordinate
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import ResultSpec
from lsst.daf.butler.queries.tree import QueryTree
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver

from .collections import SatelliteCollections
from .cursors import Cursor
from .gathering import Gatherer, KnownDataIds
from .scratch import Scratch
from .shared import Side
from .sides import Sides

__all__ = ["Places"]


class Places:
    """Sessions of one query.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    collections : `SatelliteCollections`
        Their collections.
    default_data_id : `lsst.daf.butler.DataCoordinate`
        Values that complete the conditions of queries.
    """

    def __init__(
        self, sides: Sides, collections: SatelliteCollections, default_data_id: DataCoordinate
    ) -> None:
        self._sides = sides
        self._collections = collections
        self._default_data_id = default_data_id
        self._official_stack = ExitStack()
        self._official: RemoteQueryDriver | None = None
        # The local databases may have to be let go, and asked anew, while the query is open.
        self._local: dict[Side | None, tuple[ExitStack, QueryDriver, list[Cursor]]] = {}
        self._scratch: Scratch | None = None

    @contextmanager
    def open(self) -> Iterator[None]:
        """Allow queries; sessions end with this."""
        with (
            self._sides.shared.open_queries.registered(self.let_go),
            ExitStack() as stack,
        ):
            stack.callback(self._forget)
            stack.callback(self._official_stack.close)
            yield

    def driver(self, side: Side | None, *, fresh: bool = False) -> QueryDriver:
        """Session in which a query is asked.

        Parameters
        ----------
        side : `Side` or `None`
            A repository, or what was gathered.
        fresh : `bool`, optional
            Whether something will be uploaded. Upstream's remote driver sends all that was uploaded
            once with every request, so that an official one serves for one query then.

        Returns
        -------
        driver : `lsst.daf.butler.queries.driver.QueryDriver`
            Upstream's driver.
        """
        if side is Side.OFFICIAL:
            if self._official is not None and not fresh:
                return self._official
            remote = RemoteQueryDriver(self._sides.official, self._sides.official._connection)
            self._official_stack.enter_context(remote)
            if not fresh:
                self._official = remote
            return remote
        if side not in self._local:
            stack = ExitStack()
            context: AbstractContextManager[QueryDriver]
            if side is None:
                assert self._scratch is not None, "something was gathered"
                context = self._scratch.driver(self._default_data_id)
            else:
                personal = self._sides.personal
                assert personal is not None, "the planner chose this side"
                context = personal._query_driver((), self._default_data_id)
            self._local[side] = (stack, stack.enter_context(context), [])
        return self._local[side][1]

    def pages(self, side: Side | None, pages: Iterator[Any]) -> Iterator[Any]:
        """Keep an eye on the result of a query, so that its database can be let go.

        Parameters
        ----------
        side : `Side` or `None`
            Where it was asked.
        pages : iterator
            Its pages.

        Returns
        -------
        pages : iterator
            The same pages.
        """
        if side is Side.OFFICIAL:
            return pages
        cursor = Cursor(pages)
        self._local[side][2].append(cursor)
        self.rest()
        return cursor

    def rest(self) -> None:
        """Release the satellite's database if other threads may want to write it.

        What a thread reads slowly would keep all others from writing, and those would keep all others
        from reading.
        """
        if self._sides.shared.threads.several:
            self._leave(Side.PERSONAL)

    def gather(self, tree: QueryTree, spec: ResultSpec | None, known: Iterable[KnownDataIds]) -> None:
        """Bring what a query needs of both repositories to one place.

        Parameters
        ----------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query.
        spec : `lsst.daf.butler.queries.result_specs.ResultSpec` or `None`
            What its rows are.
        known : iterable of `KnownDataIds`
            Data IDs that are joined into it.
        """
        self._leave(None)
        if self._scratch is None:
            self._scratch = self._sides.scratches.take()
        gatherer = Gatherer(self._sides, self._collections, self._scratch, self._default_data_id)
        gatherer.gather(tree, spec, known)

    def let_go(self) -> None:
        """Release the satellite's database, so that it can be written."""
        self._forget()

    def _forget(self) -> None:
        for side in list(self._local):
            self._leave(side)
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            self._sides.scratches.give_back(scratch)

    def _leave(self, side: Side | None) -> None:
        if side in self._local:
            stack, _, cursors = self._local.pop(side)
            for cursor in cursors:
                cursor.drain()
            stack.close()
