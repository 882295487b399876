"""`SatelliteDatastore`: references first, then personal files; what comes in goes to one of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast, override

from lsst.daf.butler import Butler, DatasetRef, FileDataset
from lsst.daf.butler.datastore import Datastore, DatastoreConfig, FileTransferMap
from lsst.daf.butler.datastores.chainedDatastore import ChainedDatastore, _IngestPrepData
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import DatastoreRegistryBridgeManager, OpaqueTableStorage
from lsst.resources import ResourcePath, ResourcePathExpression
from lsst.utils import doImportType

from ..errors import InvalidRequestError, SatelliteError
from .formats import check_format
from .notes import notes_table
from .path import ReferencePath
from .reference import BY_REFERENCE, ReferenceDatastore
from .storage_classes import register_formatters, register_storage_classes
from .taking import Reference, recognise

__all__ = ["SatelliteDatastore", "notes_of_datastore", "personal_of", "references_of"]


class SatelliteDatastore(ChainedDatastore):
    """The datastore of a satellite: a chain of a `ReferenceDatastore` and one of personal files.

    Upstream's chain gives everything that is ingested to each of its datastores. Here an official file is
    taken as a reference, or copied as a personal file, as asked for. Made by upstream from the
    configuration. It also has the table of notes on where datasets come from, in the same database.
    """

    def __init__(
        self,
        config: DatastoreConfig,
        bridgeManager: DatastoreRegistryBridgeManager,  # noqa: N803  upstream's name
        datastores: list[Datastore],
    ) -> None:
        super().__init__(config, bridgeManager, datastores)
        register_storage_classes()
        for each in self.datastores:
            if type(each) is FileDatastore:
                register_formatters(each.formatterFactory)
        self._bridge_manager = bridgeManager
        self._notes = notes_table(bridgeManager)

    @property
    def notes(self) -> OpaqueTableStorage | None:
        """Table of the notes; `None` if there is none in a satellite that is open for reading."""
        if self._notes is None:
            # Another process may have made it meanwhile.
            self._notes = notes_table(self._bridge_manager)
        return self._notes

    @classmethod
    @override
    def _create_from_config(
        cls,
        config: DatastoreConfig,
        bridgeManager: DatastoreRegistryBridgeManager,
        butlerRoot: ResourcePathExpression | None,
    ) -> SatelliteDatastore:
        # Whoever opens the repository comes here, also without anything else of this package.
        check_format(config.get("format", 0), butlerRoot)
        datastores: list[Datastore] = []
        for each in config["datastores"]:
            child = DatastoreConfig(each)
            # Upstream's cache would keep own files that are elsewhere in a directory of each Butler, which
            # stays behind when its process is killed; and what a run executes again has other bytes under
            # the same ID.
            child.pop("cached", None)
            kind: type[Datastore] = doImportType(child["cls"])
            datastores.append(kind._create_from_config(child, bridgeManager, butlerRoot))
        return cls(config, bridgeManager, datastores)

    @override
    def clone(self, bridgeManager: DatastoreRegistryBridgeManager) -> SatelliteDatastore:
        return type(self)(self.config, bridgeManager, [each.clone(bridgeManager) for each in self.datastores])

    @override
    def _prepIngest(self, *datasets: FileDataset, transfer: str | None = None) -> _IngestPrepData:
        references: list[tuple[FileDataset, Reference]] = []
        files: list[FileDataset] = []
        for dataset in datasets:
            official = recognise(dataset.path)
            if official is None:
                files.append(dataset)
            elif transfer in (None, *BY_REFERENCE, "auto", "split"):
                references.append((dataset, official))
            else:
                # A copy is made through the reference: the address alone cannot be read.
                files.append(FileDataset(_whole(official), dataset.refs, formatter=dataset.formatter))
        prepared = super()._prepIngest(*files, transfer=transfer) if files or not references else None
        children: list[tuple[Datastore, Datastore.IngestPrepData, set[ResourcePath]]] = []
        if prepared is not None:
            children += prepared.children
        if references:
            datastore = _child(self, ReferenceDatastore)
            children.append((datastore, datastore.prepare(references), set()))
        return _IngestPrepData(children)

    @override
    def transfer_from(
        self,
        source_records: FileTransferMap,
        refs: Collection[DatasetRef],
        transfer: str = "auto",
        artifact_existence: dict[ResourcePath, bool] | None = None,
        dry_run: bool = False,
    ) -> tuple[set[DatasetRef], set[DatasetRef]]:
        have: set[DatasetRef] = set()
        if transfer in BY_REFERENCE:
            # A reference would answer before the personal file.
            files = [each for each in self.datastores if not isinstance(each, ReferenceDatastore)]
            have = {ref for each in files for ref, known in each.knows_these(refs).items() if known}
        accepted, rejected = super().transfer_from(
            source_records, set(refs) - have, transfer, artifact_existence, dry_run
        )
        return accepted | have, rejected


def _whole(official: Reference) -> ReferencePath:
    """Path of a file that is to be copied."""
    path = official.path()
    if path.fragment:
        raise InvalidRequestError(
            "A dataset that is in one file together with others cannot be copied by an import.",
            "Import it with transfer='direct', then pin it.",
        )
    return path


def references_of(butler: Butler) -> ReferenceDatastore:
    """Find the references of an opened satellite.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A satellite, as `python_butler.satellite.Satellite` opens it.

    Returns
    -------
    references : `ReferenceDatastore`
        The datastore.

    Raises
    ------
    python_butler.errors.SatelliteError
        If the repository has none.
    """
    return _child(_datastore(butler), ReferenceDatastore)


def personal_of(butler: Butler) -> FileDatastore:
    """Find the datastore of an opened satellite that holds its own files.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A satellite, as `python_butler.satellite.Satellite` opens it.

    Returns
    -------
    personal : `lsst.daf.butler.datastores.fileDatastore.FileDatastore`
        The datastore.

    Raises
    ------
    python_butler.errors.SatelliteError
        If the repository has none.
    """
    return _child(_datastore(butler), FileDatastore)


def notes_of_datastore(butler: Butler) -> OpaqueTableStorage | None:
    """Find the notes of an opened satellite on where its datasets come from.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A satellite, as `python_butler.satellite.Satellite` opens it.

    Returns
    -------
    table : `lsst.daf.butler.registry.interfaces.OpaqueTableStorage` or `None`
        `None` if the repository has none.
    """
    datastore = _datastore(butler)
    return datastore.notes if isinstance(datastore, SatelliteDatastore) else None


def _child[T: FileDatastore](datastore: Datastore, kind: type[T]) -> T:
    children = datastore.datastores if isinstance(datastore, ChainedDatastore) else [datastore]
    for child in children:
        if type(child) is kind:
            return child
    raise SatelliteError(
        f"This repository has no datastore of the kind {kind.__name__}.",
        "Open it with python_butler, which brings a satellite up to date.",
    )


def _datastore(butler: Butler) -> Datastore:
    # Not public; all that opens a repository on disk has it.
    return cast(DirectButler, butler)._datastore
