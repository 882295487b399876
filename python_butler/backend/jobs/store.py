"""What outlives the process: each job as a small document, and its results, one a line.

They are beside the satellites, in ``.jobs``. A job that runs is locked: whoever finds it unlocked knows that
the process that ran it has ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import InvalidRequestError
from ...settings import satellite_root
from .models import Job, JobRequest, JobResult, JobResultPage, JobResultStatus

__all__ = ["JobStore", "StoredJob"]

_KEPT = 50
"""So many jobs that have ended are kept."""


class StoredJob(BaseModel):
    """A job with what it takes to do it again."""

    model_config = ConfigDict(frozen=True)

    job: Job
    request: JobRequest


class JobStore:
    """The directory of jobs; every method may block."""

    def __init__(self) -> None:
        self._locks: dict[UUID, int] = {}

    @property
    def directory(self) -> Path:
        """Where they are; it need not exist."""
        return satellite_root() / ".jobs"

    def read(self) -> list[StoredJob]:
        """Read all jobs that no other process has.

        Returns
        -------
        jobs : `list` [`StoredJob`]
            The oldest first. Those that are beyond number are removed.
        """
        found: list[StoredJob] = []
        for path in self.directory.glob("*.json"):
            with contextlib.suppress(OSError, ValidationError):
                found.append(StoredJob.model_validate_json(path.read_bytes()))
        found.sort(key=lambda each: each.job.created)
        mine = [each for each in found if self.claim(each.job.id)]
        for each in mine[:-_KEPT]:
            self.remove(each.job.id)
        return mine[-_KEPT:]

    def claim(self, job_id: UUID) -> bool:
        """Make a job this process's own.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.

        Returns
        -------
        mine : `bool`
            Whether no other process has it.
        """
        if job_id in self._locks:
            return True
        self.directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path(job_id, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            # A file system that cannot lock: two processes would show the same job, and no harm is done.
            pass
        self._locks[job_id] = descriptor
        return True

    def write(self, stored: StoredJob) -> None:
        """Write a job: whole or not at all.

        Parameters
        ----------
        stored : `StoredJob`
            The job.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self._path(stored.job.id, "json")
        unfinished = path.with_suffix(".part")
        unfinished.write_text(stored.model_dump_json())
        unfinished.replace(path)

    def remove(self, job_id: UUID) -> None:
        """Remove a job and its results.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which.
        """
        for suffix in ("json", "ndjson", "lock"):
            self._path(job_id, suffix).unlink(missing_ok=True)
        descriptor = self._locks.pop(job_id, None)
        if descriptor is not None:
            os.close(descriptor)

    def write_results(self, job_id: UUID, results: Iterable[JobResult]) -> dict[JobResultStatus, int]:
        """Write what became of each dataset.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which job.
        results : iterable of `JobResult`
            The results.

        Returns
        -------
        counts : `dict` [`JobResultStatus`, `int`]
            How many there are of each kind.
        """
        counts: dict[JobResultStatus, int] = {}
        path = self._path(job_id, "ndjson")
        unfinished = path.with_suffix(".part")
        with unfinished.open("w") as out:
            for result in results:
                counts[result.status] = counts.get(result.status, 0) + 1
                out.write(result.model_dump_json() + "\n")
        unfinished.replace(path)
        return counts

    def results(
        self, job_id: UUID, cursor: str | None, limit: int, status: JobResultStatus | None
    ) -> JobResultPage:
        """Read some results.

        Parameters
        ----------
        job_id : `uuid.UUID`
            Which job.
        cursor : `str` or `None`
            Where the page before ended.
        limit : `int`
            Most results.
        status : `JobResultStatus` or `None`
            Only these.

        Returns
        -------
        page : `JobResultPage`
            The results; none if the job has not come to its end.

        Raises
        ------
        InvalidRequestError
            If the cursor is none.
        """
        if cursor is not None and not cursor.isdecimal():
            raise InvalidRequestError(
                "The cursor does not belong to these results.", "Begin again at the top."
            )
        results: list[JobResult] = []
        try:
            with self._path(job_id, "ndjson").open("rb") as lines:
                lines.seek(int(cursor or 0))
                for line in _lines(lines.readline):
                    document = json.loads(line)
                    if status is None or document["status"] == status:
                        results.append(JobResult.model_validate(document))
                    if len(results) == limit:
                        place = lines.tell()
                        more = bool(lines.read(1))
                        return JobResultPage(results=results, next_cursor=str(place) if more else None)
        except FileNotFoundError:
            pass
        except (ValueError, KeyError) as error:
            raise _no_cursor() from error
        return JobResultPage(results=results, next_cursor=None)

    def _path(self, job_id: UUID, suffix: str) -> Path:
        return self.directory / f"{job_id}.{suffix}"


def _no_cursor() -> InvalidRequestError:
    return InvalidRequestError("The cursor does not belong to these results.", "Begin again at the top.")


def _lines(readline: object) -> Iterator[bytes]:
    """Lines one by one: iterating over the file itself would not tell where it is."""
    assert callable(readline)
    while line := readline():
        yield line
