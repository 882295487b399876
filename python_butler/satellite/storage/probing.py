"""Finding out whether a file system has the locks that SQLite needs."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import threading
from pathlib import Path
from typing import Literal
from uuid import uuid4

__all__ = ["LOCKS", "Locks", "locks_for", "takes_turns", "turns_directory"]

type Locks = Literal["posix", "files"]
"""How those who use an SQLite database take turns: by SQLite's own locks, or by files."""

LOCKS: tuple[Locks, ...] = ("posix", "files")

_REFUSALS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EPERM, errno.EIO})
_SECONDS = 10.0
"""A lock service that does not answer in this time is taken for none."""

_MOUNTS = Path("/proc/self/mountinfo")
_LOCAL = re.compile(r"(^|,)(nolock|local_lock=(all|posix))(,|$)")


def locks_for(directory: Path) -> Locks:
    """Choose how those who use an SQLite database in a directory take turns.

    Parameters
    ----------
    directory : `pathlib.Path`
        A directory that is there and can be written.

    Returns
    -------
    locks : `str`
        ``posix`` if the file system gives locks to all machines that mount it, as far as can be told
        from here, otherwise ``files``.

    Raises
    ------
    OSError
        If no file can be made there.
    """
    return "posix" if _are_given(directory) and not _are_local(directory) else "files"


def takes_turns(database: Path) -> bool:
    """Tell whether users of an SQLite file take turns by files.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.

    Returns
    -------
    turns : `bool`
        Whether somebody has opened it so. Nobody may then open it otherwise, not even for reading.
    """
    return turns_directory(database).is_dir()


def turns_directory(database: Path) -> Path:
    """Directory of the files by which users of an SQLite file take turns.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.
    """
    return database.with_name(f"{database.name}.locks")


def _are_given(directory: Path) -> bool:
    answer: list[bool | OSError] = []

    def ask() -> None:
        try:
            answer.append(_try(directory))
        except OSError as error:
            answer.append(error)

    # In a thread, since some mounts wait for ever for a lock service that is not there.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_SECONDS)
    match answer:
        case [OSError() as error]:
            raise error
        case [given]:
            return bool(given)
    return False


def _try(directory: Path) -> bool:
    path = directory / f"building-{uuid4().hex}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # What SQLite does: ranges, shared and exclusive.
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 0)
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1)
    except OSError as error:
        if error.errno in _REFUSALS:
            return False
        raise
    finally:
        os.close(descriptor)
        path.unlink(missing_ok=True)
    return True


def _are_local(directory: Path) -> bool:
    """Whether locks of a network file system are known to this machine only."""
    device = directory.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return False
    for line in lines:
        mount, _, system = line.partition(" - ")
        kind, *rest = system.split()
        if mount.split()[2] == number and kind.startswith("nfs"):
            return any(_LOCAL.search(options) for options in rest)
    return False
