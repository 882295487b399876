"""Tables that are open: a few, for as long as somebody looks at them."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import pyarrow as pa

from ....errors import PythonButlerError, UnreadableError
from ....official import official_url
from ...models import RepositoryKind
from ..opening import opened_dataset
from .blocks import Kept
from .giving_up import Waiting
from .locating import Location, locate, open_table
from .selection import Selection, select_rows

if TYPE_CHECKING:
    from ...repository import BrowsedRepository
    from .models import TableView
    from .table import OpenTable

__all__ = ["SHELF", "Shelf"]

_LOG = logging.getLogger(__name__)

_TABLES = 6
_BLOCK_BYTES = 96_000_000
_SELECTION_BYTES = 64_000_000
_HELD_BYTES = 192_000_000
"""Of tables that are in memory as a whole."""
_IDLE = 300.0
"""Seconds after which a table that nobody looked at is closed."""


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.table: OpenTable | None = None
        self.location: Location | None = None
        self.version = ("", "")
        self.used = time.monotonic()

    def close(self) -> None:
        if self.table is not None:
            self.table.close()
            self.table = None


class Shelf:
    """Opened tables, pieces of them that were read, and orders of their rows; all bounded.

    Parameters
    ----------
    idle : `float`, optional
        Seconds after which a table that nobody looked at is closed.
    """

    def __init__(self, idle: float = _IDLE) -> None:
        self._idle = idle
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, str, UUID], _Entry] = OrderedDict()
        self._timer: threading.Timer | None = None
        self.blocks: Kept[pa.Array] = Kept(_BLOCK_BYTES)
        self.selections: Kept[Selection] = Kept(_SELECTION_BYTES)

    def __len__(self) -> int:
        return sum(entry.table is not None for entry in list(self._entries.values()))

    @contextmanager
    def using(self, repository: BrowsedRepository, dataset_id: UUID, waiting: Waiting) -> Iterator[OpenTable]:
        """Give a table, opened if it is not; for one thread at a time.

        Parameters
        ----------
        repository : `BrowsedRepository`
            Where the dataset is.
        dataset_id : `uuid.UUID`
            The dataset.
        waiting : `Waiting`
            Asked while another thread uses the table.

        Yields
        ------
        table : `OpenTable`
            The table.
        """
        name = (str(repository.kind), repository.label, dataset_id)
        entry = self._enter(name, waiting)
        try:
            with _understood():
                yield self._opened(entry, repository, dataset_id, waiting)
        finally:
            entry.used = time.monotonic()
            entry.lock.release()
            self._tidy()
            # What was decoded on the way goes back to the system.
            pa.default_memory_pool().release_unused()

    def select(self, table: OpenTable, view: TableView, waiting: Waiting) -> Selection:
        """Find the rows of a view, or remember them.

        Parameters
        ----------
        table : `OpenTable`
            What `using` gave.
        view : `TableView`
            The view.
        waiting : `Waiting`
            Asked now and then.

        Returns
        -------
        selection : `Selection`
            The rows.
        """
        name = (table, view.model_dump_json())
        known = self.selections.get(name)
        if known is None:
            known = select_rows(table, view, waiting)
            self.selections.keep(name, known)
        return known

    def clear(self) -> None:
        """Close all tables that nobody uses at the moment."""
        self._close_idle(0.0)

    def _enter(self, name: tuple[str, str, UUID], waiting: Waiting) -> _Entry:
        """Take an entry's lock; it may have been dropped while others held that."""
        while True:
            with self._lock:
                entry = self._entries.setdefault(name, _Entry())
                self._entries.move_to_end(name)
            waiting.acquire(entry.lock)
            if self._entries.get(name) is entry:
                return entry
            entry.lock.release()

    def _opened(
        self, entry: _Entry, repository: BrowsedRepository, dataset_id: UUID, waiting: Waiting
    ) -> OpenTable:
        # An official repository does not tell when it changes; that is no reason to ask it each time.
        version = (repository.version(), _server(repository))
        if entry.table is not None and entry.version == version:
            return entry.table
        with opened_dataset(repository, dataset_id, waiting.cancelled) as opened:
            location = locate(opened)
            if entry.table is None or entry.location != location:
                self._forget(entry)
                entry.table = open_table(opened, location, self.blocks)
        entry.location, entry.version = location, version
        return entry.table

    def _forget(self, entry: _Entry) -> None:
        if entry.table is not None:
            self.selections.drop(entry.table)
        entry.close()

    def _tidy(self) -> None:
        with self._lock:
            while len(self._entries) > _TABLES or self._held() > _HELD_BYTES:
                if not self._drop(next(iter(self._entries))):
                    break
            if self._timer is None and self._entries:
                self._timer = threading.Timer(self._idle, self._look)
                self._timer.daemon = True
                self._timer.start()

    def _held(self) -> int:
        # The one that was just used stays, whatever it holds.
        older = list(self._entries.values())[:-1]
        return sum(entry.table.held for entry in older if entry.table is not None)

    def _look(self) -> None:
        self._close_idle(self._idle)
        with self._lock:
            self._timer = None
        self._tidy()

    def _close_idle(self, seconds: float) -> None:
        with self._lock:
            now = time.monotonic()
            for name, entry in list(self._entries.items()):
                if now - entry.used >= seconds:
                    self._drop(name)

    def _drop(self, name: tuple[str, str, UUID]) -> bool:
        """Close a table unless a thread uses it."""
        entry = self._entries[name]
        if not entry.lock.acquire(blocking=False):
            return False
        try:
            self._forget(entry)
            del self._entries[name]
        finally:
            entry.lock.release()
        return True


@contextmanager
def _understood() -> Iterator[None]:
    """Tell of a file that Arrow cannot read in words of ours; its own may hold anything."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, PythonButlerError):
            raise
        _LOG.warning("A table cannot be read", exc_info=error)
        raise UnreadableError(
            f"The table's file cannot be read ({type(error).__name__}).",
            "Look whether butler.get fails in a notebook, too.",
        ) from error


def _server(repository: BrowsedRepository) -> str:
    return official_url(repository.label) if repository.kind is RepositoryKind.OFFICIAL else ""


SHELF = Shelf()
"""The one of this process."""
