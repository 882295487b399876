"""Which dataset types a collection holds, and how each is described."""

from __future__ import annotations

from collections.abc import Sequence

from lsst.daf.butler import Butler, MissingDatasetTypeError
from lsst.daf.butler import DatasetType as ButlerDatasetType

from .collections import flatten
from .models import DatasetType
from .repository import BrowsedRepository

__all__ = ["convert", "find_dataset_type", "known_dataset_types", "list_dataset_types"]


def list_dataset_types(repository: BrowsedRepository, collection: str) -> list[DatasetType]:
    """List the dataset types present in a collection.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        Name of a collection of any type.

    Returns
    -------
    dataset_types : `list` [`DatasetType`]
        Those that the summaries of the collection, or of its children, name; sorted by name.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such collection.
    """
    names = {name for info in flatten(repository, collection) for name in info.dataset_types or ()}
    definitions = known_dataset_types(repository)
    # One that was registered since is found by a look of its own.
    return [convert(definitions.get(name) or find_dataset_type(repository, name)) for name in sorted(names)]


def find_dataset_type(repository: BrowsedRepository, name: str) -> ButlerDatasetType:
    """Find a dataset type's definition.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    name : `str`
        Its name.

    Returns
    -------
    dataset_type : `lsst.daf.butler.DatasetType`
        The definition.

    Raises
    ------
    lsst.daf.butler.MissingDatasetTypeError
        If there is none of this name.
    """
    if (known := known_dataset_types(repository).get(name)) is not None:
        return known
    found = list(repository.butler().registry.queryDatasetTypes([name]))
    if len(found) != 1:
        raise MissingDatasetTypeError(f"Dataset type {name!r} does not exist in {repository.label}.")
    return found[0]


def known_dataset_types(
    repository: BrowsedRepository, butler: Butler | None = None
) -> dict[str, ButlerDatasetType]:
    """Find the definitions of all dataset types that are registered.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    butler : `lsst.daf.butler.Butler`, optional
        Asks, if one has to ask; the repository's own if not given.

    Returns
    -------
    dataset_types : `dict` [`str`, `lsst.daf.butler.DatasetType`]
        By name.
    """

    def ask() -> dict[str, ButlerDatasetType]:
        # All at once: one question, even for the thousands of types of a big repository.
        registry = (butler or repository.butler()).registry
        types: Sequence[ButlerDatasetType] = list(registry.queryDatasetTypes("*"))
        return {dataset_type.name: dataset_type for dataset_type in types}

    return repository.memory.get("dataset types", ask, version=repository.version())


def convert(dataset_type: ButlerDatasetType) -> DatasetType:
    """Describe a dataset type to the browser.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        Its definition.

    Returns
    -------
    dataset_type : `DatasetType`
        The description; without components and parameters if its storage class is not known here.
    """
    try:
        storage_class = dataset_type.storageClass
        components = sorted(storage_class.allComponents())
        parameters = sorted(storage_class.parameters)
    except (KeyError, ImportError, ValueError):
        components, parameters = [], []
    return DatasetType(
        name=dataset_type.name,
        dimensions=list(dataset_type.dimensions.required),
        storage_class=dataset_type.storageClass_name,
        is_calibration=dataset_type.isCalibration(),
        components=components,
        parameters=parameters,
    )
