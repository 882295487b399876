"""Datasets that are acknowledged but not yet in the satellite's registry: readers see no difference."""

from __future__ import annotations

import dataclasses
import os
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lsst.daf.butler import (
    DataCoordinate,
    DatasetExistence,
    DatasetRef,
    DatasetType,
    DeferredDatasetHandle,
    StorageClass,
)
from lsst.daf.butler.datastore import DatasetRefURIs
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.resources import ResourcePath

from ..datastore.chain import personal_of
from ..errors import SatelliteError
from ..satellite.place import Place
from ..satellite.spool import CommitReport, Spool, commit_soon
from ..satellite.spool.slip import SPOOLED
from ..saving.patience import impatient

if TYPE_CHECKING:
    from .sides import Sides

__all__ = ["NotShownWarning", "Spooled", "SpooledHome", "as_asked", "without_spooled_records"]

PATIENCE = 5.0
"""Seconds for which a query waits for others that write, before it goes on without what is not committed."""

RETRY_SECONDS = 10.0
"""For how long it is not tried again to commit what could not be."""

_PACKAGE = str(Path(__file__).parents[1])


class NotShownWarning(UserWarning):
    """A query does not show datasets that are saved, since they could not be put into the registry."""


class Spooled:
    """The datasets in a satellite's spool, as one Butler sees them.

    If there are none, that is known by one look at a directory.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._place = Place(sides.shared.label, sides.shared.root)
        self._spool = Spool(self._place, sides.universe)
        self._left = 0
        self._tried = -RETRY_SECONDS
        self._told = False

    def look(self) -> bool:
        """Tell whether something waits, which another thread then commits soon, if it can."""
        if not self._spool.waiting():
            return False
        # A satellite that cannot be written is not tried each time.
        if os.access(self._place.root, os.W_OK):
            commit_soon(self._place, self._sides.spare_writer)
        return True

    def find(self, dataset_type: DatasetType, data_id: DataCoordinate, runs: list[str]) -> DatasetRef | None:
        """Find a dataset that waits by its data ID.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType`
            Its type, not a component.
        data_id : `lsst.daf.butler.DataCoordinate`
            Its data ID.
        runs : `list` [`str`]
            Runs to look into, in order.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef` or `None`
            The first, with datastore records.
        """
        return self._spool.find(dataset_type, data_id, runs)

    def check_free(self, refs: Iterable[DatasetRef]) -> None:
        """Refuse to write what is saved already.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be written.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If one of them waits.
        """
        if not self.look():
            return
        for ref in refs:
            if self.find(ref.datasetType, ref.dataId, [ref.run]) is not None:
                raise ConflictingDefinitionError(
                    f"A dataset of type {ref.datasetType.name!r} with data ID {ref.dataId} is saved in "
                    f"{ref.run!r} already."
                )

    def not_waiting(self, refs: Iterable[DatasetRef]) -> list[DatasetRef]:
        """Leave out datasets that wait, and only have to be committed.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are about to be written, unless they are there.

        Returns
        -------
        rest : `list` [`lsst.daf.butler.DatasetRef`]
            Those of which none with the same identifier waits.
        """
        refs = list(refs)
        waiting = self.of(refs) if self._spool.waiting() else {}
        return [ref for ref in refs if ref.id not in waiting]

    def of(self, refs: Iterable[DatasetRef]) -> dict[UUID, DatasetRef]:
        """Tell which of some datasets wait.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets of either repository.

        Returns
        -------
        waiting : `dict` [`uuid.UUID`, `lsst.daf.butler.DatasetRef`]
            Those that wait, with datastore records.
        """
        refs = list(refs)
        if len(refs) > self._spool.waiting():
            return self.by_id(ref.id for ref in refs)
        found = {}
        for ref in refs:
            parent, _ = DatasetType.splitDatasetTypeName(ref.datasetType.name)
            waiting = self._spool.find(parent, ref.dataId, [ref.run])
            if waiting is not None and waiting.id == ref.id:
                found[ref.id] = waiting
        return found

    def by_id(self, ids: Iterable[UUID]) -> dict[UUID, DatasetRef]:
        """Find datasets that wait by their identifiers.

        Parameters
        ----------
        ids : iterable of `uuid.UUID`
            Identifiers.

        Returns
        -------
        waiting : `dict` [`uuid.UUID`, `lsst.daf.butler.DatasetRef`]
            Those that wait, with datastore records.
        """
        waiting = self._spool.acknowledged()
        return {dataset_id: waiting[dataset_id] for dataset_id in ids if dataset_id in waiting}

    def home(self, waiting: dict[UUID, DatasetRef]) -> SpooledHome:
        """Make what reads datasets that wait.

        Parameters
        ----------
        waiting : `dict` [`uuid.UUID`, `lsst.daf.butler.DatasetRef`]
            Datasets as `of` tells them.

        Returns
        -------
        home : `SpooledHome`
            Where they are read.
        """
        return SpooledHome(self._sides.reader, waiting)

    def settle(self, *, tell: bool = False) -> None:
        """Commit what waits, with some patience: for what reads the registry alone.

        Parameters
        ----------
        tell : `bool`, optional
            Whether to tell the user, once, what could not be committed.
        """
        waiting = self._spool.waiting()
        if not waiting:
            self._left, self._told = 0, False
            return
        if self._sides.in_transaction:
            # What is undone with the transaction would be lost.
            left, why = waiting, "This is within a transaction."
        else:
            # Those who have been waited for in vain are not waited for each time.
            again = waiting == self._left and time.monotonic() < self._tried + RETRY_SECONDS
            report = self._commit(0.0 if again else PATIENCE)
            self._tell_of_those_set_aside(report)
            self._left, self._tried = report.left, self._tried if again else time.monotonic()
            left, why = report.left, _reason(report)
        if left and tell and not self._told:
            self._told = True
            what = "datasets that you have saved are" if left > 1 else "dataset that you have saved is"
            warnings.warn(
                f"{left} {what} not shown by queries, since your satellite cannot be written now. {why} "
                "Nothing is lost, and butler.get finds what you saved. Query again later; if this stays: "
                f"satellite check {self._place.label}",
                NotShownWarning,
                skip_file_prefixes=(_PACKAGE,),
            )

    def _tell_of_those_set_aside(self, report: CommitReport) -> None:
        # They wait no longer, so that nobody will be told of them again.
        for problem in report.problems:
            if problem.set_aside:
                warnings.warn(
                    f"{problem.what} was saved, but cannot be put into the registry: {problem.reason}. "
                    f"Its file is kept; what to do: satellite check {self._place.label}",
                    NotShownWarning,
                    skip_file_prefixes=(_PACKAGE,),
                )

    def _commit(self, wait: float) -> CommitReport:
        # Registering what is saved already changes nothing for whoever opened it for reading.
        opened = self._sides.writing() if self._sides.writeable else self._place.writer()
        try:
            with impatient(wait), opened as writer:
                return self._spool.commit(wait=wait, writer=writer)
        except SatelliteError as error:
            return CommitReport(left=self._spool.waiting(), trouble=error.message)


class SpooledHome:
    """Where datasets that wait are read: like a Butler, as far as reading goes.

    Parameters
    ----------
    personal : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    waiting : `dict` [`uuid.UUID`, `lsst.daf.butler.DatasetRef`]
        The datasets, with datastore records.
    """

    def __init__(self, personal: DirectButler, waiting: dict[UUID, DatasetRef]) -> None:
        self._personal = personal
        self._waiting = waiting

    def get(self, ref: DatasetRef, **options: Any) -> Any:
        """Read a dataset; the parameters are those of upstream's ``get``."""
        records = self._waiting[ref.id]._datastore_records
        try:
            return self._personal.get(ref.replace(datastore_records=records), **options)
        except Exception:
            # It may have been committed in this moment.
            if self._file(ref).exists():
                raise
        self._personal.registry.refresh()
        return self._personal.get(ref, **options)

    def getDeferred(self, ref: DatasetRef, **options: Any) -> DeferredDatasetHandle:
        """Read a dataset later; the parameters are those of upstream's ``getDeferred``."""
        records = self._waiting[ref.id]._datastore_records
        handle = self._personal.getDeferred(ref.replace(datastore_records=records), **options)
        # Where the file is then has to be found out then.
        return dataclasses.replace(handle, ref=handle.ref.replace(datastore_records=None))

    def getURIs(self, ref: DatasetRef) -> DatasetRefURIs:
        """Say where the file of a dataset is now; it is moved soon."""
        files = self._files(ref)
        if None in files:
            return DatasetRefURIs(primaryURI=files[None])
        return DatasetRefURIs(componentURIs={component or "": uri for component, uri in files.items()})

    def exists(self, ref: DatasetRef, *, full_check: bool = True) -> DatasetExistence:
        """Tell whether a dataset exists, as upstream's ``exists`` does."""
        if not full_check:
            return DatasetExistence.KNOWN
        if all(uri.exists() for uri in self._files(ref).values()):
            return DatasetExistence.VERIFIED
        # It may have been committed in this moment.
        return self._personal.exists(ref, full_check=True)

    def unsettled(self) -> SatelliteError:
        """Say why the files of datasets cannot be copied, which are about to be moved."""
        ref = next(iter(self._waiting.values()))
        return SatelliteError(
            f"{ref.datasetType.name} {ref.dataId} in {ref.run} is saved, but cannot be put into the registry "
            "of your satellite now, so that its file has no place yet.",
            "Try again in a moment; butler.get reads it.",
        )

    def _file(self, ref: DatasetRef) -> ResourcePath:
        return next(iter(self._files(ref).values()))

    def _files(self, ref: DatasetRef) -> dict[str | None, ResourcePath]:
        root = personal_of(self._personal).root
        records = self._waiting[ref.id]._datastore_records or {}
        infos: list[Any] = [info for table in records.values() for info in table]
        return {info.component: root.join(info.path) for info in infos}


