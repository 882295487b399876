"""Downloading official files to disk, several at a time, and giving up at once when told to."""

from __future__ import annotations

import contextlib
import io
import shutil
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, override
from uuid import uuid4

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo

from ..datastore import signer_for
from ..datastore.failures import WrongSize
from ..datastore.path import ReferencePath, split_reference
from ..errors import GoneError
from .configuration import locked
from .progress import Reporter
from .report import Problem, Status

__all__ = ["Copied", "Download", "download_all", "workplace"]

UNFINISHED = "unfinished"
"""Directory beside the personal files, on the same file system, for downloads under way."""

_WORKERS = 8
_LEFTOVER_SECONDS = 86_400.0

_LOOK_EVERY = 0.1
"""Seconds after which it is noticed that the work is to stop."""


@dataclass(frozen=True)
class Download:
    """One file to copy.

    Attributes
    ----------
    info : `lsst.daf.butler.datastore.stored_file_info.StoredFileInfo`
        Its record in the datastore of references.
    target : `str`
        Path that it is to have in the personal datastore.
    """

    info: StoredFileInfo
    target: str


@dataclass(frozen=True)
class Copied:
    """A dataset whose files were downloaded.

    Attributes
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    files : sequence of `tuple` [`Download`, `pathlib.Path`]
        What was to be copied, and where it is now.
    """

    ref: DatasetRef
    files: Sequence[tuple[Download, Path]]


type Job = tuple[DatasetRef, Sequence[Download]]


@contextlib.contextmanager
def workplace(root: Path) -> Iterator[Path]:
    """Make a directory for files that are not complete, and remove it with all that is left in it.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Yields
    ------
    directory : `pathlib.Path`
        On the same file system as the satellite's files.
    """
    unfinished = root / UNFINISHED
    unfinished.mkdir(exist_ok=True)
    for leftover in unfinished.iterdir():
        # Of killed processes; others may be at work.
        with contextlib.suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
    directory = unfinished / uuid4().hex
    directory.mkdir()
    try:
        # Who finds it locked knows that it is in use.
        with locked(directory):
            yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def download_all(jobs: Sequence[Job], directory: Path, reporter: Reporter) -> Iterator[Copied | Problem]:
    """Download several at a time; trouble with the server ends it, trouble with one dataset does not.

    Parameters
    ----------
    jobs : sequence of `tuple` [`lsst.daf.butler.DatasetRef`, sequence of `Download`]
        Datasets and their files.
    directory : `pathlib.Path`
        Where they go.
    reporter : `Reporter`
        Says when to stop. Downloads that are under way are then given up, even if they wait for a
        server.

    Yields
    ------
    outcome : `Copied` or `Problem`
        As they come.

    Raises
    ------
    OfficialServerError
        If the server, the token or the network is in trouble.
    """
    stopped = threading.Event()
    waiting: SimpleQueue[Job] = SimpleQueue()
    for job in jobs:
        waiting.put(job)
    outcomes: SimpleQueue[Copied | Problem | BaseException] = SimpleQueue()

    def work() -> None:
        with contextlib.suppress(Empty):
            while not stopped.is_set():
                job = waiting.get_nowait()
                try:
                    outcomes.put(_download(*job, directory, stopped))
                except BaseException as error:
                    outcomes.put(error)

    # Not a pool of the standard library: that waits for its threads, here and at the interpreter's end.
    for number in range(min(_WORKERS, len(jobs))):
        threading.Thread(target=work, name=f"pinning {number}", daemon=True).start()
    left = len(jobs)
    try:
        while left and not reporter.cancelled:
            try:
                outcome = outcomes.get(timeout=_LOOK_EVERY)
            except Empty:
                continue
            if isinstance(outcome, BaseException):
                raise outcome
            left -= 1
            yield outcome
    finally:
        stopped.set()


class _Stopped(Exception):
    """Nobody waits for this download any longer."""


class _Target(io.BufferedWriter):
    """A file that takes nothing more when the work is to stop."""

    def __init__(self, path: Path, stopped: threading.Event) -> None:
        super().__init__(io.FileIO(path, "w"))
        self._stopped = stopped

    @override
    def write(self, content: object, /) -> int:
        if self._stopped.is_set():
            raise _Stopped
        return super().write(content)  # type: ignore[arg-type]  # whatever has bytes


def _download(
    ref: DatasetRef, files: Sequence[Download], directory: Path, stopped: threading.Event
) -> Copied | Problem:
    copied: list[tuple[Download, Path]] = []
    try:
        for file in files:
            label, dataset_id, component, official = split_reference(file.info.path)
            temporary = directory / uuid4().hex
            with _Target(temporary, stopped) as out:
                if "#" in official:
                    _extract(ReferencePath.of(label, dataset_id, component, official), out)
                else:
                    signer_for(label).download(dataset_id, component, out, file.info.file_size)
            copied.append((file, temporary))
    except GoneError as error:
        return Problem(ref, Status.MISSING, error.message)
    except WrongSize as error:
        return Problem(ref, Status.REFUSED, error.message)
    except _Damaged:
        reason = "Its file is damaged in the official repository: tell the platform's support."
        return Problem(ref, Status.REFUSED, reason)
    return Copied(ref, copied)


class _Damaged(Exception):
    """A zip file cannot be read, or lacks the member."""


def _extract(path: ReferencePath, out: BinaryIO) -> None:
    """Write a member of a zip file; of a large one only the part that it takes is fetched."""
    member = path.unquoted_fragment.partition("=")[2]
    try:
        with path.open("rb") as whole, zipfile.ZipFile(whole) as archive, archive.open(member) as content:
            shutil.copyfileobj(content, out)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise _Damaged from error
