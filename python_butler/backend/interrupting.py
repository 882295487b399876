"""Ending a query of a `DirectButler` from another thread, with the butler usable afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from lsst.daf.butler.direct_butler import DirectButler

from .repository import QueryWatcher
from .streaming import Cancelled

__all__ = ["Interrupter"]

_AGAIN = 0.05


class Interrupter:
    """Knows which thread uses which database connection of a butler and its clones.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        Any of the butlers that share a database engine.
    """

    def __init__(self, butler: DirectButler) -> None:
        self._watched = threading.local()
        sqlalchemy.event.listen(butler._registry._db._engine, "before_cursor_execute", self._executes)

    @contextmanager
    def watched(self, watcher: QueryWatcher) -> Iterator[None]:
        """Let queries of the calling thread be cancelled.

        Parameters
        ----------
        watcher : `QueryWatcher`
            Told how.
        """
        query = _Query()
        watcher.on_cancel(query.interrupt)
        self._watched.query = query
        try:
            yield
        finally:
            self._watched.query = None
            query.finish()

    def _executes(self, connection: sqlalchemy.Connection, *_: Any) -> None:
        query: _Query | None = getattr(self._watched, "query", None)
        if query is not None:
            query.runs_on(connection.connection.dbapi_connection)


class _Query:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self._interrupted = False
        self._finished = threading.Event()

    def runs_on(self, connection: Any) -> None:
        with self._lock:
            if self._interrupted:
                raise Cancelled
            self._connection = connection

    def interrupt(self) -> None:
        with self._lock:
            self._interrupted = True
        # Again and again, since an interruption just before the query begins has no effect.
        while not self._finished.is_set():
            # Under the lock, lest the connection serve somebody else's query by the time it is interrupted.
            with self._lock:
                if self._connection is not None:
                    _interrupt(self._connection)
            self._finished.wait(_AGAIN)

    def finish(self) -> None:
        with self._lock:
            self._connection = None
            self._finished.set()


def _interrupt(connection: Any) -> None:
    # SQLite's connections are interrupted, PostgreSQL's cancelled.
    stop = getattr(connection, "interrupt", None) or connection.cancel
    stop()
