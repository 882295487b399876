"""The reading half of `SatelliteButler` with what this process has in memory: that comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, override

from lsst.daf.butler import (
    DataCoordinate,
    DataId,
    DatasetExistence,
    DatasetId,
    DatasetRef,
    DatasetType,
    DeferredDatasetHandle,
    MissingDatasetTypeError,
    StorageClass,
    Timespan,
)
from lsst.daf.butler.datastore import DatasetRefURIs

from ..errors import InvalidRequestError
from ..saving.memory import Item, read
from .reading import ReadingButler
from .remembering import Remembering

__all__ = ["RememberingButler"]


class RememberingButler(ReadingButler):
    """Reads what was saved to memory, and otherwise the two repositories."""

    _remembering: Remembering

    @override
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
        found, collections = self._remembered(datasetRefOrType, dataId, collections, kwargs)
        if found is None:
            return super().get(
                datasetRefOrType,
                dataId,
                parameters=parameters,
                collections=collections,
                storageClass=storageClass,
                timespan=timespan,
                **kwargs,
            )
        item, ref = found
        self._sides.reads.read(ref)
        return read(item, ref, parameters, storageClass)

    @override
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
        found, collections = self._remembered(datasetRefOrType, dataId, collections, kwargs)
        if found is None:
            return super().getDeferred(
                datasetRefOrType,
                dataId,
                parameters=parameters,
                collections=collections,
                storageClass=storageClass,
                timespan=timespan,
                **kwargs,
            )
        return DeferredDatasetHandle(
            butler=self, ref=found[1], parameters=parameters, storageClass=storageClass
        )

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
        found, collections = self._remembered(datasetRefOrType, dataId, collections, kwargs)
        if found is None:
            return super().getURIs(
                datasetRefOrType, dataId, predict=predict, collections=collections, run=run, **kwargs
            )
        raise InvalidRequestError(
            f"{found[1]} is in memory, and has no address.", "Save it to 'personal' to have a file."
        )

    @override
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
        found, collections = self._remembered(dataset_ref_or_type, data_id, collections, kwargs)
        if found is None:
            return super().exists(
                dataset_ref_or_type, data_id, full_check=full_check, collections=collections, **kwargs
            )
        return DatasetExistence.VERIFIED

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
        found, collections = self._remembered(dataset_type, data_id, collections, kwargs)
        if found is None:
            return super().find_dataset(
                dataset_type,
                data_id,
                collections=collections,
                timespan=timespan,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
                **kwargs,
            )
        ref = found[1]
        if dimension_records:
            ref = ref.expanded(self.registry.expandDataId(ref.dataId))
        return ref if storage_class is None else ref.overrideStorageClass(storage_class)

    @override
    def get_dataset(
        self,
        id: DatasetId | str,
        *,
        storage_class: str | StorageClass | None = None,
        dimension_records: bool = False,
        datastore_records: bool = False,
    ) -> DatasetRef | None:
        item = self._remembering.get(id)
        if item is None:
            return super().get_dataset(
                id,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
            )
        return item.ref if storage_class is None else item.ref.overrideStorageClass(storage_class)

    @override
    def get_many_datasets(self, ids: Iterable[DatasetId | str]) -> list[DatasetRef]:
        wanted = list(ids)
        items = {id: item for id in wanted if (item := self._remembering.get(id)) is not None}
        rest = [id for id in wanted if id not in items]
        found = super().get_many_datasets(rest) if rest or not items else []
        return [*found, *(item.ref for item in items.values())]

    @override
    def get_dataset_type(self, name: str) -> DatasetType:
        try:
            return super().get_dataset_type(name)
        except MissingDatasetTypeError:
            found = self._remembering.dataset_type(name)
            if found is None:
                raise
            return found

    def _remembered(
        self,
        dataset: DatasetRef | DatasetType | str,
        data_id: DataId | None,
        collections: Any,
        values: dict[str, Any],
    ) -> tuple[tuple[Item, DatasetRef] | None, Any]:
        """Find what is asked for in memory; otherwise say which collections remain to be searched."""
        memory = self._remembering
        if not memory.store:
            return None, collections
        if isinstance(dataset, DatasetRef):
            item = memory.get(dataset.id)
            return (None if item is None else (item, dataset)), collections
        if collections is None and not self.collections.defaults:
            return None, collections
        item = memory.find(dataset, data_id, collections, values)
        if item is None:
            return None, memory.without(collections)
        return (item, _as_asked(item.ref, dataset)), collections

    def _find_stored(
        self, dataset_type: str, data_id: DataCoordinate, collections: Sequence[str]
    ) -> DatasetRef | None:
        """Find a dataset in one of the repositories, whatever is in memory."""
        return super().find_dataset(dataset_type, data_id, collections=collections)

    def _stored_type(self, name: str) -> DatasetType:
        """Definition of a dataset type in one of the repositories, whatever is in memory."""
        return super().get_dataset_type(name)


def _as_asked(ref: DatasetRef, dataset_type: DatasetType | str) -> DatasetRef:
    """The dataset as a component, or with another storage class, if that is asked for."""
    name = dataset_type if isinstance(dataset_type, str) else dataset_type.name
    component = DatasetType.splitDatasetTypeName(name)[1]
    if component is not None:
        ref = ref.makeComponentRef(component)
    if (
        isinstance(dataset_type, DatasetType)
        and dataset_type.storageClass_name != ref.datasetType.storageClass_name
    ):
        ref = ref.overrideStorageClass(dataset_type.storageClass_name)
    return ref
