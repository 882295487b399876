"""Images that were looked at a moment ago, still open: going on in one asks no server where it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from .opened import OpenedImage

__all__ = ["Pool"]

_OPEN = 3
_IDLE = 60.0


class _Entry:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.image: OpenedImage | None = None
        self.users = 0
        self.used = 0.0


class Pool:
    """Keeps a few images open, each for one thread at a time.

    Parameters
    ----------
    idle : `float`, optional
        Seconds after which an image that nobody looks at is closed.
    """

    def __init__(self, idle: float = _IDLE) -> None:
        self._idle = idle
        self._lock = threading.Lock()
        self._entries: dict[Hashable, _Entry] = {}
        self._timer: threading.Timer | None = None

    @contextmanager
    def use(self, key: Hashable, open_: Callable[[], OpenedImage]) -> Iterator[OpenedImage]:
        """Use an image, alone.

        Parameters
        ----------
        key : hashable
            Which.
        open_ : callable
            Opens it if it is not open.

        Yields
        ------
        image : `OpenedImage`
            The image. If using it fails it is closed, so that the next who comes opens it anew.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.users += 1
        try:
            with entry.lock:
                try:
                    if entry.image is None:
                        entry.image = open_()
                    yield entry.image
                except BaseException:
                    _close(entry)
                    raise
        finally:
            with self._lock:
                entry.users -= 1
                entry.used = time.monotonic()
            self._tidy()

    def _wake(self) -> None:
        with self._lock:
            self._timer = None
        self._tidy()

    def _tidy(self) -> None:
        with self._lock:
            free = sorted(
                (key for key, entry in self._entries.items() if entry.users == 0),
                key=lambda key: self._entries[key].used,
            )
            excess = len(self._entries) - _OPEN
            too_old = time.monotonic() - self._idle
            gone = [
                self._entries.pop(key)
                for number, key in enumerate(free)
                if number < excess or self._entries[key].used < too_old
            ]
            if self._entries and self._timer is None:
                self._timer = threading.Timer(self._idle, self._wake)
                self._timer.daemon = True
                self._timer.start()
        for entry in gone:
            _close(entry)


def _close(entry: _Entry) -> None:
    image, entry.image = entry.image, None
    if image is not None:
        image.close()
