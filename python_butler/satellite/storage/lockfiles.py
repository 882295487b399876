"""Upstream's SQLite registry on file systems without the locks that SQLite needs.

Named in the configuration of a satellite, so that upstream's own Butler uses it too.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Any, override
from urllib.parse import unquote

import sqlalchemy
from lsst.daf.butler.registry.databases.sqlite import SqliteDatabase
from lsst.daf.butler.registry.databases.sqlite import _onSqlite3Connect as _as_upstream_connects

from ...errors import SatelliteError
from ..spool.lock import FileLock
from .located import storage_of
from .turns import Turns, raw_connection

__all__ = ["LockFileDatabase"]


class LockFileDatabase(SqliteDatabase):
    """An SQLite database whose users take turns by files: see `Turns`."""

    @classmethod
    @override
    def makeEngine(
        cls,
        uri: str | sqlalchemy.engine.URL | None = None,
        *,
        filename: str | None = None,
        writeable: bool = True,
    ) -> sqlalchemy.engine.Engine:
        plain = super().makeEngine(uri, filename=filename, writeable=writeable)
        if not plain.url.database:
            # In memory: nobody else can have it.
            return plain
        path = Path(unquote(plain.url.database))
        turns = Turns(path)

        def reading() -> sqlite3.Connection:
            _check_still_so(path)
            turn = turns.read()
            try:
                connection = raw_connection(path, writeable=False, factory=_Reading)
            except BaseException:
                if turn is not None:
                    turn.release()
                raise
            assert isinstance(connection, _Reading), "as asked for"
            connection.turn = turn
            return connection

        def writing() -> sqlite3.Connection:
            _check_still_so(path)
            connection = raw_connection(path, writeable=True, factory=_Writing)
            assert isinstance(connection, _Writing), "as asked for"
            connection.turns = turns
            return connection

        engine = sqlalchemy.create_engine(
            plain.url,
            creator=writing if writeable else reading,
            # A connection that is opened anew sees what other machines wrote: network file systems ask
            # for that when a file is opened.
            poolclass=sqlalchemy.NullPool,
        )
        sqlalchemy.event.listen(engine, "connect", _as_upstream_connects)
        sqlalchemy.event.listen(engine, "begin", _begin_writing if writeable else _begin_reading)
        return engine


def _check_still_so(database: Path) -> None:
    """Make sure that the others take turns by files too: that can be changed."""
    with contextlib.suppress(SatelliteError):
        # One that is being made has no configuration yet.
        if storage_of(database.parent).locks != "files":
            raise sqlite3.OperationalError(
                f"how to lock {database} was changed since it was opened: open it anew"
            )


class _Reading(sqlite3.Connection):
    """A connection for reading; nothing changes while it is open."""

    turn: FileLock | None = None

    @override
    def close(self) -> None:
        super().close()
        turn, self.turn = self.turn, None
        if turn is not None:
            turn.release()

    def __del__(self) -> None:
        self.close()


class _Writing(sqlite3.Connection):
    """A connection for writing, which has a turn from the beginning of a transaction to its end."""

    turns: Turns
    turn: FileLock | None = None

    def take_turn(self) -> None:
        """Wait until nobody else writes."""
        try:
            self.turn = self.turns.write()
        except OSError as error:
            raise sqlite3.OperationalError(
                f"attempt to write a readonly database: {error.strerror}"
            ) from error
        # Everything is written at the end: until then others read what is in the file.
        self.execute("PRAGMA cache_spill = OFF")

    @override
    def commit(self) -> None:
        if self.turn is None or not self.in_transaction:
            super().commit()
            return
        self.turns.be_alone(self.turn)
        # Whatever fails here, the transaction is rolled back by the caller, which ends the turn.
        super().commit()
        self._end()

    @override
    def rollback(self) -> None:
        super().rollback()
        self._end()

    @override
    def close(self) -> None:
        super().close()
        self._end()

    def __del__(self) -> None:
        self.close()

    def _end(self) -> None:
        turn, self.turn = self.turn, None
        if turn is not None:
            self.turns.end(turn)


def _begin_writing(connection: sqlalchemy.Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    statement = "BEGIN IMMEDIATE"
    try:
        driver.take_turn()
    except sqlite3.Error as error:
        driver.rollback()
        raise sqlalchemy.exc.OperationalError(statement, None, error) from error
    connection.exec_driver_sql(statement)


def _begin_reading(connection: sqlalchemy.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
