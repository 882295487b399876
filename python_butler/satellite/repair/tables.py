"""The tables of a satellite's database, and the questions about them that upstream has no interface for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler.datastore.stored_file_info import NULLSTR
from lsst.daf.butler.direct_butler import DirectButler
from lsst.utils.iteration import chunk_iterable

from ...datastore import personal_of, references_of
from ...datastore.chain import notes_of_datastore
from ...errors import SatelliteError
from ..configuration import PERSONAL

__all__ = ["Record", "Tables"]

_IDS = 5_000
"""IDs in one statement; SQLite takes 32,766."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row of the records of personal files."""

    dataset_id: UUID
    path: str
    size: int
    checksum: str | None


class Tables:
    """The tables of an opened satellite.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite. It must stay open.
    """

    def __init__(self, butler: DirectButler) -> None:
        self.database: Any = butler._registry._db
        # Upstream declares interfaces that have one implementation each.
        managers: Any = butler._registry._managers
        self.dataset = managers.datasets._static.dataset
        self.dataset_type = managers.datasets._static.dataset_type
        self.location = managers.datastores._tables.dataset_location
        self.trash = managers.datastores._tables.dataset_location_trash
        self.collection = managers.collections._tables.collection
        self.chain = managers.collections._tables.collection_chain
        self.run = managers.collections._tables.run
        self.stores = dict(_stores(butler))
        notes: Any = notes_of_datastore(butler)
        self.notes = None if notes is None else notes._table

    def ask(self, query: Any) -> list[Any]:
        """Give all rows of a query."""
        with self.database.query(query) as rows:
            return list(rows.fetchall())

    def count(self, table: Any) -> int:
        """Count the rows of a table."""
        return int(self.ask(sqlalchemy.select(sqlalchemy.func.count()).select_from(table))[0][0])

    def records(self) -> Iterator[Record]:
        """Give the records of personal files, but for those of datasets in the trash."""
        columns = self.personal.columns
        query = sqlalchemy.select(
            columns.dataset_id, columns.path, columns.file_size, columns.checksum
        ).where(~sqlalchemy.exists().where(self.trash.columns.dataset_id == columns.dataset_id))
        for row in self.ask(query):
            yield Record(row[0], row[1], -1 if row[2] is None else row[2], row[3])

    def paths(self) -> list[str]:
        """Give the paths in all records of personal files."""
        return [row[0] for row in self.ask(sqlalchemy.select(self.personal.columns.path))]

    def records_of(self, ids: Iterable[UUID]) -> dict[tuple[UUID, str], Record]:
        """Give the records of some personal datasets, by dataset and component; that of a whole is empty."""
        columns = self.personal.columns
        found: dict[tuple[UUID, str], Record] = {}
        query = sqlalchemy.select(
            columns.dataset_id, columns.path, columns.file_size, columns.checksum, columns.component
        )
        for chunk in chunk_iterable(ids, _IDS):
            for row in self.ask(query.where(columns.dataset_id.in_(chunk))):
                component = "" if row[4] == NULLSTR else row[4]
                found[row[0], component] = Record(row[0], row[1], -1 if row[2] is None else row[2], row[3])
        return found

    @property
    def personal(self) -> Any:
        """Table of the records of personal files."""
        return self.stores[PERSONAL]

    @property
    def references(self) -> Any | None:
        """Table of the records of references; a satellite of the first format has none."""
        return next((t for name, t in self.stores.items() if name != PERSONAL), None)

    def describe(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Say what datasets are: their dataset types and runs.

        Parameters
        ----------
        ids : iterable of `uuid.UUID`
            Datasets.

        Returns
        -------
        descriptions : `dict` [`uuid.UUID`, `str`]
            Of those that exist.
        """
        said: dict[UUID, str] = {}
        dataset, kind, collection = self.dataset.columns, self.dataset_type.columns, self.collection.columns
        joined = sqlalchemy.select(dataset.id, kind.name, collection.name).select_from(
            self.dataset.join(self.dataset_type, kind.id == dataset.dataset_type_id).join(
                self.collection, collection.collection_id == dataset.run_id
            )
        )
        for chunk in chunk_iterable(ids, _IDS):
            for dataset_id, type_name, run in self.ask(joined.where(dataset.id.in_(chunk))):
                said[dataset_id] = f"{type_name} in {run} ({dataset_id})"
        return said

    def runs(self) -> set[str]:
        """Give the names of all runs."""
        columns = self.collection.columns
        query = sqlalchemy.select(columns.name).select_from(
            self.collection.join(self.run, self.run.columns.collection_id == columns.collection_id)
        )
        return {row[0] for row in self.ask(query)}

    def types(self) -> set[str]:
        """Give the names of all dataset types."""
        return {row[0] for row in self.ask(sqlalchemy.select(self.dataset_type.columns.name))}


def _stores(butler: DirectButler) -> Iterator[tuple[str, Any]]:
    personal: Any = personal_of(butler)
    yield PERSONAL, personal._table._table
    try:
        references: Any = references_of(butler)
    except SatelliteError:
        return
    yield references.name, references._table._table
