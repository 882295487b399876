"""Moving datasets in and out: what upstream's exports, imports and transfers are shown of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, cast, override

from lsst.daf.butler import CollectionType, DatasetId, DatasetRef, DatasetType, FileDataset
from lsst.daf.butler.datastore import FileTransferMap, FileTransferSource
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import ChainedCollectionRecord, CollectionRecord, RunRecord
from lsst.resources import ResourcePath, ResourcePathExpression

from ..datastore import signer_for
from ..errors import GoneError
from .shared import Side
from .spooled import SpooledHome

if TYPE_CHECKING:
    from .putting import PuttingButler

__all__ = ["BothFiles", "Exporting", "Importing"]

_BY_REFERENCE = (None, "direct", "unsafe_direct")


class Importing:
    """A Butler as upstream's import sees it: dataset types it meets become known to the satellite.

    Upstream asks for types before its transaction, within which they could not be brought.

    Parameters
    ----------
    butler : `PuttingButler`
        Butler that imports.
    """

    def __init__(self, butler: PuttingButler) -> None:
        self._butler = butler

    def get_dataset_type(self, name: str) -> DatasetType:
        """Find a dataset type, and bring it to the satellite."""
        return self._butler._writing.prepare_dataset_type(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._butler, name)


class Exporting:
    """A Butler as upstream's export sees it: with a registry and a datastore over both sides.

    Parameters
    ----------
    butler : `PuttingButler`
        Butler that exports.
    """

    def __init__(self, butler: PuttingButler) -> None:
        self._butler = butler
        self._registry = _ExportingRegistry(butler)
        self._datastore = _ExportingDatastore(butler)

    def _extract_all_dimension_records_from_data_ids(self, source_butler: Any, *arguments: Any) -> Any:
        # Upstream wants a Butler to take the records from, and gives this object.
        return self._butler._extract_all_dimension_records_from_data_ids(self._butler, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._butler, name)


class _ExportingRegistry:
    """Tells of collections as a database registry does."""

    def __init__(self, butler: PuttingButler) -> None:
        self._collections = butler.collections

    def get_collection_record(self, name: str) -> CollectionRecord[str]:
        info = self._collections.get_info(name)
        if info.type is CollectionType.RUN:
            return RunRecord(name, name)
        if info.type is CollectionType.CHAINED:
            return ChainedCollectionRecord(name, name, children=info.children)
        return CollectionRecord(name, name, info.type)


class _ExportingDatastore:
    """Exports files of both sides: official ones are copied, or named by their permanent address."""

    def __init__(self, butler: PuttingButler) -> None:
        self._butler = butler

    def export(
        self,
        refs: Iterable[DatasetRef],
        *,
        directory: ResourcePathExpression | None = None,
        transfer: str | None = "auto",
    ) -> Iterator[FileDataset]:
        for home, datasets in self._butler._finder.homes(refs):
            if isinstance(home, DirectButler):
                yield from home._datastore.export(datasets, directory=directory, transfer=transfer)
            elif isinstance(home, SpooledHome):
                raise home.unsettled()
            elif transfer in _BY_REFERENCE or directory is None:
                yield from self._addresses(datasets)
            else:
                yield from self._copies(datasets, ResourcePath(directory, forceDirectory=True))

    def _addresses(self, refs: list[DatasetRef]) -> Iterator[FileDataset]:
        signer = signer_for(self._butler._sides.shared.label)
        files = signer.files([ref.id for ref in refs])
        for ref in refs:
            infos = files.get(ref.id, [])
            if not infos:
                raise GoneError(f"The official repository has no file of {ref}.", "Leave it out.")
            if len(infos) != 1:
                raise NotImplementedError(f"{ref} is in several files, which upstream cannot export.")
            yield FileDataset(path=signer.address(ref.id), refs=[ref], formatter=infos[0].formatter)

    def _copies(self, refs: list[DatasetRef], directory: ResourcePath) -> Iterator[FileDataset]:
        official = self._butler._sides.official
        by_id = {ref.id: ref for ref in refs}
        for target, info in official._retrieve_artifacts(refs, directory, "copy", write_index=False).items():
            yield FileDataset(
                path=target.relative_to(directory) or target,
                refs=[by_id[dataset_id] for dataset_id in info.ids],
                formatter=info.info.formatter,
            )


class BothFiles(FileTransferSource):
    """Files of both sides, for a repository that takes datasets from a `SatelliteButler`.

    Parameters
    ----------
    butler : `PuttingButler`
        Butler that gives.
    """

    def __init__(self, butler: PuttingButler) -> None:
        self._butler = butler
        self.name = str(butler)

    @override
    def get_file_info_for_transfer(self, dataset_ids: Iterable[DatasetId]) -> FileTransferMap:
        wanted = list(dataset_ids)
        found: FileTransferMap = {}
        personal = self._butler._sides.personal
        if personal is not None:
            found |= personal._datastore.get_file_info_for_transfer(wanted)
        rest = [dataset_id for dataset_id in wanted if not found.get(dataset_id)]
        if rest and not self._butler._sides.offline:
            source = self._butler._sides.official._file_transfer_source
            found |= source.get_file_info_for_transfer(rest)
        return found

    @override
    def locate_missing_files_for_transfer(
        self, refs: Iterable[DatasetRef], artifact_existence: dict[ResourcePath, bool]
    ) -> FileTransferMap:
        personal = cast(DirectButler | None, self._butler._sides.butler(Side.PERSONAL))
        if personal is None:
            return {}
        return personal._datastore.locate_missing_files_for_transfer(refs, artifact_existence)
