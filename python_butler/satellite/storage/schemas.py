"""Schemas of PostgreSQL databases: taking one for a new satellite, and removing what is half done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from ...errors import SatelliteError
from ..layout import MARKER
from .postgres import connect, unreachable

__all__ = ["Claim", "claim_of", "claimed_schema", "confirm_schema", "drop_tables"]

_NOTE = "python_butler_satellite"
"""Says whose the tables of the schema are. A view of constants: upstream takes no schema with a table."""

_WAIT = "5min"
"""For how long another process may take that makes a satellite in the same schema."""


class Claim(BaseModel):
    """Who has taken a place, as is noted in the place itself."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Of the satellite; its marker has the same."""

    label: str
    """Label of the official repository."""

    root: Path
    """The satellite's directory when it was created."""


@contextlib.contextmanager
def claimed_schema(url: str, namespace: str, claim: Claim) -> Iterator[Callable[[], None]]:
    """Take a schema for a new satellite while it is made; it is its own if nothing is raised.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        The schema. It need not exist; one that exists must be empty.
    claim : `Claim`
        Who takes it.

    Yields
    ------
    complete : callable
        To be called when all is made.

    Raises
    ------
    SatelliteError
        If the server cannot be used, or the schema holds something else.
    """
    connection = _enter(url, namespace)
    own = False

    def complete() -> None:
        try:
            _note(connection, claim, complete=True, own_schema=own)
        except SQLAlchemyError as error:
            raise unreachable(url, error) from None

    try:
        try:
            _lock(connection, namespace)
            own = _take(connection, url, namespace, claim)
        except SQLAlchemyError as error:
            raise unreachable(url, error) from None
        try:
            yield complete
        except BaseException:
            # What went wrong first is more important than what goes wrong here; the next attempt clears it.
            with contextlib.suppress(SQLAlchemyError):
                _empty(connection, namespace)
            raise
    finally:
        # With the connection, the lock goes.
        with contextlib.suppress(SQLAlchemyError):
            connection.close()


def confirm_schema(url: str, namespace: str, claim: Claim) -> None:
    """Note that a schema is finished, and whose it is by now; harmless if that is noted.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        The schema, which was taken with `claimed_schema`.
    claim : `Claim`
        Whose it is.

    Raises
    ------
    SatelliteError
        If the server cannot be used.
    """
    connection = _enter(url, namespace)
    try:
        noted = _noted(connection, namespace)
        _note(connection, claim, complete=True, own_schema=noted is not None and noted.own)
    except SQLAlchemyError as error:
        raise unreachable(url, error) from None
    finally:
        with contextlib.suppress(SQLAlchemyError):
            connection.close()


def claim_of(url: str, namespace: str) -> Claim | None:
    """Tell who has taken a schema.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        The schema.

    Returns
    -------
    claim : `Claim` or `None`
        `None` if no satellite has.

    Raises
    ------
    SatelliteError
        If the server cannot be used.
    """
    connection = _enter(url, namespace)
    try:
        noted = _noted(connection, namespace)
    except SQLAlchemyError as error:
        raise unreachable(url, error) from None
    finally:
        with contextlib.suppress(SQLAlchemyError):
            connection.close()
    return None if noted is None else Claim(id=noted.id, label=noted.label, root=Path(noted.root))


def drop_tables(url: str, namespace: str) -> None:
    """Remove all tables of a schema, and the schema if it was made for a satellite.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        The schema.

    Raises
    ------
    SatelliteError
        If the server cannot be used.
    """
    connection = _enter(url, namespace)
    try:
        _empty(connection, namespace)
    except SQLAlchemyError as error:
        raise unreachable(url, error) from None
    finally:
        with contextlib.suppress(SQLAlchemyError):
            connection.close()


def _take(connection: Connection, url: str, namespace: str, claim: Claim) -> bool:
    """Take a schema, and tell whether it had to be made."""
    tables = _tables(connection, namespace)
    if (there := _noted(connection, namespace)) is not None:
        if there.complete:
            mine = (there.label, there.root) == (claim.label, str(claim.root))
            lost = mine and not (claim.root / MARKER).exists()
            if not (lost and _holds_nothing(connection, tables)):
                raise SatelliteError(
                    f"The schema {namespace} of {url} holds the satellite of {there.label} in {there.root}.",
                    "Choose another namespace. If that directory was lost, restore it from a backup: its "
                    "datasets are still listed here.",
                )
        # One that was never finished, since who makes one holds the lock; or one that was never used.
        _empty(connection, namespace)
    elif tables:
        raise SatelliteError(
            f"The schema {namespace} of {url} holds tables that are not of a satellite.",
            "Choose another namespace.",
        )
    own = not _exists(connection, namespace)
    if own:
        _say(connection, f'CREATE SCHEMA "{namespace}"')
    _note(connection, claim, complete=False, own_schema=own)
    return own


