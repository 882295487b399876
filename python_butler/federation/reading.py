"""The reading half of `SatelliteButler`: getting datasets of both repositories."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast, override

from lsst.daf.butler import (
    DataId,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    DeferredDatasetHandle,
    StorageClass,
    Timespan,
)
from lsst.daf.butler.datastore import DatasetRefURIs

from ..errors import GoneError
from .rewriting import rewrite
from .safety import GoneDatasetError, safely
from .shared import Side
from .spooled import as_asked
from .stored import StoredButler

__all__ = ["ReadingButler"]


class ReadingButler(StoredButler):
    """Reads datasets of both repositories; `SatelliteButler` adds the rest."""

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
            _check_reference_alone(dataId, kwargs, collections)
            with _gone(datasetRefOrType):
                home, ref = self._finder.home(datasetRefOrType)
                self._sides.reads.read(datasetRefOrType)
                return home.get(ref, parameters=parameters, storageClass=storageClass)
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
            home, ref = self._finder.home(datasetRefOrType)
            self._sides.reads.read(datasetRefOrType)
            handle = home.getDeferred(ref, parameters=parameters, storageClass=storageClass)
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
    @safely
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
        if isinstance(datasetRefOrType, DatasetRef):
            _check_reference_alone(dataId, kwargs, collections)
            if not predict:
                with _gone(datasetRefOrType):
                    self._sides.spooled.settle()
                    home, ref = self._finder.home(datasetRefOrType)
                    return home.getURIs(ref)
        else:
            self._sides.spooled.settle()
            try:
                uris = self._first("getURIs", datasetRefOrType, dataId, collections, None, kwargs)
                return cast(DatasetRefURIs, uris)
            except DatasetNotFoundError:
                if not predict:
                    raise
        return self._predicted_uris(datasetRefOrType, dataId, run, kwargs)

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
        return self._with_or_without_server(
            lambda: self._first_now(method, dataset_type, data_id, collections, timespan, values, options)
        )

    def _first_now(
        self,
        method: str,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        collections: Any,
        timespan: Timespan | None,
        values: dict[str, Any],
        options: dict[str, Any],
    ) -> Any:
        options = dict(options)
        waiting = self._finder.first_waiting(dataset_type, data_id, collections, values)
        if waiting is not None:
            return self._first_or_waiting(method, dataset_type, data_id, waiting, timespan, values, options)
        search = self._finder.search(dataset_type, data_id, collections, timespan, values)
        if timespan is not None or search.timespan is not None:
            options["timespan"] = search.timespan
        if [segment.side for segment in search.segments] == [Side.OFFICIAL] and not self._finder.may_hold(
            search
        ):
            # The server finds and signs in one request.
            names = search.segments[0].names
            found = getattr(self._sides.official, method)
            return found(dataset_type, search.data_id, collections=names, **options, **search.values)
        if search.dataset_type.isCalibration() and search.timespan is None:
            search = self._finder.timed(search)
        first = self._finder.first(dataset_type, search)
        if first is None:
            self._check_data_id(search.dataset_type, search.data_id, search.values)
            raise search.not_found()
        options.pop("timespan", None)
        # Found in a registry: nothing of it waits.
        return self._read(method, first[1], dataset_type, options, look=False)

    def _first_or_waiting(
        self,
        method: str,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        waiting: tuple[DatasetRef, list[str]],
        timespan: Timespan | None,
        values: dict[str, Any],
        options: dict[str, Any],
    ) -> Any:
        ref, names = waiting
        first = None
        if names:
            search = self._finder.search(dataset_type, data_id, names, timespan, values)
            if search.dataset_type.isCalibration() and search.timespan is None:
                search = self._finder.timed(search)
            first = self._finder.first(dataset_type, search)
        ref = as_asked(ref, dataset_type) if first is None else first[1]
        return self._read(method, ref, dataset_type, options)

    def _read(
        self,
        method: str,
        ref: DatasetRef,
        dataset_type: DatasetType | str,
        options: dict[str, Any],
        *,
        look: bool = True,
    ) -> Any:
        if isinstance(dataset_type, DatasetType) and dataset_type != ref.datasetType:
            # The caller wants another storage class than the repository's.
            ref = DatasetRef(dataset_type, ref.dataId, run=ref.run, id=ref.id)
        if method != "getURIs":
            self._sides.reads.read(ref)
        home, ref = self._finder.home(ref, look=look)
        return getattr(home, method)(ref, **options)

    def _predicted_uris(
        self,
        dataset: DatasetRef | DatasetType | str,
        data_id: DataId | None,
        run: str | None,
        values: dict[str, Any],
    ) -> DatasetRefURIs:
        if isinstance(dataset, DatasetRef):
            expanded = dataset.expanded(self.registry.expandDataId(dataset.dataId))
            return self._personal()._datastore.getURIs(expanded, True)
        run = run or self.run
        if run is None:
            raise TypeError("Cannot predict dataset ID/location with run=None.")
        dataset_type = self.get_dataset_type(dataset) if isinstance(dataset, str) else dataset
        data_id, values = rewrite(self, data_id, dataset_type, values)
        coordinate = self._standardize(dataset_type, data_id, values)
        ref = DatasetRef(dataset_type, self.registry.expandDataId(coordinate), run=run)
        return self._personal()._datastore.getURIs(ref, True)


@contextmanager
def _gone(ref: DatasetRef) -> Iterator[None]:
    """Tell of a dataset that is nowhere in words that both of upstream's Butlers have for it."""
    try:
        yield
    except GoneError:
        raise
    except DatasetNotFoundError:
        gone = GoneDatasetError(f"Dataset {ref} is nowhere.", "Query for it again.")
    else:
        return
    raise gone


def _check_reference_alone(data_id: DataId | None, values: dict[str, Any], collections: Any) -> None:
    """Refuse, or warn of, what upstream does beside a reference."""
    if data_id is not None or values:
        raise ValueError("DatasetRef given, cannot use dataId as well")
    if collections is not None:
        warnings.warn("Collections should not be specified with DatasetRef", stacklevel=4)
