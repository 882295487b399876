"""Finding datasets in both repositories, and queries over both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, override
from uuid import UUID

from lsst.daf.butler import (
    Butler,
    DataCoordinate,
    DataId,
    DatasetId,
    DatasetRef,
    DatasetType,
    DimensionUniverse,
    MissingDatasetTypeError,
    StorageClass,
    Timespan,
)
from lsst.daf.butler._query_all_datasets import QueryAllDatasetsParameters, query_all_datasets
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries import Query
from lsst.daf.butler.registry.expand_data_ids import expand_data_ids
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder

from ..errors import OfflineError, SatelliteError
from .collections import SatelliteCollections
from .driver import FederatedQueryDriver
from .finding import Finder
from .ledger import RecordLedger
from .registry import SatelliteRegistry
from .rewriting import rewrite
from .shared import Side
from .sides import Sides
from .spooled import as_asked, without_spooled_records

__all__ = ["SearchingButler"]


class SearchingButler(Butler):
    """Finds datasets of an official repository and its satellite, and answers queries over both."""

    _sides: Sides
    _defaults: DefaultsHolder
    _registry: SatelliteRegistry
    _ledger: RecordLedger
    _finder: Finder

    # What it is

    @override
    def isWriteable(self) -> bool:
        return self._sides.writeable

    @property
    @override
    def dimensions(self) -> DimensionUniverse:
        return self._sides.universe

    @property
    @override
    def run(self) -> str | None:
        return self._defaults.get().run

    @property
    def collections(self) -> SatelliteCollections:
        """Object with methods for modifying and inspecting collections."""
        return SatelliteCollections(self._sides, self._defaults)

    @property
    def collection_chains(self) -> SatelliteCollections:
        """Object with methods for modifying and inspecting collections."""
        return self.collections

    @property
    @override
    def registry(self) -> SatelliteRegistry:
        return self._registry

    # Finding

    @override
    def get_dataset_type(self, name: str) -> DatasetType:
        for side in Side:
            dataset_type = self._sides.dataset_type(side, name)
            if dataset_type is not None:
                return dataset_type
        if self._sides.offline:
            raise self._sides.shared.reach.unavailable(f"Dataset type {name!r}")
        raise MissingDatasetTypeError(f"Dataset type {name!r} does not exist.")

    @override
    def get_dataset(
        self,
        id: DatasetId | str,
        *,
        storage_class: str | StorageClass | None = None,
        dimension_records: bool = False,
        datastore_records: bool = False,
    ) -> DatasetRef | None:
        def get(butler: Butler | None) -> DatasetRef | None:
            if butler is None:
                return None
            return butler.get_dataset(
                id,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
            )

        ref = get(self._sides.personal)
        if ref is None and self._sides.spooled.look():
            for waiting in self._sides.spooled.by_id([UUID(str(id))]).values():
                return self._as_asked(waiting, "", storage_class, dimension_records, datastore_records)
            # It may have been committed in this moment.
            ref = get(self._sides.personal)
        if ref is None:
            self._sides.shared.reach.demand(f"Dataset {id}")
            ref = get(self._sides.official)
        return ref

    @override
    def get_many_datasets(self, ids: Iterable[DatasetId | str]) -> list[DatasetRef]:
        wanted = {str(id) for id in ids}
        # Before the registry is asked: what is in neither then is nowhere.
        waiting = self._sides.spooled.by_id(UUID(id) for id in wanted) if self._sides.spooled.look() else {}
        personal = self._sides.personal
        found = personal.get_many_datasets(wanted) if personal is not None else []
        committed = {ref.id for ref in found}
        found += [without_spooled_records(ref) for id, ref in waiting.items() if id not in committed]
        rest = wanted - {str(ref.id) for ref in found}
        if rest:
            self._sides.shared.reach.demand(f"Dataset {min(rest)}")
            found = [*found, *self._sides.official.get_many_datasets(rest)]
        return found

    @override
    def find_dataset(
        self,
        dataset_type: DatasetType | str,
        data_id: DataId | None = None,
        *,
        collections: str | Sequence[str] | None = None,
        timespan: Timespan | None = None,
        storage_class: str | StorageClass | None = None,
        dimension_records: bool = False,
        datastore_records: bool = False,
        **kwargs: Any,
    ) -> DatasetRef | None:
        def find() -> DatasetRef | None:
            names = collections
            waiting = self._finder.first_waiting(dataset_type, data_id, collections, kwargs)
            if waiting is not None:
                ref, names = waiting
                ref = self._as_asked(ref, dataset_type, storage_class, dimension_records, datastore_records)
                if not names:
                    return ref
            search = self._finder.search(dataset_type, data_id, names, timespan, kwargs)
            found = self._finder.first(
                dataset_type,
                search,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
            )
            if found is None and waiting is not None:
                return ref
            if found is None:
                self._check_data_id(search.dataset_type, search.data_id, search.values)
                return None
            return found[1]

        return self._with_or_without_server(find)

    # Queries

    @override
    @contextmanager
    def query(self) -> Iterator[Query]:
        self._sides.spooled.settle(tell=True)
        driver = FederatedQueryDriver(self)
        with driver:
            yield Query(driver)

    @contextmanager
    def _query_all_datasets_by_page(
        self, args: QueryAllDatasetsParameters
    ) -> Iterator[Iterator[list[DatasetRef]]]:
        with self.query() as query:
            pages = query_all_datasets(self, query, args)
            yield (page.data for page in pages)

    def _expand_data_ids(self, data_ids: Iterable[DataCoordinate]) -> list[DataCoordinate]:
        return expand_data_ids(data_ids, self.dimensions, self.query, None)

    # Details

    def _with_or_without_server[T](self, ask: Callable[[], T]) -> T:
        """Try again with the satellite alone if the server turns out to be out of reach."""
        try:
            return ask()
        except OfflineError:
            if self._sides.personal is None or not self._sides.offline:
                raise
        return ask()

    def _as_asked(
        self,
        ref: DatasetRef,
        dataset_type: DatasetType | str,
        storage_class: str | StorageClass | None,
        dimension_records: bool,
        datastore_records: bool,
    ) -> DatasetRef:
        ref = as_asked(ref, dataset_type or ref.datasetType, storage_class)
        if dimension_records:
            ref = ref.expanded(self.registry.expandDataId(ref.dataId))
        return ref if datastore_records else without_spooled_records(ref)

    def _standardize(
        self, dataset_type: DatasetType, data_id: DataId | None, values: dict[str, Any]
    ) -> DataCoordinate:
        return DataCoordinate.standardize(
            data_id,
            dimensions=dataset_type.dimensions,
            universe=self.dimensions,
            defaults=self._defaults.get().dataId,
            **values,
        )

    def _check_data_id(
        self, dataset_type: DatasetType, data_id: DataId | None, values: dict[str, Any]
    ) -> None:
        """Raise upstream's exception for a data ID that is incomplete."""
        data_id, values = rewrite(self, data_id, dataset_type, values)
        self._standardize(dataset_type, data_id, values)

    def _personal(self) -> DirectButler:
        personal = self._sides.personal
        if personal is None:
            raise SatelliteError(
                f"You have no satellite of {self._sides.shared.label} yet.", "The first put creates it."
            )
        return personal
