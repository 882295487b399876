"""A satellite in one file: consistent, however much others write and remove meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ...errors import InvalidRequestError, NoSpaceError, SatelliteError
from ...words import size
from ..configuration import reason
from ..layout import DATABASE, FILES, MARKER
from ..progress import ProgressCallback, Reporter
from ..storage import storage_of
from .archive import ArchiveWriter, Index, compressed
from .files import opened
from .partial import written_whole
from .portable import Portable, portable
from .snapshot import Artifact, Snapshot
from .spooled import Spooled, WaitingFile

if TYPE_CHECKING:
    from ..place import Place

__all__ = ["BackupReport", "Cancelled", "backup", "stopping", "telling"]

_ROUNDS = 20
"""Copies of the database at most, each after something was removed while files were copied."""

type _File = Artifact | WaitingFile

_SPARE = 10_000_000
"""Bytes that are to be free beyond what is needed."""


class Cancelled(Exception):
    """Somebody wants the work to stop."""


class BackupReport(BaseModel):
    """Outcome of a backup."""

    model_config = ConfigDict(frozen=True)

    file: Path
    bytes: int = 0
    """Size of the file."""

    datasets: int = 0
    """Datasets that are in it, references among them."""

    files: int = 0
    """Files of datasets that are in it."""

    elsewhere: int = 0
    """Datasets whose files are not in it, since they were ingested where they lay."""

    missing: tuple[str, ...] = ()
    """Files that the registry names and that are not there: the satellite is damaged."""

    cancelled: bool = False
    """Whether it was stopped before the end; then there is no file."""


def backup(
    satellite: Place,
    file: Path,
    *,
    overwrite: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> BackupReport:
    """Write a satellite to one file: see `Satellite.backup`."""
    if file.is_relative_to(satellite.root):
        raise InvalidRequestError(
            f"{file} is in the satellite itself.", "Name a file elsewhere, best on another disk."
        )
    reporter = Reporter(progress, cancel)
    try:
        with telling(f"The backup {file} cannot be written"), portable(satellite) as source:
            index = _write(satellite, source, file, overwrite, reporter)
    except Cancelled:
        return BackupReport(file=file, cancelled=True)
    return BackupReport(
        file=file,
        bytes=file.stat().st_size,
        datasets=index.datasets,
        files=index.files,
        elsewhere=index.elsewhere,
        missing=index.missing,
    )


def _write(satellite: Place, source: Portable, file: Path, overwrite: bool, reporter: Reporter) -> Index:
    check = stopping(reporter)
    with (
        written_whole(file, overwrite=overwrite) as (stream, scratch),
        ArchiveWriter(stream, satellite.label, compress=compressed(file), check=check) as archive,
    ):
        # First, so that a look at its beginning tells what the file is.
        archive.add_bytes(MARKER, source.texts[MARKER])
        content = _Content(satellite, archive, reporter)
        for turn in range(_ROUNDS):
            # Before the database: what is committed in between is in both, not in neither.
            waiting = Spooled.read(satellite.root)
            source.copy_database(scratch, check)
            snapshot = Snapshot(scratch)
            if turn == 0:
                _check_room(file, scratch, snapshot, satellite)
            waiting = waiting.without(snapshot.registered(waiting.datasets))
            if content.add(snapshot, waiting) and source.still_there(snapshot):
                break
        else:
            raise SatelliteError(
                "Datasets were removed from the satellite again and again while it was copied.",
                "Try again when that is over.",
            )
        snapshot.check()
        for name, text in source.texts.items():
            if name != MARKER:
                archive.add_bytes(name, text)
        for name, text in waiting.texts.items():
            archive.add_bytes(name, text)
        with scratch.open("rb") as database:
            archive.add(DATABASE, database, os.fstat(database.fileno()).st_size)
        index = content.index(snapshot)
        archive.finish(index)
    return index


def _removed(file: _File) -> bool:
    return isinstance(file, Artifact) and file.removed


class _Content:
    """The files of datasets in the archive.

    Files do not change, but they may be removed, and others come in their places. So the database is
    copied again if some were, and those are added that it names then.

    Parameters
    ----------
    satellite : `Place`
        The satellite.
    archive : `ArchiveWriter`
        Where its files go.
    reporter : `Reporter`
        Is told.
    """

    def __init__(self, satellite: Place, archive: ArchiveWriter, reporter: Reporter) -> None:
        self._label = satellite.label
        self._files = storage_of(satellite).files
        self._archive = archive
        self._reporter = reporter
        self._written: dict[str, _File] = {}
        self._sizes: dict[str, int] = {}
        self._absent: dict[str, _File] = {}
        self._valid: set[str] = set()

    def add(self, snapshot: Snapshot, waiting: Spooled) -> bool:
        """Add what is not there yet; return whether all of it could be.

        Parameters
        ----------
        snapshot : `Snapshot`
            What the database says.
        waiting : `Spooled`
            What waits in the spool.
        """
        wanted: dict[str, _File] = {**snapshot.artifacts, **waiting.files}
        absent, self._absent = self._absent, {}
        for path, file in wanted.items():
            if self._written.get(path) != file and not self._copy(path, file) and not _removed(file):
                self._absent[path] = file
            self._reporter.tell("backing up", len(self._written), len(wanted))
        self._valid = wanted.keys() & self._written.keys() - self._absent.keys()
        # What is missing twice, though the database still names it, was not removed meanwhile.
        return all(absent.get(path) == file for path, file in self._absent.items())

    def _copy(self, path: str, file: _File) -> bool:
        places = [path, file.target] if isinstance(file, WaitingFile) else [path]
        for place in places:
            try:
                with opened(self._files.join(place)) as (source, length, changed):
                    if isinstance(file, WaitingFile) and length != file.size:
                        continue
                    self._archive.add(f"{FILES}/{path}", source, length, changed)
            except FileNotFoundError:
                continue
            self._written[path] = file
            self._sizes[path] = length
            return True
        return False

    def index(self, snapshot: Snapshot) -> Index:
        """What the backup is to say of itself."""
        return Index(
            label=self._label,
            made=datetime.now(UTC),
            version=version("python-butler"),
            files=len(self._valid),
            bytes=sum(self._sizes[path] for path in self._valid),
            datasets=snapshot.datasets,
            elsewhere=snapshot.elsewhere,
            missing=tuple(sorted(f"{FILES}/{path}" for path in self._absent)),
            superseded=tuple(sorted(f"{FILES}/{path}" for path in self._written.keys() - self._valid)),
        )


def _check_room(file: Path, database: Path, snapshot: Snapshot, satellite: Place) -> None:
    """Refuse what cannot be written whole."""
    needed = database.stat().st_size + sum(each.size or 0 for each in snapshot.artifacts.values()) + _SPARE
    free = shutil.disk_usage(file.parent).free
    # How much smaller it gets nobody knows before.
    if free < needed and not compressed(file):
        raise NoSpaceError(
            f"The backup of the satellite in {satellite.root} takes {size(needed)}, and {file.parent} has "
            f"{size(free)} left.",
            "Name a file on another disk.",
        )


def stopping(reporter: Reporter) -> Callable[[], None]:
    """Make something that raises `Cancelled` as soon as the work is to stop.

    Parameters
    ----------
    reporter : `Reporter`
        Knows whether it is.

    Returns
    -------
    check : callable
        To be called again and again.
    """

    def check() -> None:
        if reporter.cancelled:
            raise Cancelled

    return check


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Tell a person what a file system says.

    Parameters
    ----------
    what : `str`
        What cannot be done.
    """
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            said = "the disk is full" if error.errno == errno.ENOSPC else "your quota is used up"
            raise NoSpaceError(f"{what}: {said}.", "Free some room, or choose another disk.") from error
        raise SatelliteError(
            f"{what}: {error.strerror or reason(error)}.", "Check that the directory is yours to write."
        ) from error
