"""All jobs as they stand: known here, noted on disk, and told to whoever listens.

Everything here happens in the event loop, but for what may block.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread

from ...errors import GoneError
from .models import Job, JobRequest, JobResult, JobResultPage, JobResultStatus, JobState
from .states import ENDED, interrupted
from .store import JobStore, StoredJob

__all__ = ["JobLedger"]

_LOG = logging.getLogger(__name__)


class JobLedger:
    """The jobs of this process, in the order in which they are to be done."""

    def __init__(self) -> None:
        self._store = JobStore()
        self._disk = anyio.CapacityLimiter(2)
        self._jobs: dict[UUID, StoredJob] | None = None
        self._reading = asyncio.Lock()
        self._listeners: set[Callable[[Job | UUID], None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def active(self) -> bool:
        """Whether something runs or waits."""
        return any(stored.job.state not in ENDED for stored in (self._jobs or {}).values())

    def __iter__(self) -> Iterator[StoredJob]:
        """Go through all jobs, the oldest first; they have been read."""
        return iter(self._known.values())

    def __getitem__(self, job_id: UUID) -> StoredJob:
        return self._known[job_id]

    def get(self, job_id: UUID) -> StoredJob | None:
        """Give a job, or `None` if it is not on the list any more."""
        return self._known.get(job_id)

    async def read(self) -> None:
        """Read what is on disk, once."""
        async with self._reading:
            if self._jobs is None:
                found = await self._on_disk(self._store.read)
                self._jobs = {}
                for stored in found:
                    job = stored.job if stored.job.state in ENDED else interrupted(stored.job)
                    self._jobs[job.id] = stored.model_copy(update={"job": job})

    async def find(self, job_id: UUID) -> StoredJob:
        """Give a job.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        stored : `StoredJob`
            As it stands.

        Raises
        ------
        GoneError
            If there is none.
        """
        await self.read()
        if job_id not in self._known:
            raise GoneError("There is no such job any more.", "Reload the page.")
        return self._known[job_id]

    async def add(self, job: Job, request: JobRequest) -> None:
        """Put a job on the list, as the last.

        Parameters
        ----------
        job : `Job`
            It is new.
        request : `JobRequest`
            What it takes to do it again.
        """
        await self.read()
        self._known[job.id] = StoredJob(job=job, request=request)
        await self._on_disk(partial(self._store.claim, job.id))
        await self._keep(job.id)
        self._tell(job.id)

    def move_to_end(self, job_id: UUID) -> None:
        """Make a job the last of the list."""
        self._known[job_id] = self._known.pop(job_id)

    def set(self, job: Job, *, keep: bool = True) -> None:
        """Note how a job stands now.

        Parameters
        ----------
        job : `Job`
            One of the list.
        keep : `bool`, optional
            Whether to note it on disk too.
        """
        self._known[job.id] = self._known[job.id].model_copy(update={"job": job})
        self._tell(job.id)
        if keep and not self._closed:
            self.begin(self._keep(job.id))
        if job.state in ENDED:
            # Those behind it have moved up.
            for stored in self._known.values():
                if stored.job.state is JobState.WAITING and stored.job.label == job.label:
                    self._tell(stored.job.id)

    async def remove(self, job_id: UUID) -> None:
        """Take a job off the list, with its results."""
        del self._known[job_id]
        for listener in list(self._listeners):
            listener(job_id)
        await self._on_disk(partial(self._store.remove, job_id))

    async def write_results(self, job_id: UUID, results: list[JobResult]) -> dict[JobResultStatus, int]:
        """Write what a job came to; see `JobStore.write_results`."""
        return await self._on_disk(partial(self._store.write_results, job_id, results))

    async def results(
        self, job_id: UUID, cursor: str | None, limit: int, status: JobResultStatus | None
    ) -> JobResultPage:
        """Give some results of a job; see `JobStore.results`."""
        await self.find(job_id)
        return await self._on_disk(partial(self._store.results, job_id, cursor, limit, status))

    def close(self) -> None:
        """Note on disk, at once, that what has not ended was interrupted; then no more is noted."""
        self._closed = True
        for stored in list((self._jobs or {}).values()):
            if stored.job.state not in ENDED:
                self.set(interrupted(stored.job))
                with contextlib.suppress(OSError):
                    self._store.write(self._known[stored.job.id])

    def listen(self, listener: Callable[[Job | UUID], None]) -> Callable[[], None]:
        """Have somebody told of every change; see `JobQueue.listen`."""
        self._listeners.add(listener)
        return partial(self._listeners.discard, listener)

    def placed(self, job: Job) -> Job:
        """Give a job with its place in the queue."""
        if job.state is not JobState.WAITING:
            return job
        ahead = 0
        for other in self._known.values():
            if other.job.id == job.id:
                break
            ahead += other.job.label == job.label and other.job.state not in ENDED
        return job.model_copy(update={"ahead": ahead})

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Have something done that nobody waits for, but `settle`."""
        task = asyncio.create_task(work)
        # The event loop keeps no hold of it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self, seconds: float) -> None:
        """Wait for all that has begun, but not longer than so many seconds."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    @property
    def _known(self) -> dict[UUID, StoredJob]:
        assert self._jobs is not None, "they have been read"
        return self._jobs

    async def _keep(self, job_id: UUID) -> None:
        stored = self._known.get(job_id)
        if stored is not None:
            try:
                await self._on_disk(partial(self._store.write, stored))
            except OSError as error:
                _LOG.warning("Job %s cannot be noted: %s", job_id, error)

    def _tell(self, job_id: UUID) -> None:
        job = self.placed(self._known[job_id].job)
        for listener in list(self._listeners):
            listener(job)

    async def _on_disk[T](self, work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=self._disk)
