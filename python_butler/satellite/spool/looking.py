"""Looking whether the registry has a dataset, as quickly as a save needs it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from lsst.daf.butler import DatasetRef, MissingCollectionError
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.databases.sqlite import SqliteDatabase
from sqlalchemy import Select, Table, and_, bindparam, select
from sqlalchemy.dialects import sqlite

__all__ = ["registered"]

_RUN = "of_run"
_TYPE = "of_dataset_type"


def registered(butler: DirectButler, ref: DatasetRef) -> UUID | None:
    """Tell which dataset the registry has in the place of another.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for reading or for writing.
    ref : `lsst.daf.butler.DatasetRef`
        A dataset, perhaps a new one.

    Returns
    -------
    dataset_id : `uuid.UUID` or `None`
        Identifier of the dataset of the same run, type and data ID, if there is one.

    Raises
    ------
    lsst.daf.butler.MissingDatasetTypeError, lsst.daf.butler.MissingCollectionError
        If the dataset type or the run is not registered.
    """
    # Nothing of this is public. Butler.find_dataset finds the same, in ten times the time, most of
    # which goes into asking which collections there are and what they hold; it is asked twice a save.
    managers: Any = butler._registry._managers
    storage = managers.datasets._find_storage(ref.datasetType.name)
    tags = managers.datasets._get_tags_table(storage.dynamic_tables)
    runs = managers.collections._tables.collection
    key = managers.collections.getCollectionForeignKeyName()
    query = _query(tags, runs, key, tuple(ref.dataId.dimensions.required))
    values = {_RUN: ref.run, _TYPE: storage.dataset_type_id, **ref.dataId.required}
    row = _first(butler._registry._db, query, values)
    if row is None:
        raise MissingCollectionError(f"No collection with name '{ref.run}' found.")
    _, dataset_id = row
    return UUID(hex=dataset_id) if isinstance(dataset_id, str) else dataset_id


def _first(database: Any, query: Select[Any], values: Mapping[str, Any]) -> Any:
    if type(database) is SqliteDatabase and not database.isWriteable():
        # SQLAlchemy takes six times as long as SQLite. Whatever is wrong, such as a database that is locked
        # or was left unfinished, the usual way finds it too, and knows what to do.
        with contextlib.suppress(sqlite3.Error), contextlib.closing(database._engine.raw_connection()) as raw:
            cursor = raw.cursor()
            cursor.execute(_in_sqlite(query), values)
            # All rows, although there is but one: then SQLite gives its lock back.
            rows = cursor.fetchall()
            return rows[0] if rows else None
    with database.query(query, values) as result:
        return result.first()


@lru_cache(maxsize=64)
def _query(tags: Table, runs: Table, key: str, dimensions: tuple[str, ...]) -> Select[Any]:
    """Make the query for all data IDs of some dimensions: making it takes longer than its answer."""
    same = and_(
        runs.columns[key] == tags.columns[key],
        tags.columns.dataset_type_id == bindparam(_TYPE),
        *(tags.columns[name] == bindparam(name) for name in dimensions),
    )
    query = select(runs.columns.name, tags.columns.dataset_id)
    return query.select_from(runs.outerjoin(tags, same)).where(runs.columns.name == bindparam(_RUN))


@lru_cache(maxsize=64)
def _in_sqlite(query: Select[Any]) -> str:
    return str(query.compile(dialect=sqlite.dialect(paramstyle="named")))
