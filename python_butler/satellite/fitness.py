"""Whether an official dataset can be read here: found out before it is referenced, not when it is read."""

from __future__ import annotations

from lsst.daf.butler import (
    DatasetType,
    DimensionUniverse,
    MissingDatasetTypeError,
    StorageClassFactory,
)
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.direct_butler import DirectButler
from lsst.utils import doImportType

from ..credentials import scrub

__all__ = ["Fitness"]


class Fitness:
    """Tells why datasets cannot be referenced, if so; remembers what it has found out.

    Parameters
    ----------
    official : `lsst.daf.butler.DimensionUniverse`
        Dimensions of the official repository.
    satellite : `lsst.daf.butler.direct_butler.DirectButler` or `None`
        The satellite, for reading; `None` if there is none yet.
    """

    def __init__(self, official: DimensionUniverse, satellite: DirectButler | None) -> None:
        self._official = official
        self._satellite = satellite
        self._types: dict[str, str | None] = {}
        self._files: dict[tuple[str, str], str | None] = {}

    def of_type(self, dataset_type: DatasetType) -> str | None:
        """Tell whether datasets of a type can be in the satellite.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            As the official repository defines it.

        Returns
        -------
        reason : `str` or `None`
            Why not, as a sentence; `None` if they can.
        """
        name = dataset_type.name
        if name not in self._types:
            self._types[name] = self.of_dimensions() or self._definition(dataset_type)
        return self._types[name]

    def of_dimensions(self) -> str | None:
        """Tell whether the dimensions are the same on both sides.

        Returns
        -------
        reason : `str` or `None`
            Why nothing can be referenced, as a sentence; `None` if they are.
        """
        if self._satellite is None or self._satellite.dimensions == self._official:
            return None
        here = self._satellite.dimensions
        return (
            f"The official repository now has version {self._official.version} of the dimensions, and your "
            f"satellite version {here.version}: create another satellite to reference it."
        )

    def of_files(self, files: list[StoredFileInfo]) -> str | None:
        """Tell whether files can be read here.

        Parameters
        ----------
        files : `list` [`lsst.daf.butler.datastore.StoredFileInfo`]
            What the official server tells of them.

        Returns
        -------
        reason : `str` or `None`
            Why not, as a sentence; `None` if they can.
        """
        for file in files:
            key = (file.formatter, file.storage_class_name)
            if key not in self._files:
                self._files[key] = _formatter(*key)
            if reason := self._files[key]:
                return reason
        return None

    def _definition(self, official: DatasetType) -> str | None:
        if self._satellite is None:
            return _importable(official.storageClass_name)
        try:
            here = self._satellite.get_dataset_type(official.name)
        except MissingDatasetTypeError:
            return _importable(official.storageClass_name)
        same_dimensions = here.dimensions.names == official.dimensions.names
        if not same_dimensions or here.isCalibration() != official.isCalibration():
            return f"Your satellite has another dataset type of this name: {here}, officially {official}."
        if here != official and not (here.is_compatible_with(official) and official.is_compatible_with(here)):
            return (
                f"Dataset type {official.name} has the storage class {here.storageClass_name} in your "
                f"satellite, officially {official.storageClass_name}, and they cannot be converted."
            )
        return _importable(official.storageClass_name)


def _importable(storage_class: str) -> str | None:
    try:
        known = StorageClassFactory().getStorageClass(storage_class)
    except KeyError:
        return (
            f"Storage class {storage_class} is not known here: it needs another version of the science "
            "pipelines, or a package that defines it."
        )
    try:
        known.pytype  # noqa: B018  reading it imports it
    except Exception as error:  # any module may be imported, and fail in any way
        return f"Storage class {storage_class} cannot be used here: {scrub(str(error))}"
    return None


def _formatter(formatter: str, storage_class: str) -> str | None:
    if reason := _importable(storage_class):
        return reason
    try:
        doImportType(formatter)
    except Exception as error:  # any module may be imported, and fail in any way
        return f"Formatter {formatter} cannot be used here: {scrub(str(error))}"
    return None
