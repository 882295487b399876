"""`SatelliteButler`: one Butler over an official repository and the user's own."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import EllipsisType
from typing import Any, TextIO, cast, override

from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    DataCoordinate,
    DataId,
    DatasetExistence,
    DatasetId,
    DatasetNotFoundError,
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DeferredDatasetHandle,
    DimensionElement,
    DimensionRecord,
    DimensionUniverse,
    FileDataset,
    LimitedButler,
    MissingCollectionError,
    MissingDatasetTypeError,
    StorageClass,
    StorageClassFactory,
    Timespan,
)
from lsst.daf.butler._butler import _DeprecatedDefault
from lsst.daf.butler._query_all_datasets import QueryAllDatasetsParameters, query_all_datasets
from lsst.daf.butler.datastore import DatasetRefURIs, Datastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries import Query
from lsst.daf.butler.registry import CollectionArgType, NoDefaultCollectionError, RegistryDefaults
from lsst.daf.butler.registry.expand_data_ids import expand_data_ids
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder
from lsst.daf.butler.transfers import RepoExportContext
from lsst.resources import ResourcePath, ResourcePathExpression

from ..errors import InvalidRequestError, SatelliteError
from .collections import SatelliteCollections
from .driver import FederatedQueryDriver
from .finding import Finder
from .records import RecordLedger
from .registry import SatelliteRegistry
from .safety import safely
from .sides import Shared, Side, Sides
from .writing import Writing

__all__ = ["SatelliteButler"]


class SatelliteButler(Butler):
    """A `Butler` that reads an official repository and a satellite as one, and writes to the satellite.

    Made by `python_butler.open`. Every method has upstream's signature and meaning.

    Reading searches the collections in the order given, wherever each of them is; a collection that
    exists officially is read officially. Writing creates the satellite if there is none yet, and
    brings the dataset type's definition and the dimension records that it needs from the official
    repository.

    Parameters
    ----------
    shared : `Shared`
        The two repositories, and what clones share.
    defaults : `lsst.daf.butler.registry.RegistryDefaults`
        Default collections, run and data ID values.
    writeable : `bool`
        Whether the satellite may be written.
    metrics : `lsst.daf.butler.ButlerMetrics`, optional
        Where usage is counted.
    """

    _sides: Sides
    _defaults: DefaultsHolder
    _registry: SatelliteRegistry
    _ledger: RecordLedger
    _writing: Writing
    _finder: Finder

    # __new__ and not __init__, as upstream's classes do: Butler() itself is a factory.
    def __new__(
        cls,
        shared: Shared,
        *,
        defaults: RegistryDefaults,
        writeable: bool,
        metrics: ButlerMetrics | None = None,
    ) -> SatelliteButler:
        """Make a Butler; the parameters are those of the class."""
        self = cast(SatelliteButler, super().__new__(cls))
        self.storageClasses = StorageClassFactory()
        self._metrics = metrics if metrics is not None else ButlerMetrics()
        self._sides = Sides(shared, writeable=writeable, metrics=self._metrics)
        self._defaults = DefaultsHolder(defaults)
        self._ledger = RecordLedger(self._sides)
        self._writing = Writing(self._sides, self.collections)
        self._registry = SatelliteRegistry(self, self._defaults)
        self._finder = Finder(self)
        if defaults.run is not None and writeable:
            self.collections.register(defaults.run)
        defaults.finish(self._registry)
        self._sides.use_default_data_id(defaults.dataId)
        return self

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

    @override
    def clone(
        self,
        *,
        collections: CollectionArgType | EllipsisType | None = ...,
        run: str | EllipsisType | None = ...,
        inferDefaults: bool | EllipsisType = ...,
        dataId: dict[str, str] | EllipsisType = ...,
        metrics: ButlerMetrics | None = None,
    ) -> SatelliteButler:
        defaults = self._defaults.get().clone(collections, run, inferDefaults, dataId)
        return SatelliteButler(
            self._sides.shared, defaults=defaults, writeable=self.isWriteable(), metrics=metrics
        )

    @override
    def close(self) -> None:
        self._sides.close()

    def __reduce__(self) -> tuple[Any, ...]:
        from .opening import reopen

        defaults = self._defaults.get()
        collections = None if defaults._original_collection_was_none else tuple(defaults.collections)
        return (
            reopen,
            (
                self._sides.shared.label,
                self._sides.shared.root,
                self.isWriteable(),
                collections,
                defaults.run,
                defaults._infer,
                dict(defaults._original_kwargs),
            ),
        )

    def __str__(self) -> str:
        shared = self._sides.shared
        return f"SatelliteButler({shared.label}, {shared.root})"

    __repr__ = __str__

    # Finding

    @override
    def get_dataset_type(self, name: str) -> DatasetType:
        for side in Side:
            dataset_type = self._sides.dataset_type(side, name)
            if dataset_type is not None:
                return dataset_type
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

    # Writing

    @override
    def put(
        self,
        obj: Any,
        datasetRefOrType: DatasetRef | DatasetType | str,
        /,
        dataId: DataId | None = None,
        *,
        run: str | None = None,
        provenance: DatasetProvenance | None = None,
        **kwargs: Any,
    ) -> DatasetRef:
        self._check_writeable()
        if isinstance(datasetRefOrType, DatasetRef):
            self._writing.prepare([datasetRefOrType])
            with self._changing(datasetRefOrType.run) as writer:
                return writer.put(obj, datasetRefOrType, dataId, run=run, provenance=provenance, **kwargs)
        run = run or self.run
        if run is None:
            raise NoDefaultCollectionError(
                "No run provided to put, and no default from opening this Butler: pass run='u/...'."
            )
        self.collections.check_writeable(run)
        dataset_type = self._writing.prepare_dataset_type(datasetRefOrType)
        data_id, values = self._finder.rewrite(dataId, dataset_type, kwargs)
        coordinate = self._standardize(dataset_type, data_id, values)
        self._writing.prepare_records([coordinate])
        with self._changing(run) as writer:
            return writer.put(obj, datasetRefOrType, coordinate, run=run, provenance=provenance)

    @override
    def transaction(self) -> AbstractContextManager[None]:
        self._check_writeable()
        return self._sides.transaction()

    @override
    def ingest(
        self,
        *datasets: FileDataset,
        transfer: str | None = "auto",
        record_validation_info: bool = True,
        skip_existing: bool = False,
    ) -> None:
        self._check_writeable()
        self._writing.prepare(ref for dataset in datasets for ref in dataset.refs)
        with self._changing() as writer:
            writer.ingest(
                *datasets,
                transfer=transfer,
                record_validation_info=record_validation_info,
                skip_existing=skip_existing,
            )

    @override
    def ingest_zip(
        self,
        zip_file: ResourcePathExpression,
        transfer: str = "auto",
        *,
        transfer_dimensions: bool = False,
        dry_run: bool = False,
        skip_existing: bool = False,
    ) -> None:
        with self._changing() as writer:
            writer.ingest_zip(
                zip_file,
                transfer,
                transfer_dimensions=transfer_dimensions,
                dry_run=dry_run,
                skip_existing=skip_existing,
            )

    @override
    def import_(
        self,
        *,
        directory: ResourcePathExpression | None = None,
        filename: ResourcePathExpression | TextIO | None = None,
        format: str | None = None,
        transfer: str | None = None,
        skip_dimensions: set[str] | None = None,
        record_validation_info: bool = True,
        without_datastore: bool = False,
    ) -> None:
        with self._changing() as writer:
            writer.import_(
                directory=directory,
                filename=filename,
                format=format,
                transfer=transfer,
                skip_dimensions=skip_dimensions,
                record_validation_info=record_validation_info,
                without_datastore=without_datastore,
            )

    @override
    def export(
        self,
        *,
        directory: str | None = None,
        filename: str | None = None,
        format: str | None = None,
        transfer: str | None = None,
    ) -> AbstractContextManager[RepoExportContext]:
        return self._personal().export(
            directory=directory, filename=filename, format=format, transfer=transfer
        )

    @override
    def transfer_from(
        self,
        source_butler: LimitedButler,
        source_refs: Iterable[DatasetRef],
        transfer: str = "auto",
        skip_missing: bool = True,
        register_dataset_types: bool = False,
        transfer_dimensions: bool = False,
        dry_run: bool = False,
    ) -> Collection[DatasetRef]:
        refs = list(source_refs)
        for run in {ref.run for ref in refs}:
            self.collections.check_writeable(run)
        with self._changing() as writer:
            return writer.transfer_from(
                source_butler,
                refs,
                transfer,
                skip_missing,
                register_dataset_types,
                transfer_dimensions,
                dry_run,
            )

    @override
    def transfer_dimension_records_from(
        self, source_butler: LimitedButler | Butler, source_refs: Iterable[DatasetRef | DataCoordinate]
    ) -> None:
        with self._changing() as writer:
            writer.transfer_dimension_records_from(source_butler, source_refs)

    @override
    def pruneDatasets(
        self,
        refs: Iterable[DatasetRef],
        *,
        disassociate: bool = True,
        unstore: bool = False,
        tags: Iterable[str] = (),
        purge: bool = False,
    ) -> None:
        self._check_writeable()
        refs = list(refs)
        self._writing.check_deletable(refs)
        with self._changing() as writer:
            writer.pruneDatasets(refs, disassociate=disassociate, unstore=unstore, tags=tags, purge=purge)

    @override
    def removeRuns(
        self,
        names: Iterable[str],
        unstore: bool | type[_DeprecatedDefault] = _DeprecatedDefault,
        *,
        unlink_from_chains: bool = False,
    ) -> None:
        self._check_writeable()
        names = list(names)
        for name in names:
            self.collections.check_writeable(name)
        with self._changing() as writer:
            writer.removeRuns(names, unstore, unlink_from_chains=unlink_from_chains)

    @override
    def validateConfiguration(
        self,
        logFailures: bool = False,
        datasetTypeNames: Iterable[str] | None = None,
        ignore: Iterable[str] | None = None,
    ) -> None:
        self._personal().validateConfiguration(logFailures, datasetTypeNames, ignore)

    # What upstream's base classes and tools expect

    def _caching_context(self) -> AbstractContextManager[None]:
        return nullcontext()

    @override
    @contextmanager
    def record_metrics(self, metrics: ButlerMetrics | None = None) -> Iterator[ButlerMetrics]:
        previous = self._metrics
        self._metrics = metrics if metrics is not None else ButlerMetrics()
        self._sides.count_into(self._metrics)
        try:
            yield self._metrics
        finally:
            self._metrics = previous
            self._sides.count_into(previous)

    @property
    def _datastore(self) -> Datastore:  # type: ignore[override]
        return self._personal()._datastore

    def _extract_all_dimension_records_from_data_ids(
        self,
        source_butler: LimitedButler | Butler,
        data_ids: set[DataCoordinate],
        allowed_elements: frozenset[DimensionElement],
    ) -> dict[DimensionElement, dict[DataCoordinate, DimensionRecord]]:
        return self._personal()._extract_all_dimension_records_from_data_ids(
            source_butler, data_ids, allowed_elements
        )

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

    def _check_writeable(self) -> None:
        if not self.isWriteable():
            raise TypeError("Butler is read-only.")

    @contextmanager
    def _changing(self, run: str | None = None) -> Iterator[DirectButler]:
        try:
            yield self._sides.writer
        except MissingCollectionError as error:
            if run is not None:
                error.add_note(f"Make it first: butler.collections.register({run!r}).")
            raise
        finally:
            self._sides.changed()
