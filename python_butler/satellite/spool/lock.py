"""`FileLock`: a lock that works on file systems where POSIX locks do not, and outlives no owner.

It is a file with the owner's name in it, made by giving a complete file a second name, which is atomic on
network file systems too and fails if there is one. An owner shows that it lives by touching the file. The
lock is taken over when the owner is known to be dead, or when nothing touched the file for long, as seen
by the clock of whoever waits: no clock is compared with another.

No lock on a network file system can be trusted wholly: what is done under this one must be harmless if
two do it at once. It spares them doing it twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from ...errors import SatelliteError
from ..durable import share

__all__ = ["FileLock", "Owner", "any_alive", "process_here", "this_process"]

HEARTBEAT = 3.0
"""Seconds between two signs of life of an owner."""

STALE = 30.0
"""Seconds without a sign of life after which an owner is taken for dead."""

_SHORTEST_PAUSE = 0.002
_LONGEST_PAUSE = 0.1

_OTHER_CLOCK = 300.0
"""Seconds by which the clock of another machine may be wrong."""


@dataclass(frozen=True)
class Owner:
    """A process, and what tells whether it is alive.

    Attributes
    ----------
    host : `str`
        Name of the machine or container.
    boot : `str`
        What differs from one start of the machine to the next, and between containers.
    pid : `int`
        Number of the process.
    started : `str`
        When the process was started, in a unit of the system's: numbers are used again.
    token : `str`
        Differs from that of any other owner, also in the same process.
    """

    host: str
    boot: str
    pid: int
    started: str
    token: str

    def alive(self) -> bool | None:
        """Tell whether the process is alive, if that can be known here.

        Returns
        -------
        alive : `bool` or `None`
            `None` if it runs, or ran, on another machine.
        """
        if (self.host, self.boot) != _machine():
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return _started(self.pid) in (self.started, "")

    @classmethod
    def read(cls, text: bytes) -> Owner | None:
        """Read what an owner wrote.

        Parameters
        ----------
        text : `bytes`
            Content of a lock file.

        Returns
        -------
        owner : `Owner` or `None`
            `None` if it cannot be understood, as when it is being written.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError):
            return None


def this_process() -> Owner:
    """Describe this process.

    Returns
    -------
    owner : `Owner`
        With a new token.
    """
    host, boot = _machine()
    pid = os.getpid()
    return Owner(host, boot, pid, _started(pid), uuid4().hex)


def process_here() -> tuple[str, int]:
    """Name this process for people.

    Returns
    -------
    host : `str`
        Its machine or container.
    pid : `int`
        Its number.
    """
    return _machine()[0], os.getpid()


