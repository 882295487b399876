"""Work in a thread of its own, and how what it reports reaches the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from .models import JobProgress

__all__ = ["Teller", "in_own_thread"]

_UNTOLD = 0.25
"""Seconds between two tellings of progress, at least."""


class Teller:
    """Passes progress from a thread to the event loop: the newest, and not too often.

    Parameters
    ----------
    loop : `asyncio.AbstractEventLoop`
        Where to.
    tell : callable
        Called there.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, tell: Callable[[JobProgress], None]) -> None:
        self._loop = loop
        self._tell = tell
        self._lock = threading.Lock()
        self._newest: JobProgress | None = None

    def __call__(self, progress: JobProgress) -> None:
        """Take note of the newest progress; called in the thread."""
        with self._lock:
            waiting = self._newest is not None
            self._newest = progress
        if not waiting:
            # The process may be ending.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.call_later, _UNTOLD, self._pass_on)

    def _pass_on(self) -> None:
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is not None:
            self._tell(newest)


async def in_own_thread[T](work: Callable[[], T], name: str) -> T:
    """Run something in a thread that does not keep the process alive.

    Parameters
    ----------
    work : callable
        What to run.
    name : `str`
        Of the thread.

    Returns
    -------
    outcome
        What it returns; what it raises is raised here.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            outcome = work()
            settle = partial(_settle, future, outcome, None)
        except BaseException as error:
            settle = partial(_settle, future, None, error)
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future


def _settle(future: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)
