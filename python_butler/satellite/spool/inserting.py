"""Rows of datasets whose files are there: many in one go, harmless if they are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import Database, DatabaseInsertMode
from sqlalchemy import text

from ...datastore.chain import personal_of
from ...errors import SatelliteError
from ..presence import registered
from ..provenance import note
from .slip import Slip

__all__ = ["insert", "inserted"]

_MANY = 20
"""Datasets from which on a temporary table is worth its making."""


def insert(
    writer: DirectButler, datasets: Sequence[tuple[DatasetRef, Iterable[StoredFileInfo]]]
) -> set[UUID]:
    """Put datasets into the registry and the records of the personal datastore, in the caller's transaction.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing, in a transaction.
    datasets : sequence of `tuple`
        Each dataset with the records of its files. Those that the registry has already, with the same ID,
        are no trouble.

    Returns
    -------
    new : `set` [`uuid.UUID`]
        Those that the registry did not have.

    Raises
    ------
    lsst.daf.butler.registry.ConflictingDefinitionError
        If there is another dataset of the same run, type and data ID, or a dimension record is missing.
    lsst.daf.butler.MissingDatasetTypeError, lsst.daf.butler.MissingCollectionError
        If a dataset type or a run is not registered.
    """
    _keep_in_memory(writer._registry._db)
    present = registered(writer, [ref.id for ref, _ in datasets])
    groups: defaultdict[object, list[DatasetRef]] = defaultdict(list)
    for ref, _ in datasets:
        if ref.id not in present:
            groups[ref.run, ref.datasetType.dimensions].append(ref)
    for group in groups.values():
        # Neither is public. Upstream's put and ingest end here too, after they have asked for each
        # file, each dimension record and each dataset: ten times as long, with the database locked.
        # The way for new datasets takes longer for each, the other one makes a temporary table.
        writer._registry._importDatasets(group, expand=False, assume_new=len(group) < _MANY)
    rows = [(ref, info) for ref, infos in datasets if ref.id not in present for info in infos]
    personal_of(writer)._register_datasets(rows, insert_mode=DatabaseInsertMode.REPLACE)
    return {ref.id for ref, _ in datasets} - present


@contextmanager
def inserted(writer: DirectButler, slips: Sequence[Slip]) -> Iterator[list[Slip]]:
    """Put datasets into the registry in one transaction, which ends with the block.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, open for writing.
    slips : sequence of `Slip`
        The datasets. Those that the registry has already, with the same ID, are no trouble.

    Yields
    ------
    new : `list` [`Slip`]
        Those that the registry did not have. Their rows are there now, and can still be taken back by
        raising an exception.

    Raises
    ------
    lsst.daf.butler.registry.ConflictingDefinitionError
        If there is another dataset of the same run, type and data ID, or a dimension record is missing.
    lsst.daf.butler.MissingDatasetTypeError, lsst.daf.butler.MissingCollectionError
        If a dataset type or a run is not registered.
    SatelliteError
        If the caller is in a transaction.
    """
    database = writer._registry._db  # not public; nothing else tells of a transaction or SQLite
    if database.isInTransaction():
        # What is done with files here could not be taken back with it.
        raise SatelliteError(
            "Saved datasets cannot be committed within a transaction.", "Leave the transaction first."
        )
    with writer.transaction():
        new = insert(writer, [(slip.ref(writer.dimensions), slip.infos()) for slip in slips])
        note(writer, {slip.id: slip.notes for slip in slips if slip.id in new and slip.notes is not None})
        yield [slip for slip in slips if slip.id in new]


def _keep_in_memory(database: Database) -> None:
    """Let SQLite write nothing into the database before the end: from then on nobody could read."""
    if database.dialect.name == "sqlite":
        with database.query(text("PRAGMA cache_spill = 0")):
            pass
