"""`Slip`: the small file that acknowledges one dataset until it is in the registry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any, Self
from uuid import UUID

from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse
from lsst.daf.butler.datastore.stored_file_info import StoredDatastoreItemInfo, StoredFileInfo
from pydantic import BaseModel, ConfigDict

from .lock import process_here

__all__ = ["FORMAT", "SPOOLED", "SUFFIX", "Slip", "SpooledFile", "name_of"]

FORMAT = 1
"""Of slips and batches. A newer one is left to a newer version of this package."""

SPOOLED = ".spool"
"""Directory below the datastore's root where artifacts are until they are committed."""

SUFFIX = ".slip"
"""How the names of slips end."""


class SpooledFile(BaseModel):
    """One file of a dataset: where it is, where it goes, and its record."""

    model_config = ConfigDict(frozen=True)

    spooled: str
    """Where it is, from the datastore's root."""

    path: str
    """Where it goes, from the datastore's root."""

    formatter: str
    storage_class: str
    component: str | None = None
    checksum: str | None = None
    size: int
    inode: int | None = None
    """Which tells the file from another one that has got its name; `None` in an object store."""

    def info(self, path: str) -> StoredFileInfo:
        """Make the datastore's record of the file.

        Parameters
        ----------
        path : `str`
            Where it is, from the datastore's root.

        Returns
        -------
        info : `lsst.daf.butler.datastore.stored_file_info.StoredFileInfo`
            The record.
        """
        return StoredFileInfo(
            formatter=self.formatter,
            path=path,
            storageClass=None,
            storage_class_name=self.storage_class,
            component=self.component,
            checksum=self.checksum,
            file_size=self.size,
        )


class Slip(BaseModel):
    """Everything that is needed to put one dataset into the registry."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    id: UUID
    dataset_type: str
    dimensions: tuple[str, ...]
    """Required dimensions of the dataset type."""

    storage_class: str
    calibration: bool = False
    data_id: tuple[int | str, ...]
    """Values of the required dimensions."""

    run: str
    table: str
    """Table of the datastore's records."""

    files: tuple[SpooledFile, ...]
    notes: dict[str, Any] | None = None
    """Where the dataset comes from, as `python_butler.satellite.provenance` keeps it."""

    written: datetime
    host: str
    pid: int

    @classmethod
    def of(
        cls,
        ref: DatasetRef,
        files: tuple[SpooledFile, ...],
        table: str,
        notes: Mapping[str, Any] | None,
    ) -> Self:
        """Describe a dataset whose files have been written.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset, with the storage class that the registry has for its type.
        files : `tuple` [`SpooledFile`]
            Its files.
        table : `str`
            Table of the datastore's records.
        notes : `dict`, optional
            Where it comes from.

        Returns
        -------
        slip : `Slip`
            The description.
        """
        host, pid = process_here()
        return cls(
            id=ref.id,
            dataset_type=ref.datasetType.name,
            dimensions=tuple(ref.datasetType.dimensions.required),
            storage_class=ref.datasetType.storageClass_name,
            calibration=ref.datasetType.isCalibration(),
            data_id=ref.dataId.required_values,
            run=ref.run,
            table=table,
            files=files,
            notes=None if notes is None else dict(notes),
            written=datetime.now(UTC),
            host=host,
            pid=pid,
        )

    @cached_property
    def name(self) -> str:
        """Name of its file."""
        return _name(self.run, self.dataset_type, self.data_id)

    def ref(self, universe: DimensionUniverse) -> DatasetRef:
        """Make the reference of the dataset, without records.

        Parameters
        ----------
        universe : `lsst.daf.butler.DimensionUniverse`
            Dimensions of the satellite.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The reference.
        """
        dataset_type = _dataset_type(
            self.dataset_type, self.dimensions, universe, self.storage_class, self.calibration
        )
        data_id = DataCoordinate.from_required_values(dataset_type.dimensions, self.data_id)
        return DatasetRef(dataset_type, data_id, self.run, id=self.id)

    def infos(self) -> Iterator[StoredFileInfo]:
        """Make the datastore's records of the files where they will be.

        Yields
        ------
        info : `lsst.daf.butler.datastore.stored_file_info.StoredFileInfo`
            A record.
        """
        for file in self.files:
            yield file.info(file.path)

    def acknowledged(self, universe: DimensionUniverse) -> DatasetRef:
        """Make the reference of the dataset with the records of its files where they are.

        Parameters
        ----------
        universe : `lsst.daf.butler.DimensionUniverse`
            Dimensions of the satellite.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            With this, upstream's datastore reads the dataset without the registry.
        """
        return self.ref(universe).replace(datastore_records=self.records())

    def records(self) -> dict[str, list[StoredDatastoreItemInfo]]:
        """Make the datastore's records of the files where they are.

        Returns
        -------
        records : `dict` [`str`, `list`]
            As a `lsst.daf.butler.DatasetRef` has them.
        """
        return {self.table: [file.info(file.spooled) for file in self.files]}


def name_of(dataset_type: str, data_id: DataCoordinate, run: str) -> str:
    """Name the slip of a dataset: there can be one only for the same run, type and data ID.

    Parameters
    ----------
    dataset_type : `str`
        Name of the dataset type.
    data_id : `lsst.daf.butler.DataCoordinate`
        Its data ID, with no more dimensions than the type's.
    run : `str`
        Its run.

    Returns
    -------
    name : `str`
        Name of the file.
    """
    return _name(run, dataset_type, data_id.required_values)


@lru_cache(maxsize=128)
def _dataset_type(
    name: str,
    dimensions: tuple[str, ...],
    universe: DimensionUniverse,
    storage_class: str,
    calibration: bool,
) -> DatasetType:
    return DatasetType(name, universe.conform(dimensions), storage_class, isCalibration=calibration)


def _name(run: str, dataset_type: str, values: tuple[int | str, ...]) -> str:
    text = json.dumps([run, dataset_type, *values], ensure_ascii=True)
    return blake2b(text.encode(), digest_size=20).hexdigest() + SUFFIX
