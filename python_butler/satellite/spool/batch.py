"""`Batch`: datasets that are committed together, or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from uuid import uuid4

from lsst.daf.butler import DatasetProvenance, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.resources import ResourcePath
from sqlalchemy.exc import SQLAlchemyError

from ...datastore.chain import personal_of
from ...errors import InvalidRequestError, SatelliteError
from ..configuration import reason
from ..durable import sync
from ..moving.mark import refuse_if_moving
from ..place import Place
from ..presence import registered
from ..progress import ProgressCallback, Reporter
from ..provenance import check_document
from ..storage import storage_of
from ..usage.room import full_disk_explained, is_full, no_space
from ..versions import drop, publish, version_number
from . import artifacts, batch_file
from .batch_file import SUFFIX, BatchInfo
from .desk import BATCHES, Desk, refused
from .inserting import inserted
from .lock import FileLock
from .slip import Slip

__all__ = ["Batch", "BatchInfo"]

COMMITTING = "batch.lock"
"""Lock file, beside the slips, of whoever commits a batch."""

_LOG = logging.getLogger(__name__)

_PATIENCE = 60.0
"""Seconds to wait while another batch is committed."""


class Batch:
    """Datasets that are committed together, or not at all. `Spool.begin` makes one.

    May be used by several threads.
    """

    def __init__(self, place: Place, desk: Desk, path: Path, slips: list[Slip]) -> None:
        self._place = place
        self._desk = desk
        self._path = path
        self._slips = {slip.name: slip for slip in slips}
        self._lock = threading.Lock()
        self._open = True

    @property
    def id(self) -> str:
        """What `Spool.open_batch` wants."""
        return self._path.stem

    @property
    def runs(self) -> list[str]:
        """Runs of the datasets, each once."""
        return list(dict.fromkeys(slip.run for slip in self._slips.values()))

    def __len__(self) -> int:
        return len(self._slips)

    def put(
        self,
        writer: DirectButler,
        obj: Any,
        ref: DatasetRef,
        *,
        provenance: DatasetProvenance | None = None,
        notes: Mapping[str, Any] | None = None,
    ) -> DatasetRef:
        """Add a dataset. Nobody but the holder of the returned reference sees it before the commit.

        Parameters
        ----------
        writer : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite, open for reading or for writing; nothing is written into its database.
        obj, ref, provenance, notes
            As for `Spool.store`. The dataset type must be as it is registered.

        Returns
        -------
        ref : `lsst.daf.butler.DatasetRef`
            As given, with datastore records that hold until the batch is committed.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If the batch has a dataset of the same run, type and data ID. Whether there is another
            one is found out when the batch is committed.
        SatelliteError
            If the satellite cannot be written.
        InvalidRequestError
            If the notes cannot be kept, or the batch has ended.
        """
        if notes is not None:
            check_document(notes)
        personal = personal_of(writer)
        registered = writer.get_dataset_type(ref.datasetType.name)
        own = ref
        if registered.storageClass_name != ref.datasetType.storageClass_name:
            own = ref.overrideStorageClass(registered.storageClass_name)
        with full_disk_explained(self._place, "A dataset", "It is not in the batch."):
            files = artifacts.write(personal, obj, own, provenance)
        slip = Slip.of(own, files, personal._table.name, notes)
        try:
            with self._lock, full_disk_explained(self._place, "A dataset", "It is not in the batch."):
                self._check_open()
                if slip.name in self._slips:
                    raise ConflictingDefinitionError(
                        f"The batch has a dataset of type {own.datasetType.name!r} "
                        f"with data ID {own.dataId} in {own.run!r} already."
                    )
                batch_file.append(self._path, slip)
                self._slips[slip.name] = slip
        except BaseException:
            artifacts.discard(personal.root, files)
            raise
        return ref.replace(datastore_records=slip.records())

    def commit(
        self,
        *,
        writer: DirectButler | None = None,
        progress: ProgressCallback | None = None,
        cancel: threading.Event | None = None,
    ) -> int:
        """Put all datasets into the registry, or none.

        Parameters
        ----------
        writer : `lsst.daf.butler.direct_butler.DirectButler`, optional
            The satellite, open for writing, if it is at hand.
        progress, cancel
            As `python_butler.satellite.progress` describes. Cancelling ends it before anything is
            committed; the batch stays as it is.

        Returns
        -------
        committed : `int`
            Number of datasets; none if it was cancelled.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If there is another dataset of the same run, type and data ID as one of these. The batch
            stays as it is.
        SatelliteError
            If the satellite cannot be written, is being moved, or a file is missing. The batch stays as
            it is.
        InvalidRequestError
            If the batch has ended.
        """
        reporter = Reporter(progress, cancel)
        with self._lock:
            self._check_open()
            slips = list(self._slips.values())
            try:
                if slips:
                    refuse_if_moving(self._place.root)
                    self._make_durable(slips, reporter)
                    if reporter.cancelled:
                        return 0
                    self._insert(slips, writer, reporter)
                self._end()
            except OSError as error:
                raise refused(self._place.root, error) from error
            except SQLAlchemyError as error:
                if is_full(error, self._place):
                    raise no_space(
                        self._place, "A batch", "It stays as it is, and can be committed."
                    ) from error
                raise SatelliteError(
                    f"The batch cannot be committed: {reason(error)}.",
                    "It stays as it is, and can be committed again.",
                ) from error
        reporter.tell("committing", len(slips), len(slips))
        return len(slips)

    def discard(self, *, writer: DirectButler | None = None) -> None:
        """Remove all datasets, and versions that were begun for them, as if they had never been.

        Parameters
        ----------
        writer : `lsst.daf.butler.direct_butler.DirectButler`, optional
            The satellite, open for writing, if it is at hand.

        Raises
        ------
        SatelliteError
            If the batch was in fact committed, by a process that was killed right after; nothing is
            removed then but the batch's own file. Or if nothing can be written.
        InvalidRequestError
            If the batch has ended.
        """
        with self._lock:
            self._check_open()
            slips = list(self._slips.values())
            try:
                if slips:
                    with self._place.reader() as reader:
                        committed = reader.get_many_datasets([slip.id for slip in slips])
                        root = personal_of(reader).root
                    if committed:
                        if not root.isLocal:
                            there = {ref.id for ref in committed}
                            artifacts.clear(root, [slip for slip in slips if slip.id in there])
                        self._end()
                        raise SatelliteError(
                            f"The batch {self.id} was committed already: its {len(committed)} datasets "
                            "are in the registry.",
                            "Remove them as any others if you do not want them.",
                        )
                    artifacts.discard(root, [file for slip in slips for file in slip.files], settled=True)
                    with self._place.writer() if writer is None else nullcontext(writer) as butler:
                        for run in self.runs:
                            drop(butler, run)
                self._end()
            except OSError as error:
                raise refused(self._place.root, error) from error

    # Making and finding them

    @classmethod
    def begin(cls, place: Place, desk: Desk, name: str) -> Batch:
        """Begin one; for `Spool.begin`."""
        path = desk.path / BATCHES / f"{uuid4().hex}{SUFFIX}"
        batch_file.start(path, name)
        return cls(place, desk, path, [])

    @classmethod
    def all(cls, desk: Desk) -> list[BatchInfo]:
        """List them; for `Spool.batches`."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for path in (desk.path / BATCHES).iterdir():
                if path.suffix == SUFFIX:
                    try:
                        found.append(batch_file.describe(path))
                    except FileNotFoundError:
                        continue
                    except SatelliteError as error:
                        _LOG.warning("%s", error)
        return sorted(found, key=lambda info: (info.began, info.id))

    @classmethod
    def take_up(cls, place: Place, desk: Desk, id: str, idle: float) -> Batch:
        """Take one up; for `Spool.open_batch`."""
        path = desk.path / BATCHES / f"{id}{SUFFIX}"
        try:
            owner, slips = batch_file.read(path)
        except FileNotFoundError:
            raise SatelliteError(
                f"There is no batch {id!r}: it was committed or discarded.", "List the others."
            ) from None
        if owner.alive() and owner.pid != os.getpid():
            raise SatelliteError(
                f"The batch {id} is in use by process {owner.pid}.", "Wait for its end, or end the process."
            )
        if owner.alive() is None and idle > 0 and (age := time.time() - path.stat().st_mtime) < idle:
            raise SatelliteError(
                f"The batch {id} was changed {max(age, 0):.0f} seconds ago by process {owner.pid} on "
                f"{owner.host}, which may still use it.",
                f"Wait until it has not changed for {idle:.0f} seconds. If that process is certainly gone: "
                f"satellite repair {place.label} --batches commit --min-age 0, or --batches discard.",
            )
        batch_file.cut_unfinished(path)
        return cls(place, desk, path, slips)

    @staticmethod
    def wait_for_commits(desk: Desk) -> None:
        """Wait while somebody commits a batch: what is in the registry afterwards can be relied on.

        Who publishes a slip and then calls this either was seen by whoever commits a batch with the
        same dataset, and looks at the slips after taking the lock; or sees that dataset afterwards.
        """
        lock = FileLock(desk.path / COMMITTING)
        while lock.held():
            if lock.acquire(_PATIENCE):
                lock.release()
                return

    # How

    def _check_open(self) -> None:
        if not self._open:
            raise InvalidRequestError("The batch has ended.", "Begin another one.")

    def _make_durable(self, slips: list[Slip], reporter: Reporter) -> None:
        reporter.tell("making durable", 0, len(slips))
        root = storage_of(self._place).files
        there: list[Path] = []
        damaged: list[Slip] = []
        for slip in slips:
            for file, path in zip(slip.files, artifacts.paths_to_sync(root, slip.files), strict=False):
                # A file that was moved by a commit that was interrupted is found out of later.
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_size != file.size:
                        damaged.append(slip)
                    there.append(path)
        if damaged:
            first = damaged[0]
            raise SatelliteError(
                f"Files of {len(damaged)} datasets of the batch are not as they were written, for example "
                f"of {first.dataset_type!r} with data ID {first.data_id} in {first.run!r}: "
                "the machine may have lost its power.",
                f"Discard the batch: satellite batches {self._place.label} --discard {self.id}",
            )
        sync([self._path, *there], {path.parent for path in [self._path, *there]})

    def _insert(self, slips: list[Slip], writer: DirectButler | None, reporter: Reporter) -> None:
        reporter.tell("committing", 0, len(slips))
        opened: AbstractContextManager[DirectButler]
        opened = self._place.writer() if writer is None else nullcontext(writer)
        lock = FileLock(self._desk.path / COMMITTING)
        with opened as butler:
            root = personal_of(butler).root
            if not lock.acquire(_PATIENCE):
                raise SatelliteError("Other batches are being committed all the time.", "Try again later.")
            try:
                with inserted(butler, slips) as new:
                    for run in sorted(self.runs, key=version_number):
                        publish(butler, run)
                    if taken := self._slips.keys() & set(self._desk.names()):
                        slip = self._slips[min(taken)]
                        raise ConflictingDefinitionError(
                            f"A dataset of type {slip.dataset_type!r} with data ID {slip.data_id} "
                            f"in {slip.run!r} was saved meanwhile."
                        )
                    # Files of all: some still wait if an earlier commit was interrupted at its very end.
                    absent = list(artifacts.settle(root, slips, keep=False))
                    ids = {slip.id for slip in new}
                    if missing := [slip for slip in absent if slip.id in ids]:
                        raise SatelliteError(
                            f"The files of {len(missing)} datasets of the batch are missing, "
                            f"for example {missing[0].files[0].spooled}.",
                            f"Discard the batch: satellite batches {self._place.label} --discard {self.id}",
                        )
            except BaseException:
                self._take_back(root, slips)
                raise
            finally:
                lock.release()
            if not root.isLocal:
                artifacts.clear(root, slips)

    def _take_back(self, root: ResourcePath, slips: list[Slip]) -> None:
        """Put files back where they waited, but for datasets that are in the registry all the same."""
        # An interrupt may come, or an answer be lost, when all is committed. If that cannot be found out
        # the files stay: the next commit, or discarding, finds them where they are.
        with contextlib.suppress(Exception), self._place.reader() as reader:
            there = registered(reader, [slip.id for slip in slips])
            artifacts.unsettle(root, [slip for slip in slips if slip.id not in there])

    def _end(self) -> None:
        self._path.unlink(missing_ok=True)
        self._open = False
