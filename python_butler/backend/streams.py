"""Long queries, one for each official repository, of which its server allows few: the user's own go first."""

from __future__ import annotations

import weakref
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NoReturn

import anyio

from ..errors import BackendUnavailableError
from .models import RepositoryKind
from .streaming import RowStream, Sink, Slot

__all__ = ["Streams"]


class Streams:
    """All queries that are under way. Make it in any thread, use it in one event loop."""

    def __init__(self) -> None:
        self._threads = anyio.CapacityLimiter(4)
        self._slots: defaultdict[tuple[RepositoryKind, str], Slot] = defaultdict(Slot)
        self._streams: weakref.WeakSet[RowStream] = weakref.WeakSet()

    def slot(self, label: str) -> Slot:
        """Give the place of the one query that an official repository has at a time.

        Parameters
        ----------
        label : `str`
            Its label.

        Returns
        -------
        slot : `Slot`
            The same for all who ask.
        """
        return self._slots[RepositoryKind.OFFICIAL, label]

    def open(
        self,
        kind: RepositoryKind,
        label: str,
        produce: Callable[[Sink], str | None],
        *,
        polite: bool = False,
        exclusive: bool = True,
    ) -> RowStream:
        """Make a stream of what a query finds.

        Parameters
        ----------
        kind, label
            Which repository.
        produce : callable
            Puts events, in a thread; returns the cursor of the next page.
        polite : `bool`, optional
            Whether it lets queries that run already finish, instead of ending them.
        exclusive : `bool`, optional
            Whether it is a query that an official server runs few of at a time, and so has to be the one.

        Returns
        -------
        stream : `RowStream`
            Not begun yet.
        """
        slot = self.slot(label) if exclusive and kind is RepositoryKind.OFFICIAL else None
        stream = RowStream(produce, self._threads, slot, polite=polite)
        self._streams.add(stream)
        return stream

    async def answer[T](
        self, kind: RepositoryKind, label: str, work: Callable[[Sink], T], *, exclusive: bool
    ) -> T:
        """Have a question answered that gives way to the user's own listings.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Finds the answer, in a thread; puts no events. Called again if a listing came in between.
        exclusive : `bool`
            Whether it takes a query that an official server runs few of at a time.

        Returns
        -------
        answer
            What `work` returns.
        """
        while (outcome := await self._try_to_answer(kind, label, work, exclusive=exclusive)) is None:
            pass
        return outcome()

    def cancel(self) -> None:
        """End all of them."""
        for stream in list(self._streams):
            stream.cancel()

    async def _try_to_answer[T](
        self, kind: RepositoryKind, label: str, work: Callable[[Sink], T], *, exclusive: bool
    ) -> Callable[[], T] | None:
        """Find an answer, or why there is none; give `None` if a listing of the user's came in between."""
        outcome: list[Callable[[], T]] = []

        def attempt(sink: Sink) -> None:
            try:
                answer = work(sink)
                outcome.append(lambda: answer)
            except Exception as error:
                outcome.append(partial(_raise, error))

        # Where it is a streaming query, it lets the user's own listings go first.
        stream = self.open(kind, label, attempt, polite=True, exclusive=exclusive)
        async for _ in stream.lines():
            pass
        if stream.superseded:
            return None
        if not outcome:
            raise BackendUnavailableError("The question was given up.")
        return outcome[0]


def _raise(error: Exception) -> NoReturn:
    raise error
