"""What one Butler saves to memory, and finds there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lsst.daf.butler import (
    DataCoordinate,
    DataId,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    MissingCollectionError,
    MissingDatasetTypeError,
    StorageClass,
)

from ..errors import InvalidRequestError
from ..satellite.versions import split_run
from ..saving.dimensions import dimensions_of
from ..saving.memory import Item, MemoryStore, memory_of
from ..saving.names import chain_of, check_name
from ..saving.origin import Origin
from ..saving.storage import fit, fit_type
from .rewriting import rewrite

if TYPE_CHECKING:
    from .saving import SavingButler

__all__ = ["Remembering"]


class Remembering:
    """The memory of this process as one Butler uses it.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler.
    """

    def __init__(self, butler: SavingButler) -> None:
        self._butler = butler

    @property
    def store(self) -> MemoryStore:
        """What is in memory."""
        return memory_of(self._butler._sides.shared.root)

    def save(
        self,
        obj: Any,
        name: str,
        data_id: DataId | None,
        values: Mapping[str, Any],
        storage_class: str | StorageClass | None,
        run: str | None,
        origin: Origin,
    ) -> DatasetRef:
        """Keep an object in memory; the parameters are those of `SavingButler.save`."""
        check_name(name)
        if run is not None:
            raise InvalidRequestError(
                "Memory has versions only, and no runs.", "Leave run= out, or save to 'personal'."
            )
        dataset_type = self._known_type(name)
        if dataset_type is None:
            fitting = fit(obj, None, storage_class)
            universe = self._butler.dimensions
            dimensions = dimensions_of(data_id, values, universe)
            dataset_type = DatasetType(name, dimensions, fitting.storage_class, universe=universe)
        else:
            fitting = fit_type(obj, None, dataset_type, storage_class)
        coordinate = self._butler._landing.standardize(dataset_type, data_id, values)
        shadows = self._stored(dataset_type, coordinate, chain_of(name))
        return self.store.put(fitting.obj, dataset_type, coordinate, chain_of(name), origin.notes, shadows)

    def find(
        self,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        collections: Any,
        values: Mapping[str, Any],
    ) -> Item | None:
        """Find a dataset that comes first in a search.

        Parameters
        ----------
        dataset_type, data_id, collections, values
            As for upstream's ``find_dataset``.

        Returns
        -------
        item : `python_butler.saving.memory.Item` or `None`
            `None` if the first dataset, if there is one, is not in memory.
        """
        store = self.store
        name = dataset_type if isinstance(dataset_type, str) else dataset_type.name
        parent, _ = DatasetType.splitDatasetTypeName(name)
        known = store.dataset_type(parent)
        if known is None:
            return None
        names = self._butler._finder.names_of(collections)
        for position, collection in enumerate(names):
            if not store.knows(collection):
                continue
            plain, rest = rewrite(self._butler, data_id, known, dict(values))
            coordinate = self._butler._standardize(known, plain, rest)
            item = store.find(parent, coordinate, collection)
            if item is None:
                continue
            if position and self._stored(known, coordinate, *names[:position]) is not None:
                return None
            if split_run(collection) is None and self._is_old(item, collection):
                continue
            return item
        return None

    def without(self, collections: Any) -> list[str]:
        """Take what is in memory only out of a list of collections.

        Parameters
        ----------
        collections : collection expression
            What is to be searched.

        Returns
        -------
        names : `list` [`str`]
            Those that are in one of the repositories, or nowhere.
        """
        names = self._butler._finder.names_of(collections)
        return [name for name in names if not self.store.knows(name) or self._exists(name)]

    def knows(self, collection: str) -> bool:
        """Tell whether a collection exists, in memory or in one of the repositories.

        Parameters
        ----------
        collection : `str`
            Its name.

        Returns
        -------
        knows : `bool`
            Whether there is one.
        """
        return self.store.knows(collection) or self._exists(collection)

    def dataset_type(self, name: str) -> DatasetType | None:
        """Find a dataset type of what is in memory.

        Parameters
        ----------
        name : `str`
            Name of the type, or of a component.

        Returns
        -------
        dataset_type : `lsst.daf.butler.DatasetType` or `None`
            `None` if nothing of that name is in memory.
        """
        parent, component = DatasetType.splitDatasetTypeName(name)
        found = self.store.dataset_type(parent)
        return found.makeComponentDatasetType(component) if found and component else found

    def get(self, dataset_id: UUID | str) -> Item | None:
        """Find a dataset by its identifier.

        Parameters
        ----------
        dataset_id : `uuid.UUID` or `str`
            The identifier.

        Returns
        -------
        item : `python_butler.saving.memory.Item` or `None`
            `None` if it is not in memory.
        """
        if not self.store:
            return None
        return self.store.get(UUID(dataset_id) if isinstance(dataset_id, str) else dataset_id)

    def _is_old(self, item: Item, chain: str) -> bool:
        """Whether the satellite got another dataset of the same data ID after this was saved."""
        stored = self._stored(item.ref.datasetType, item.ref.dataId, chain)
        return stored is not None and stored != item.shadows

    def _stored(self, dataset_type: DatasetType, data_id: DataCoordinate, *collections: str) -> UUID | None:
        names = [name for name in collections if self._exists(name)]
        if not names:
            return None
        try:
            found = self._butler._find_stored(dataset_type.name, data_id, names)
        except (MissingDatasetTypeError, DatasetNotFoundError):
            return None
        return found.id if found is not None else None

    def _exists(self, collection: str) -> bool:
        try:
            self._butler.collections.locate([collection])
        except MissingCollectionError:
            return False
        return True

    def _known_type(self, name: str) -> DatasetType | None:
        try:
            return self._butler._stored_type(name)
        except MissingDatasetTypeError:
            return self.store.dataset_type(name)
