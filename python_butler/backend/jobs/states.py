"""What a job is at each turn of its life, from the request to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ...errors import InvalidRequestError
from ..models import RepositoryKind
from ..reports import report
from .models import Job, JobRequest, JobResultStatus, JobState
from .work import JobOutcome, WorkStopped

__all__ = ["ENDED", "begun", "ended", "interrupted", "new_job", "stopped_early", "stopping", "waiting_again"]

ENDED = frozenset({JobState.DONE, JobState.STOPPED, JobState.FAILED, JobState.INTERRUPTED})
"""States in which nothing more happens by itself."""

_AGAIN = frozenset({JobState.STOPPED, JobState.FAILED, JobState.INTERRUPTED})
"""States from which a job can be resumed."""


def new_job(request: JobRequest) -> Job:
    """Give the job that a request becomes, with an identifier of its own.

    Parameters
    ----------
    request : `JobRequest`
        What is to be done.

    Returns
    -------
    job : `Job`
        It waits.
    """
    source = request.chosen or request.query
    return Job(
        id=uuid4(),
        action=request.action,
        label=request.label,
        kind=RepositoryKind.PERSONAL if source is None else source.kind,
        dataset_type=None if source is None else source.dataset_type,
        collection=None if source is None else source.collection,
        datasets=len(request.chosen.datasets) if request.chosen else None,
        state=JobState.WAITING,
        ahead=0,
        progress=None,
        created=_now(),
        began=None,
        ended=None,
        counts={},
        bytes=0,
        notes=[],
        error=None,
        resumable=False,
    )


def waiting_again(job: Job) -> Job:
    """Give a job that is taken up again, as if nothing of it had been done.

    Parameters
    ----------
    job : `Job`
        One that did not come to its end.

    Returns
    -------
    job : `Job`
        It waits.

    Raises
    ------
    InvalidRequestError
        If it cannot be resumed.
    """
    if job.state not in _AGAIN:
        raise InvalidRequestError("This job cannot be resumed.", "Look at its state.")
    again: dict[str, Any] = {"state": JobState.WAITING, "progress": None, "error": None, "notes": []}
    again |= {"counts": {}, "bytes": 0, "began": None, "ended": None, "resumable": False}
    return job.model_copy(update=again)


def begun(job: Job) -> Job:
    """Give a job that begins to run."""
    return job.model_copy(update={"state": JobState.RUNNING, "began": _now()})


def stopping(job: Job) -> Job:
    """Give a job that runs and was told to stop."""
    return job.model_copy(update={"state": JobState.STOPPING})


def stopped_early(job: Job) -> Job:
    """Give a job that was stopped while it waited."""
    return job.model_copy(update={"state": JobState.STOPPED, "ended": _now(), "resumable": True})


def interrupted(job: Job) -> Job:
    """Give a job whose process ended before it did."""
    changes = {"state": JobState.INTERRUPTED, "ended": job.ended or _now(), "resumable": True}
    return job.model_copy(update={**changes, "progress": None})


def ended(job: Job, outcome: JobOutcome, counts: dict[JobResultStatus, int], *, was_stopped: bool) -> Job:
    """Give a job that has run.

    Parameters
    ----------
    job : `Job`
        As it was.
    outcome : `JobOutcome`
        What it has done.
    counts : `dict` [`JobResultStatus`, `int`]
        How many datasets came to what.
    was_stopped : `bool`
        Whether it was told to stop.

    Returns
    -------
    job : `Job`
        Done, stopped or failed.
    """
    state, error = JobState.DONE, None
    left = counts.get(JobResultStatus.LEFT, 0)
    # Told to stop when all was done, it is done.
    if was_stopped and (left or isinstance(outcome.failure, WorkStopped) or not counts):
        state = JobState.STOPPED
    elif outcome.failure is not None:
        state, error = JobState.FAILED, report(outcome.failure)
    changes: dict[str, Any] = {"state": state, "error": error, "ended": _now(), "progress": None}
    changes |= {"counts": counts, "bytes": outcome.bytes, "notes": outcome.notes}
    changes |= {"datasets": sum(counts.values()) or job.datasets, "resumable": state in _AGAIN}
    return job.model_copy(update=changes)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
