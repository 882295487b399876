"""What waits, runs and has ended: one job at a time for each satellite, each in a thread of its own.

Everything here happens in the event loop, except what the threads report, which is passed to it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from ...errors import InvalidRequestError
from ..streaming import Slot
from .ledger import JobLedger
from .models import Job, JobList, JobProgress, JobRequest, JobResultPage, JobResultStatus, JobState
from .states import ENDED, begun, ended, new_job, stopped_early, stopping, waiting_again
from .store import StoredJob
from .threads import Teller, in_own_thread
from .turns import Turns
from .work import JobOutcome, Work

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["JobQueue"]

_LOG = logging.getLogger(__name__)


class JobQueue:
    """The jobs of this process.

    Parameters
    ----------
    library : callable
        Gives what the work needs, once the science packages are loaded.
    slot : callable
        Gives the slot of an official repository by its label.
    """

    def __init__(self, library: Callable[[], Awaitable[Library]], slot: Callable[[str], Slot]) -> None:
        self._library = library
        self._slot = slot
        self._ledger = JobLedger()
        self._running: dict[str, tuple[UUID, Work]] = {}
        self._idle: list[Callable[[], None]] = []
        self._tell_active: Callable[[bool], Awaitable[None]] | None = None
        self._ending = False

    @property
    def active(self) -> bool:
        """Whether something runs or waits."""
        return self._ledger.active

    def when_idle(self, then: Callable[[], None]) -> None:
        """Have something called when nothing runs or waits any more.

        Parameters
        ----------
        then : callable
            Called once, in the event loop.
        """
        self._idle.append(then)

    def on_active(self, tell: Callable[[bool], Awaitable[None]]) -> None:
        """Have somebody told whether something runs or waits.

        Parameters
        ----------
        tell : callable
            Awaited with the answer whenever that may have changed.
        """
        self._tell_active = tell

    def end(self) -> None:
        """Stop everything, because the process ends: what runs and waits is interrupted."""
        self._ending = True
        for _, work in list(self._running.values()):
            work.stop()
        self._ledger.close()

    async def settle(self, seconds: float) -> None:
        """Give what runs a moment to come to a good end, after `end`.

        Parameters
        ----------
        seconds : `float`
            At most so long.
        """
        await self._ledger.settle(seconds)

    def listen(self, listener: Callable[[Job | UUID], None]) -> Callable[[], None]:
        """Be told of every change: of a job, or the identifier of one that was removed.

        Parameters
        ----------
        listener : callable
            Called in the event loop.

        Returns
        -------
        leave : callable
            Ends it.
        """
        return self._ledger.listen(listener)

    async def list(self) -> JobList:
        """List all jobs, newest first.

        Returns
        -------
        jobs : `JobList`
            The jobs.
        """
        await self._ledger.read()
        jobs = [self._ledger.placed(stored.job) for stored in self._ledger]
        return JobList(jobs=jobs[::-1])

    async def job(self, job_id: UUID) -> Job:
        """Give one job.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        job : `Job`
            As it stands.

        Raises
        ------
        GoneError
            If there is none.
        """
        return self._ledger.placed((await self._ledger.find(job_id)).job)

    async def add(self, request: JobRequest) -> Job:
        """Begin a job, or queue it behind those on the same satellite.

        Parameters
        ----------
        request : `JobRequest`
            What is to be done.

        Returns
        -------
        job : `Job`
            The new job.
        """
        job = new_job(request)
        await self._ledger.add(job, request)
        self._begin_next(request.label)
        return await self.job(job.id)

    async def resume(self, job_id: UUID) -> Job:
        """Take up a job again that did not come to its end.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        job : `Job`
            The same job, waiting or running again.

        Raises
        ------
        InvalidRequestError
            If it cannot be resumed.
        """
        again = waiting_again((await self._ledger.find(job_id)).job)
        self._ledger.move_to_end(job_id)
        self._ledger.set(again)
        self._begin_next(again.label)
        return await self.job(job_id)

    async def cancel(self, job_id: UUID) -> Job:
        """Stop a job; one that runs takes a moment, and what is done stays.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        job : `Job`
            As it stands now.
        """
        job = (await self._ledger.find(job_id)).job
        running = self._running.get(job.label)
        if running is not None and running[0] == job_id:
            self._ledger.set(stopping(job))
            running[1].stop()
        elif job.state is JobState.WAITING:
            self._ledger.set(stopped_early(job))
        return await self.job(job_id)

    async def remove(self, job_id: UUID) -> Job:
        """Take a job off the list that has ended, with its results.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        job : `Job`
            As it was.

        Raises
        ------
        InvalidRequestError
            If it has not ended.
        """
        job = (await self._ledger.find(job_id)).job
        if job.state not in ENDED:
            raise InvalidRequestError("This job has not ended.", "Stop it first.")
        await self._ledger.remove(job_id)
        return job

    async def results(
        self, job_id: UUID, cursor: str | None, limit: int, status: JobResultStatus | None
    ) -> JobResultPage:
        """Give some results of a job; see `JobStore.results`."""
        return await self._ledger.results(job_id, cursor, limit, status)

    def _begin_next(self, label: str) -> None:
        if label not in self._running and not self._ending:
            for stored in self._ledger:
                if stored.job.label == label and stored.job.state is JobState.WAITING:
                    self._start(stored)
                    break
        self._look_whether_idle()

    def _start(self, stored: StoredJob) -> None:
        job = stored.job
        loop = asyncio.get_running_loop()
        cancel = threading.Event()
        teller = Teller(loop, partial(self._progress, job.id))
        work = Work(stored.request, teller, Turns(self._slot, loop, cancel), cancel)
        self._running[job.label] = job.id, work
        self._ledger.set(begun(job))
        self._ledger.begin(self._run(job.id, job.label, work))

    async def _run(self, job_id: UUID, label: str, work: Work) -> None:
        try:
            library = await self._library()
            outcome = await in_own_thread(partial(_carry_out, library, work), f"job {job_id}")
            counts = await self._ledger.write_results(job_id, outcome.results)
            self._finish(job_id, work, outcome, counts)
        except Exception as error:
            _LOG.warning("Job %s failed", job_id, exc_info=error)
            self._finish(job_id, work, JobOutcome(failure=error), {})
        finally:
            del self._running[label]
            self._begin_next(label)

    def _finish(
        self, job_id: UUID, work: Work, outcome: JobOutcome, counts: dict[JobResultStatus, int]
    ) -> None:
        if not self._ending:
            job = self._ledger[job_id].job
            self._ledger.set(ended(job, outcome, counts, was_stopped=work.cancel.is_set()))

    def _progress(self, job_id: UUID, progress: JobProgress) -> None:
        stored = self._ledger.get(job_id)
        if stored is not None and stored.job.state in (JobState.RUNNING, JobState.STOPPING):
            total = progress.total if stored.job.datasets is None else stored.job.datasets
            job = stored.job.model_copy(update={"progress": progress, "datasets": total})
            # Not on disk: it would be out of date at once.
            self._ledger.set(job, keep=False)

    def _look_whether_idle(self) -> None:
        if self._tell_active is not None:
            self._ledger.begin(self._say_active(self._tell_active))
        if not self.active:
            waiting, self._idle = self._idle, []
            for then in waiting:
                then()

    async def _say_active(self, tell: Callable[[bool], Awaitable[None]]) -> None:
        await tell(self.active)


def _carry_out(library: Library, work: Work) -> JobOutcome:
    from .actions import carry_out

    return carry_out(library, work)
