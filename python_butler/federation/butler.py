"""`SatelliteButler`: one Butler over an official repository and the user's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import EllipsisType
from typing import Any, TextIO, cast, override

from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    DataCoordinate,
    DataId,
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DimensionElement,
    DimensionRecord,
    FileDataset,
    LimitedButler,
    MissingCollectionError,
    StorageClassFactory,
)
from lsst.daf.butler._butler import _DeprecatedDefault
from lsst.daf.butler.datastore import Datastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import CollectionArgType, NoDefaultCollectionError, RegistryDefaults
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder
from lsst.daf.butler.transfers import RepoExportContext
from lsst.resources import ResourcePathExpression

from .finding import Finder
from .reading import ReadingButler
from .records import RecordLedger
from .registry import SatelliteRegistry
from .shared import Shared
from .sides import Sides
from .writing import Writing

__all__ = ["SatelliteButler"]


class SatelliteButler(ReadingButler):
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

    _writing: Writing

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
        try:
            if defaults.run is not None and writeable:
                self.collections.register(defaults.run)
            defaults.finish(self._registry)
            self._sides.use_default_data_id(defaults.dataId)
        except BaseException:
            self._sides.close()
            raise
        return self

    # What it is

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
    # Upstream has an attribute here; ours is read only, and known once a satellite is there.
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
