"""Keeping a database from being written by anyone, with triggers in the database itself.

Programs that know nothing of this package, and processes that began to write before it was decided, are
refused too: what is being written when the triggers come is waited for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from ...errors import SatelliteError
from ..configuration import reason
from ..storage import Storage
from ..storage.direct import changing
from ..storage.postgres import connect

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["freeze", "is_frozen", "thaw", "thaw_file"]

_NAME = "python_butler_moving"
_SAYS = "this satellite is being moved, or was, and cannot be written here: see moving.json in its directory"
_EVENTS = ("INSERT", "UPDATE", "DELETE")

_PATIENCE = 60.0
"""Seconds to wait for others that are writing."""

_ATTEMPTS = 5


def freeze(storage: Storage) -> None:
    """Let nobody write to a satellite's database; harmless if it is so already.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where it is.

    Raises
    ------
    SatelliteError
        If somebody writes all the time, or it cannot be written.
    """
    if storage.database_path is not None:
        with _file(storage.database_path) as connection:
            _freeze_file(connection)
        return
    _retried(storage, _freeze_schema)


def is_frozen(storage: Storage) -> bool:
    """Tell whether nobody can write to a satellite's database.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where it is.
    """
    if storage.database_path is not None:
        with _file(storage.database_path) as file:
            return bool(_triggers(file))
    connection = connect(storage.registry_url)
    try:
        query = sqlalchemy.text(
            "SELECT 1 FROM pg_proc JOIN pg_namespace ON pronamespace = pg_namespace.oid "
            "WHERE proname = :name AND nspname = :namespace"
        )
        values = {"name": _NAME, "namespace": storage.namespace}
        return connection.execute(query, values).first() is not None
    finally:
        connection.close()
        connection.engine.dispose()


def thaw(storage: Storage) -> None:
    """Let a satellite's database be written again; harmless if it can be.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where it is.

    Raises
    ------
    SatelliteError
        If it cannot be written.
    """
    if storage.database_path is not None:
        thaw_file(storage.database_path)
        return
    _retried(storage, _thaw_schema)


def thaw_file(database: Path) -> None:
    """Let an SQLite database be written, such as the copy of one that could not be.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Raises
    ------
    SatelliteError
        If it cannot be written.
    """
    with _file(database) as connection:
        for name in _triggers(connection):
            connection.execute(f'DROP TRIGGER IF EXISTS "{name}"')


@contextmanager
def _file(database: Path) -> Iterator[sqlite3.Connection]:
    """One transaction that nobody else can write in."""
    try:
        with changing(database) as connection:
            yield connection
    except sqlite3.Error as error:
        raise SatelliteError(
            f"The satellite's database {database} cannot be locked: {reason(error)}.",
            "Try again when nobody writes to it.",
        ) from error


def _triggers(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    return [name for (name,) in rows if name.startswith(_NAME)]


def _freeze_file(connection: sqlite3.Connection) -> None:
    there = set(_triggers(connection))
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    ).fetchall()
    for (table,) in tables:
        for event in _EVENTS:
            name = f"{_NAME}_{event.lower()}_{table}"
            if name not in there:
                connection.execute(
                    f'CREATE TRIGGER "{name}" BEFORE {event} ON "{table}" '
                    f"BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
                )


def _retried(storage: Storage, change: Callable[[Connection, str], None]) -> None:
    for attempt in range(_ATTEMPTS):
        connection = connect(storage.registry_url).execution_options(isolation_level="READ COMMITTED")
        try:
            with connection.begin():
                connection.execute(sqlalchemy.text(f"SET LOCAL lock_timeout = '{int(_PATIENCE)}s'"))
                change(connection, storage.namespace or "public")
            return
        except SQLAlchemyError as error:
            # Who writes may have locked tables in another order.
            deadlock = getattr(getattr(error, "orig", None), "sqlstate", "") == "40P01"
            if not deadlock or attempt == _ATTEMPTS - 1:
                raise SatelliteError(
                    f"The satellite's database {storage.registry_url} cannot be locked: {reason(error)}.",
                    "Try again when nobody writes to it.",
                ) from None
        finally:
            connection.close()
            connection.engine.dispose()


def _freeze_schema(connection: Connection, namespace: str) -> None:
    _thaw_schema(connection, namespace)
    connection.execute(
        sqlalchemy.text(
            f'CREATE FUNCTION "{namespace}".{_NAME}() RETURNS trigger LANGUAGE plpgsql AS '
            f"$$ BEGIN RAISE EXCEPTION '{_SAYS}'; END $$"
        )
    )
    tables = connection.execute(
        sqlalchemy.text("SELECT tablename FROM pg_tables WHERE schemaname = :namespace"),
        {"namespace": namespace},
    )
    for (table,) in sorted(tables.all()):
        connection.execute(
            sqlalchemy.text(
                f"CREATE TRIGGER {_NAME} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE "
                f'ON "{namespace}"."{table}" FOR EACH STATEMENT EXECUTE FUNCTION "{namespace}".{_NAME}()'
            )
        )


def _thaw_schema(connection: Connection, namespace: str) -> None:
    # The triggers go with it.
    connection.execute(sqlalchemy.text(f'DROP FUNCTION IF EXISTS "{namespace}".{_NAME}() CASCADE'))
