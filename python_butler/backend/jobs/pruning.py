"""Pruning as a job: the dry run's list, and what became of each dataset on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from ...errors import InvalidRequestError
from ...satellite import Satellite
from ...satellite.presence import registered
from ...satellite.usage.choosing import Candidate, Rule, choose
from ...words import time_in
from .holdings import Holdings
from .models import (
    JobAction,
    JobPhase,
    JobPlan,
    JobResult,
    JobResultStatus,
    PlanGroup,
    PlanProblem,
    PruneRule,
)
from .work import JobOutcome

if TYPE_CHECKING:
    from lsst.daf.butler.direct_butler import DirectButler

    from ...satellite.usage.prune import PruneGroup, PruneReport
    from .work import Work

__all__ = ["carry_out_prune", "plan_prune"]

_GROUPS = 200
"""Groups that are listed; what is beyond is counted."""

_DATA_IDS = 2_000
"""So many datasets are told with their data IDs: each is looked up by itself."""


def plan_prune(work: Work) -> JobPlan:
    """Find out what pruning would remove.

    Parameters
    ----------
    work : `Work`
        The job.

    Returns
    -------
    plan : `JobPlan`
        What would be removed, and what is kept and why.
    """
    rule = _rule(work)
    satellite = Satellite.open(work.request.label)
    work.enter(JobPhase.LOOKING)
    report = _prune(satellite, rule, work, dry_run=True)
    groups = [*report.own, *report.pinned]
    return JobPlan(
        action=JobAction.PRUNE,
        label=work.request.label,
        datasets=report.datasets + report.trash,
        new=report.datasets + report.trash,
        there=0,
        bytes=report.bytes,
        location=str(satellite.root),
        groups=[_group(each) for each in groups[:_GROUPS]],
        more_groups=max(len(groups) - _GROUPS, 0),
        kept=[
            PlanProblem(status=JobResultStatus.LEFT, reason=why, datasets=count)
            for why, count in report.kept.items()
        ],
        irreversible=bool(report.own),
    )


def carry_out_prune(work: Work) -> JobOutcome:
    """Prune, and look what became of each dataset.

    Parameters
    ----------
    work : `Work`
        The job.

    Returns
    -------
    outcome : `JobOutcome`
        What was done.

    Raises
    ------
    InvalidRequestError
        If more would be removed than was agreed to.
    """
    rule = _rule(work)
    request = work.request
    satellite = Satellite.open(request.label)
    work.enter(JobPhase.LOOKING)
    outcome = JobOutcome()
    before: list[_Doomed] = []

    def agreed(report: PruneReport) -> bool:
        count = report.datasets + report.trash
        if request.most is not None and count > request.most:
            raise InvalidRequestError(
                f"{count:,} datasets would be removed by now, more than the {request.most:,} agreed to: "
                "nothing was removed.",
                "Plan it again.",
            )
        with satellite.reader() as reader:
            before.extend(_doomed(reader, rule))
        work.enter(JobPhase.REMOVING, len(before))
        return True

    try:
        report = satellite.prune(
            **_arguments(rule), confirm=agreed, progress=work.progress, cancel=work.cancel
        )
    except Exception as error:
        if not before:
            raise
        outcome.failure = error
    else:
        outcome.bytes = report.removed_bytes
        outcome.notes = list(report.problems)
        if report.runs:
            outcome.notes.append(f"Empty runs of old versions were removed: {', '.join(report.runs)}.")
    with satellite.reader() as reader:
        outcome.results = _results(reader, before)
    return outcome


class _Doomed:
    """A dataset that is to be removed, as it was before."""

    def __init__(self, candidate: Candidate, data_id: dict[str, int | str], *, pinned: bool) -> None:
        self.candidate = candidate
        self.data_id = data_id
        self.pinned = pinned

    def result(self, here: set[UUID], holdings: Holdings) -> JobResult:
        candidate = self.candidate
        gone = candidate.id not in (holdings.pinned if self.pinned else here)
        done = "Referenced again." if self.pinned else ""
        return JobResult(
            id=candidate.id,
            dataset_type=candidate.dataset_type,
            data_id=self.data_id,
            run=candidate.run,
            status=JobResultStatus.DONE if gone else JobResultStatus.LEFT,
            bytes=candidate.bytes,
            reason=done if gone else "It is still there.",
        )


def _doomed(reader: DirectButler, rule: PruneRule) -> list[_Doomed]:
    chosen = choose(
        reader,
        Rule(
            older_than=time_in(rule.older_than) if rule.older_than else None,
            keep_versions=rule.keep_versions,
            dataset_types=tuple(rule.dataset_types),
            collections=tuple(rule.collections),
            even_newest=rule.even_newest,
            even_held=rule.even_tagged,
            pinned=rule.pinned,
        ),
    )
    doomed: list[_Doomed] = []
    for pinned, candidates in ((False, chosen.own), (True, chosen.pinned)):
        for candidate in candidates:
            ref = reader.get_dataset(candidate.id) if len(doomed) < _DATA_IDS else None
            data_id = {} if ref is None else dict(ref.dataId.required)
            doomed.append(_Doomed(candidate, data_id, pinned=pinned))
    return doomed


def _results(reader: DirectButler, before: list[_Doomed]) -> list[JobResult]:
    ids = [each.candidate.id for each in before]
    here = registered(reader, ids)
    holdings = Holdings.of(reader, ids)
    return [each.result(here, holdings) for each in before]


def _prune(satellite: Satellite, rule: PruneRule, work: Work, *, dry_run: bool) -> PruneReport:
    return satellite.prune(**_arguments(rule), dry_run=dry_run, progress=work.progress, cancel=work.cancel)


def _arguments(rule: PruneRule) -> dict[str, Any]:
    return {**rule.model_dump(), "older_than": rule.older_than or None}


def _rule(work: Work) -> PruneRule:
    rule = work.request.prune
    if rule is None:
        raise InvalidRequestError(
            "It is not said what to prune.", "Say how old, or how many versions to keep."
        )
    return rule


def _group(group: PruneGroup) -> PlanGroup:
    return PlanGroup(
        run=group.run,
        dataset_type=group.dataset_type,
        datasets=group.datasets,
        bytes=group.bytes,
        oldest=group.oldest.isoformat(timespec="seconds"),
        newest=group.newest.isoformat(timespec="seconds"),
    )
