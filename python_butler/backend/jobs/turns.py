"""A job's turns at an official server: one streaming query at a time for panel and jobs together.

A server allows a person two; so one always stays free for their kernel. A job's queries are short and many;
each waits until the panel's has ended, and the panel's next waits until it has.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..streaming import Slot
from .work import WorkStopped

__all__ = ["Turns"]

_LOOK_EVERY = 0.1
"""Seconds after which it is noticed that the job is to stop."""


class _Holder:
    """What has the slot while a job's query runs; it is not ended by others, who wait for it."""

    polite = True

    def __init__(self) -> None:
        self.finished = asyncio.Event()

    def supersede(self) -> None:
        """Go on: it will not be long."""


class Turns:
    """The turns of one job; used in threads.

    Parameters
    ----------
    slot : callable
        Gives the slot of an official repository by its label.
    loop : `asyncio.AbstractEventLoop`
        Where slots live.
    cancel : `threading.Event`
        Set when the job is to stop.
    """

    def __init__(
        self, slot: Callable[[str], Slot], loop: asyncio.AbstractEventLoop, cancel: threading.Event
    ) -> None:
        self._slot = slot
        self._loop = loop
        self._cancel = cancel
        self._lock = threading.Lock()
        self._inside: dict[str, list[_Holder]] = {}

    @contextmanager
    def __call__(self, label: str) -> Iterator[None]:
        """Wait for the turn, and have it; a query within another one of the job shares its turn.

        Parameters
        ----------
        label : `str`
            Label of the official repository.

        Yields
        ------
        None
            While it is the job's turn.

        Raises
        ------
        WorkStopped
            If the job is to stop.
        """
        holder = _Holder()
        with self._lock:
            inside = self._inside.setdefault(label, [])
            inside.append(holder)
            first = len(inside) == 1
        try:
            if first:
                self._wait(label, holder)
            yield
        finally:
            with self._lock:
                inside.remove(holder)
                if inside and first:
                    # The turn goes on for those within.
                    inside[0].finished = holder.finished
                    first = False
            if first or not inside:
                # The process may be ending, and its loop be closed.
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(holder.finished.set)

    def _wait(self, label: str, holder: _Holder) -> None:
        turn = asyncio.run_coroutine_threadsafe(self._slot(label).take(holder), self._loop)
        while True:
            try:
                turn.result(_LOOK_EVERY)
                return
            except concurrent.futures.TimeoutError:
                if self._cancel.is_set():
                    turn.cancel()
                    raise WorkStopped from None
