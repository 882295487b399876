"""Rows on their way from a query in a thread to a client, with back-pressure both ways.

The thread puts lines into a short queue and waits when it is full; the client leaving, or a newer query,
cancels the query itself. `Slot` sees to it that an official server has one streaming query of ours at most.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .models import BusyEvent, Dataset, EndEvent, ErrorEvent, RowsEvent, WireModel
from .reports import report

__all__ = ["NDJSON", "Cancelled", "EventResponse", "RowStream", "Sink", "Slot"]

NDJSON = "application/x-ndjson"
"""Media type of a stream of events, one JSON document a line."""

_LOG = logging.getLogger(__name__)
_QUEUED_LINES = 4
_BATCH = 500
"""Rows in one line: about 100 kB."""
_STALL = 60.0
"""Seconds for which a client may take nothing before its query is given up."""


class Cancelled(Exception):
    """The query is not wanted any more."""


class Sink:
    """The thread's end of a stream.

    Parameters
    ----------
    put : callable
        Takes one event; called in the thread, waits while the queue is full.
    """

    def __init__(self, put: Callable[[WireModel], None]) -> None:
        self._put = put
        self._cancellers: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.cancelled = threading.Event()
        self.cursor: str | None = None
        """Where the list can be taken up again, after the rows that were put."""

    def event(self, event: WireModel) -> None:
        """Put one event of any kind.

        Parameters
        ----------
        event : `WireModel`
            The event.

        Raises
        ------
        Cancelled
            If nobody wants it any more.
        """
        if self.cancelled.is_set():
            raise Cancelled
        self._put(event)

    def rows(self, rows: Sequence[Dataset], cursor: str | None) -> None:
        """Put rows, in order.

        Parameters
        ----------
        rows : sequence of `Dataset`
            Some rows.
        cursor : `str` or `None`
            Where the list can be taken up again after them.

        Raises
        ------
        Cancelled
            If nobody wants them any more.
        """
        for start in range(0, len(rows), _BATCH):
            self.event(RowsEvent(rows=list(rows[start : start + _BATCH])))
        self.cursor = cursor

    def busy(self, retry_in: float) -> None:
        """Tell that the official server asked to come back later.

        Parameters
        ----------
        retry_in : `float`
            Seconds.
        """
        self.event(BusyEvent(retry_in=retry_in))

    def on_cancel(self, canceller: Callable[[], None]) -> None:
        """Name what ends the running query; called from another thread.

        Parameters
        ----------
        canceller : callable
            Called at once if the query is cancelled already; may return when the query has ended.
        """
        with self._lock:
            self._cancellers.append(canceller)
            if not self.cancelled.is_set():
                return
        _begin(canceller)

    def cancel(self) -> None:
        """End the query; may be called from any thread, does not wait."""
        with self._lock:
            if self.cancelled.is_set():
                return
            self.cancelled.set()
            cancellers = list(self._cancellers)
        for canceller in cancellers:
            _begin(canceller)


class RowStream:
    """One page on its way to a client.

    Parameters
    ----------
    produce : callable
        Runs the query in a thread: puts rows into the `Sink` and returns the next cursor.
    limiter : `anyio.CapacityLimiter`
        How many threads may do so at a time.
    slot : `Slot`, optional
        What it must own while it runs.
    polite : `bool`, optional
        Whether it waits for those before it instead of ending them.
    """

    def __init__(
        self,
        produce: Callable[[Sink], str | None],
        limiter: anyio.CapacityLimiter,
        slot: Slot | None = None,
        *,
        polite: bool = False,
    ) -> None:
        self._produce = produce
        self._limiter = limiter
        self._slot = slot
        self._sink = Sink(self._put)
        self._send: MemoryObjectSendStream[bytes]
        self._receive: MemoryObjectReceiveStream[bytes]
        self._send, self._receive = anyio.create_memory_object_stream[bytes](_QUEUED_LINES)
        self._putting: anyio.CancelScope | None = None
        self._last: WireModel | None = None
        self._task: asyncio.Task[None] | None = None
        self.polite = polite
        self.superseded = False
        self.finished = asyncio.Event()
        """Set when the query has ended and holds nothing any more."""

    async def lines(self) -> AsyncIterator[bytes]:
        """Run the query and give its events.

        Yields
        ------
        line : `bytes`
            One JSON document with a newline.
        """
        try:
            if self._slot is not None:
                await self._slot.take(self)
            if self._sink.cancelled.is_set():
                self._last = self._early_end()
            else:
                # Not a child of this request: a thread ends when it can, not when its client leaves.
                self._task = asyncio.create_task(self._work())
                async for line in self._receive:
                    yield line
            if self._last is not None:
                yield _line(self._last)
        finally:
            self.cancel()

    def cancel(self) -> None:
        """End the query; what was put already can still be taken."""
        self._sink.cancel()
        if self._putting is not None:
            self._putting.cancel()
        if self._task is None:
            self.finished.set()

    def supersede(self) -> None:
        """End the query in favour of a newer one: its client is told."""
        self.superseded = True
        self.cancel()

    async def _work(self) -> None:
        try:
            await anyio.to_thread.run_sync(self._run, limiter=self._limiter)
        finally:
            self._send.close()
            self.finished.set()

    def _run(self) -> None:
        try:
            if self._sink.cancelled.is_set():
                raise Cancelled
            self._last = EndEvent(next_cursor=self._produce(self._sink))
        except Exception as error:
            # Cancelling a query makes it fail in one way or another: no news.
            if self._sink.cancelled.is_set():
                self._last = self._early_end()
            else:
                self._last = ErrorEvent(error=report(error))
                _LOG.warning("A listing failed", exc_info=error)

    def _early_end(self) -> EndEvent | None:
        if self.superseded:
            return EndEvent(next_cursor=self._sink.cursor, superseded=True)
        return None

    def _put(self, event: WireModel) -> None:
        anyio.from_thread.run(self._enqueue, _line(event))

    async def _enqueue(self, line: bytes) -> None:
        # The query may have been cancelled while the thread was on its way here: nobody would take the line.
        if self._sink.cancelled.is_set():
            raise Cancelled
        with anyio.CancelScope() as self._putting, anyio.fail_after(_STALL):
            await self._send.send(line)
            return
        raise Cancelled


class Holder(Protocol):
    """Who can have the slot of an official server."""

    polite: bool
    finished: asyncio.Event

    def supersede(self) -> None:
        """Learn that a newer one wants the slot."""


class Slot:
    """The one streaming query that may run on an official server: the newest."""

    def __init__(self) -> None:
        self._streams: list[Holder] = []

    async def take(self, stream: Holder) -> None:
        """Make a stream the owner, ending those before it, or waiting for them if it is polite.

        Parameters
        ----------
        stream : `RowStream`
            The newer stream; it may itself be superseded before this returns.
        """
        while stream.polite and (running := self._running()):
            await running[0].finished.wait()
        older = self._running()
        self._streams = [*older, stream]
        for other in older:
            other.supersede()
        for other in older:
            await other.finished.wait()

    def _running(self) -> list[Holder]:
        return [stream for stream in self._streams if not stream.finished.is_set()]


class EventResponse(StreamingResponse):
    """Answer with the events of a stream; the client leaving ends the query.

    Parameters
    ----------
    stream : `RowStream`
        What to send.
    """

    media_type = NDJSON

    def __init__(self, stream: RowStream) -> None:
        super().__init__(stream.lines(), headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events.

        Parameters
        ----------
        scope, receive, send
            As ASGI says.
        """
        try:
            await super().__call__(scope, receive, send)
        finally:
            # When the client leaves while a line is being sent, nothing would close the generator in time.
            self._stream.cancel()


def _begin(canceller: Callable[[], None]) -> None:
    # Cancelling may take time: for a database server it is a request of its own.
    threading.Thread(target=canceller, daemon=True).start()


def _line(event: WireModel) -> bytes:
    return event.model_dump_json().encode() + b"\n"
