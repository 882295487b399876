"""Changes of an SQLite database that a process did not finish: finding out, and undoing them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from ..storage import Storage
from ..storage.turns import Turns

__all__ = ["is_hot", "journal_of", "read_only_connection", "roll_back"]

_ENDS = ("-journal", "-wal")
_HOT = ("SQLITE_READONLY_ROLLBACK", "SQLITE_READONLY_RECOVERY")
_PATIENCE = 30.0
"""Seconds to wait for others."""


def is_hot(storage: Storage) -> bool:
    """Tell whether a process ended in the middle of a change to an SQLite file, which is not undone yet.

    Until it is, nobody can open the file for reading only. Changes nothing.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where the file is.

    Returns
    -------
    hot : `bool`
        Whether it has a journal whose process is not alive.
    """
    database = storage.database_path
    if database is None or journal_of(database) is None:
        return False
    if storage.locks == "files":
        return Turns(database).is_abandoned()
    try:
        with contextlib.closing(read_only_connection(database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return error.sqlite_errorname in _HOT
    return False


def roll_back(storage: Storage) -> bool:
    """Let SQLite undo a change that a process did not finish.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where the file is.

    Returns
    -------
    clean : `bool`
        Whether nothing is left to be undone. Harmless if nothing was, or somebody else does it.

    Raises
    ------
    sqlite3.OperationalError
        If the file cannot be written.
    """
    database = storage.database_path
    if database is None:
        return True
    if storage.locks == "files":
        return Turns(database).mend()
    with contextlib.closing(_connect(database, "rw")) as connection:
        # Whoever reads first with the right to write undoes it.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return True


def read_only_connection(database: Path) -> sqlite3.Connection:
    """Open an SQLite file for reading, where its own locks work.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Returns
    -------
    connection : `sqlite3.Connection`
        To be closed.
    """
    return _connect(database, "ro")


def journal_of(database: Path) -> Path | None:
    """Find the journal of an SQLite file, of whomever it is.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Returns
    -------
    journal : `pathlib.Path` or `None`
        `None` if there is none.
    """
    journals = (database.with_name(database.name + end) for end in _ENDS)
    return next((path for path in journals if path.exists()), None)


def _connect(database: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode={mode}", uri=True, timeout=_PATIENCE)