def without_spooled_records(ref: DatasetRef) -> DatasetRef:
    """Forget where a file was before it was put into its place.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        Any dataset.

    Returns
    -------
    ref : `lsst.daf.butler.DatasetRef`
        Without datastore records, if those were of the spool.
    """
    if ref._datastore_records is None:
        return ref
    infos: list[Any] = [info for table in ref._datastore_records.values() for info in table]
    spooled = any(str(info.path).startswith(f"{SPOOLED}/") for info in infos)
    return ref.replace(datastore_records=None) if spooled else ref


def as_asked(
    ref: DatasetRef, dataset_type: DatasetType | str, storage_class: str | StorageClass | None = None
) -> DatasetRef:
    """Make a reference what was asked for.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        A dataset as the registry has it.
    dataset_type : `lsst.daf.butler.DatasetType` or `str`
        As it was searched for: a component, or with another storage class.
    storage_class : `str` or `lsst.daf.butler.StorageClass`, optional
        Another storage class.

    Returns
    -------
    ref : `lsst.daf.butler.DatasetRef`
        The same dataset.
    """
    name = dataset_type if isinstance(dataset_type, str) else dataset_type.name
    component = DatasetType.splitDatasetTypeName(name)[1]
    if component is not None:
        ref = ref.makeComponentRef(component)
    if (
        isinstance(dataset_type, DatasetType)
        and dataset_type.storageClass_name != ref.datasetType.storageClass_name
    ):
        ref = ref.overrideStorageClass(dataset_type.storageClass_name)
    return ref if storage_class is None else ref.overrideStorageClass(storage_class)


def _reason(report: CommitReport) -> str:
    if report.trouble:
        return report.trouble
    if report.busy:
        return "Another process is writing them, or another machine has been doing so."
    return "; ".join(f"{problem.what}: {problem.reason}" for problem in report.problems[:3]) + "."
