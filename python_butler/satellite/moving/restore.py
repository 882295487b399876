"""A satellite from the one file that it was backed up in: complete, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from lsst.resources import ResourcePath
from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import InvalidRequestError, NoSpaceError, SatelliteError
from ...words import size
from ..durable import sync, sync_directory
from ..layout import DATABASE, FILES, FORMAT, MARKER, Marker, State, read_marker, state_of
from ..progress import ProgressCallback, Reporter
from .archive import Index, compressed
from .backup import Cancelled, stopping, telling
from .files import inode_of
from .freeze import thaw_file
from .snapshot import Snapshot
from .spooled import Spooled
from .unpacking import ArchiveReader, Member

__all__ = ["VerifyReport", "label_in", "restore", "verify"]

_CHUNK = 1 << 20

_SYNC = 500
"""Files that are written out before it is asked whether to go on."""


class VerifyReport(BaseModel):
    """What a backup that was checked holds."""

    model_config = ConfigDict(frozen=True)

    index: Index | None
    """What it says of itself; `None` if the check was stopped."""

    problems: tuple[str, ...] = ()
    """What is not as it should be, as sentences."""

    cancelled: bool = False


def restore(
    file: Path,
    label: str,
    root: Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> bool:
    """Unpack a backup: see `Satellite.restore`. Return whether it was not cancelled."""
    reporter = Reporter(progress, cancel)
    if state_of(root) is not State.ABSENT:
        raise SatelliteError(
            f"{root} holds something already; it was left as it is.",
            "Move it away, or name another directory.",
        )
    if (found := label_in(file)) != label:
        raise InvalidRequestError(
            f"{file} is the backup of a satellite of {found}, not of {label}.",
            f"Name another file, or restore it as {found}.",
        )
    with telling(f"The satellite cannot be restored in {root}"):
        root.parent.mkdir(parents=True, exist_ok=True)
        _check_room(file, root.parent)
        # A sibling, since renaming is atomic within one file system only. Without a dot: see `create`.
        building = root.with_name(f"building-{uuid4().hex}")
        building.mkdir()
        try:
            _unpack(file, building, reporter)
            _make_durable(building, reporter)
            building.rename(root)
        except Cancelled:
            return False
        finally:
            shutil.rmtree(building, ignore_errors=True)
        sync_directory(root.parent)
    return True


def verify(
    file: Path,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> VerifyReport:
    """Check a backup without unpacking it, but for its database.

    Parameters
    ----------
    file : `pathlib.Path`
        The backup.
    progress : callable, optional
        Told how far it is.
    cancel : `threading.Event`, optional
        Set to stop.

    Returns
    -------
    report : `VerifyReport`
        What it holds. If it has problems, it can be restored all the same: the satellite had them.

    Raises
    ------
    SatelliteError
        If it is no backup, or was cut short or altered.
    """
    reporter = Reporter(progress, cancel)
    sizes: dict[str, int] = {}
    with (
        telling(f"The backup {file} cannot be checked"),
        tempfile.TemporaryDirectory() as scratch,
        _reading(file, reporter) as (archive, tell),
    ):
        database = Path(scratch, DATABASE)

        def take(member: Member) -> None:
            sizes[member.name] = member.size
            if member.name == DATABASE:
                _write(member, database)
            tell()

        try:
            index = archive.read(take)
        except Cancelled:
            return VerifyReport(index=None, cancelled=True)
        problems = tuple(problem for _, problem in _problems(file, database, sizes))
        return VerifyReport(index=index, problems=problems)


def label_in(file: Path) -> str:
    """Look of which official repository a backup is.

    Parameters
    ----------
    file : `pathlib.Path`
        The backup.

    Returns
    -------
    label : `str`
        The repository's label.

    Raises
    ------
    SatelliteError
        If it is no backup.
    """

    class Found(Exception):
        pass

    def take(member: Member) -> None:
        if member.name != MARKER:
            raise _no_backup(file)
        raise Found(member.source.read())

    with ArchiveReader(file) as archive:
        try:
            archive.read(take)
        except Found as found:
            try:
                marker = Marker.model_validate_json(found.args[0])
            except ValidationError:
                raise _no_backup(file) from None
            if marker.format > FORMAT:
                raise SatelliteError(
                    f"The satellite in {file} was made by a newer version of python-butler.",
                    "Upgrade python-butler.",
                ) from None
            return marker.label
    raise _no_backup(file)


def _no_backup(file: Path) -> SatelliteError:
    return SatelliteError(f"{file} is not a backup of a satellite.", "Name another file.")


@contextmanager
def _reading(file: Path, reporter: Reporter) -> Iterator[tuple[ArchiveReader, Callable[[], None]]]:
    total = file.stat().st_size if file.exists() else 0
    with ArchiveReader(file, stopping(reporter)) as archive:
        yield archive, lambda: reporter.tell("reading the backup", archive.position, total)


def _unpack(file: Path, building: Path, reporter: Reporter) -> None:
    with _reading(file, reporter) as (archive, tell):

        def take(member: Member) -> None:
            _write(member, building / member.name)
            tell()

        index = archive.read(take)
    for name in index.superseded:
        (building / name).unlink(missing_ok=True)
    (building / FILES).mkdir(exist_ok=True)
    sizes = {f"{FILES}/{p.relative_to(building / FILES)}": p.stat().st_size for p in _files(building / FILES)}
    files = ResourcePath(building / FILES, forceDirectory=True, forceAbsolute=True)
    Spooled.read(building).settled(lambda path: inode_of(files, path)).write(building)
    thaw_file(building / DATABASE)
    # Places outside of the directory belong to the one that was backed up, which may still be there.
    marker = read_marker(building).model_copy(update={"id": uuid4().hex})
    (building / MARKER).write_text(marker.model_dump_json(indent=2) + "\n")
    for name, problem in _problems(file, building / DATABASE, sizes):
        # What the satellite lacked already when it was backed up is not restored either.
        if name not in index.missing:
            raise SatelliteError(f"{file} is not a whole backup: {problem}", "Use another copy.")


def _write(member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as stream:
        shutil.copyfileobj(member.source, stream, _CHUNK)
    os.utime(target, (member.changed, member.changed))


def _problems(file: Path, database: Path, sizes: dict[str, int]) -> Iterator[tuple[str, str]]:
    """What the registry in a backup names and the backup does not have: its name, and a sentence."""
    if not database.exists():
        raise _no_backup(file)
    snapshot = Snapshot(database)
    snapshot.check()
    for path, artifact in snapshot.artifacts.items():
        name = f"{FILES}/{path}"
        if name not in sizes:
            if not artifact.removed:
                yield name, f"{name} is missing."
        elif artifact.size not in (None, sizes[name]):
            yield name, f"{name} has {sizes[name]} bytes instead of {artifact.size}."


def _files(directory: Path) -> Iterator[Path]:
    for where, _, names in os.walk(directory):
        yield from (Path(where, name) for name in names)


def _make_durable(building: Path, reporter: Reporter) -> None:
    """See that everything is on disk before it takes its place."""
    files = list(_files(building))
    check = stopping(reporter)
    for done in range(0, len(files), _SYNC):
        check()
        reporter.tell("writing to disk", done, len(files))
        sync(files[done : done + _SYNC])
    sync((), [Path(where) for where, _, _ in os.walk(building)])


def _check_room(file: Path, directory: Path) -> None:
    if compressed(file) or not file.exists():
        return
    needed, free = file.stat().st_size, shutil.disk_usage(directory).free
    if free < needed:
        raise NoSpaceError(
            f"The satellite in {file} takes {size(needed)}, and {directory} has {size(free)} left.",
            "Name a directory on another disk.",
        )
