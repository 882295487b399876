"""The table of notes on where personal datasets come from: one document for each dataset."""

from __future__ import annotations

import sqlalchemy
from lsst.daf.butler import ddl
from lsst.daf.butler.registry.interfaces import (
    DatastoreRegistryBridgeManager,
    OpaqueTableStorage,
    ReadOnlyDatabaseError,
)
from sqlalchemy.exc import NoReferencedTableError

__all__ = ["NOTES_LENGTH", "NOTES_TABLE", "notes_table"]

NOTES_TABLE = "provenance_records"
"""Name of the table."""

NOTES_LENGTH = 1_000_000
"""Characters that a document may have at most."""


def notes_table(bridge_manager: DatastoreRegistryBridgeManager) -> OpaqueTableStorage | None:
    """Find the table, or make it.

    Parameters
    ----------
    bridge_manager : `lsst.daf.butler.registry.interfaces.DatastoreRegistryBridgeManager`
        What upstream gives a datastore to reach the database with.

    Returns
    -------
    table : `lsst.daf.butler.registry.interfaces.OpaqueTableStorage` or `None`
        `None` if it is not there and cannot be made: the repository is open for reading, or this is a
        datastore without a registry, as `lsst.daf.butler.QuantumBackedButler` makes one.
    """
    try:
        return bridge_manager.opaque.register(NOTES_TABLE, _specification())
    except (ReadOnlyDatabaseError, NoReferencedTableError):
        return None


def _specification() -> ddl.TableSpec:
    return ddl.TableSpec(
        fields=[
            ddl.FieldSpec(name="dataset_id", dtype=ddl.GUID, primaryKey=True),
            ddl.FieldSpec(name="document", dtype=sqlalchemy.String, length=NOTES_LENGTH, nullable=False),
        ],
        # With the dataset, whoever removes it.
        foreignKeys=[
            ddl.ForeignKeySpec("dataset", source=("dataset_id",), target=("id",), onDelete="CASCADE")
        ],
    )
