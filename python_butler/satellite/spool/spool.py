"""`Spool`: where datasets are safe before they are in the registry."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from lsst.daf.butler import (
    DataCoordinate,
    DatasetProvenance,
    DatasetRef,
    DatasetType,
    DimensionUniverse,
    MissingDatasetTypeError,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from sqlalchemy.exc import SQLAlchemyError

from ...datastore.chain import personal_of
from ...errors import SatelliteError
from ..configuration import reason
from ..moving.mark import refuse_if_moving
from ..place import Place
from ..progress import ProgressCallback
from ..provenance import check_document
from ..usage.room import is_full, no_space
from . import artifacts
from .batch import Batch, BatchInfo
from .committing import commit_slips
from .desk import Desk, Unreadable, refused
from .lock import FileLock
from .looking import registered
from .report import CommitReport
from .slip import Slip, name_of

__all__ = ["Spool"]

LOCK = "lock"
"""File, beside the slips, of the lock of whoever commits them."""

_IDLE = 600.0
"""Seconds after which a process on another machine is taken to be done with its batch."""


class Spool:
    """The datasets of a satellite that are safe on disk and not yet in the registry.

    Holds neither a file nor a connection. May be used by several threads.

    Parameters
    ----------
    place : `python_butler.satellite.place.Place`
        The satellite.
    universe : `lsst.daf.butler.DimensionUniverse`, optional
        Its dimensions, if they are known; otherwise it is opened when they are needed.
    """

    def __init__(self, place: Place, universe: DimensionUniverse | None = None) -> None:
        self._place = place
        self._universe = universe
        self._desk = Desk(place.root)
        self._lock_path = self._desk.path / LOCK

    # Readers

    def waiting(self) -> int:
        """Count the acknowledged datasets that are not yet in the registry.

        Returns
        -------
        waiting : `int`
            Their number: by one look at a directory, without the database and without a lock.
        """
        return len(self._desk.names())

    def acknowledged(self) -> dict[UUID, DatasetRef]:
        """List the acknowledged datasets that are not yet in the registry.

        Returns
        -------
        refs : `dict` [`uuid.UUID`, `lsst.daf.butler.DatasetRef`]
            With datastore records: upstream's datastore reads them without the registry, until they
            are committed. Who finds a file gone looks into the registry.
        """
        return {slip.id: slip.acknowledged(self.universe) for slip in self._desk.all()}

    def find(
        self, dataset_type: DatasetType | str, data_id: DataCoordinate, runs: Sequence[str]
    ) -> DatasetRef | None:
        """Find an acknowledged dataset that is not yet in the registry.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType` or `str`
            Its type; if only the name is given, the data ID must have its dimensions and no others.
        data_id : `lsst.daf.butler.DataCoordinate`
            Its data ID.
        runs : sequence of `str`
            Runs to look into.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef` or `None`
            That of the first run that has it, with datastore records as those of `acknowledged`.
        """
        name = dataset_type
        if isinstance(dataset_type, DatasetType):
            name, data_id = dataset_type.name, data_id.subset(dataset_type.dimensions)
        for run in runs:
            with contextlib.suppress(Unreadable):
                if slip := self._desk.read(name_of(str(name), data_id, run)):
                    return slip.acknowledged(self.universe)
        return None

    @property
    def universe(self) -> DimensionUniverse:
        """Dimensions of the satellite."""
        if self._universe is None:
            with self._place.reader() as reader:
                self._universe = reader.dimensions
        return self._universe

    # Writers

    def store(
        self,
        writer: DirectButler,
        obj: Any,
        ref: DatasetRef,
        *,
        provenance: DatasetProvenance | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> DatasetRef:
        """Save a dataset. When this returns it is safe, and seen by readers; `commit` registers it.

        Parameters
        ----------
        writer : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite. Nothing is written into its database: one that is open for reading serves
            better, since it waits for nobody.
        obj : `object`
            The dataset.
        ref : `lsst.daf.butler.DatasetRef`
            Its reference. Its dataset type, run and dimension records are registered.
        provenance : `lsst.daf.butler.DatasetProvenance`, optional
            What the formatter may write into the file.
        notes : `dict`, optional
            Where it comes from, as `python_butler.satellite.provenance` keeps it.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            As given, with datastore records that hold until it is committed.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If there is a dataset of the same run, type and data ID, or with the same identifier.
        lsst.daf.butler.MissingDatasetTypeError, lsst.daf.butler.MissingCollectionError
            If its type or run is not registered.
        SatelliteError
            If the satellite cannot be written, or is being moved.
        InvalidRequestError
            If the notes cannot be kept.
        """
        refuse_if_moving(self._place.root)
        if notes is not None:
            check_document(notes)
        own = self._as_registered(writer, ref)
        with self._writing():
            self._desk.prepare()
            name = name_of(own.datasetType.name, own.dataId, own.run)
            if os.path.lexists(self._desk.path / name) or registered(writer, own) is not None:
                raise _conflict(own)
            personal = personal_of(writer)
            files = artifacts.write(personal, obj, own, provenance)
            slip = Slip.of(own, files, personal._table.name, notes)
            try:
                if not self._desk.publish(slip, artifacts.paths_to_sync(personal.root, files)):
                    raise _conflict(own)
                self._look_again(writer, own)
            except BaseException:
                # Nothing is acknowledged. First what speaks of the files, if nobody has committed it
                # or put it aside meanwhile.
                self._desk.withdraw(slip)
                artifacts.discard(personal.root, files)
                raise
        return ref.replace(datastore_records=slip.records())

    def commit(
        self,
        *,
        wait: float = 0.0,
        budget: float | None = None,
        writer: DirectButler | Callable[[], DirectButler] | None = None,
        moving: bool = False,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> CommitReport:
        """Put the acknowledged datasets into the registry.

        Parameters
        ----------
        wait : `float`, optional
            Seconds to wait while somebody else does it.
        budget : `float`, optional
            Seconds after which no further transaction is begun; at least one is.
        writer : `lsst.daf.butler.direct_butler.DirectButler` or callable, optional
            The satellite, open for writing, if it is at hand; or what gives it, and is called if there is
            something to do.
        moving : `bool`, optional
            Whether to do it although the satellite is being moved: for who moves it.
        progress, cancel
            As `python_butler.satellite.progress` describes.

        Returns
        -------
        report : `CommitReport`
            What became of them. Trouble with the disk or the database is told there: nothing is lost,
            and readers do not depend on it.
        """
        left = self.waiting()
        if not left:
            return CommitReport()
        lock = FileLock(self._lock_path)
        try:
            with self._writing():
                if not moving:
                    refuse_if_moving(self._place.root)
                if not lock.acquire(wait):
                    return CommitReport(left=self.waiting(), busy=True)
                try:
                    return commit_slips(self._desk, lambda: self._open(writer), progress, cancel, budget)
                finally:
                    lock.release()
        except SatelliteError as error:
            return CommitReport(left=self.waiting(), trouble=error.message)

    # Batches

    def begin(self, name: str = "") -> Batch:
        """Begin to gather datasets that are committed together, or not at all.

        Parameters
        ----------
        name : `str`, optional
            What the batch is called where it is listed.

        Returns
        -------
        batch : `Batch`
            An empty one.

        Raises
        ------
        SatelliteError
            If the satellite cannot be written, or is being moved.
        """
        refuse_if_moving(self._place.root)
        with self._writing():
            self._desk.prepare()
            return Batch.begin(self._place, self._desk, name)

    def batches(self) -> list[BatchInfo]:
        """List the batches that were begun, and neither committed nor discarded.

        Returns
        -------
        batches : `list` [`BatchInfo`]
            The oldest first.
        """
        return Batch.all(self._desk)

    def open_batch(self, id: str, *, idle: float = _IDLE) -> Batch:
        """Take up a batch that another process has left.

        Parameters
        ----------
        id : `str`
            As `batches` tells it.
        idle : `float`, optional
            Seconds for which nothing must have been added if it cannot be known whether that process
            has ended.

        Returns
        -------
        batch : `Batch`
            To be committed or discarded.

        Raises
        ------
        SatelliteError
            If there is none, it is in use or may be, or it was begun by a newer version of this package.
        """
        with self._writing():
            return Batch.take_up(self._place, self._desk, id, idle)

    # How

    def _as_registered(self, writer: DirectButler, ref: DatasetRef) -> DatasetRef:
        try:
            registered = writer.get_dataset_type(ref.datasetType.name)
        except MissingDatasetTypeError:
            # Somebody may have registered it since this Butler was opened.
            writer.registry.refresh()
            registered = writer.get_dataset_type(ref.datasetType.name)
        if registered.storageClass_name == ref.datasetType.storageClass_name:
            return ref
        return ref.overrideStorageClass(registered.storageClass_name)

    def _look_again(self, writer: DirectButler, ref: DatasetRef) -> None:
        """Make sure that nobody has committed the same dataset by another way meanwhile."""
        refuse_if_moving(self._place.root)
        Batch.wait_for_commits(self._desk)
        if registered(writer, ref) not in (None, ref.id):
            raise _conflict(ref)

    def _open(
        self, writer: DirectButler | Callable[[], DirectButler] | None
    ) -> AbstractContextManager[DirectButler]:
        if writer is None:
            return self._place.writer()
        return contextlib.nullcontext(writer if isinstance(writer, DirectButler) else writer())

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """Say in our words what a disk or a database says."""
        try:
            yield
        except (OSError, SQLAlchemyError, RuntimeError) as error:
            cause = error if isinstance(error, OSError | SQLAlchemyError) else error.__cause__
            if isinstance(error, SatelliteError) or not isinstance(cause, OSError | SQLAlchemyError):
                raise
            if is_full(cause, self._place):
                raise no_space(self._place, "A dataset") from error
            if isinstance(cause, OSError):
                raise refused(self._place.root, cause) from error
            raise SatelliteError(
                f"The database of the satellite in {self._place.root} cannot be written: {reason(cause)}.",
                "Check that it is yours to write, and that the disk is not full.",
            ) from error


def _conflict(ref: DatasetRef) -> ConflictingDefinitionError:
    return ConflictingDefinitionError(
        f"There is a dataset of type {ref.datasetType.name!r} with data ID {ref.dataId} "
        f"in {ref.run!r} already."
    )
