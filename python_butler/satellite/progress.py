"""How long work tells how far it is, and for whom it stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Progress", "ProgressCallback", "ProgressWish", "Reporter"]


@dataclass(frozen=True)
class Progress:
    """How far some work is.

    Attributes
    ----------
    done : `int`
        Datasets that are done.
    total : `int` or `None`
        Datasets there are in all, as far as that is known.
    what : `str`
        What is being done, as a phrase: ``"referencing visit_image"``.
    seconds_left : `float` or `None`
        Estimate of the time still needed, in seconds.
    parts : `tuple` [`Progress`, ...]
        How far each part of the work is, if parts are done at the same time.
    """

    done: int
    total: int | None
    what: str
    seconds_left: float | None = None
    parts: tuple[Progress, ...] = ()


type ProgressCallback = Callable[[Progress], None]
"""Who wants to know: called from the thread that asked for the work."""

type ProgressWish = ProgressCallback | Literal[False] | None
"""What a call that may take long is given: a callback; `None` for a bar in a notebook, and nothing
elsewhere; `False` for nothing anywhere."""


class Reporter:
    """Tells progress with an estimate made from the pace so far, and whether to stop.

    Parameters
    ----------
    progress : callable, optional
        Called with a `Progress`.
    cancel : `threading.Event`, optional
        Set by whoever wants the work to stop.
    """

    def __init__(
        self, progress: ProgressCallback | None = None, cancel: threading.Event | None = None
    ) -> None:
        self._progress = progress
        self._cancel = cancel
        self._begin = time.monotonic()

    @property
    def cancelled(self) -> bool:
        """Whether the work is to stop."""
        return self._cancel is not None and self._cancel.is_set()

    def tell(self, what: str, done: int, total: int | None = None, parts: tuple[Progress, ...] = ()) -> None:
        """Say how far the work is.

        Parameters
        ----------
        what : `str`
            What is being done.
        done : `int`
            Datasets that are done.
        total : `int`, optional
            Datasets there are in all, if that is known.
        parts : `tuple` [`Progress`, ...], optional
            How far each part is.
        """
        if self._progress is None:
            return
        left = None
        if total and done:
            left = (time.monotonic() - self._begin) / done * max(total - done, 0)
        self._progress(Progress(done, total, what, left, parts))