def _note(connection: Connection, claim: Claim, *, complete: bool, own_schema: bool) -> None:
    # Definitions take no parameters, so the server quotes them first.
    values = ("id", "label", "root", "complete", "own")
    columns = ", ".join(f"%L::{'boolean' if v in ('complete', 'own') else 'text'} AS {v}" for v in values)
    given = ", ".join(f"CAST(:{v} AS text)" for v in values)
    query = f"SELECT format('CREATE OR REPLACE VIEW {_NOTE} AS SELECT {columns}', {given})"
    definition = _say(
        connection,
        query,
        id=claim.id,
        label=claim.label,
        root=str(claim.root),
        complete=str(complete),
        own=str(own_schema),
    ).scalar_one()
    connection.exec_driver_sql(definition)


def _noted(connection: Connection, namespace: str) -> Row[*tuple[Any, ...]] | None:
    query = "SELECT 1 FROM pg_views WHERE schemaname = :namespace AND viewname = :view"
    if _say(connection, query, namespace=namespace, view=_NOTE).first() is None:
        return None
    return _say(connection, "SELECT id, label, root, complete, own FROM python_butler_satellite").first()


def _enter(url: str, namespace: str) -> Connection:
    """Open a connection in which names of tables are those of one schema, whether it exists or not."""
    connection = connect(url)
    try:
        _make_extension(connection, url)
        query = "SELECT set_config('search_path', quote_ident(:namespace), false)"
        _say(connection, query, namespace=namespace)
    except SQLAlchemyError as error:
        connection.close()
        raise unreachable(url, error) from None
    except BaseException:
        connection.close()
        raise
    return connection


def _make_extension(connection: Connection, url: str) -> None:
    """Have what upstream needs; since PostgreSQL 13 the owner of a database may install it."""
    if _say(connection, "SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'").first() is not None:
        return
    try:
        _say(connection, "CREATE EXTENSION IF NOT EXISTS btree_gist")
    except SQLAlchemyError:
        raise SatelliteError(
            f"The database {url} lacks the extension btree_gist, which registries need.",
            "Ask its administrator to execute there: CREATE EXTENSION btree_gist.",
        ) from None


def _lock(connection: Connection, namespace: str) -> None:
    _say(connection, f"SET lock_timeout = '{_WAIT}'")
    _say(
        connection,
        "SELECT pg_advisory_lock(hashtextextended(:name, 0))",
        name=f"python-butler satellite {namespace}",
    )


def _holds_nothing(connection: Connection, tables: set[str]) -> bool:
    """Whether nobody has written to a registry yet."""
    return all(
        _say(connection, f"SELECT 1 FROM {table} LIMIT 1").first() is None  # noqa: S608
        for table in {"collection", "dataset_type", "dataset"} & tables
    )


def _empty(connection: Connection, namespace: str) -> None:
    noted = _noted(connection, namespace)
    if noted is not None and noted.own:
        _say(connection, f'DROP SCHEMA "{namespace}" CASCADE')
        return
    for table in _tables(connection, namespace):
        _say(connection, f'DROP TABLE IF EXISTS "{table}" CASCADE')
    # Last: what is interrupted before is still known for what it is.
    _say(connection, f"DROP VIEW IF EXISTS {_NOTE}")


def _exists(connection: Connection, namespace: str) -> bool:
    query = "SELECT 1 FROM pg_namespace WHERE nspname = :namespace"
    return _say(connection, query, namespace=namespace).first() is not None


def _tables(connection: Connection, namespace: str) -> set[str]:
    query = "SELECT tablename FROM pg_tables WHERE schemaname = :namespace"
    return {row.tablename for row in _say(connection, query, namespace=namespace)}


def _say(
    connection: Connection, statement: str, **values: object
) -> sqlalchemy.CursorResult[*tuple[Any, ...]]:
    return connection.execute(sqlalchemy.text(statement), values)
