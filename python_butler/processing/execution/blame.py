"""`Blame`: tells trouble with one file from trouble with the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

__all__ = ["Blame"]

_TRIES = 3
"""Failures of one after which it is to blame, if each time something else went well since the last."""


@dataclass
class _Suspicion:
    """What is held against one.

    Attributes
    ----------
    since, last : `float`
        When it failed for the first and for the last time.
    tries : `int`
        Failures, but those only once between which nothing else went well.
    """

    since: float
    last: float
    tries: int = 1


class Blame:
    """Says whether it is to blame itself that fails again and again; to be used by several threads.

    It is if the server served something else in the meantime that was begun after a failure: what was on
    its way already says nothing about how the server is.

    Parameters
    ----------
    patience : `float`
        Seconds of failures after which once in the meantime is enough.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._well = 0.0
        self._suspicions: dict[Hashable, _Suspicion] = {}
        self._lock = threading.Lock()

    def note_success(self, began: float) -> None:
        """Note that the server served something.

        Parameters
        ----------
        began : `float`
            When that began, as `time.monotonic` has it.
        """
        with self._lock:
            self._well = max(self._well, began)

    def note_failure(self, who: Hashable) -> bool:
        """Note that something failed, and tell whether it is to blame itself.

        Parameters
        ----------
        who : hashable
            What failed.

        Returns
        -------
        to_blame : `bool`
            Whether it is; if not, the server may be.
        """
        now = time.monotonic()
        with self._lock:
            suspicion = self._suspicions.get(who)
            if suspicion is None:
                self._suspicions[who] = _Suspicion(now, now)
                return False
            suspicion.tries += self._well > suspicion.last
            suspicion.last = now
            long = now - suspicion.since > self._patience and self._well > suspicion.since
            return long or suspicion.tries >= _TRIES
