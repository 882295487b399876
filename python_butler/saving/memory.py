"""Datasets that live in this process only: saved with ``to="memory"``, gone when it ends."""

from __future__ import annotations

import copy
import datetime
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, StorageClass

from ..errors import InvalidRequestError
from ..satellite.versions import split_run
from .names import run_of

__all__ = ["Item", "MemoryStore", "copied", "memory_of", "read"]


@dataclass(frozen=True)
class Item:
    """One dataset in memory.

    Attributes
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset, in the run ``<chain>/m<number>``.
    obj : `object`
        A copy of what was saved.
    notes : `dict`
        Where it comes from.
    shadows : `uuid.UUID` or `None`
        The newest dataset of this name and data ID that the satellite had then: what it has got since is
        newer than this.
    """

    ref: DatasetRef
    obj: Any
    notes: Mapping[str, Any]
    shadows: UUID | None

    @property
    def when(self) -> datetime.datetime:
        """When it was saved."""
        return datetime.datetime.fromisoformat(self.notes["time"])


class MemoryStore:
    """The datasets in memory that belong to one satellite; safe to use from threads."""

    def __init__(self) -> None:
        self._items: dict[UUID, Item] = {}
        self._runs: dict[str, dict[tuple[str, DataCoordinate], UUID]] = {}
        self._types: dict[str, DatasetType] = {}
        self._numbers: dict[str, int] = {}
        self._lock = threading.RLock()

    def __bool__(self) -> bool:
        return bool(self._items)

    def __iter__(self) -> Iterator[Item]:
        with self._lock:
            return iter(list(self._items.values()))

    def put(
        self,
        obj: Any,
        dataset_type: DatasetType,
        data_id: DataCoordinate,
        chain: str,
        notes: Mapping[str, Any],
        shadows: UUID | None,
    ) -> DatasetRef:
        """Keep a copy of an object.

        Parameters
        ----------
        obj : `object`
            The object, as its storage class has it.
        dataset_type : `lsst.daf.butler.DatasetType`
            Its dataset type.
        data_id : `lsst.daf.butler.DataCoordinate`
            Its data ID.
        chain : `str`
            Chain over the versions of its name.
        notes : `dict`
            Where it comes from.
        shadows : `uuid.UUID` or `None`
            The newest such dataset in the satellite.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset: in the newest version in memory that has not got this data ID, or a new one.
        """
        kept = copied(dataset_type.storageClass.coerce_type(obj))
        key = (dataset_type.name, data_id)
        with self._lock:
            number = self._numbers.get(chain, 0)
            run = run_of(chain, f"m{number}") if number else ""
            if not number or run not in self._runs or key in self._runs[run]:
                number = self._numbers[chain] = number + 1
                run = run_of(chain, f"m{number}")
                self._runs[run] = {}
            ref = DatasetRef(dataset_type, data_id, run=run)
            self._types[dataset_type.name] = dataset_type
            self._items[ref.id] = Item(ref, kept, notes, shadows)
            self._runs[run][key] = ref.id
        return ref

    def get(self, dataset_id: UUID) -> Item | None:
        """Find a dataset by its identifier.

        Parameters
        ----------
        dataset_id : `uuid.UUID`
            The identifier.

        Returns
        -------
        item : `Item` or `None`
            `None` if it is not in memory.
        """
        return self._items.get(dataset_id)

    def dataset_type(self, name: str) -> DatasetType | None:
        """Find the dataset type of what is in memory.

        Parameters
        ----------
        name : `str`
            Its name.

        Returns
        -------
        dataset_type : `lsst.daf.butler.DatasetType` or `None`
            `None` if nothing of that name was saved.
        """
        return self._types.get(name)

    def knows(self, collection: str) -> bool:
        """Tell whether something in memory is in a collection.

        Parameters
        ----------
        collection : `str`
            A run, or the chain over versions.

        Returns
        -------
        knows : `bool`
            Whether there is.
        """
        with self._lock:
            return any(run == collection or run.startswith(f"{collection}/m") for run in self._runs)

    def find(self, name: str, data_id: DataCoordinate, collection: str) -> Item | None:
        """Find the newest dataset by data ID.

        Parameters
        ----------
        name : `str`
            Name of the dataset type.
        data_id : `lsst.daf.butler.DataCoordinate`
            Data ID with the type's dimensions.
        collection : `str`
            A run, or the chain over versions.

        Returns
        -------
        item : `Item` or `None`
            `None` if there is none in memory.
        """
        with self._lock:
            for run in reversed(self.versions(collection) or [collection]):
                found = self._runs.get(run, {}).get((name, data_id))
                if found is not None:
                    return self._items[found]
        return None

    def versions(self, chain: str) -> list[str]:
        """List the versions in memory.

        Parameters
        ----------
        chain : `str`
            Chain over versions.

        Returns
        -------
        runs : `list` [`str`]
            The oldest first.
        """
        with self._lock:
            return [run for run in self._runs if (parts := split_run(run)) and parts[0] == chain]

    def items(self, run: str) -> list[Item]:
        """List the datasets of one version.

        Parameters
        ----------
        run : `str`
            Its run.

        Returns
        -------
        items : `list` [`Item`]
            Its datasets.
        """
        with self._lock:
            return [self._items[found] for found in self._runs.get(run, {}).values()]

    def remove(self, run: str) -> None:
        """Forget a version.

        Parameters
        ----------
        run : `str`
            Its run.
        """
        with self._lock:
            for found in self._runs.pop(run, {}).values():
                del self._items[found]


def read(
    item: Item,
    ref: DatasetRef,
    parameters: Mapping[str, Any] | None,
    storage_class: str | StorageClass | None,
) -> Any:
    """Give a dataset in memory as a file would be read.

    Parameters
    ----------
    item : `Item`
        The dataset.
    ref : `lsst.daf.butler.DatasetRef`
        The dataset as it is asked for: a component, or with another storage class.
    parameters : `dict`, optional
        Which part is wanted.
    storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
        Another storage class.

    Returns
    -------
    obj : `object`
        A copy.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If there is no way to have a part of such an object.
    """
    obj = item.obj
    own = item.ref.datasetType.storageClass
    wanted = ref if storage_class is None else ref.overrideStorageClass(storage_class)
    component = ref.datasetType.component()
    if component is not None:
        if own.delegateClass is not None:
            obj = own.delegate().getComponent(obj, component)
        else:
            obj = getattr(obj, component)
    if parameters:
        own.validateParameters(parameters)
        if own.delegateClass is not None:
            obj = own.delegate().handleParameters(copied(obj), parameters)
        elif set(parameters) == {"bbox"}:
            obj = obj[parameters["bbox"]]
        else:
            raise InvalidRequestError(
                f"No part of a dataset in memory with storage class {own.name} can be had.",
                "Get the whole.",
            )
    return wanted.datasetType.storageClass.coerce_type(copied(obj))


def copied(obj: Any) -> Any:
    """Copy an object, so that nobody changes what is kept.

    Parameters
    ----------
    obj : `object`
        Any object.

    Returns
    -------
    copy : `object`
        A copy; the object itself if it cannot be copied.
    """
    try:
        return copy.deepcopy(obj)
    except Exception:  # whatever its class raises; upstream's datastore in memory never copies
        return obj


_stores: dict[Path, MemoryStore] = {}
_stores_lock = threading.Lock()


def memory_of(root: Path) -> MemoryStore:
    """Find what this process has in memory beside a satellite.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory; it need not exist.

    Returns
    -------
    store : `MemoryStore`
        The same one for all Butlers of the process.
    """
    with _stores_lock:
        return _stores.setdefault(root, MemoryStore())
