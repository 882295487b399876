"""What was read of tables, or found out about them, kept while there is room: the longest unused goes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any, Protocol

__all__ = ["BLOCK_ROWS", "Kept"]

BLOCK_ROWS = 32_768
"""Rows in a block."""


class _Weighty(Protocol):
    @property
    def nbytes(self) -> int: ...


class Kept[T: _Weighty]:
    """Things of tables by name, within a number of bytes.

    Parameters
    ----------
    limit : `int`
        Bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._things: OrderedDict[tuple[Any, ...], T] = OrderedDict()
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes kept now."""
        return self._size

    def get(self, name: tuple[Any, ...]) -> T | None:
        """Give a thing if it is kept.

        Parameters
        ----------
        name : `tuple`
            The table, and what tells the thing from others of the table.

        Returns
        -------
        thing : object or `None`
            The thing.
        """
        with self._lock:
            if name in self._things:
                self._things.move_to_end(name)
                return self._things[name]
            return None

    def keep(self, name: tuple[Any, ...], thing: T) -> None:
        """Keep a thing.

        Parameters
        ----------
        name : `tuple`
            The table, and what tells the thing from others of the table.
        thing : object
            Must own its memory: a slice would keep all that it is a slice of.
        """
        with self._lock:
            known = self._things.pop(name, None)
            if known is not None:
                self._size -= known.nbytes
            self._things[name] = thing
            self._size += thing.nbytes
            while self._size > self.limit and self._things:
                _, dropped = self._things.popitem(last=False)
                self._size -= dropped.nbytes

    def drop(self, table: object) -> None:
        """Forget what is kept of a table.

        Parameters
        ----------
        table : object
            The table.
        """
        with self._lock:
            for name in [name for name in self._things if name[0] is table]:
                self._size -= self._things.pop(name).nbytes
