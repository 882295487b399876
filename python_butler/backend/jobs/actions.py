"""Carrying a job out, and looking afterwards what became of each dataset.

What the satellite holds before and after decides what is told, not what was intended; so it is right when a
job was stopped or broke off, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import batched
from typing import TYPE_CHECKING
from uuid import UUID

from lsst.daf.butler import DatasetRef

from ...errors import SatelliteError
from ...official.connection import streaming_turn
from ...satellite import Satellite
from ...satellite.report import Problem, Status
from ..models import RepositoryKind
from .choosing import Meant, find_meant
from .holdings import Holdings, cached
from .models import JobAction, JobPhase, JobResult, JobResultStatus
from .planning import check_request
from .pruning import carry_out_prune
from .versions import carry_out_retire
from .work import JobOutcome, Work, WorkStopped

if TYPE_CHECKING:
    from ..library import Library

__all__ = ["carry_out"]

_UNPINNED = 200
"""Datasets that are unpinned at a time; between, the work can be stopped."""

_FORGOTTEN = 2_000

_NOT_DONE = "Nothing was done with it: the job ended before."


def carry_out(library: Library, work: Work) -> JobOutcome:
    """Do what was asked for.

    Parameters
    ----------
    library : `Library`
        Knows the repositories.
    work : `Work`
        The job.

    Returns
    -------
    outcome : `JobOutcome`
        What became of it.
    """
    check_request(work)
    # Every streaming query on the way waits for its turn, so that the person's kernel keeps its own.
    token = streaming_turn.set(work.turn)
    try:
        match work.request.action:
            case JobAction.PRUNE:
                return carry_out_prune(work)
            case JobAction.RETIRE:
                return carry_out_retire(work)
            case _:
                return _Transfer(library, work).run()
    finally:
        streaming_turn.reset(token)


class _Transfer:
    """A job on datasets that are named or found."""

    def __init__(self, library: Library, work: Work) -> None:
        self._library = library
        self._work = work
        self._outcome = JobOutcome()
        self._problems: dict[UUID, tuple[JobResultStatus, str]] = {}

    def run(self) -> JobOutcome:
        work, outcome = self._work, self._outcome
        meant = find_meant(self._library, work)
        satellite = self._satellite()
        before, cached_before = self._look(satellite, meant)
        try:
            self._steps(satellite, meant, before)
        except WorkStopped:
            pass
        except Exception as error:
            # What is done is done, and is told.
            outcome.failure = error
        work.at(meant.total, meant.total)
        self._account(satellite, meant, before, cached_before)
        return outcome

    def _satellite(self) -> Satellite:
        request = self._work.request
        if Satellite.exists(request.label) or not request.create:
            with suppress(FileNotFoundError):
                return Satellite.open(request.label)
            raise SatelliteError(f"The satellite of {request.label} has gone.", "Retry; it is made again.")
        self._work.enter(JobPhase.CREATING)
        return Satellite.create(request.label)

    def _steps(self, satellite: Satellite, meant: Meant, before: Holdings) -> None:
        work, action = self._work, self._work.request.action
        refs = meant.refs
        # What is there already may have come without its collection; to have its file it needs none.
        first = refs if action is JobAction.REFERENCE else [ref for ref in refs if ref.id not in before]
        if meant.kind is RepositoryKind.OFFICIAL and first:
            work.enter(JobPhase.REFERENCING, len(first))
            report = satellite.reference(
                first,
                collections=[meant.collection] if meant.collection else None,
                progress=work.progress,
                cancel=work.cancel,
            )
            self._take(report.problems)
            self._outcome.notes += report.notes
            refs = [ref for ref in refs if ref.id not in self._problems]
        match action:
            case JobAction.PIN:
                work.enter(JobPhase.COPYING, len(refs))
                pinned = satellite.pin(refs, progress=work.progress, cancel=work.cancel)
                self._take(pinned.problems)
            case JobAction.PREFETCH:
                work.enter(JobPhase.FETCHING, len(refs))
                fetched = satellite.prefetch(refs, progress=work.progress, cancel=work.cancel)
                self._take([*fetched.problems, *fetched.not_kept])
            case JobAction.UNPIN:
                self._in_batches(refs, _UNPINNED, lambda some: satellite.unpin(some).problems)
            case JobAction.FORGET:
                self._in_batches(refs, _FORGOTTEN, lambda some: satellite.forget(some).problems)

    def _in_batches(
        self, refs: list[DatasetRef], size: int, do: Callable[[Iterable[DatasetRef]], list[Problem]]
    ) -> None:
        self._work.enter(JobPhase.REMOVING, len(refs))
        done = 0
        for batch in batched(refs, size):
            self._work.check()
            self._take(do(batch))
            done += len(batch)
            self._work.at(done, len(refs))

    def _take(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            missing = problem.status is Status.MISSING
            status = JobResultStatus.MISSING if missing else JobResultStatus.REFUSED
            self._problems.setdefault(problem.ref.id, (status, problem.reason))

    def _look(self, satellite: Satellite, meant: Meant) -> tuple[Holdings, set[UUID]]:
        """What the satellite has of the datasets, and which are in the cache if that matters."""
        prefetches = self._work.request.action is JobAction.PREFETCH
        with satellite.reader() as reader:
            holdings = Holdings.of(reader, [ref.id for ref in meant.refs])
            return holdings, cached(reader, meant.refs) if prefetches else set()

    def _account(
        self, satellite: Satellite, meant: Meant, before: Holdings, cached_before: set[UUID]
    ) -> None:
        action = self._work.request.action
        after, cached_after = self._look(satellite, meant)
        results = self._outcome.results
        for ref in meant.refs:
            was = _is_so(action, ref.id, before, cached_before)
            is_now = _is_so(action, ref.id, after, cached_after)
            if was:
                status, reason = JobResultStatus.THERE, ""
            elif is_now:
                status, reason = JobResultStatus.DONE, ""
            else:
                status, reason = self._problems.get(ref.id, (JobResultStatus.LEFT, _NOT_DONE))
            size = after.size(ref.id) if ref.id in after else before.size(ref.id)
            if status is JobResultStatus.DONE:
                self._outcome.bytes += size or 0
            results.append(
                JobResult(
                    id=ref.id,
                    dataset_type=ref.datasetType.name,
                    data_id=dict(ref.dataId.required),
                    run=ref.run,
                    status=status,
                    bytes=size,
                    reason=reason,
                )
            )
        results.extend(meant.missing_results())


def _is_so(action: JobAction, dataset_id: UUID, holdings: Holdings, in_cache: set[UUID]) -> bool:
    """Whether a dataset is as the action wants it."""
    match action:
        case JobAction.REFERENCE:
            return dataset_id in holdings
        case JobAction.PIN:
            return dataset_id in holdings.pinned or dataset_id in holdings.own
        case JobAction.PREFETCH:
            return dataset_id in in_cache or dataset_id in holdings.pinned or dataset_id in holdings.own
        case JobAction.UNPIN:
            return dataset_id in holdings.referenced
        case _:
            return dataset_id not in holdings
