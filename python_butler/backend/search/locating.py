"""Finds a collection with datasets of one type, where a search had too many collections to tell."""

from __future__ import annotations

from lsst.daf.butler import Butler, CollectionInfo, EmptyQueryResultError

from ...errors import GoneError
from ..collections import all_collections, convert_collection, flatten
from ..dataset_types import known_dataset_types
from ..repository import BrowsedRepository
from .models import DatasetTypePlace

__all__ = ["find_place"]


def find_place(repository: BrowsedRepository, dataset_type: str) -> DatasetTypePlace:
    """Find where there are datasets of a type: in the default collection if possible, else in some run.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    dataset_type : `str`
        Name of a dataset type.

    Returns
    -------
    place : `DatasetTypePlace`
        The collection.

    Raises
    ------
    GoneError
        If there is no such dataset type.
    """
    butler = repository.butler()
    if dataset_type not in known_dataset_types(repository, butler):
        raise GoneError(f"{repository.label} has no dataset type {dataset_type}.", "Search again.")
    found = _default_with(repository, butler, dataset_type) or _run_with(butler, dataset_type)
    return DatasetTypePlace(collection=None if found is None else convert_collection(found))


def _default_with(repository: BrowsedRepository, butler: Butler, dataset_type: str) -> CollectionInfo | None:
    for info in all_collections(repository, butler):
        if info.name == repository.label:
            summaries = flatten(repository, info.name)
            return info if any(dataset_type in (each.dataset_types or ()) for each in summaries) else None
    return None


def _run_with(butler: Butler, dataset_type: str) -> CollectionInfo | None:
    """Ask for one dataset, of which the server finds the run much quicker than it tells all summaries."""
    try:
        refs = butler.query_datasets(dataset_type, "*", find_first=False, limit=1, explain=False)
    except EmptyQueryResultError:
        return None
    for ref in refs:
        (info,) = butler.collections.query_info([ref.run], include_doc=True)
        return info
    return None
