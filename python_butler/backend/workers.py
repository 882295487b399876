"""The science packages, and the threads in which they work.

This is where the lsst packages are loaded: in a thread, as soon as the socket listens, while requests wait.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from ..errors import BackendUnavailableError
from ..settings import CONNECT_TIMEOUT
from .models import RepositoryKind

if TYPE_CHECKING:
    from .library import Library

__all__ = ["Workers", "unless_left"]

_LOG = logging.getLogger(__name__)


class Workers:
    """Threads for whatever may block, few of each kind. Make it in any thread, use it in one event loop.

    They are our own: what blocks here must not keep others from theirs. A server that hangs must not keep
    anybody from personal data, nor from looking whether it is back.
    """

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(4)
        self._asking = {kind: anyio.CapacityLimiter(4) for kind in RepositoryKind}
        self._checking = anyio.CapacityLimiter(16)
        self._watched = anyio.CapacityLimiter(3)
        self._library: Library | None = None
        self._loading = asyncio.Lock()
        self._early: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load the lsst packages; requests that come meanwhile wait."""
        self._early = asyncio.create_task(self._load_early())

    async def library(self) -> Library:
        """Give what needs the lsst packages, once they are loaded.

        Returns
        -------
        library : `Library`
            To be used in threads.

        Raises
        ------
        BackendUnavailableError
            If they cannot be loaded; the next who asks has it tried again.
        """
        async with self._loading:
            if self._library is None:
                try:
                    self._library = await self.run(_load)
                except Exception as error:
                    _LOG.exception("The science packages cannot be loaded")
                    raise BackendUnavailableError(
                        f"The science packages cannot be loaded in the backend's Python ({sys.prefix}).",
                        "Choose an environment that has lsst.daf.butler; the log says what failed.",
                    ) from error
            return self._library

    async def run[T](self, work: Callable[[], T], kind: RepositoryKind | None = None) -> T:
        """Have something done that may block.

        Parameters
        ----------
        work : callable
            What is to be done.
        kind : `RepositoryKind`, optional
            Whose repository it asks.

        Returns
        -------
        result
            What `work` returns.
        """
        limiter = self._threads if kind is None else self._asking[kind]
        return await anyio.to_thread.run_sync(work, limiter=limiter)

    async def check[T](self, work: Callable[[], T]) -> T:
        """Have it looked whether a repository can be read, whatever hangs elsewhere.

        Parameters
        ----------
        work : callable
            Looks.

        Returns
        -------
        result
            What `work` returns.
        """
        return await anyio.to_thread.run_sync(work, limiter=self._checking)

    async def in_time[T](self, look: Callable[[bool], T]) -> T:
        """Have it looked how a repository stands, but not wait long for it.

        Parameters
        ----------
        look : callable
            Looks; told `True`, it says that it takes too long.

        Returns
        -------
        result
            What `look` returns.
        """
        with anyio.move_on_after(CONNECT_TIMEOUT):
            return await anyio.to_thread.run_sync(look, False, limiter=self._checking, abandon_on_cancel=True)
        return await self.run(partial(look, True))

    async def watched[T](
        self, work: Callable[[], T], left: Callable[[], Awaitable[None]], give_up: Callable[[], None]
    ) -> T:
        """Have something done that takes time and memory, for as long as a client waits.

        Parameters
        ----------
        work : callable
            What is to be done.
        left : callable
            Returns when the client has gone away.
        give_up : callable
            Makes `work` end soon.

        Returns
        -------
        result
            What `work` returns.
        """
        watching = asyncio.ensure_future(left())
        # Not ended with this request: the thread keeps its place until it has given up.
        working = asyncio.ensure_future(anyio.to_thread.run_sync(work, limiter=self._watched))
        working.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait((watching, working), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise BackendUnavailableError("This was given up: nobody waits for it.")
            return working.result()
        finally:
            give_up()
            watching.cancel()

    async def _load_early(self) -> None:
        # Whoever asks is told what is wrong; it may be put right by then.
        with suppress(BackendUnavailableError):
            await self.library()


async def unless_left[T](answering: Coroutine[Any, Any, T], left: Callable[[], Awaitable[None]]) -> T:
    """Wait for an answer as long as anybody wants it.

    Parameters
    ----------
    answering : coroutine
        Finds the answer; cancelled if nobody wants it any more.
    left : callable
        Returns when the client has gone away.

    Returns
    -------
    answer
        What `answering` gives.
    """
    watching = asyncio.ensure_future(left())
    asking = asyncio.ensure_future(answering)
    try:
        await asyncio.wait((watching, asking), return_when=asyncio.FIRST_COMPLETED)
        if not asking.done():
            asking.cancel()
            raise BackendUnavailableError("The question was given up: nobody waits for the answer.")
        return asking.result()
    finally:
        watching.cancel()
        asking.cancel()


def _load() -> Library:
    from .library import Library

    return Library()
