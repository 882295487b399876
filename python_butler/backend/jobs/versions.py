"""Retiring versions of what was saved, as a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InvalidRequestError
from ...federation.opening import open as open_butler
from ...satellite import Satellite
from ...satellite.versions import children_of, split_run
from ...saving.names import chain_of
from .models import (
    JobAction,
    JobPhase,
    JobPlan,
    JobResult,
    JobResultStatus,
    PlanGroup,
    PlanProblem,
)
from .work import JobOutcome

if TYPE_CHECKING:
    from ...satellite.usage.models import VersionUsage
    from .work import Work

__all__ = ["carry_out_retire", "plan_retire"]


def plan_retire(work: Work) -> JobPlan:
    """Find out what retiring versions would do.

    Parameters
    ----------
    work : `Work`
        The job.

    Returns
    -------
    plan : `JobPlan`
        The versions, how many datasets each holds, and their size.
    """
    request = work.request
    satellite = Satellite.open(request.label)
    work.enter(JobPhase.LOOKING)
    known = _versions(satellite)
    groups, problems, there = [], [], 0
    with satellite.reader() as reader:
        for run in _runs(work):
            if reason := _refusal(run, known):
                problems.append(PlanProblem(status=JobResultStatus.REFUSED, reason=reason, datasets=1))
            elif run not in children_of(reader, run.rpartition("/")[0]) and not request.purge:
                there += 1
            else:
                groups.append(_group(run, known[run]))
    return JobPlan(
        action=JobAction.RETIRE,
        label=request.label,
        datasets=sum(group.datasets for group in groups),
        new=len(groups),
        there=there,
        bytes=sum(group.bytes for group in groups),
        location=str(satellite.root),
        groups=groups,
        problems=problems,
        irreversible=request.purge,
    )


def carry_out_retire(work: Work) -> JobOutcome:
    """Retire versions one after the other.

    Parameters
    ----------
    work : `Work`
        The job.

    Returns
    -------
    outcome : `JobOutcome`
        What became of each version.
    """
    request = work.request
    satellite = Satellite.open(request.label)
    runs = _runs(work)
    work.enter(JobPhase.REMOVING, len(runs))
    known = _versions(satellite)
    outcome = JobOutcome()
    butler = open_butler(request.label)
    try:
        for number, run in enumerate(runs):
            status, reason = JobResultStatus.LEFT, "It was stopped before."
            if not work.cancel.is_set():
                status, reason = JobResultStatus.REFUSED, _refusal(run, known)
            if not work.cancel.is_set() and not reason:
                chain, version = run.rpartition("/")[::2]
                with satellite.reader() as reader:
                    listed = run in children_of(reader, chain)
                if not listed and not request.purge:
                    status, reason = JobResultStatus.THERE, "It was retired before."
                else:
                    try:
                        butler.retire(chain.rpartition("/")[2], int(version[1:]), purge=request.purge)
                        status = JobResultStatus.DONE
                        outcome.bytes += known[run].total.own.bytes if request.purge else 0
                    except InvalidRequestError as error:
                        reason = str(error)
            usage = known.get(run)
            outcome.results.append(
                JobResult(
                    id=None,
                    dataset_type=run.rpartition("/")[0].rpartition("/")[2],
                    data_id={},
                    run=run,
                    status=status,
                    bytes=None if usage is None else usage.total.own.bytes,
                    reason=reason,
                )
            )
            work.at(number + 1, len(runs))
    finally:
        butler.close()
    return outcome


def _runs(work: Work) -> list[str]:
    runs = list(dict.fromkeys(work.request.versions))
    if not runs:
        raise InvalidRequestError("No version is named.", "Select a dataset of one, or its run.")
    return runs


def _versions(satellite: Satellite) -> dict[str, VersionUsage]:
    """All versions by their runs."""
    return {each.run: each for name in satellite.usage().collections for each in name.versions}


def _refusal(run: str, known: dict[str, VersionUsage]) -> str:
    """Why a run cannot be retired; empty if it can."""
    parts = split_run(run)
    if parts is None or run not in known:
        return f"{run} is no version of something that was saved under a name."
    name = parts[0].rpartition("/")[2]
    if parts[0] != chain_of(name):
        return f"{run} is not below {chain_of('')}: only what you saved under a name is retired."
    return ""


def _group(run: str, usage: VersionUsage) -> PlanGroup:
    written = None if usage.written is None else usage.written.isoformat(timespec="seconds")
    own = usage.total.own
    return PlanGroup(
        run=run,
        dataset_type=run.rpartition("/")[0].rpartition("/")[2],
        datasets=own.datasets,
        bytes=own.bytes,
        oldest=None,
        newest=written,
    )
