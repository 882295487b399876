"""Changes to an SQLite file that a killed process did not finish: undone before anybody reads.

Until they are, a connection that is open for reading only fails with "attempt to write a readonly
database", since undoing is writing. That concerns Butlers that are opened, and those that have been open
for long.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import urllib.parse
from pathlib import Path
from typing import Any

from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy import Connection, event

from .probing import takes_turns

__all__ = ["undo_always", "undo_unfinished"]

_PATIENCE = 5.0
"""Seconds to wait for somebody who is writing, or undoing the same."""


def undo_unfinished(database: Path) -> None:
    """Let SQLite undo a change that a process did not finish.

    Parameters
    ----------
    database : `pathlib.Path`
        The file. Harmless if there is nothing to undo, or nothing can be written: then whoever reads is
        told by SQLite.
    """
    # While somebody writes there is a journal too; SQLite knows by its locks whether it is left over.
    # Users who take turns by files find out by them, before they read.
    if not os.path.lexists(f"{database}-journal") or takes_turns(database):
        return
    address = f"file:{urllib.parse.quote(str(database))}?mode=rw"
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as connection,
    ):
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()


def undo_always(reader: DirectButler, database: Path) -> None:
    """Look for unfinished changes before each transaction of a Butler that is open for reading.

    Parameters
    ----------
    reader : `lsst.daf.butler.direct_butler.DirectButler`
        The Butler. Its clones do the same.
    database : `pathlib.Path`
        The file of its registry.
    """

    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        try:
            # What is read first anyway, and by the same connection: it costs next to nothing.
            driver.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.Error:
            # If this was not the reason, whoever reads next is told it.
            undo_unfinished(database)

    # Neither is public. Upstream begins transactions by a listener too, which was there before.
    event.listen(reader._registry._db._engine, "begin", begin)
