"""Upstream's PostgreSQL registry, with one writer at a time.

Named in the configuration of a satellite, so that upstream's own Butler uses it too.

A personal repository is written by one person's programs, mostly in short transactions. That these come
one after the other, as in SQLite, costs little, and what is read before a write stays true until it is
written. Who reads waits for nobody, and sees one state of the repository in a transaction: upstream asks
for collections and for the members of chains in two queries, and fails if a chain was made in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import override

import sqlalchemy
from lsst.daf.butler.registry.databases.postgresql import PostgresqlDatabase
from sqlalchemy.exc import SQLAlchemyError

from .patience import patience
from .postgres import connect, unreachable

__all__ = ["LOCK_NOT_AVAILABLE", "OneWriterDatabase", "wait_for_writers"]

LOCK_NOT_AVAILABLE = "55P03"
"""What PostgreSQL says when a lock was waited for too long."""

_LOCK = sqlalchemy.text(
    "SELECT set_config('lock_timeout', CAST(:milliseconds AS text), true), "
    "pg_advisory_xact_lock(hashtextextended(:name, 0))"
)


def wait_for_writers(url: str, namespace: str, seconds: float) -> bool:
    """Wait until no transaction for writing is open.

    Parameters
    ----------
    url : `str`
        Address of the database, without a password.
    namespace : `str`
        Schema of the satellite.
    seconds : `float`
        For how long.

    Returns
    -------
    free : `bool`
        Whether there was none for a moment.

    Raises
    ------
    SatelliteError
        If the server cannot be asked.
    """
    connection = connect(url)
    try:
        # Each statement is a transaction, with which its lock ends.
        connection.execute(_LOCK, _parameters(namespace, seconds))
    except SQLAlchemyError as error:
        if getattr(getattr(error, "orig", None), "sqlstate", "") == LOCK_NOT_AVAILABLE:
            return False
        raise unreachable(url, error) from None
    finally:
        connection.close()
    return True


def _parameters(namespace: str | None, seconds: float) -> dict[str, str]:
    milliseconds = str(max(int(seconds * 1000), 1))
    return {"milliseconds": milliseconds, "name": f"python-butler writing {namespace}"}


class OneWriterDatabase(PostgresqlDatabase):
    """A PostgreSQL database whose transactions for writing come one after the other."""

    @classmethod
    @override
    def makeEngine(
        cls, uri: str | sqlalchemy.engine.URL, *, writeable: bool = True
    ) -> sqlalchemy.engine.Engine:
        engine = super().makeEngine(uri, writeable=writeable)
        if not writeable:
            engine.update_execution_options(isolation_level="REPEATABLE READ")
        return engine

    @contextmanager
    @override
    def _transaction(
        self,
        *,
        interrupting: bool = False,
        savepoint: bool = False,
        lock: Iterable[sqlalchemy.schema.Table] = (),
        for_temp_tables: bool = False,
    ) -> Iterator[tuple[bool, sqlalchemy.engine.Connection]]:
        with super()._transaction(
            interrupting=interrupting, savepoint=savepoint, lock=lock, for_temp_tables=for_temp_tables
        ) as (is_new, connection):
            if is_new and self.isWriteable():
                connection.execute(_LOCK, _parameters(self.namespace, patience()))
            yield is_new, connection
