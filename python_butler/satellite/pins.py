"""Copies of what is referenced: pinned, an official dataset is read without any server."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import DatabaseInsertMode
from lsst.resources import ResourcePath
from sqlalchemy.exc import SQLAlchemyError

from ..datastore import personal_of, references_of, signer_for
from ..datastore.path import split_reference
from .downloads import Copied, Download, download_all, workplace
from .presence import PINNED, is_pinned, registered
from .progress import ProgressCallback, Reporter
from .report import Problem, Status
from .storage import Storage, storage_failures, storage_of, writing_alone
from .usage.room import check_room, full_disk_explained

if TYPE_CHECKING:
    from .place import Place

__all__ = ["PinReport", "pin", "unpin"]

_GROUP = 64
_GROUP_SECONDS = 1.0


@dataclass
class PinReport:
    """Outcome of pinning or unpinning datasets.

    Attributes
    ----------
    done : `int`
        Datasets that were pinned, or unpinned.
    there : `int`
        Datasets that were so before.
    bytes : `int`
        Size of the files that were copied or removed, in bytes.
    problems : `list` [`Problem`]
        Datasets that could not be, with the reason.
    cancelled : `bool`
        Whether it was stopped before the end; what is done is done.
    """

    done: int = 0
    there: int = 0
    bytes: int = 0
    problems: list[Problem] = field(default_factory=list)
    cancelled: bool = False


def pin(
    satellite: Place,
    refs: Iterable[DatasetRef],
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> PinReport:
    """Copy the files of referenced datasets: see `Satellite.pin`."""
    reporter = Reporter(progress, cancel)
    report = PinReport()
    by_id = {ref.id: ref.makeCompositeRef() if ref.isComponent() else ref for ref in refs}
    with satellite.reader() as reader:
        jobs = _plan(reader, by_id, report)
    if not jobs:
        return report
    total = len(jobs) + len(report.problems)
    check_room(satellite, sum(max(file.info.file_size, 0) for _, files in jobs for file in files), sure=True)
    with (
        full_disk_explained(satellite, "The next copies", "What is pinned stays."),
        workplace(satellite.root) as directory,
        satellite.writer() as writer,
    ):
        group = _Group(writer, storage_of(satellite), report)
        try:
            for outcome in download_all(jobs, directory, reporter):
                if isinstance(outcome, Problem):
                    report.problems.append(outcome)
                else:
                    group.add(outcome)
                reporter.tell("pinning", report.done + len(group.members) + len(report.problems), total)
        except BaseException as failure:
            # Whatever ended it: what was downloaded is kept.
            try:
                group.write()
            except Exception as error:  # must not hide what went wrong first
                failure.add_note(f"Nor could the last files that had come be kept: {error}")
            raise
        group.write()
    report.cancelled = reporter.cancelled and report.done + len(report.problems) < total
    return report


def _plan(
    reader: DirectButler, by_id: dict[UUID, DatasetRef], report: PinReport
) -> list[tuple[DatasetRef, list[Download]]]:
    references = references_of(reader)
    records = references._get_stored_records_associated_with_refs(
        by_id.values(), ignore_datastore_records=True
    )
    rest = [ref for ref in by_id.values() if ref.id not in records]
    for ref, here in personal_of(reader).knows_these(rest).items():
        if here:
            report.there += 1
        else:
            reason = "It is not referenced in the satellite."
            report.problems.append(Problem(ref, Status.REFUSED, reason))
    jobs = []
    for dataset_id, infos in records.items():
        ref = by_id[dataset_id]
        jobs.append((ref, [Download(info, _target(ref, info)) for info in infos]))
    return jobs


def _target(ref: DatasetRef, info: StoredFileInfo) -> str:
    """Path of a copy: it tells what it is, and no other dataset can have it."""
    file, _, member = split_reference(info.path)[3].partition("#zip-path=")
    official = (member or file).rpartition("/")[2]
    # What is not plain would be quoted in records; the end has the extension.
    name = re.sub(r"[^A-Za-z0-9._+-]+", "_", official)[-120:]
    component = f".{info.component}" if info.component else ""
    return f"{PINNED}/{ref.datasetType.name}/{ref.id}{component}_{name}"


class _Group:
    """Copies that are to answer instead of the references: written together, a database likes that.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for writing.
    storage : `python_butler.satellite.storage.Storage`
        Where its personal files are.
    report : `PinReport`
        Is told what became of them.
    """

    def __init__(self, writer: DirectButler, storage: Storage, report: PinReport) -> None:
        self._writer = writer
        self._storage = storage
        self._report = report
        self._since = time.monotonic()
        self.members: list[Copied] = []

    def add(self, copied: Copied) -> None:
        """Take one more, and write them when they are enough or have waited long enough."""
        self.members.append(copied)
        if len(self.members) >= _GROUP or time.monotonic() - self._since > _GROUP_SECONDS:
            self.write()

    def write(self) -> None:
        """Write them, all or none."""
        members, self.members = self.members, []
        self._since = time.monotonic()
        if not members:
            return
        everything = members
        moved: list[Path] = []
        size = 0
        try:
            if not self._storage.files_inside:
                # It takes time, so not while nobody else can write.
                for copied in members:
                    self._copy(copied)
            with writing_alone(self._writer), self._writer.transaction():
                members, gone = self._still_referenced(members)
                rows = []
                for copied in members:
                    for file, temporary in copied.files:
                        length = temporary.stat().st_size
                        if self._storage.files_inside:
                            moved.append(self._move(file, temporary))
                        rows.append((copied.ref, file.info.update(path=file.target, file_size=length)))
                        size += length
                personal = personal_of(self._writer)
                personal._register_datasets(rows, insert_mode=DatabaseInsertMode.REPLACE)
                references_of(self._writer).forget([copied.ref for copied in members])
        except BaseException:
            for target in moved:
                target.unlink(missing_ok=True)
            with contextlib.suppress(SQLAlchemyError):
                for copied in everything:
                    self._discard(copied)
            raise
        for copied in gone:
            self._discard(copied)
        self._report.bytes += size
        self._report.done += len(members)
        reason = "Something else took the reference out of the satellite while it was copied."
        self._report.problems += [Problem(copied.ref, Status.REFUSED, reason) for copied in gone]

    def _move(self, file: Download, temporary: Path) -> Path:
        target = Path(self._target(file).ospath)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
        return target

    def _copy(self, copied: Copied) -> None:
        for file, temporary in copied.files:
            target = self._target(file)
            target.parent().mkdir()
            target.transfer_from(ResourcePath(temporary), "copy", overwrite=True)

    def _discard(self, copied: Copied) -> None:
        """Remove copies that were not needed after all, unless somebody else pinned the same."""
        if not self._storage.files_inside and not personal_of(self._writer).knows(copied.ref):
            for file, _ in copied.files:
                with contextlib.suppress(*storage_failures()):
                    self._target(file).remove()

    def _target(self, file: Download) -> ResourcePath:
        return self._storage.files.join(file.target, forceDirectory=False)

    def _still_referenced(self, members: list[Copied]) -> tuple[list[Copied], list[Copied]]:
        here = registered(self._writer, [copied.ref.id for copied in members])
        known = references_of(self._writer).known([c.ref for c in members if c.ref.id in here])
        return [c for c in members if c.ref.id in known], [c for c in members if c.ref.id not in known]


def unpin(satellite: Place, refs: Iterable[DatasetRef]) -> PinReport:
    """Refer to datasets again instead of keeping their copies: see `Satellite.unpin`."""
    report = PinReport()
    by_id = {ref.id: ref.makeCompositeRef() if ref.isComponent() else ref for ref in refs}
    with satellite.reader() as reader:
        known = references_of(reader).known(by_id.values())
        report.there = len(known)
        stored = personal_of(reader)._get_stored_records_associated_with_refs(
            [ref for ref in by_id.values() if ref.id not in known], ignore_datastore_records=True
        )
    pinned = {i: infos for i, infos in stored.items() if all(is_pinned(i, info.path) for info in infos)}
    official = signer_for(satellite.label).files(pinned) if pinned else {}
    files: dict[DatasetRef, list[StoredFileInfo]] = {}
    for dataset_id, ref in by_id.items():
        if dataset_id in official:
            files[ref] = official[dataset_id]
        elif dataset_id in pinned:
            reason = f"{satellite.label} has no file of it: this is the only copy, and it was kept."
            report.problems.append(Problem(ref, Status.REFUSED, reason))
        elif dataset_id in stored:
            reason = "Its file is your own, not a pinned copy: it was left as it is."
            report.problems.append(Problem(ref, Status.REFUSED, reason))
        elif dataset_id not in known:
            report.problems.append(Problem(ref, Status.REFUSED, "It is not in the satellite."))
    if not files:
        return report
    with satellite.writer() as writer:
        personal = personal_of(writer)
        with writing_alone(writer), writer.transaction():
            references_of(writer).add(satellite.label, files)
            personal.forget(files)
        report.done = len(files)
        for path in {info.path for ref in files for info in pinned[ref.id]}:
            report.bytes += _remove(personal, path)
    return report


def _remove(personal: FileDatastore, path: str) -> int:
    """Remove a copy that no dataset needs any more."""
    location = personal.locationFactory.fromPath(path)
    if personal._registered_refs_per_artifact(location.pathInStore):
        return 0
    try:
        size = location.uri.size()
        location.uri.remove()
    except FileNotFoundError:
        return 0
    return size
