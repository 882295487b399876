"""`SatelliteButler`: one Butler over an official repository and the user's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import EllipsisType
from typing import Any, cast, override

from lsst.daf.butler import (
    Butler,
    ButlerConfig,
    ButlerMetrics,
    LabeledButlerFactoryProtocol,
    SpecificButlerDataset,
    StorageClassFactory,
)
from lsst.daf.butler.datastore import Datastore, FileTransferSource
from lsst.daf.butler.registry import CollectionArgType, RegistryDefaults
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder

from ..errors import UnknownRepositoryError
from .display import to_html
from .finding import Finder
from .ledger import RecordLedger
from .registry import SatelliteRegistry
from .saving import SavingButler
from .shared import Shared
from .sides import Sides
from .transfers import BothFiles
from .writing import Writing

__all__ = ["SatelliteButler"]


class SatelliteButler(SavingButler):
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
        self._start_saving()
        try:
            if defaults.run is not None and writeable:
                self.collections.check_writeable(defaults.run)
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
        return type(self)(
            self._sides.shared, defaults=defaults, writeable=self.isWriteable(), metrics=metrics
        )

    @classmethod
    @override
    def get_dataset_from_uri(
        cls, uri: str, factory: LabeledButlerFactoryProtocol | None = None
    ) -> SpecificButlerDataset:
        from .opening import open

        def open_label(label: str) -> Butler:
            try:
                return open(label) if factory is None else factory(label)
            except UnknownRepositoryError:
                # Upstream takes it for a path then.
                raise KeyError(label) from None

        return super().get_dataset_from_uri(uri, open_label)

    @override
    def close(self) -> None:
        self._stop_saving()
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

    def _repr_html_(self) -> str:
        return to_html(self)

    # What upstream's base classes and tools expect

    @override
    def validateConfiguration(
        self,
        logFailures: bool = False,
        datasetTypeNames: Iterable[str] | None = None,
        ignore: Iterable[str] | None = None,
    ) -> None:
        if self._sides.personal is not None:
            self._sides.personal.validateConfiguration(logFailures, datasetTypeNames, ignore)

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
    def _config(self) -> ButlerConfig:
        # Formats of imports and exports.
        personal = self._sides.personal
        return personal._config if personal is not None else ButlerConfig()

    @property
    def _file_transfer_source(self) -> FileTransferSource:
        return BothFiles(self)

    @property
    # Upstream has an attribute here; ours is read only, and known once a satellite is there.
    def _datastore(self) -> Datastore:  # type: ignore[override]
        return self._personal()._datastore
