"""The official repository as one side of a `SatelliteButler`."""

from __future__ import annotations

from typing import Any, override

from lsst.daf.butler import ButlerMetrics, DataId, DatasetRef, DatasetType, FileIntegrityError
from lsst.daf.butler.datastore import DatasetRefURIs
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.remote_butler._remote_butler import GetFileResponseModel, _to_file_payload
from lsst.resources import ResourcePath

from ..datastore.file_cache import FileCache
from ..datastore.path import ReferencePath
from ..saving.reads import ReadTracker

__all__ = ["OfficialSide"]


class OfficialSide(RemoteButler):
    """A `RemoteButler` that hands out signed addresses in a form which does not show them.

    Made by `of`.
    """

    _label: str
    _reads: ReadTracker
    _files: FileCache | None = None

    @classmethod
    def of(
        cls,
        official: RemoteButler,
        label: str,
        defaults: RegistryDefaults,
        metrics: ButlerMetrics,
        reads: ReadTracker,
    ) -> OfficialSide:
        """Use the connection of another, and what is remembered there.

        Parameters
        ----------
        official : `lsst.daf.butler.remote_butler.RemoteButler`
            The official repository.
        label : `str`
            Its label.
        defaults : `lsst.daf.butler.registry.RegistryDefaults`
            Values with which data IDs are completed.
        metrics : `lsst.daf.butler.ButlerMetrics`
            Where usage is counted.
        reads : `python_butler.saving.reads.ReadTracker`
            Where datasets that are read are noted.
        """
        made = cls(connection=official._connection, cache=official._cache, defaults=defaults, metrics=metrics)
        assert isinstance(made, cls)
        made._label = label
        made._reads = reads
        return made

    @property
    @override
    def _cache_manager(self) -> FileCache:
        # The one of the references: upstream's own would be a directory of each Butler, and stay behind when
        # its process is killed.
        if self._files is None:
            self._files = FileCache(self.dimensions)
        return self._files

    @override
    def _get_file_info(self, *args: Any, **kwargs: Any) -> GetFileResponseModel:
        # Every way to read a file comes through here, and only here the server says which one it found.
        answer = super()._get_file_info(*args, **kwargs)
        self._reads.read(DatasetRef.from_simple(answer.dataset_ref, universe=self.dimensions))
        return answer

    @override
    def _get_dataset_as_python_object(
        self,
        registry_ref: DatasetRef,
        read_ref: DatasetRef,
        model: GetFileResponseModel,
        parameters: dict[str, Any] | None,
    ) -> Any:
        try:
            return super()._get_dataset_as_python_object(registry_ref, read_ref, model, parameters)
        except FileIntegrityError:
            # A copy in the cache is not what it should be: a full disk can do that.
            if not self._drop_copies(registry_ref, model):
                raise
        return super()._get_dataset_as_python_object(registry_ref, read_ref, model, parameters)

    def _drop_copies(self, ref: DatasetRef, model: GetFileResponseModel) -> bool:
        dropped = False
        for file in _to_file_payload(model).file_info:
            component = file.datastoreRecords.component
            stored = ref.makeComponentRef(component) if component else ref
            extension = ResourcePath(str(file.url)).getExtension()
            if self._cache_manager.known_to_cache(stored, extension):
                self._cache_manager.drop(stored, extension)
                dropped = True
        return dropped

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
        if predict or run:
            raise NotImplementedError("An official repository predicts no addresses.")
        answer = self._get_file_info(datasetRefOrType, dataId, collections, None, kwargs)
        found = {
            file.datastoreRecords.component: ReferencePath.of(
                self._label,
                answer.dataset_ref.id,
                file.datastoreRecords.component,
                file.datastoreRecords.path,
            ).signed_as(str(file.url))
            for file in _to_file_payload(answer).file_info
        }
        if len(found) == 1:
            (uri,) = found.values()
            return DatasetRefURIs(primaryURI=uri)
        return DatasetRefURIs(componentURIs={name or "": uri for name, uri in found.items()})
