"""Dataset types together with the tables that they need, and runs together with both of their rows."""

from __future__ import annotations

import contextlib
from typing import Any

import sqlalchemy
from lsst.daf.butler import CollectionType, DatasetType
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.datasets.byDimensions.tables import makeCalibTableSpec, makeTagTableSpec

__all__ = ["register_collection", "register_dataset_type", "register_run"]


def register_dataset_type(writer: DirectButler, dataset_type: DatasetType) -> bool:
    """Register a dataset type, and make sure that the tables for its dimensions are there.

    Upstream takes whatever hinders it from making a table, such as a full disk, for somebody else who made
    it meanwhile. Then the type is registered, and nobody can use it.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing.
    dataset_type : `lsst.daf.butler.DatasetType`
        The type.

    Returns
    -------
    new : `bool`
        Whether it was not registered before.

    Raises
    ------
    lsst.daf.butler.registry.ConflictingDefinitionError
        If there is another one of this name.
    sqlalchemy.exc.DatabaseError
        If a table cannot be made. The type is not registered then, unless that cannot be taken back
        either; whoever registers it again makes up for that.
    """
    new = writer.registry.registerDatasetType(dataset_type)
    manager: Any = writer._registry._managers.datasets
    record = manager._fetch_dataset_type_record(dataset_type.name)
    try:
        _make_missing(manager, record.make_dynamic_tables())
    except Exception:
        if new:
            with contextlib.suppress(Exception):
                writer.registry.removeDatasetType(dataset_type.name)
        raise
    return new


def register_collection(
    writer: DirectButler, name: str, type: CollectionType, doc: str | None = None
) -> bool:
    """Register a collection; a run as `register_run` does it.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing.
    name : `str`
        Its name.
    type : `lsst.daf.butler.CollectionType`
        What it is.
    doc : `str`, optional
        Its documentation, if it is new.

    Returns
    -------
    new : `bool`
        Whether it was not registered before.
    """
    if type is CollectionType.RUN:
        return register_run(writer, name, doc)
    return writer.collections.register(name, type, doc)


def register_run(writer: DirectButler, name: str, doc: str | None = None) -> bool:
    """Register a run, and make sure that it is complete.

    Upstream writes two rows in two transactions. If it ends in between, killed or for want of room, the run
    seems to be there from then on, and nothing can be put into it.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing.
    name : `str`
        Name of the run.
    doc : `str`, optional
        Its documentation, if it is new.

    Returns
    -------
    new : `bool`
        Whether it was not registered before.

    Raises
    ------
    sqlalchemy.exc.DatabaseError
        If it cannot be written; whoever registers it again makes up for that.
    """
    new = writer.collections.register(name, doc=doc)
    manager: Any = writer._registry._managers.collections
    runs, key = manager._tables.run, manager._collectionIdName
    number = manager.find(name).key
    with manager._db.query(runs.select().where(runs.columns[key] == number)) as rows:
        complete = rows.first() is not None
    if not complete:
        manager._db.sync(runs, keys={key: number})
    return new


def _make_missing(manager: Any, tables: Any) -> None:
    database, collections = manager._db, type(manager._collections)
    _make_if_missing(database, tables.tags_name, makeTagTableSpec(tables._dimensions, collections))
    if tables.calibs_name is not None:
        spec = makeCalibTableSpec(tables._dimensions, collections, database.getTimespanRepresentation())
        _make_if_missing(database, tables.calibs_name, spec)


def _make_if_missing(database: Any, name: str, spec: Any) -> None:
    # Within a transaction by its connection, as upstream does.
    there = sqlalchemy.inspect(database._session_connection or database._engine)
    if there.has_table(name, schema=database.namespace):
        return
    # Upstream may remember the one that it could not make.
    table = database._metadata.get_table(name)
    if table is None:
        table = database._metadata.add_table(database, name, spec)
    with database._transaction() as (_, connection):
        table.create(connection)
