"""Whether saves come so quickly that they are spooled."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

__all__ = ["Pace", "pace_of"]

_QUICK = 1.0
"""Seconds: a save that follows another sooner is one of many."""


class Pace:
    """How quickly this process saves to one satellite; safe to use from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = -_QUICK
        self._going_on = 0

    def begins(self) -> bool:
        """Note that a save begins.

        Returns
        -------
        quick : `bool`
            Whether it follows another so soon, or is beside another, that it should be spooled.
        """
        now = time.monotonic()
        with self._lock:
            quick = self._going_on > 0 or now - self._last < _QUICK
            self._going_on += 1
        return quick

    def ends(self) -> None:
        """Note that a save has come to its end: the time to the next one counts from here."""
        with self._lock:
            self._going_on -= 1
            self._last = time.monotonic()


_paces: dict[tuple[int, Path], Pace] = {}
_paces_lock = threading.Lock()


def pace_of(root: Path) -> Pace:
    """Find the pace of this process for a satellite.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    pace : `Pace`
        The same one for all Butlers of the process. A process that was forked has its own.
    """
    with _paces_lock:
        return _paces.setdefault((os.getpid(), root), Pace())
