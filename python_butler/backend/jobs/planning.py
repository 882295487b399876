"""What a job would do, and how much: from dry runs, before anybody agrees to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from ...datastore import references_of
from ...errors import InvalidRequestError
from ...satellite import Satellite
from ...satellite.layout import State, state_of
from ...satellite.report import Status
from ...satellite.storage import storage_of
from ...satellite.usage.quota import volume_of
from ...settings import FILE_CACHE_BYTES, file_cache_directory, satellite_directory
from ..models import RepositoryKind
from .choosing import find_meant, kind_of
from .holdings import Holdings, cached
from .models import (
    JobAction,
    JobPhase,
    JobPlan,
    JobResultStatus,
    PlanProblem,
    PlanRoom,
)
from .pruning import plan_prune
from .versions import plan_retire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...satellite.report import ReferenceReport
    from ..library import Library
    from .work import Work

__all__ = ["FETCHING", "check_request", "plan"]

FETCHING = frozenset({JobAction.REFERENCE, JobAction.PIN, JobAction.PREFETCH})
"""Actions that can begin with official datasets, and reference them first if need be."""

_GROUPS = 200


def check_request(work: Work) -> None:
    """Refuse what cannot be meant, before anything is asked of anybody.

    Parameters
    ----------
    work : `Work`
        The job.

    Raises
    ------
    InvalidRequestError
        If the request makes no sense.
    """
    request = work.request
    query = request.query
    if query is not None and query.label != request.label:
        raise InvalidRequestError("The query is about another repository.", "Ask for it again.")
    official = kind_of(request) is RepositoryKind.OFFICIAL
    if official and request.action not in FETCHING:
        raise InvalidRequestError(
            f"Official datasets cannot be the object of: {request.action}.",
            "Do it in the personal repository.",
        )
    if not official and request.action is JobAction.REFERENCE:
        raise InvalidRequestError(
            "Only official datasets can be referenced.", "Select them in the official repository."
        )


def plan(library: Library, work: Work) -> JobPlan:
    """Find out what a job would do; nothing is written.

    Parameters
    ----------
    library : `Library`
        Knows the repositories.
    work : `Work`
        The job.

    Returns
    -------
    plan : `JobPlan`
        What and how much.
    """
    check_request(work)
    request = work.request
    if request.action is JobAction.PRUNE:
        return plan_prune(work)
    if request.action is JobAction.RETIRE:
        return plan_retire(work)
    directory = satellite_directory(request.label)
    meant = find_meant(library, work)
    absent = state_of(directory) is State.ABSENT
    work.enter(JobPhase.LOOKING, meant.total)
    satellite = Satellite.open(request.label, missing_ok=True)
    holdings, at_hand = Holdings(), set[UUID]()
    if not absent:
        with satellite.reader() as reader:
            holdings = Holdings.of(reader, [ref.id for ref in meant.refs])
            if request.action is JobAction.PREFETCH:
                at_hand = cached(reader, meant.refs)
    problems = _Problems()
    problems.add(
        JobResultStatus.MISSING, "It is no longer where it was found: reload the list.", len(meant.missing)
    )
    rest = [ref.id for ref in meant.refs if ref.id not in at_hand]
    there, new, sizes, first = _split(request.action, rest, holdings, problems)
    bytes_ = sum(size or 0 for size in sizes)
    unknown = sum(size is None for size in sizes)
    added = 0
    if meant.kind is RepositoryKind.OFFICIAL and first:
        wanted = set(first)
        report = satellite.reference(
            [ref for ref in meant.refs if ref.id in wanted],
            dry_run=True,
            progress=work.progress,
            cancel=work.cancel,
        )
        work.check()
        problems.take(report)
        added = report.count(Status.NEW)
        bytes_ += report.bytes
    return JobPlan(
        action=request.action,
        label=request.label,
        datasets=meant.total,
        new=new + added,
        there=there + len(at_hand),
        bytes=bytes_,
        unknown=unknown,
        reference_first=added if request.action is not JobAction.REFERENCE else 0,
        creates_satellite=absent,
        location=str(directory),
        room=_room(request.action, satellite, bytes_, absent=absent),
        problems=problems.listed(),
    )


def _split(
    action: JobAction, ids: Iterable[UUID], holdings: Holdings, problems: _Problems
) -> tuple[int, int, list[int | None], list[UUID]]:
    """Tell apart what is so already, what would be done with its sizes, and what must be referenced first."""
    there = 0
    sizes: list[int | None] = []
    first: list[UUID] = []
    for each in ids:
        match action:
            case JobAction.REFERENCE:
                if each in holdings:
                    there += 1
                else:
                    first.append(each)
            case JobAction.PIN | JobAction.PREFETCH:
                if each in holdings.referenced:
                    sizes.append(holdings.referenced[each])
                elif each in holdings:
                    there += 1
                else:
                    first.append(each)
            case JobAction.UNPIN:
                if each in holdings.pinned:
                    sizes.append(holdings.pinned[each])
                elif each in holdings.referenced:
                    there += 1
                else:
                    problems.add(JobResultStatus.REFUSED, "It is your own, not a pinned copy.", 1)
            case _:
                if each in holdings.pinned or each in holdings.own:
                    problems.add(
                        JobResultStatus.REFUSED,
                        "It has a file in the satellite: your own, or a pinned copy. Unpin a copy first.",
                        1,
                    )
                else:
                    sizes.append(holdings.referenced.get(each))
    return there, len(sizes), sizes, first


def _room(action: JobAction, satellite: Satellite, needed: int, *, absent: bool) -> PlanRoom | None:
    """Tell whether what would be written fits; the rest takes no room worth speaking of."""
    if action is JobAction.PREFETCH:
        return _room_in_cache(satellite, needed, absent=absent)
    if action is not JobAction.PIN:
        return None
    if absent:
        directory = _nearest(satellite.root)
    else:
        files = storage_of(satellite.root).files
        if files.scheme not in ("", "file"):
            return PlanRoom(
                needed=needed, free=None, fits=None, place="disk", location=files.geturl().split("?")[0]
            )
        directory = _nearest(Path(files.ospath))
    volume = volume_of(directory)
    if volume is None:
        return PlanRoom(needed=needed, free=None, fits=None, place="disk", location=str(directory))
    quota = min((each.bytes for each in volume.quotas), default=None)
    return PlanRoom(
        needed=needed,
        free=volume.room,
        fits=needed <= volume.room,
        place="disk",
        location=str(directory),
        quota=quota,
    )


def _room_in_cache(satellite: Satellite, needed: int, *, absent: bool) -> PlanRoom:
    limit: int | None = FILE_CACHE_BYTES
    if not absent:
        with satellite.reader() as reader:
            limit = references_of(reader).cacheManager.limit
    return PlanRoom(
        needed=needed,
        free=limit,
        fits=None if limit is None else needed <= limit,
        place="cache",
        location=str(file_cache_directory()),
    )


def _nearest(path: Path) -> Path:
    """The directory itself, or where it would be made."""
    while not path.exists():
        path = path.parent
    return path


class _Problems:
    """Datasets with which it cannot be done, by the reason."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[JobResultStatus, str]] = Counter()

    def add(self, status: JobResultStatus, reason: str, count: int) -> None:
        if count:
            self._counts[status, reason] += count

    def take(self, report: ReferenceReport) -> None:
        for problem in report.problems:
            missing = problem.status is Status.MISSING
            self.add(JobResultStatus.MISSING if missing else JobResultStatus.REFUSED, problem.reason, 1)

    def listed(self) -> list[PlanProblem]:
        return [
            PlanProblem(status=status, reason=reason, datasets=count)
            for (status, reason), count in self._counts.most_common(_GROUPS)
        ]
