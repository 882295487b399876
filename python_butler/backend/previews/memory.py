"""How much memory there is for a kernel, and a guard that keeps previews from taking it.

The backend runs on the same machine, and in the same container, as the kernels.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import psutil

from ...errors import InvalidRequestError
from ...words import size as in_words

__all__ = ["GUARD", "FreeMemory", "MemoryGuard", "free_memory"]

_CGROUP = Path("/sys/fs/cgroup")
_GROUPS = Path("/proc/self/cgroup")
_MOST = 1_000_000_000
"""Bytes that all previews together may take at most."""
_SHARE = 0.5
"""Part of the free memory that they may take at most."""
_WAIT = 30.0
"""Seconds for which one waits for others to give memory back."""


@dataclass(frozen=True)
class FreeMemory:
    """Memory that a process could still take.

    Parameters
    ----------
    free, total : `int`
        Bytes.
    limited : `bool`
        Whether a container's limit is what counts, not the machine's memory.
    """

    free: int
    total: int
    limited: bool


def free_memory(root: Path = _CGROUP, groups: Path = _GROUPS) -> FreeMemory:
    """Look how much memory there is now.

    Parameters
    ----------
    root : `pathlib.Path`, optional
        Where the control groups are.
    groups : `pathlib.Path`, optional
        File that names those of this process.

    Returns
    -------
    memory : `FreeMemory`
        The machine's, or what the tightest of the container's limits leaves of it.
    """
    machine = psutil.virtual_memory()
    tightest = FreeMemory(machine.available, machine.total, False)
    for directory, names in _groups(root, groups):
        total, used = _number(directory / names.limit), _number(directory / names.usage)
        if total is None or used is None or total >= machine.total:
            continue
        # What is only cached of files is given back when it is needed.
        free = max(0, total - used + _statistic(directory / "memory.stat", names.cache))
        if free < tightest.free:
            tightest = FreeMemory(free, total, True)
    return tightest


class _Names(NamedTuple):
    limit: str
    usage: str
    cache: str


_NEW = _Names("memory.max", "memory.current", "inactive_file")
_OLD = _Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _groups(root: Path, groups: Path) -> Iterator[tuple[Path, _Names]]:
    """Give the control groups of this process and all above them, of both versions."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        lines = []
    for top, names, kinds in ((root, _NEW, ""), (root / "memory", _OLD, "memory")):
        paths = [line.split(":", 2)[2] for line in lines if kinds in line.split(":", 2)[1].split(",")]
        for path in {"/", *paths}:
            below = PurePosixPath(path.strip("/"))
            yield from ((top / part, names) for part in (below, *below.parents))


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None  # not there, or "max"


def _statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.split()[:1] == [name]), 0)


class MemoryGuard:
    """Gives out memory to previews, in words only: they say how much they may need and get it or wait.

    Parameters
    ----------
    look : callable, optional
        Tells how much memory is free.
    """

    def __init__(self, look: Callable[[], FreeMemory] = free_memory) -> None:
        self._look = look
        self._taken = 0
        self._condition = threading.Condition()

    @property
    def allowance(self) -> int:
        """Bytes that one preview could get now if there was no other."""
        return min(_MOST, int(self._look().free * _SHARE))

    @contextmanager
    def reserve(self, needed: int, cancelled: threading.Event) -> Iterator[None]:
        """Hold memory for a while.

        Parameters
        ----------
        needed : `int`
            Bytes that may be needed at most.
        cancelled : `threading.Event`
            Set when nobody wants the preview any more.

        Raises
        ------
        python_butler.errors.InvalidRequestError
            If it is more than previews may take.
        """
        allowed = self.allowance
        if needed > allowed:
            raise InvalidRequestError(
                f"A preview of this may need {in_words(needed)} of memory; "
                f"{in_words(allowed)} can be spared.",
                "Read a part of it in a notebook.",
            )
        end = time.monotonic() + _WAIT
        with self._condition:
            while self._taken and self._taken + needed > allowed:
                self._condition.wait(0.2)
                if cancelled.is_set() or time.monotonic() > end:
                    raise InvalidRequestError("Other previews take all memory there is.", "Try again.")
            self._taken += needed
        try:
            yield
        finally:
            with self._condition:
                self._taken -= needed
                self._condition.notify_all()


GUARD = MemoryGuard()
"""The one of this process."""
