"""Which rows a table has got since it was last looked at, whatever the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy
from lsst.daf.butler.registry.databases.sqlite import SqliteDatabase
from lsst.daf.butler.registry.interfaces import Database

__all__ = ["added_since", "mark"]

_EPOCH = 1 << 32
"""PostgreSQL counts transactions; rows have the count modulo this."""


def mark(database: Database, table: str) -> int:
    """Give a mark from which on rows of a table count as added.

    Parameters
    ----------
    database : `lsst.daf.butler.registry.interfaces.Database`
        The satellite's database.
    table : `str`
        Name of the table.

    Returns
    -------
    mark : `int`
        For `added_since`; zero comes before all rows.
    """
    if isinstance(database, SqliteDatabase):
        # Rows of these tables are never removed one by one, so that the largest number is the last row's.
        rowid: sqlalchemy.ColumnClause[int] = sqlalchemy.column("rowid")
        query: sqlalchemy.Select[Any] = sqlalchemy.select(sqlalchemy.func.max(rowid)).select_from(
            sqlalchemy.table(table, rowid)
        )
    else:
        # All transactions before this one are over. What later ones did may be seen already, or not yet.
        oldest = sqlalchemy.func.pg_snapshot_xmin(sqlalchemy.func.pg_current_snapshot())
        query = sqlalchemy.select(_number(oldest))
    with database.query(query) as result:
        return int(result.scalar() or 0)


def added_since(
    database: Database, table: str, columns: Sequence[str], before: int, now: int
) -> Iterator[tuple[Any, ...]]:
    """Read rows that a table has got after a mark, and perhaps some that it had.

    Parameters
    ----------
    database : `lsst.daf.butler.registry.interfaces.Database`
        The satellite's database.
    table : `str`
        Name of the table.
    columns : sequence of `str`
        Columns wanted.
    before : `int`
        A mark that was given earlier.
    now : `int`
        The mark that was given last.

    Yields
    ------
    row : `tuple`
        Values of the columns.
    """
    names: list[sqlalchemy.ColumnClause[Any]] = [sqlalchemy.column(name) for name in columns]
    if isinstance(database, SqliteDatabase):
        if before == now:
            return
        rowid: sqlalchemy.ColumnClause[int] = sqlalchemy.column("rowid")
        query = sqlalchemy.select(*names).select_from(sqlalchemy.table(table, rowid, *names))
        # One that was made again begins anew.
        query = query.where(rowid > (before if before < now else 0))
    else:
        xmin: sqlalchemy.ColumnClause[Any] = sqlalchemy.column("xmin")
        source = sqlalchemy.table(table, xmin, *names, schema=database.namespace)
        query = sqlalchemy.select(*names).select_from(source)
        if before // _EPOCH == now // _EPOCH:
            query = query.where(_number(xmin) >= before % _EPOCH)
    with database.query(query) as result:
        for row in result:
            yield tuple(row)


def _number(transaction: sqlalchemy.ColumnElement[Any]) -> sqlalchemy.ColumnElement[int]:
    """Identifier of a transaction as a number; PostgreSQL converts it from a text only."""
    return sqlalchemy.cast(sqlalchemy.cast(transaction, sqlalchemy.Text), sqlalchemy.BigInteger)
