"""`ReferenceDatastore`: knows official datasets by reference, reads them, and never holds a byte of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, override
from uuid import UUID

from lsst.daf.butler import (
    Config,
    DatasetRef,
    FileDataset,
    FileIntegrityError,
    FormatterFactory,
    StorageClass,
    ddl,
)
from lsst.daf.butler.datastore import (
    DatasetRefURIs,
    Datastore,
    DatastoreConfig,
    FileTransferMap,
    FileTransferRecord,
)
from lsst.daf.butler.datastore.composites import CompositesConfig, CompositesMap
from lsst.daf.butler.datastore.file_templates import FileTemplates, FileTemplatesConfig
from lsst.daf.butler.datastore.record_data import DatastoreRecordData
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.registry.interfaces import (
    DatabaseInsertMode,
    DatasetIdRef,
    DatastoreRegistryBridgeManager,
)
from lsst.resources import ResourcePath, ResourcePathExpression

from ..errors import InvalidRequestError, PythonButlerError
from .file_cache import FileCache
from .fileless import FilelessDatastore
from .location import Nowhere, OfficialLocation, ReferenceLocationFactory
from .path import ReferencePath, join_reference, split_reference
from .prefetching import is_kept, prefetch
from .taking import Reference, recognise, reference_at

__all__ = ["BY_REFERENCE", "ReferenceDatastore"]

BY_REFERENCE = ("direct", "unsafe_direct")
"""Transfer modes that leave a file where it is."""

_PATH_LENGTH = 512


class _Taken(Datastore.IngestPrepData):  # type: ignore[misc]  # upstream gives it no type
    """References that are about to be ingested."""

    def __init__(self, references: Mapping[DatasetRef, Reference]) -> None:
        super().__init__(references)
        self.references = references


class ReferenceDatastore(FilelessDatastore):
    """Datastore of references to official datasets; it owns, writes and deletes no file.

    The first child of a satellite's chain of datastores. Its records are those of a `FileDatastore`, in
    a table of their own, with paths as `.path.join_reference` makes them: no address of a server is
    kept. Made by upstream from the configuration.
    """

    # Upstream's defaults are for datastores that write, and take long to read.
    defaultConfigFile = None  # noqa: N815  upstream's name

    @classmethod
    @override
    def setConfigRoot(cls, root: str, config: Config, full: Config, overwrite: bool = True) -> None:
        Config.updateParameters(
            DatastoreConfig,
            config,
            full,
            toUpdate={},
            toCopy=("cls", "name", ("records", "table")),
            overwrite=overwrite,
        )

    @classmethod
    @override
    def makeTableSpec(cls) -> ddl.TableSpec:
        spec = super().makeTableSpec()
        spec.fields["path"].length = _PATH_LENGTH
        return spec

    @classmethod
    @override
    def _create_from_config(
        cls,
        config: DatastoreConfig,
        bridgeManager: DatastoreRegistryBridgeManager,
        butlerRoot: ResourcePathExpression | None,
    ) -> ReferenceDatastore:
        return cls._make(config, bridgeManager, FileCache(bridgeManager.universe))

    @override
    def clone(self, bridgeManager: DatastoreRegistryBridgeManager) -> ReferenceDatastore:
        return self._make(self.config, bridgeManager, self.cacheManager)

    @classmethod
    def _make(
        cls, config: DatastoreConfig, bridge_manager: DatastoreRegistryBridgeManager, cache: FileCache
    ) -> ReferenceDatastore:
        universe = bridge_manager.universe
        made = cls(
            config,
            bridge_manager,
            ReferencePath.root(),
            # Official files are read with the formatters that their records name.
            FormatterFactory(),
            FileTemplates(FileTemplatesConfig({}), universe=universe),
            CompositesMap(CompositesConfig({"default": False, "disassembled": {}}), universe=universe),
            False,
        )
        made.locationFactory = ReferenceLocationFactory(made.root)
        made.cacheManager = cache
        return made

    # Upstream declares the general kind.
    cacheManager: FileCache  # noqa: N815  upstream's name

    @property
    @override
    def roots(self) -> dict[str, ResourcePath | None]:
        return {self.name: None}

    def __str__(self) -> str:
        return f"{self.name} (official datasets by reference)"

    @override
    def _set_trust_mode(self, mode: bool) -> None:
        """Stay as it is: an official file is never guessed to be somewhere."""

    # What a satellite does with references

    def add(self, label: str, files: Mapping[DatasetRef, Sequence[StoredFileInfo]]) -> None:
        """Note references to official files, in one go.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        files : `~collections.abc.Mapping` [`lsst.daf.butler.DatasetRef`, `~collections.abc.Sequence` \
                [`lsst.daf.butler.datastore.StoredFileInfo`]]
            For datasets that are in the registry, the records of their files as the official server
            tells them. They replace what was noted before.
        """
        self._note([_row(label, ref, info) for ref, infos in files.items() for info in infos])

    def records_of(self, label: str, files: Mapping[UUID, Sequence[StoredFileInfo]]) -> DatastoreRecordData:
        """Make the records that references would have; nothing is noted.

        Whoever is given them, such as a `lsst.daf.butler.QuantumBackedButler`, reads the datasets as if
        they were referenced.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        files : `~collections.abc.Mapping` [`uuid.UUID`, `~collections.abc.Sequence` \
                [`lsst.daf.butler.datastore.StoredFileInfo`]]
            For each dataset, the records of its files as the official server tells them.

        Returns
        -------
        records : `lsst.daf.butler.datastore.record_data.DatastoreRecordData`
            To be kept under the name of this datastore.
        """
        return DatastoreRecordData(
            {
                dataset_id: {self._table.name: [_recorded(label, dataset_id, info) for info in infos]}
                for dataset_id, infos in files.items()
            }
        )

    def known(self, refs: Iterable[DatasetIdRef]) -> set[UUID]:
        """Tell which datasets are referenced here; no server is asked.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Any datasets.

        Returns
        -------
        known : `set` [`uuid.UUID`]
            IDs of those that are.
        """
        return set(self._get_stored_records_associated_with_refs(refs, ignore_datastore_records=True))

    def prefetch(
        self,
        refs: Iterable[DatasetRef],
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> bool:
        """Fetch files into the cache on disk, several at once, so that later reads need no server.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets; those that are not referenced here are left out.
        progress : callable, optional
            Told the number of files that are done and that of all.
        cancelled : `threading.Event`, optional
            Ends the work when it is set; what was fetched stays.

        Returns
        -------
        complete : `bool`
            Whether all are there now; `False` if it was cancelled.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If the files are larger than the cache, or more than it keeps.
        python_butler.errors.GoneError
            If one of them is no longer there, after the others were fetched.
        python_butler.errors.OfficialServerError
            If the server, the token, the network or the object store is in trouble.
        """
        return prefetch(self._files(refs), self.cacheManager, progress, cancelled)

    def not_kept(self, refs: Iterable[DatasetRef]) -> set[UUID]:
        """Tell which datasets the cache on disk does not keep.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets; those that are not referenced here are left out.

        Returns
        -------
        not_kept : `set` [`uuid.UUID`]
            IDs of those of which `prefetch` only fetches addresses: members of zip files, and all if there
            is no cache.
        """
        return {ref.id for ref, path, _ in self._files(refs) if not is_kept(ref, path, self.cacheManager)}

    def _files(self, refs: Iterable[DatasetRef]) -> list[tuple[DatasetRef, ReferencePath, int]]:
        by_id = {ref.id: ref.makeCompositeRef() if ref.isComponent() else ref for ref in refs}
        records = self._get_stored_records_associated_with_refs(by_id.values(), ignore_datastore_records=True)
        return [
            (
                by_id[dataset_id].makeComponentRef(info.component) if info.component else by_id[dataset_id],
                self._uri(info),
                info.file_size,
            )
            for dataset_id, infos in records.items()
            for info in infos
        ]

    # Reading

    @override
    def get(
        self,
        ref: DatasetRef,
        parameters: Mapping[str, Any] | None = None,
        storageClass: StorageClass | str | None = None,
    ) -> Any:
        try:
            return self._get(ref, parameters, storageClass)
        except FileIntegrityError:
            # A copy in the cache is not what it should be: a full disk can do that.
            if not self._drop_cached(ref):
                raise
        return self._get(ref, parameters, storageClass)

    def _get(
        self, ref: DatasetRef, parameters: Mapping[str, Any] | None, storage_class: StorageClass | str | None
    ) -> Any:
        try:
            return super().get(ref, parameters, storage_class)
        except ValueError as error:
            # Upstream wraps all that happens while a formatter reads.
            cause = error.__cause__
            if not isinstance(cause, PythonButlerError):
                raise
        raise cause

    def _drop_cached(self, ref: DatasetRef) -> bool:
        dropped = False
        for stored, uri, _ in self._files([ref]):
            if self.cacheManager.known_to_cache(stored, uri.getExtension()):
                self.cacheManager.drop(stored, uri.getExtension())
                dropped = True
        return dropped

    # Where files are

    def _uri(self, info: StoredFileInfo) -> ReferencePath:
        uri = info.file_location(self.locationFactory).uri
        assert isinstance(uri, ReferencePath)
        return uri

    @override
    def getManyURIs(
        self, refs: Iterable[DatasetRef], predict: bool = False, allow_missing: bool = False
    ) -> dict[DatasetRef, DatasetRefURIs]:
        # Nothing is ever written here, so nothing is predicted.
        found = super().getManyURIs(list(refs), False, allow_missing or predict)
        for uris in found.values():
            if isinstance(uris.primaryURI, ReferencePath):
                uris.primaryURI = uris.primaryURI.signed()
            uris.componentURIs = {
                component: uri.signed()
                for component, uri in uris.componentURIs.items()
                if isinstance(uri, ReferencePath)
            }
        return found

    @override
    def getURIs(self, ref: DatasetRef, predict: bool = False) -> DatasetRefURIs:
        found = self.getManyURIs([ref], predict)
        return found.get(ref, Nowhere())

    @override
    def export(
        self,
        refs: Iterable[DatasetRef],
        *,
        directory: ResourcePathExpression | None = None,
        transfer: str | None = "auto",
    ) -> Iterable[FileDataset]:
        by_reference = transfer in (None, *BY_REFERENCE) or (transfer == "auto" and directory is None)
        if not by_reference:
            yield from super().export(refs, directory=directory, transfer=transfer)
            return
        for ref in refs:
            infos = self.getStoredItemsInfo(ref)
            if len(infos) != 1:
                raise NotImplementedError(f"{ref} is in several files, which upstream cannot export.")
            yield FileDataset(
                refs=[ref], path=reference_at(self._uri(infos[0])), formatter=infos[0].formatter
            )

    @override
    def _convert_stored_file_info_to_file_transfer_record(
        self, info_map: dict[UUID, list[StoredFileInfo]]
    ) -> FileTransferMap:
        # As the official server would tell it: whoever copies the file names it as it is named there.
        return {
            dataset_id: [
                FileTransferRecord(
                    file_info=info.update(path=split_reference(info.path)[3]),
                    location=OfficialLocation(None, self._uri(info)),
                )
                for info in infos
            ]
            for dataset_id, infos in info_map.items()
        }

    # Taking references

    @override
    def transfer_from(
        self,
        source_records: FileTransferMap,
        refs: Collection[DatasetRef],
        transfer: str = "auto",
        artifact_existence: dict[ResourcePath, bool] | None = None,
        dry_run: bool = False,
    ) -> tuple[set[DatasetRef], set[DatasetRef]]:
        if transfer not in BY_REFERENCE:
            raise NotImplementedError(f"{self.name} takes references, not files (transfer={transfer!r}).")
        have = self.known(refs)
        accepted: set[DatasetRef] = set()
        taken: list[tuple[DatasetRef, StoredFileInfo]] = []
        for ref in refs:
            rows = [] if ref.id in have else self._rows(ref, source_records.get(ref.id, []))
            if (ref.id in have or rows) and self.constraints.isAcceptable(ref):
                accepted.add(ref)
                taken += rows
        if not dry_run:
            self._note(taken)
        return accepted, set(refs) - accepted

    def _rows(
        self, ref: DatasetRef, records: Sequence[FileTransferRecord]
    ) -> list[tuple[DatasetRef, StoredFileInfo]]:
        rows = []
        for record in records:
            reference = recognise(record.location.uri)
            if reference is None or reference.dataset_id != ref.id:
                return []
            rows.append(_row(reference.label, ref, record.file_info))
        return rows

    @override
    def _overrideTransferMode(self, *datasets: FileDataset, transfer: str | None = None) -> str | None:
        return transfer

    @override
    def _prepIngest(self, *datasets: FileDataset, transfer: str | None = None) -> Datastore.IngestPrepData:
        raise NotImplementedError(f"{self.name} holds references only.")

    def prepare(self, datasets: Iterable[tuple[FileDataset, Reference]]) -> Datastore.IngestPrepData:
        """Get ready to ingest references, as the chain does that this is in.

        Parameters
        ----------
        datasets : iterable of `tuple` [`lsst.daf.butler.FileDataset`, `Reference`]
            Datasets, and the official files that their addresses lead to.

        Returns
        -------
        prepared : `lsst.daf.butler.datastore.Datastore.IngestPrepData`
            What finishing needs.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If an address is that of another dataset.
        """
        taken: dict[DatasetRef, Reference] = {}
        for dataset, reference in datasets:
            for ref in dataset.refs:
                if reference.dataset_id != ref.id:
                    raise InvalidRequestError(
                        f"{dataset.path} is not the file of {ref}.",
                        "A reference keeps the ID that the dataset has in the official repository.",
                    )
                taken[ref] = reference
        return _Taken(taken)

    @override
    def _finishIngest(
        self,
        prepData: Datastore.IngestPrepData,
        *,
        transfer: str | None = None,
        record_validation_info: bool = True,
    ) -> None:
        assert isinstance(prepData, _Taken)
        by_label: dict[str, dict[UUID, DatasetRef]] = {}
        for ref, reference in prepData.references.items():
            by_label.setdefault(reference.label, {})[ref.id] = ref
        for label, refs in by_label.items():
            self.add(label, {refs[each]: infos for each, infos in Reference.files(label, refs).items()})

    def _note(self, rows: Sequence[tuple[DatasetRef, StoredFileInfo]]) -> None:
        if rows:
            with self.transaction():
                self._register_datasets(rows, insert_mode=DatabaseInsertMode.REPLACE)


def _row(label: str, ref: DatasetRef, official: StoredFileInfo) -> tuple[DatasetRef, StoredFileInfo]:
    """Record of a reference, made of the official record."""
    return ref, _recorded(label, ref.id, official)


def _recorded(label: str, dataset_id: UUID, official: StoredFileInfo) -> StoredFileInfo:
    return official.update(path=join_reference(label, dataset_id, official.component, official.path))
