"""Whether anybody still waits for an answer."""

from __future__ import annotations

import threading

from ...streaming import Cancelled

__all__ = ["Waiting"]


class Waiting:
    """Whether somebody still waits for an answer; may be asked from any thread.

    Parameters
    ----------
    cancelled : `threading.Event`
        Set when nobody does.
    """

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        self.cancelled = cancelled or threading.Event()

    def check(self) -> None:
        """Go on only if somebody waits.

        Raises
        ------
        python_butler.backend.streaming.Cancelled
            If nobody does.
        """
        if self.cancelled.is_set():
            raise Cancelled

    def acquire(self, lock: threading.Lock) -> None:
        """Wait for a lock as long as somebody waits.

        Parameters
        ----------
        lock : `threading.Lock`
            Held on return.
        """
        while not lock.acquire(timeout=0.1):
            self.check()
