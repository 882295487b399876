"""What changes, as it happens: jobs, the contents of personal repositories, and runs of pipelines.

While somebody listens, the files of the databases are looked at, which costs microseconds; a database is
asked only when its files are others than before, or now and then.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from starlette.responses import StreamingResponse

from ..models import EndEvent, ErrorEvent, VersionList, WireModel
from ..reports import report
from ..runs.models import RunsEvent
from ..streaming import NDJSON
from .models import AliveEvent, Job, JobEvent, RemovedEvent, VersionsEvent
from .queue import JobQueue
from .states import ENDED

__all__ = ["ChangeResponse", "Changes", "job_events"]

_LOOK = 0.5
"""Seconds between two looks at the files of the databases."""

_ASK = 5.0
"""Seconds after which databases are asked in any case: not all of them have files here."""

_ALIVE = 20.0
"""Seconds of silence after which a sign of life is sent: proxies cut what is silent."""


class Changes:
    """Everything that a page wants to know of at once.

    Parameters
    ----------
    queue : `JobQueue`
        The jobs.
    versions : callable
        Asks for the versions of the personal repositories.
    files : callable
        Gives a word on the files of their databases; quick, but may block.
    runs : callable
        Gives a word on the runs of pipelines; as quick.
    """

    def __init__(
        self,
        queue: JobQueue,
        versions: Callable[[], Awaitable[VersionList]],
        files: Callable[[], Awaitable[object]],
        runs: Callable[[], Awaitable[str]],
    ) -> None:
        self._queue = queue
        self._versions = versions
        self._files = files
        self._runs = runs
        self._watching: asyncio.Task[None] | None = None
        self._known: dict[str, str] | None = None
        self._known_runs: str | None = None
        self._waiting: set[asyncio.Queue[WireModel]] = set()

    async def lines(self) -> AsyncIterator[bytes]:
        """Tell how everything stands, then every change.

        Yields
        ------
        line : `bytes`
            One JSON document with a newline.
        """
        events: asyncio.Queue[WireModel] = asyncio.Queue()
        leave = self._queue.listen(
            lambda change: events.put_nowait(
                RemovedEvent(id=change) if isinstance(change, UUID) else JobEvent(job=change)
            )
        )
        self._waiting.add(events)
        try:
            for job in reversed((await self._queue.list()).jobs):
                yield _line(JobEvent(job=job))
            if self._watching is None:
                self._watching = asyncio.create_task(self._watch())
            else:
                if self._known_runs is not None:
                    yield _line(RunsEvent(word=self._known_runs))
                if self._known is not None:
                    yield _line(VersionsEvent(versions=self._known))
            while True:
                try:
                    async with asyncio.timeout(_ALIVE):
                        event = await events.get()
                except TimeoutError:
                    event = AliveEvent()
                yield _line(event)
        finally:
            leave()
            self._waiting.discard(events)
            if not self._waiting and self._watching is not None:
                self._watching.cancel()
                self._watching, self._known, self._known_runs = None, None, None

    async def _watch(self) -> None:
        before: object = None
        asked = 0.0
        while True:
            try:
                runs = await self._runs()
                if runs != self._known_runs:
                    self._known_runs = runs
                    self._tell(RunsEvent(word=runs))
                now = await self._files()
                if now != before or time.monotonic() - asked > _ASK:
                    # What is written meanwhile makes the files differ from this again.
                    before, asked = now, time.monotonic()
                    versions = (await self._versions()).versions
                    if versions != self._known:
                        self._known = versions
                        self._tell(VersionsEvent(versions=versions))
            except Exception as error:
                self._tell(ErrorEvent(error=report(error)))
                self._watching = None
                return
            await asyncio.sleep(_LOOK)

    def _tell(self, event: WireModel) -> None:
        for events in self._waiting:
            events.put_nowait(event)


async def job_events(queue: JobQueue, job_id: UUID) -> AsyncIterator[bytes]:
    """Tell how one job stands until it has ended.

    Parameters
    ----------
    queue : `JobQueue`
        The jobs.
    job_id : `uuid.UUID`
        Which.

    Yields
    ------
    line : `bytes`
        One JSON document with a newline.
    """
    events: asyncio.Queue[Job | UUID] = asyncio.Queue()
    leave = queue.listen(
        lambda change: (
            events.put_nowait(change)
            if (change if isinstance(change, UUID) else change.id) == job_id
            else None
        )
    )
    try:
        job: Job | UUID = await queue.job(job_id)
        while True:
            if isinstance(job, UUID):
                yield _line(RemovedEvent(id=job))
            else:
                yield _line(JobEvent(job=job))
            if isinstance(job, UUID) or job.state in ENDED:
                yield _line(EndEvent(next_cursor=None))
                return
            try:
                async with asyncio.timeout(_ALIVE):
                    job = await events.get()
            except TimeoutError:
                yield _line(AliveEvent())
    finally:
        leave()


class ChangeResponse(StreamingResponse):
    """Answer with events as they happen.

    Parameters
    ----------
    lines : async iterator of `bytes`
        The events.
    """

    media_type = NDJSON

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        super().__init__(lines, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"})


def _line(event: WireModel) -> bytes:
    return event.model_dump_json().encode() + b"\n"
