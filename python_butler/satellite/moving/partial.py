"""Writing one file that is either complete or not there."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ...errors import InvalidRequestError, SatelliteError
from ..durable import sync_directory

__all__ = ["written_whole"]


@contextmanager
def written_whole(file: Path, *, overwrite: bool) -> Iterator[tuple[IO[bytes], Path]]:
    """Write a file beside its place, to which it goes when it is complete and on disk.

    Parameters
    ----------
    file : `pathlib.Path`
        Where it is to be.
    overwrite : `bool`
        Whether it may replace a file.

    Yields
    ------
    stream : file
        What to write to.
    scratch : `pathlib.Path`
        Another file beside it that may be made meanwhile and is removed in the end.

    Raises
    ------
    InvalidRequestError
        If there is something in its place.
    SatelliteError
        If another process is writing it.
    OSError
        If it cannot be written.
    """
    _refuse(file, overwrite)
    partial = file.with_name(f"{file.name}.partial")
    scratch = file.with_name(f"{file.name}.partial-database")
    with _alone(partial) as stream:
        try:
            yield stream, scratch
            stream.flush()
            os.fsync(stream.fileno())
            _refuse(file, overwrite)
            _publish(partial, file, overwrite)
        finally:
            # While the lock is held: the next one may have begun otherwise.
            scratch.unlink(missing_ok=True)
            partial.unlink(missing_ok=True)
    sync_directory(file.parent)


def _refuse(file: Path, overwrite: bool) -> None:
    if file.is_dir():
        raise InvalidRequestError(f"{file} is a directory.", "Name a file in it.")
    if os.path.lexists(file) and not overwrite:
        raise InvalidRequestError(
            f"There is a file {file} already; it was left as it is.",
            "Name another one, or say that it may be overwritten.",
        )


@contextmanager
def _alone(partial: Path) -> Iterator[IO[bytes]]:
    """Open the unfinished file, which an earlier attempt may have left."""
    # Nothing is lost of what another process may be writing: it is emptied when there is none.
    with partial.open("ab") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SatelliteError(
                f"Another process is writing {partial}.", "Wait until it is done, or name another file."
            ) from None
        except OSError as error:
            # Some network file systems have no locks.
            if error.errno not in {errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS}:
                raise
        stream.truncate(0)
        yield stream


def _publish(partial: Path, file: Path, overwrite: bool) -> None:
    if overwrite:
        partial.replace(file)
        return
    # A link, which unlike renaming fails if there is something; not all file systems have any.
    try:
        os.link(partial, file)
    except FileExistsError:
        _refuse(file, overwrite)
        raise
    except OSError:
        partial.replace(file)
