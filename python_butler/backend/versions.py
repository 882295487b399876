"""Noticing that a personal repository has changed, whoever changed it.

SQLite counts the commits that others make to a file, so one cheap question tells. It does not notice that
the file was replaced by another, so the file's identity is looked at too.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import threading
from pathlib import Path

__all__ = ["ABSENT", "VersionWatch"]

ABSENT = "absent"
"""Version of a database that does not exist yet."""

_generation = itertools.count(1)


class VersionWatch:
    """Tells whether an SQLite database has changed.

    Parameters
    ----------
    path : `pathlib.Path`
        The database's file. It need not exist.

    Attributes
    ----------
    path : `pathlib.Path`
        The same.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._generation = 0

    def word(self) -> str:
        """Give a word that changes whenever the contents do.

        Returns
        -------
        word : `str`
            `ABSENT`, or a word that is good for comparison with earlier ones of this process only.

        Raises
        ------
        sqlite3.Error
            If the file is not a database, or cannot be read.
        """
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._close()
                return ABSENT
            if self._identity != (status.st_dev, status.st_ino):
                self._close()
            if self._connection is None:
                self._open()
                self._identity = (status.st_dev, status.st_ino)
            assert self._connection is not None
            try:
                (count,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                self._close()
                raise
            return f"{self._generation}.{count}"

    def close(self) -> None:
        """Let go of the file; asking again opens it again."""
        with self._lock:
            self._close()

    def _open(self) -> None:
        # Autocommit: inside a transaction the count would stand still.
        self._connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=1.0,
        )
        # The count begins anew with each connection, so the word says which one it is.
        self._generation = next(_generation)

    def _close(self) -> None:
        self._identity = None
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
