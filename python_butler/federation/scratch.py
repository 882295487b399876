"""A temporary registry that holds what a query needs of both repositories, so that it can be asked there."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from uuid import UUID

import astropy.time
from lsst.daf.butler import (
    CollectionInfo,
    CollectionType,
    DataCoordinate,
    DataIdValue,
    DatasetType,
    DimensionElement,
    DimensionRecord,
    DimensionUniverse,
    Timespan,
)
from lsst.daf.butler.direct_query_driver import DirectQueryDriver
from lsst.daf.butler.registry import CollectionSummary, RegistryConfig
from lsst.daf.butler.registry.datasets.byDimensions import ByDimensionsDatasetRecordStorageManagerUUID
from lsst.daf.butler.registry.sql_registry import SqlRegistry
from lsst.utils.iteration import chunk_iterable

__all__ = ["DatasetRow", "Scratch", "ScratchPool"]

_CHUNK = 5_000
"""Rows that are written at once."""


class DatasetRow(NamedTuple):
    """A dataset in one collection."""

    data_id: tuple[DataIdValue, ...]
    """Values of the required dimensions."""
    id: UUID
    run: str
    collection: str
    ingest_date: astropy.time.Time
    timespan: Timespan | None
    """Validity range in a calibration collection."""


class Scratch:
    """A registry in a temporary file, without datastore: what is put into it is true, but not all.

    Parameters
    ----------
    universe : `lsst.daf.butler.DimensionUniverse`
        Dimensions of both repositories.
    """

    def __init__(self, universe: DimensionUniverse) -> None:
        directory = TemporaryDirectory(prefix="python-butler-", ignore_cleanup_errors=True)
        self._close = weakref.finalize(self, directory.cleanup)
        config = RegistryConfig()
        config["db"] = f"sqlite:///{directory.name}/scratch.sqlite3"
        self._registry = SqlRegistry.createFromConfig(config, universe.dimensionConfig)
        self._managers = self._registry._managers
        self._db = self._registry._db
        self._keys: dict[DimensionElement, set[tuple[DataIdValue, ...]]] = {}
        self._rows: set[tuple[str, str, UUID, Timespan | None]] = set()

    @contextmanager
    def driver(self, default_data_id: DataCoordinate) -> Iterator[DirectQueryDriver]:
        """Ask queries; nothing can be added meanwhile.

        Parameters
        ----------
        default_data_id : `lsst.daf.butler.DataCoordinate`
            Values of governor dimensions.

        Yields
        ------
        driver : `lsst.daf.butler.direct_query_driver.DirectQueryDriver`
            Upstream's driver.
        """
        with self._registry._query_driver((), default_data_id) as driver:
            yield driver

    def close(self) -> None:
        """Remove the file."""
        self._registry.close()
        self._close()

    def add_dataset_type(self, dataset_type: DatasetType) -> None:
        """Make a dataset type known.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            Dataset type, not a component.
        """
        self._registry.registerDatasetType(dataset_type)

    def add_collections(self, infos: Iterable[CollectionInfo]) -> None:
        """Make collections known; chains need what is in them.

        Parameters
        ----------
        infos : iterable of `lsst.daf.butler.CollectionInfo`
            Collections.
        """
        infos = list(infos)
        for info in infos:
            self._registry.registerCollection(info.name, info.type)
        for info in infos:
            if info.type is CollectionType.CHAINED:
                self._registry._managers.collections.update_chain(info.name, list(info.children))

    def add_records(self, element: DimensionElement, records: Iterable[DimensionRecord]) -> None:
        """Add dimension records.

        Parameters
        ----------
        element : `lsst.daf.butler.DimensionElement`
            Element they belong to; those that it depends on come first.
        records : iterable of `lsst.daf.butler.DimensionRecord`
            Records. One that refers to a record that is not here is left out: no row can use it.
        """
        known = self._keys.setdefault(element, set())
        universe = element.universe
        parents = [
            (universe[name].required.names, self._keys.get(universe[name], set()))
            for name in element.dimensions.names
            if name != element.name and universe[name].has_own_table
        ]

        def new() -> Iterator[DimensionRecord]:
            for record in records:
                key = record.dataId.required_values
                wanted = ((tuple(_value(record, n) for n in names), keys) for names, keys in parents)
                if key not in known and all(None in parent or parent in keys for parent, keys in wanted):
                    known.add(key)
                    yield record

        for chunk in chunk_iterable(new(), _CHUNK):
            self._registry.insertDimensionData(element, *chunk, conform=False)

    def add_datasets(
        self, dataset_type: DatasetType, rows: Iterable[DatasetRow], types: dict[str, CollectionType]
    ) -> None:
        """Add datasets to the collections in which they were found.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            Their dataset type.
        rows : iterable of `DatasetRow`
            Datasets. One whose dimension records are not here is left out: no row can use it.
        types : `dict` [`str`, `lsst.daf.butler.CollectionType`]
            What the collections are.
        """
        required = dataset_type.dimensions.required
        universe = dataset_type.dimensions.universe
        names = list(required)
        tables = [
            (self._keys.get(universe[n], set()), [names.index(r) for r in universe[n].required.names])
            for n in names
            if universe[n].has_own_table
        ]

        def new() -> Iterator[DatasetRow]:
            for row in rows:
                key = (dataset_type.name, row.collection, row.id, row.timespan)
                if key not in self._rows and all(
                    tuple(row.data_id[i] for i in positions) in keys for keys, positions in tables
                ):
                    self._rows.add(key)
                    yield row

        for chunk in chunk_iterable(new(), _CHUNK):
            self._insert(dataset_type, list(chunk), types)

    def _insert(
        self, dataset_type: DatasetType, rows: list[DatasetRow], types: dict[str, CollectionType]
    ) -> None:
        # Upstream's own methods would set the date of ingest anew, and check what needs no check.
        collections, datasets = self._managers.collections, self._managers.datasets
        assert isinstance(datasets, ByDimensionsDatasetRecordStorageManagerUUID), "as configured"
        storage = datasets._find_storage(dataset_type.name)
        assert storage is not None, "registered before"
        run_key, key_name = datasets._run_key_column, collections.getCollectionForeignKeyName()
        timespans = self._db.getTimespanRepresentation()
        for run in dict.fromkeys(row.run for row in rows):
            self._registry.registerCollection(run, CollectionType.RUN)
        keys = {name: collections.find(name) for row in rows for name in (row.run, row.collection)}
        static, tags, calibs = [], [], []
        for row in rows:
            static.append(
                {
                    "id": row.id,
                    "dataset_type_id": storage.dataset_type_id,
                    run_key: keys[row.run].key,
                    "ingest_date": row.ingest_date,
                }
            )
            association: dict[str, Any] = {
                key_name: keys[row.collection].key,
                "dataset_type_id": storage.dataset_type_id,
                "dataset_id": row.id,
                **dict(zip(dataset_type.dimensions.required, row.data_id, strict=True)),
            }
            if types.get(row.collection) is CollectionType.CALIBRATION:
                timespans.update(row.timespan, result=association)
                calibs.append(association)
            else:
                tags.append(association)
        with self._db.transaction():
            self._db.ensure(datasets._static.dataset, *static)
            for name in dict.fromkeys(row.collection for row in rows):
                summary = CollectionSummary()
                data_ids = (
                    DataCoordinate.from_required_values(dataset_type.dimensions, row.data_id)
                    for row in rows
                    if row.collection == name
                )
                summary.add_data_ids(dataset_type, data_ids)
                datasets._summaries.update(keys[name], [storage.dataset_type_id], summary)
            if tags:
                self._db.ensure(datasets._get_tags_table(storage.dynamic_tables), *tags)
            if calibs:
                self._db.insert(datasets._get_calibs_table(storage.dynamic_tables), *calibs)


def _value(record: DimensionRecord, dimension: str) -> Any:
    if dimension in record.dataId.dimensions.required:
        return record.dataId[dimension]
    return getattr(record, dimension)


class ScratchPool:
    """Keeps the scratch registry of the last query for the next, as long as it is up to date.

    Parameters
    ----------
    universe : `lsst.daf.butler.DimensionUniverse`
        Dimensions of both repositories.
    stamp : callable
        Gives a value that changes when what was gathered is out of date; `None` if it always is.
    """

    def __init__(self, universe: DimensionUniverse, stamp: Callable[[], Hashable | None]) -> None:
        self._universe = universe
        self._stamp = stamp
        self._stamps: dict[Scratch, Hashable | None] = {}
        self._idle: Scratch | None = None
        self._lock = threading.Lock()

    def take(self) -> Scratch:
        """Lend a registry, which may hold what earlier queries needed.

        Returns
        -------
        scratch : `Scratch`
            To be given back.
        """
        stamp = self._stamp()
        with self._lock:
            scratch, self._idle = self._idle, None
        if scratch is not None and stamp is not None and self._stamps[scratch] == stamp:
            return scratch
        if scratch is not None:
            self._drop(scratch)
        scratch = Scratch(self._universe)
        self._stamps[scratch] = stamp
        return scratch

    def give_back(self, scratch: Scratch) -> None:
        """Take a registry back.

        Parameters
        ----------
        scratch : `Scratch`
            No query is open in it.
        """
        with self._lock:
            kept = self._idle is None and self._stamps[scratch] is not None
            if kept:
                self._idle = scratch
        if not kept:
            self._drop(scratch)

    def close(self) -> None:
        """Remove what is kept."""
        with self._lock:
            scratch, self._idle = self._idle, None
        if scratch is not None:
            self._drop(scratch)

    def _drop(self, scratch: Scratch) -> None:
        del self._stamps[scratch]
        scratch.close()
