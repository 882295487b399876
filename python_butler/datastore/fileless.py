"""A file datastore that owns, writes and deletes no file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, override

from lsst.daf.butler import (
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DatasetTypeNotSupportedError,
    Location,
    StorageClass,
)
from lsst.daf.butler._config_support import LookupKey
from lsst.daf.butler.datastore.record_data import DatastoreRecordData
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.daf.butler.registry.interfaces import (
    DatasetIdRef,
)
from lsst.resources import ResourcePath

__all__ = ["FilelessDatastore"]


class FilelessDatastore(FileDatastore):
    """The half of `python_butler.datastore.reference.ReferenceDatastore` that says what is never done."""

    @override
    def put(self, inMemoryDataset: Any, ref: DatasetRef, provenance: DatasetProvenance | None = None) -> None:
        raise DatasetTypeNotSupportedError(f"{self.name} holds references only.")

    @override
    def put_new(self, in_memory_dataset: Any, ref: DatasetRef) -> Mapping[str, DatasetRef]:
        raise DatasetTypeNotSupportedError(f"{self.name} holds references only.")

    @override
    def ingest_zip(self, zip_path: ResourcePath, transfer: str | None, *, dry_run: bool = False) -> None:
        raise NotImplementedError(f"{self.name} holds references only.")

    @override
    def export_predicted_records(self, refs: Iterable[DatasetRef]) -> dict[str, DatastoreRecordData]:
        return {self.name: DatastoreRecordData()}

    @override
    def needs_expanded_data_ids(
        self, transfer: str | None, entity: DatasetRef | DatasetType | StorageClass | None = None
    ) -> bool:
        return False

    @override
    def trash(self, ref: DatasetRef | Iterable[DatasetRef], ignore_errors: bool = True) -> None:
        # Rows only: upstream would ask whether each file is there.
        refs = [ref] if isinstance(ref, DatasetRef) else list(ref)
        if isinstance(ref, DatasetRef) and not self.knows(ref):
            if ignore_errors:
                return
            raise FileNotFoundError(f"{ref} is not referenced in {self.name}.")
        self.bridge.moveToTrash(refs, transaction=self._transaction)

    @override
    def emptyTrash(
        self, ignore_errors: bool = True, refs: Collection[DatasetRef] | None = None, dry_run: bool = False
    ) -> set[ResourcePath]:
        selected = None if refs is None else {ref.id for ref in refs}
        with self.bridge.emptyTrash(
            self._table,
            record_class=StoredFileInfo,
            selected_ids=selected,
            dry_run=dry_run,
        ):
            pass
        return set()

    @override
    def _can_remove_dataset_artifact(self, ref: DatasetIdRef, location: Location) -> bool:
        return False

    # Configuration that concerns writing only

    @override
    def validateConfiguration(
        self, entities: Iterable[DatasetRef | DatasetType | StorageClass], logFailures: bool = False
    ) -> None:
        """There is nothing to go wrong: no templates and no formatters."""

    @override
    def validateKey(self, lookupKey: LookupKey, entity: DatasetRef | DatasetType | StorageClass) -> None:
        """There is nothing to go wrong: no templates and no formatters."""

    @override
    def getLookupKeys(self) -> set[LookupKey]:
        return self.constraints.getLookupKeys()
