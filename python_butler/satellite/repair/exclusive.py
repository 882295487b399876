"""Being the only one who writes to a satellite: the proof that nobody is in the middle of something.

Upstream writes the files of datasets within the transaction that inserts their rows. Who holds the
database's lock for writing therefore knows that a file without a row is not about to get one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import sqlalchemy
from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.exc import OperationalError

from ...errors import SatelliteError
from ..configuration import reason
from ..place import Place
from ..spool import FileLock
from ..storage import Storage, storage_of
from ..storage.server import wait_for_writers
from ..storage.turns import Turns
from .tables import Tables

__all__ = ["BusyError", "exclusive"]

_PAUSE = 0.1
"""Seconds between two attempts to lock the tables of a database server."""


class BusyError(SatelliteError):
    """Another process was writing to the satellite for longer than was waited."""


@contextmanager
def exclusive(place: Place, wait: float) -> Iterator[DirectButler]:
    """Open a satellite for writing, in a transaction while nobody else can write.

    Parameters
    ----------
    place : `Place`
        The satellite.
    wait : `float`
        Seconds to wait for others.

    Yields
    ------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        In a transaction, which is rolled back if an exception leaves the block.

    Raises
    ------
    BusyError
        If others were writing all the time.
    SatelliteError
        If the satellite cannot be opened for writing.
    """
    _wait_for_others(storage_of(place), wait)
    with place.writer() as writer, _locked(writer, wait):
        yield writer


def _wait_for_others(storage: Storage, wait: float) -> None:
    """Wait until nobody writes: upstream waits for minutes when it opens a repository."""
    if storage.database_path is None:
        if not wait_for_writers(storage.registry_url, storage.namespace or "", wait):
            raise _busy("others are writing to it")
        return
    if storage.locks == "files":
        until = time.monotonic() + wait
        writer = FileLock(Turns(storage.database_path).directory / "writer")
        while (owner := writer.owner()) is not None and owner.alive() is not False:
            if time.monotonic() > until:
                raise _busy(f"process {owner.pid} on {owner.host} is writing")
            time.sleep(_PAUSE)
        return
    address = f"{storage.database_path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=wait, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise _busy(str(error)) from error
        raise SatelliteError(
            f"The satellite's database {storage.database_path} cannot be written: {error}.",
            "Check that the directory is complete and yours to write, and that the disk is not full.",
        ) from error


def _busy(what: str) -> BusyError:
    return BusyError(
        f"The satellite's database cannot be locked for writing: {what}.",
        "Wait until other processes have finished writing, then try again.",
    )


@contextmanager
def _locked(writer: DirectButler, wait: float) -> Iterator[None]:
    database: Any = writer._registry._db
    # All transactions in a session have its connection.
    with database.session():
        connection = database._session_connection
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            driver.execute(f"PRAGMA busy_timeout = {int(wait * 1000)}")
        with ExitStack() as stack:
            try:
                # With SQLite, this alone keeps everybody else from writing.
                stack.enter_context(writer.transaction())
            except OperationalError as error:
                raise _busy(reason(error)) from error
            if not isinstance(driver, sqlite3.Connection):
                _lock_tables(connection, Tables(writer), wait)
            yield


def _lock_tables(connection: sqlalchemy.Connection, tables: Tables, wait: float) -> None:
    """Keep others from writing to a database server: all who write insert into one of two tables."""
    names = ", ".join(table.key for table in (tables.dataset, tables.location))
    until = time.monotonic() + wait
    while True:
        try:
            with connection.begin_nested():
                # Not waiting for them, since others take them in another order.
                connection.execute(sqlalchemy.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE NOWAIT"))
            return
        except OperationalError as error:
            if time.monotonic() > until:
                raise _busy("others are writing to it") from error
            time.sleep(_PAUSE)
