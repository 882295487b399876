"""Reading the satellite page by page without standing in the way of one's own writes.

A query holds a read lock on the database until it is closed, and SQLite lets nobody commit meanwhile:
a put inside of a loop over a query's results would wait for itself. So a write first makes the queries
of its own thread read what they still need, and let go.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Cursor", "OpenQueries"]


class Cursor:
    """Pages of a query that is still running.

    Parameters
    ----------
    pages : iterator
        The pages as the database gives them.
    """

    def __init__(self, pages: Iterator[Any]) -> None:
        self._pages = pages

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._pages)

    def drain(self) -> None:
        """Read the rest into memory."""
        self._pages = iter(list(self._pages))


class OpenQueries:
    """The queries that are open now, by thread."""

    def __init__(self) -> None:
        self._let_go: dict[int, list[Callable[[], None]]] = {}

    @contextmanager
    def registered(self, let_go: Callable[[], None]) -> Iterator[None]:
        """Note that this thread has a query open.

        Parameters
        ----------
        let_go : callable
            Makes the query read what it still needs and release the database.
        """
        queries = self._let_go.setdefault(threading.get_ident(), [])
        queries.append(let_go)
        try:
            yield
        finally:
            queries.remove(let_go)

    def let_go(self) -> None:
        """Make the queries of this thread release the database."""
        for let_go in tuple(self._let_go.get(threading.get_ident(), ())):
            let_go()
