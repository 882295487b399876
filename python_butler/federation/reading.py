"""The reading half of `SatelliteButler`: finding, getting and querying in both repositories."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast, override

from lsst.daf.butler import (
    Butler,
    DataCoordinate,
    DataId,
    DatasetExistence,
    DatasetId,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    DeferredDatasetHandle,
    DimensionUniverse,
    MissingDatasetTypeError,
    StorageClass,
    Timespan,
)
from lsst.daf.butler._query_all_datasets import QueryAllDatasetsParameters, query_all_datasets
from lsst.daf.butler.datastore import DatasetRefURIs
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries import Query
from lsst.daf.butler.registry.expand_data_ids import expand_data_ids
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder
from lsst.resources import ResourcePath, ResourcePathExpression

from ..errors import InvalidRequestError, SatelliteError
from .collections import SatelliteCollections
from .driver import FederatedQueryDriver
from .finding import Finder
from .records import RecordLedger
from .registry import SatelliteRegistry
from .safety import safely
from .shared import Side
from .sides import Sides

__all__ = ["ReadingButler"]


class ReadingButler(Butler):
    """Reads an official repository and its satellite as one; `SatelliteButler` adds the rest."""

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
        for butler in (self._sides.personal, self._sides.official):
            if butler is None:
                continue
            ref = butler.get_dataset(
                id,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
            )
            if ref is not None:
                return ref
        return None

    @override
    def get_many_datasets(self, ids: Iterable[DatasetId | str]) -> list[DatasetRef]:
        wanted = {str(id) for id in ids}
        personal = self._sides.personal
        found = personal.get_many_datasets(wanted) if personal is not None else []
        rest = wanted - {str(ref.id) for ref in found}
        return [*found, *(self._sides.official.get_many_datasets(rest) if rest else ())]

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
        search = self._finder.search(dataset_type, data_id, collections, timespan, kwargs)
        found = self._finder.first(
            dataset_type,
            search,
            storage_class=storage_class,
            dimension_records=dimension_records,
            datastore_records=datastore_records,
        )
        if found is None:
            self._check_data_id(search.dataset_type, search.data_id, search.values)
            return None
        return found[1]

    # Reading

    @override
    @safely
    def get(
        self,
        datasetRefOrType: DatasetRef | DatasetType | str,
        /,
        dataId: DataId | None = None,
        *,
        parameters: dict[str, Any] | None = None,
        collections: Any = None,
        storageClass: StorageClass | str | None = None,
        timespan: Timespan | None = None,
        **kwargs: Any,
    ) -> Any:
        if isinstance(datasetRefOrType, DatasetRef):
            home = self._finder.home(datasetRefOrType)
            return home.get(
                datasetRefOrType, dataId, parameters=parameters, storageClass=storageClass, **kwargs
            )
        return self._first(
            "get",
            datasetRefOrType,
            dataId,
            collections,
            timespan,
            kwargs,
            parameters=parameters,
            storageClass=storageClass,
        )

    @override
    @safely
    def getDeferred(
        self,
        datasetRefOrType: DatasetRef | DatasetType | str,
        /,
        dataId: DataId | None = None,
        *,
        parameters: dict[str, Any] | None = None,
        collections: Any = None,
        storageClass: str | StorageClass | None = None,
        timespan: Timespan | None = None,
        **kwargs: Any,
    ) -> DeferredDatasetHandle:
        if isinstance(datasetRefOrType, DatasetRef):
            home = self._finder.home(datasetRefOrType)
            handle = home.getDeferred(
                datasetRefOrType, dataId, parameters=parameters, storageClass=storageClass, **kwargs
            )
        else:
            handle = self._first(
                "getDeferred",
                datasetRefOrType,
                dataId,
                collections,
                timespan,
                kwargs,
                parameters=parameters,
                storageClass=storageClass,
            )
        return dataclasses.replace(handle, butler=self)

    @override
    def getURIs(
        self,
        datasetRefOrType: DatasetRef | DatasetType | str,
        /,
        dataId: DataId | None = None,
        *,
        predict: bool = False,
        collections: Any = None,
        run: str | None = None,
        **kwargs: Any,
    ) -> DatasetRefURIs:
        if isinstance(datasetRefOrType, DatasetRef) and not predict:
            return self._finder.home(datasetRefOrType).getURIs(datasetRefOrType, dataId, **kwargs)
        if not isinstance(datasetRefOrType, DatasetRef):
            try:
                uris = self._first("getURIs", datasetRefOrType, dataId, collections, None, kwargs)
                return cast(DatasetRefURIs, uris)
            except DatasetNotFoundError:
                if not predict:
                    raise
        return self._predicted_uris(datasetRefOrType, dataId, run, kwargs)

    @override
    @safely
    def exists(
        self,
        dataset_ref_or_type: DatasetRef | DatasetType | str,
        /,
        data_id: DataId | None = None,
        *,
        full_check: bool = True,
        collections: Any = None,
        **kwargs: Any,
    ) -> DatasetExistence:
        if isinstance(dataset_ref_or_type, DatasetRef):
            home = self._finder.home(dataset_ref_or_type)
            return home.exists(
                dataset_ref_or_type, data_id, full_check=full_check, collections=collections, **kwargs
            )
        try:
            search = self._finder.search(dataset_ref_or_type, data_id, collections, None, kwargs)
            found = self._finder.first(dataset_ref_or_type, search)
        except (LookupError, TypeError):
            return DatasetExistence.UNRECOGNIZED
        if found is None:
            return DatasetExistence.UNRECOGNIZED
        return self._finder.home(found[1]).exists(found[1], full_check=full_check)

    @safely
    def _exists_many(
        self, refs: Iterable[DatasetRef], /, *, full_check: bool = True
    ) -> dict[DatasetRef, DatasetExistence]:
        refs = list(refs)
        found: dict[DatasetRef, DatasetExistence] = {}
        for home, datasets in self._finder.homes(refs):
            found |= home._exists_many(datasets, full_check=full_check)
        return {ref: found[ref] for ref in refs}

    @override
    @safely
    def stored_many(self, refs: Iterable[DatasetRef]) -> dict[DatasetRef, bool]:
        refs = list(refs)
        found: dict[DatasetRef, bool] = {}
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, DirectButler):
                found |= home.stored_many(datasets)
            else:
                # Upstream's remote Butler has no datastore to ask.
                found |= {ref: bool(value) for ref, value in home._exists_many(datasets).items()}
        return {ref: found[ref] for ref in refs}

    @override
    @safely
    def get_many_uris(
        self, refs: Iterable[DatasetRef], predict: bool = False, allow_missing: bool = False
    ) -> dict[DatasetRef, DatasetRefURIs]:
        uris: dict[DatasetRef, DatasetRefURIs] = {}
        for home, datasets in self._finder.homes(refs):
            if isinstance(home, DirectButler):
                uris |= home.get_many_uris(datasets, predict=predict, allow_missing=allow_missing)
                continue
            for ref in datasets:
                try:
                    uris[ref] = home.getURIs(ref)
                except DatasetNotFoundError as error:
                    if not allow_missing:
                        raise FileNotFoundError(f"Dataset {ref} not in this datastore.") from error
        return uris

    @override
    @safely
    def retrieveArtifacts(
        self,
        refs: Iterable[DatasetRef],
        destination: ResourcePathExpression,
        transfer: str = "auto",
        preserve_path: bool = True,
        overwrite: bool = False,
    ) -> list[ResourcePath]:
        paths: list[ResourcePath] = []
        for home, datasets in self._finder.homes(refs):
            paths += home.retrieveArtifacts(datasets, destination, transfer, preserve_path, overwrite)
        return paths

    @override
    @safely
    def retrieve_artifacts_zip(
        self, refs: Iterable[DatasetRef], destination: ResourcePathExpression, overwrite: bool = True
    ) -> ResourcePath:
        homes = self._finder.homes(refs)
        if len(homes) > 1:
            raise InvalidRequestError(
                "Official and personal datasets cannot be put into one zip file.",
                "Retrieve them one after the other.",
            )
        ((home, datasets),) = homes
        return home.retrieve_artifacts_zip(datasets, destination, overwrite)

    # Queries

    @override
    @contextmanager
    def query(self) -> Iterator[Query]:
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

    def _first(
        self,
        method: str,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        collections: Any,
        timespan: Timespan | None,
        values: dict[str, Any],
        **options: Any,
    ) -> Any:
        """Call a method of the repository that has the first dataset of a search."""
        search = self._finder.search(dataset_type, data_id, collections, timespan, values)
        if timespan is not None or search.timespan is not None:
            options["timespan"] = search.timespan
        if [segment.side for segment in search.segments] == [Side.OFFICIAL]:
            # The server finds and signs in one request.
            names = search.segments[0].names
            found = getattr(self._sides.official, method)
            return found(dataset_type, search.data_id, collections=names, **options, **search.values)
        first = self._finder.first(dataset_type, search)
        if first is None:
            self._check_data_id(search.dataset_type, search.data_id, search.values)
            raise search.not_found()
        options.pop("timespan", None)
        ref = first[1]
        if isinstance(dataset_type, DatasetType) and dataset_type != ref.datasetType:
            # The caller wants another storage class than the repository's.
            ref = DatasetRef(dataset_type, ref.dataId, run=ref.run, id=ref.id)
        return getattr(self._finder.home(ref), method)(ref, **options)

    def _predicted_uris(
        self,
        dataset: DatasetRef | DatasetType | str,
        data_id: DataId | None,
        run: str | None,
        values: dict[str, Any],
    ) -> DatasetRefURIs:
        personal = self._personal()
        if isinstance(dataset, DatasetRef):
            return personal._datastore.getURIs(
                dataset.expanded(self.registry.expandDataId(dataset.dataId)), True
            )
        run = run or self.run
        if run is None:
            raise TypeError("Cannot predict dataset ID/location with run=None.")
        dataset_type = self.get_dataset_type(dataset) if isinstance(dataset, str) else dataset
        data_id, values = self._finder.rewrite(data_id, dataset_type, values)
        coordinate = self._standardize(dataset_type, data_id, values)
        ref = DatasetRef(dataset_type, self.registry.expandDataId(coordinate), run=run)
        return personal._datastore.getURIs(ref, True)

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
        data_id, values = self._finder.rewrite(data_id, dataset_type, values)
        self._standardize(dataset_type, data_id, values)

    def _personal(self) -> DirectButler:
        personal = self._sides.personal
        if personal is None:
            raise SatelliteError(
                f"You have no satellite of {self._sides.shared.label} yet.", "The first put creates it."
            )
        return personal
