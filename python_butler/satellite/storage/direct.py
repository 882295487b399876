"""An SQLite file without upstream's registry around it: for copying, checking and freezing it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from .probing import takes_turns
from .turns import Turns, raw_connection

__all__ = ["changing", "reading"]

_PATIENCE = 60.0
"""Seconds to wait for who is writing."""


@contextlib.contextmanager
def reading(database: Path) -> Iterator[sqlite3.Connection]:
    """Read an SQLite file in one transaction, in whatever way its users take turns.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Yields
    ------
    connection : `sqlite3.Connection`
        With a transaction in which nothing can be written. What a process that was killed left unfinished
        is undone before.

    Raises
    ------
    sqlite3.Error
        If it cannot be read, or somebody keeps writing.
    """
    if takes_turns(database):
        turn = Turns(database).read()
        try:
            with contextlib.closing(raw_connection(database, writeable=False)) as connection:
                connection.execute("BEGIN")
                yield connection
        finally:
            if turn is not None:
                turn.release()
        return
    # Not read-only from the start: what a writer that was killed left could then not be undone.
    with contextlib.closing(_connect(database)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection


@contextlib.contextmanager
def changing(database: Path) -> Iterator[sqlite3.Connection]:
    """Change an SQLite file in one transaction, while nobody else can write.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Yields
    ------
    connection : `sqlite3.Connection`
        With a transaction, which is committed at the end unless something is raised.

    Raises
    ------
    sqlite3.Error
        If it cannot be written, or somebody keeps writing or reading.
    """
    if not takes_turns(database):
        with contextlib.closing(_connect(database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        return
    turns = Turns(database)
    turn = turns.write()
    try:
        # Closed before others may go on.
        with contextlib.closing(raw_connection(database, writeable=True)) as connection:
            connection.execute("PRAGMA cache_spill = OFF")
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            turns.be_alone(turn)
            connection.execute("COMMIT")
    finally:
        turns.end(turn)


def _connect(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None
    )