class FileLock:
    """A lock between processes, on this machine or on others; not reentrant.

    As a context manager it waits as long as it takes, for a living owner.

    Parameters
    ----------
    path : `pathlib.Path`
        The lock file. Its directory must be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mine: Owner | None = None
        self._seen: tuple[tuple[int, ...], float] | None = None
        self._released: threading.Event | None = None

    def acquire(self, wait: float = 0.0) -> bool:
        """Try to get the lock.

        Parameters
        ----------
        wait : `float`, optional
            Seconds to wait for an owner that is alive.

        Returns
        -------
        acquired : `bool`
            Whether this is the owner now.

        Raises
        ------
        OSError
            If nothing can be written in the directory.
        """
        deadline = time.monotonic() + wait
        pause = _SHORTEST_PAUSE
        while True:
            owner = this_process()
            if self._create(owner) or (self._remove_stale() and self._create(owner)):
                self._mine = owner
                self._show_life(owner)
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def release(self) -> None:
        """Give the lock back; harmless if it was taken over, or is not held."""
        mine, self._mine = self._mine, None
        if mine is None:
            return
        if self._released is not None:
            self._released.set()
        # After a fork there are two that think so.
        if mine.pid == os.getpid() and self.owner() == mine:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def owner(self) -> Owner | None:
        """Tell who has the lock.

        Returns
        -------
        owner : `Owner` or `None`
            `None` if nobody has, or it is being made.
        """
        try:
            return Owner.read(self.path.read_bytes())
        except OSError:
            return None

    def mine(self) -> bool:
        """Tell whether this object has the lock still: nobody took it over.

        Returns
        -------
        mine : `bool`
            Whether the lock file says so.
        """
        return self._mine is not None and self.owner() == self._mine

    def held(self) -> bool:
        """Tell whether somebody has the lock; whoever is dead has not.

        Returns
        -------
        held : `bool`
            Whether `acquire` would have to wait.
        """
        return os.path.lexists(self.path) and not self._remove_stale()

    def seems_held(self) -> bool:
        """Tell at once whether somebody seems to have the lock, who may be on another machine.

        Returns
        -------
        held : `bool`
            Whether its owner is alive, or was so not long ago. For what a person is shown, not to rely on.
        """
        if not self.held():
            return False
        owner = self.owner()
        if owner is not None and owner.alive():
            return True
        try:
            return time.time() - self.path.stat().st_mtime < STALE + _OTHER_CLOCK
        except OSError:
            return False

    def __enter__(self) -> Self:
        while not self.acquire(STALE):
            pass
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _create(self, owner: Owner) -> bool:
        if os.path.lexists(self.path):
            return False
        content = json.dumps(asdict(owner)).encode()
        new = self.path.with_name(f".{owner.token}.new")
        try:
            _write(new, content)
            try:
                os.link(new, self.path)
            except FileExistsError:
                return False
            except OSError:
                # No second names here. Whoever looks in between finds an empty file: an owner that is
                # not known, which is given time.
                try:
                    _write(self.path, content)
                except FileExistsError:
                    return False
            return True
        finally:
            with contextlib.suppress(OSError):
                new.unlink()

    def _remove_stale(self) -> bool:
        """Remove the lock of an owner that is dead; say whether there is none any more."""
        try:
            status = self.path.stat()
            owner = Owner.read(self.path.read_bytes())
        except FileNotFoundError:
            return True
        except OSError:
            return False
        now = time.monotonic()
        sign = (status.st_ino, status.st_mtime_ns, status.st_size)
        if self._seen is None or self._seen[0] != sign:
            self._seen = _first_seen(self.path, sign, now)
        silent = now - self._seen[1] >= STALE
        if not silent and (owner is None or owner.alive() is not False):
            return False
        aside = self.path.with_name(f".{uuid4().hex}.stale")
        try:
            # Renaming takes away whatever is there by now: look at it, and give it back if need be.
            self.path.rename(aside)
            if Owner.read(aside.read_bytes()) != owner:
                with contextlib.suppress(OSError):
                    os.link(aside, self.path)
            aside.unlink()
        except FileNotFoundError:
            return True
        except OSError as error:
            raise SatelliteError(
                f"A lock that a process left behind cannot be removed: {self.path} ({error.strerror}).",
                "Remove this file, or ask its owner to.",
            ) from error
        return not os.path.lexists(self.path)

    def _show_life(self, owner: Owner) -> None:
        self._released = released = threading.Event()
        path = self.path

        def show() -> None:
            while not released.wait(HEARTBEAT):
                with contextlib.suppress(OSError):
                    if Owner.read(path.read_bytes()) != owner:
                        return
                    os.utime(path)

        thread = threading.Thread(target=show, name="python-butler-lock", daemon=True)
        # The interpreter is ending, and the lock is held for so short a time that it does without.
        with contextlib.suppress(RuntimeError):
            thread.start()


_observed: dict[Path, tuple[tuple[int, ...], float]] = {}
"""When this process first saw lock files as they are: who asks often and waits never finds out too."""


def _first_seen(path: Path, sign: tuple[int, ...], now: float) -> tuple[tuple[int, ...], float]:
    known = _observed.get(path)
    if known is None or known[0] != sign:
        known = _observed[path] = (sign, now)
    return known


def any_alive(locks: Sequence[FileLock]) -> bool:
    """Find out whether anybody has one of some locks; those of dead owners are removed.

    Of an owner on another machine only time tells: this waits for a sign of life, and no longer than it
    takes to be sure that there is none.

    Parameters
    ----------
    locks : sequence of `FileLock`
        The locks.

    Returns
    -------
    alive : `bool`
        Whether an owner is alive.

    Raises
    ------
    SatelliteError
        If the lock of a dead owner cannot be removed.
    """
    deadline = time.monotonic() + STALE + 1.0
    signs: dict[Path, int] = {}
    while held := [lock for lock in locks if lock.held()]:
        for lock in held:
            owner = lock.owner()
            if owner is not None and owner.alive():
                return True
            with contextlib.suppress(OSError):
                sign = lock.path.stat().st_mtime_ns
                if signs.setdefault(lock.path, sign) != sign:
                    return True
        if time.monotonic() > deadline:
            return True
        time.sleep(_LONGEST_PAUSE)
    return False


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        share(path)
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


@cache
def _machine() -> tuple[str, str]:
    boot = ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with contextlib.suppress(OSError):
        # Numbers of processes mean nothing in another container.
        boot += str(Path("/proc/self/ns/pid").readlink())
    return socket.gethostname(), boot


def _started(pid: int) -> str:
    try:
        # After the name, which may hold anything.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
