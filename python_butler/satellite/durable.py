"""Files that are still there after a power cut: the one place where our own files are made durable.

A file is durable when its content and the entry in its directory are. Modes of access follow those of
the directory, not the umask of whoever writes: a directory that several people share stays usable for
all of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import uuid4

__all__ = [
    "at_once",
    "atomic_write",
    "make_directory",
    "remove",
    "share",
    "sync",
    "sync_directory",
    "sync_file",
    "write_new",
]

THREADS = 32
"""Waits for a disk, or for a file server, that may go on at the same time."""

_FEW = 4
"""Tasks that are not worth a look at how long they take."""

_QUICK = 0.002
"""Seconds: a disk that needs no more is waited for without threads, which take as long to start."""

_SOON = 0.05
"""Seconds in which all tasks together should be done, if threads can achieve that."""

_last_wait = _QUICK
"""Seconds for which a disk was waited for last, which tells how quick the next one may be."""

_CANNOT = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF})
_DENIED = frozenset({errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS})


def sync_file(path: Path) -> None:
    """Wait until the content of a file is on the disk.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Raises
    ------
    OSError
        If it is not there, or cannot be written out.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _wait_for(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk, where the file system can say so.

    Parameters
    ----------
    path : `pathlib.Path`
        The directory.

    Raises
    ------
    OSError
        If it is not there, or cannot be written out.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Some network file systems cannot, and need not: their servers write names at once.
        _unless(partial(_wait_for, descriptor), _CANNOT)
    finally:
        os.close(descriptor)


def sync(files: Iterable[Path], directories: Iterable[Path] = ()) -> None:
    """Wait until files and names in directories are on the disk; all at the same time if that takes long.

    Parameters
    ----------
    files, directories : iterable of `pathlib.Path`
        What to wait for.

    Raises
    ------
    OSError
        If one of them is not there, or cannot be written out.
    """
    tasks = [partial(sync_file, path) for path in files]
    tasks += [partial(sync_directory, path) for path in directories]
    if len(tasks) <= _FEW and _last_wait < _QUICK:
        for task in tasks:
            task()
    else:
        at_once(tasks)


def remove(paths: Iterable[Path]) -> None:
    """Remove files, at the same time; those that are gone already are no trouble.

    Parameters
    ----------
    paths : iterable of `pathlib.Path`
        Files.

    Raises
    ------
    OSError
        If one of them cannot be removed.
    """
    at_once([partial(path.unlink, missing_ok=True) for path in paths])


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet. It is not durable before `sync_file`.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.
    content : `bytes`
        What it shall hold.

    Raises
    ------
    FileExistsError
        If there is one.
    OSError
        If it cannot be written: then it is not there.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        try:
            share(path)
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
        finally:
            os.close(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def atomic_write(path: Path, content: bytes) -> None:
    """Write a file, or replace it: durably, and at no moment is there half of it.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.
    content : `bytes`
        What it shall hold.

    Raises
    ------
    OSError
        If it cannot be written: then it is as it was.
    """
    new = path.with_name(f".{uuid4().hex}.new")
    try:
        write_new(new, content)
        sync_file(new)
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
    sync_directory(path.parent)


def make_directory(path: Path, like: Path) -> list[Path]:
    """Make a directory with those above it, as accessible as another one.

    Parameters
    ----------
    path : `pathlib.Path`
        The directory; harmless if it is there.
    like : `pathlib.Path`
        A directory above it that is there.

    Returns
    -------
    changed : `list` [`pathlib.Path`]
        Directories that have a new name in them, and are to be made durable.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    missing: list[Path] = []
    while path != like and not path.is_dir():
        missing.append(path)
        path = path.parent
    changed: list[Path] = []
    for each in reversed(missing):
        with contextlib.suppress(FileExistsError):
            each.mkdir()
            # Setgid and sticky bits come by themselves where they should.
            special = stat.S_IMODE(each.stat().st_mode) & ~0o777
            mode = special | _access(like)
            _unless(partial(each.chmod, mode), _DENIED)
        # Also if somebody else has just made it.
        changed.append(each.parent)
    return changed


def share(path: Path) -> os.stat_result:
    """Give a file that was just made the access that its directory has.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    status : `os.stat_result`
        Of the file; its time of change may be an earlier one.
    """
    status = path.stat()
    mode = _access(path.parent) & 0o666
    if stat.S_IMODE(status.st_mode) != mode:
        # Not all file systems have modes.
        _unless(partial(path.chmod, mode), _DENIED)
    return status


def at_once(tasks: Sequence[Callable[[], object]]) -> None:
    """Do what waits for a disk or a server rather than for this processor, in several threads.

    Parameters
    ----------
    tasks : sequence of callable
        What is to be done, in any order.

    Raises
    ------
    Exception
        The first that a task raised, when all are done.
    """
    waiting = iter(tasks)
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        while True:
            with lock:
                task = next(waiting, None)
            if task is None:
                return
            try:
                task()
            except BaseException as failure:
                failures.append(failure)

    threads: list[threading.Thread] = []
    for _ in range(_helpers(waiting, len(tasks), failures)):
        thread = threading.Thread(target=work, name="python-butler-disk", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The interpreter is ending, or there may be no more threads: this one does the rest.
            break
        threads.append(thread)
    work()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _helpers(waiting: Iterator[Callable[[], object]], count: int, failures: list[BaseException]) -> int:
    """How many threads are worth their while, besides this one."""
    if count <= _FEW:
        return count - 1
    # The first ones tell how slow the disk is: threads that do not wait are in the way of others.
    begin = time.monotonic()
    for task in islice(waiting, _FEW):
        try:
            task()
        except BaseException as failure:
            failures.append(failure)
    each = (time.monotonic() - begin) / _FEW
    return min(THREADS, count - _FEW, int(each * count / _SOON)) - 1


def _wait_for(descriptor: int) -> None:
    global _last_wait
    begin = time.monotonic()
    os.fsync(descriptor)
    _last_wait = time.monotonic() - begin


def _access(directory: Path) -> int:
    return directory.stat().st_mode & 0o777


def _unless(action: Callable[[], object], numbers: frozenset[int]) -> None:
    try:
        action()
    except OSError as error:
        if error.errno not in numbers:
            raise
