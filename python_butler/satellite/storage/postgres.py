"""Asking a PostgreSQL server whether anything has changed, over one small connection that is kept."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Any, ClassVar

import sqlalchemy
from lsst.daf.butler import Config
from lsst.daf.butler.registry import RegistryConfig
from lsst.utils.db_auth import DbAuthError
from sqlalchemy.exc import SQLAlchemyError

from ...errors import SatelliteError

__all__ = ["PostgresWatch", "connect", "unreachable"]

_WORD = sqlalchemy.text(
    "SELECT oid::text, pg_current_snapshot()::text FROM pg_namespace WHERE nspname = :namespace"
)
_SIZE = sqlalchemy.text(
    "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :namespace AND c.relkind = 'r'"
)
_CONNECT_SECONDS = 10


def connect(url: str) -> sqlalchemy.Connection:
    """Open a connection of one's own, with credentials as upstream finds them.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.

    Returns
    -------
    connection : `sqlalchemy.Connection`
        Each statement is a transaction. Close its engine when done, with ``connection.engine.dispose()``.

    Raises
    ------
    SatelliteError
        If the server cannot be reached or refuses.
    """
    try:
        # Upstream's own way, so that a satellite that can be watched can be opened, and the other way round.
        full = RegistryConfig(Config({"registry": {"db": url}})).connectionString
        engine = sqlalchemy.create_engine(
            full,
            poolclass=sqlalchemy.NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": _CONNECT_SECONDS, "application_name": "python-butler"},
        )
        return engine.connect()
    except (SQLAlchemyError, DbAuthError, ModuleNotFoundError) as error:
        raise unreachable(url, error) from None


def unreachable(url: str, error: Exception) -> SatelliteError:
    """What to tell a person when the database server does not answer.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    error : `Exception`
        What was raised.

    Returns
    -------
    error : `SatelliteError`
        To be raised.
    """
    if isinstance(error, ModuleNotFoundError):
        return SatelliteError(
            f"The Python package {error.name} is missing, which PostgreSQL needs.",
            'Install it: pip install "python-butler[postgres]".',
        )
    said = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".?")
    return SatelliteError(
        f"The satellite's database {url} cannot be used: {said}.",
        "Check the network, and your user name and password in PGUSER and PGPASSWORD, ~/.pgpass or the "
        "file that LSST_DB_AUTH names.",
    )


class PostgresWatch:
    """Tells whether the content of a schema has changed. Use `of`: one for each schema in a process.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        The schema.
    """

    _all: ClassVar[dict[tuple[str, str], PostgresWatch]] = {}
    _all_lock = threading.Lock()

    def __init__(self, url: str, namespace: str) -> None:
        self._url = url
        self._namespace = namespace
        self._lock = threading.Lock()
        self._connection: sqlalchemy.Connection | None = None

    @classmethod
    def of(cls, url: str, namespace: str) -> PostgresWatch:
        """Give the one for a schema.

        Parameters
        ----------
        url, namespace : `str`
            As for the class.
        """
        with cls._all_lock:
            return cls._all.setdefault((url, namespace), cls(url, namespace))

    def word(self) -> str | None:
        """Give a word that changes whenever the content does.

        Two equal words mean that the same transactions are visible, which is exact. Those of other
        schemas change it too: PostgreSQL has no cheap count for each schema that does not lag behind.

        Returns
        -------
        word : `str` or `None`
            `None` if there is no such schema.

        Raises
        ------
        SatelliteError
            If the server cannot be asked.
        """
        row = self._ask(_WORD)
        return None if row is None else f"pg{row[0]}-{row[1]}"

    def size(self) -> int:
        """Tell how much room the schema's tables take, with their indices.

        Returns
        -------
        size : `int`
            Bytes.

        Raises
        ------
        SatelliteError
            If the server cannot be asked.
        """
        row = self._ask(_SIZE)
        return 0 if row is None else int(row[0])

    def close(self) -> None:
        """Let go of the connection; asking again opens it again."""
        with self._lock:
            self._close()

    def _ask(self, query: sqlalchemy.TextClause) -> sqlalchemy.Row[*tuple[Any, ...]] | None:
        with self._lock:
            kept = self._connection is not None
            try:
                return self._answer(query)
            except SQLAlchemyError as error:
                self._close()
                if not kept:
                    raise unreachable(self._url, error) from None
            # Connections that are not used for long are cut by many networks.
            try:
                return self._answer(query)
            except SQLAlchemyError as error:
                self._close()
                raise unreachable(self._url, error) from None

    def _answer(self, query: sqlalchemy.TextClause) -> sqlalchemy.Row[*tuple[Any, ...]] | None:
        if self._connection is None:
            self._connection = connect(self._url)
        return self._connection.execute(query, {"namespace": self._namespace}).first()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                connection.close()

    @classmethod
    def _forked(cls) -> None:
        """In a new process: leave the parent's connections to the parent."""
        cls._all_lock = threading.Lock()
        watches, cls._all = cls._all, {}
        for watch in watches.values():
            if watch._connection is not None:
                _let_go(watch._connection)


def _let_go(connection: sqlalchemy.Connection) -> None:
    """Keep a connection that belongs to the parent process from saying goodbye to the server."""
    driver: Any = connection.connection.driver_connection
    with contextlib.suppress(Exception):
        nothing = os.open(os.devnull, os.O_RDWR)
        try:
            os.dup2(nothing, driver.fileno())
        finally:
            os.close(nothing)


os.register_at_fork(after_in_child=PostgresWatch._forked)
