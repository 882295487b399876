"""Tables of a satellite's database that tell how much room it takes, and upstream's names for them.

Upstream's own interface gives datasets one by one, which takes minutes where a query that adds up takes
moments. What is not public of it is used in this module only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from astropy.time import Time
from lsst.daf.butler import CollectionType
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import Database
from lsst.daf.butler.registry.opaque import ByNameOpaqueTableStorage
from lsst.daf.butler.time_utils import TimeConverter

from ...datastore import personal_of, references_of

__all__ = ["Association", "Tables", "now_in_nanoseconds", "time_of"]


class Tables:
    """The tables of one satellite that is open.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.

    Attributes
    ----------
    dataset, dataset_type, collection, chain, location, trash : `sqlalchemy.Table`
        Datasets; their types; collections; members of chains; which datastore has which datasets; what
        is to be removed from which datastore.
    personal, references : `sqlalchemy.Table`
        Records of the two datastores.
    run_id, collection_id, chain_parent, chain_child : `sqlalchemy.Column`
        Columns whose names depend on the configuration: the run of a dataset, the identifier of a
        collection, and both ends of its membership in a chain.
    """

    def __init__(self, butler: DirectButler) -> None:
        self._butler = butler
        self._db: Database = butler._registry._db
        # Upstream declares interfaces that have one implementation.
        managers: Any = butler._registry._managers
        self.dataset: sqlalchemy.Table = managers.datasets._static.dataset
        self.dataset_type: sqlalchemy.Table = managers.datasets._static.dataset_type
        self.collection: sqlalchemy.Table = managers.collections._tables.collection
        self.chain: sqlalchemy.Table = managers.collections._tables.collection_chain
        self.location: sqlalchemy.Table = managers.datastores._tables.dataset_location
        self.trash: sqlalchemy.Table = managers.datastores._tables.dataset_location_trash
        self.personal = _records(personal_of(butler)._table)
        self.references = _records(references_of(butler)._table)
        names = managers.collections
        self.run_id = self.dataset.columns[names.getRunForeignKeyName()]
        self.collection_id = self.collection.columns[names._collectionIdName]
        self.chain_parent = self.chain.columns["parent"]
        self.chain_child = self.chain.columns["child"]
        self._collection_key = names.getCollectionForeignKeyName()

    @contextmanager
    def query(self, query: sqlalchemy.SelectBase) -> Iterator[Any]:
        """Ask the database.

        Parameters
        ----------
        query : `sqlalchemy.Select`
            What to ask.

        Yields
        ------
        result : `sqlalchemy.CursorResult`
            The answer.
        """
        with self._db.query(query) as result:
            yield result

    def runs(self) -> dict[Any, str]:
        """Names of all runs, by their identifiers."""
        return self.collections(CollectionType.RUN)

    def collections(self, *types: CollectionType) -> dict[Any, str]:
        """Names of all collections of some kinds, by their identifiers.

        Parameters
        ----------
        *types : `lsst.daf.butler.CollectionType`
            The kinds.
        """
        columns = self.collection.columns
        wanted = columns.type.in_([int(each) for each in types])
        with self.query(sqlalchemy.select(self.collection_id, columns.name).where(wanted)) as rows:
            return dict(tuple(row) for row in rows)

    def dataset_types(self) -> dict[int, str]:
        """Names of all dataset types, by their identifiers."""
        columns = self.dataset_type.columns
        with self.query(sqlalchemy.select(columns.id, columns.name)) as rows:
            return dict(tuple(row) for row in rows)

    def ingest_date(self) -> sqlalchemy.ColumnElement[int]:
        """Time at which a dataset was registered, in nanoseconds: see `time_of`."""
        return sqlalchemy.type_coerce(self.dataset.columns.ingest_date, sqlalchemy.BigInteger)

    def insertion_order(self) -> sqlalchemy.ColumnElement[Any]:
        """Something that is larger for a dataset that was registered later, by whatever clock."""
        if self._db.dialect.name == "sqlite":
            # Kept when the database is compacted, and never smaller than that of a row that is there.
            return sqlalchemy.literal_column(f"{self.dataset.name}.rowid")
        # The age of the transaction that inserted the row; datasets are not updated.
        row = self._db.dialect.identifier_preparer.format_table(self.dataset)
        return -sqlalchemy.func.age(sqlalchemy.literal_column(f"{row}.xmin"))

    def associations(self) -> list[Association]:
        """Tables that tell which datasets are in which collections."""
        datasets: Any = self._butler._registry._managers.datasets
        found: dict[str, Association] = {}
        for dataset_type in self._butler.registry.queryDatasetTypes():
            dynamic = datasets._find_storage(dataset_type.name).dynamic_tables
            tags = datasets._get_tags_table(dynamic)
            required = tuple(dataset_type.dimensions.required)
            found[tags.name] = Association(tags, tags.columns[self._collection_key], required)
            if dynamic.calibs_name is not None:
                calibs = datasets._get_calibs_table(dynamic)
                found[calibs.name] = Association(calibs, calibs.columns[self._collection_key], None)
        return list(found.values())


@dataclass(frozen=True)
class Association:
    """A table that tells which datasets are in which collections.

    Attributes
    ----------
    table : `sqlalchemy.Table`
        The table, with a column ``dataset_id``.
    collection : `sqlalchemy.Column`
        Its column of collections.
    dimensions : `tuple` [`str`, ...] or `None`
        Its columns of data IDs; `None` for a table of validity ranges.
    """

    table: sqlalchemy.Table
    collection: sqlalchemy.Column[Any]
    dimensions: tuple[str, ...] | None


def _records(table: object) -> sqlalchemy.Table:
    assert isinstance(table, ByNameOpaqueTableStorage), "the only kind upstream has"
    return table._table


def time_of(date: int) -> Time:
    """Time as a person reads it.

    Parameters
    ----------
    date : `int`
        As `Tables.ingest_date` gives it.

    Returns
    -------
    time : `astropy.time.Time`
        The time.
    """
    return TimeConverter().nsec_to_astropy(date)


def now_in_nanoseconds() -> int:
    """The present, as the database has times."""
    return int(TimeConverter().astropy_to_nsec(Time.now()))
