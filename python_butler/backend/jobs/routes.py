"""The routes of jobs: planning, starting, following, stopping them, and what became of each dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Path, Query
from fastapi.responses import StreamingResponse

from ..models import RepositoryKind
from ..routing import Kind, Label, TheService, new_router
from ..streaming import NDJSON, EventResponse, Sink
from .changes import ChangeResponse, job_events
from .models import (
    HeldTypes,
    Job,
    JobList,
    JobRequest,
    JobResultPage,
    JobResultStatus,
    PlannedEvent,
    Presence,
    PresenceRequest,
    ProgressEvent,
)
from .work import Work

if TYPE_CHECKING:
    from ..repository import BrowsedRepository

__all__ = ["router"]

router = new_router()

JobId = Annotated[UUID, Path(alias="id", description="Identifier of the job.")]


@router.post(
    "/jobs/plan",
    response_class=StreamingResponse,
    responses={200: {"description": "One `PlanEvent` a line.", "content": {NDJSON: {}}}},
)
async def plan_job(service: TheService, request: JobRequest) -> EventResponse:
    """Tell what a job would do, and how much; nothing is written."""
    source = request.chosen or request.query
    kind = RepositoryKind.PERSONAL if source is None else source.kind
    library = await service.library()

    def work(_: object, sink: Sink) -> None:
        from contextlib import nullcontext

        from .planning import plan

        planned = Work(
            request,
            lambda progress: sink.event(ProgressEvent(progress=progress)),
            lambda _: nullcontext(),
            sink.cancelled,
        )
        sink.event(PlannedEvent(plan=plan(library, planned)))

    return EventResponse(await service.stream(kind, request.label, work, polite=True))


@router.post("/jobs")
async def start_job(service: TheService, request: JobRequest) -> Job:
    """Start a job, behind others on the same satellite."""
    return await service.jobs.add(request)


@router.get("/jobs")
async def list_jobs(service: TheService) -> JobList:
    """List jobs that wait, run or have ended, newest first."""
    return await service.jobs.list()


@router.get("/jobs/{id}")
async def get_job(service: TheService, job_id: JobId) -> Job:
    """Tell how one job stands."""
    return await service.jobs.job(job_id)


@router.get(
    "/jobs/{id}/events",
    response_class=StreamingResponse,
    responses={200: {"description": "One `ChangeEvent` a line.", "content": {NDJSON: {}}}},
)
async def follow_job(service: TheService, job_id: JobId) -> ChangeResponse:
    """Stream how one job stands until it has ended."""
    await service.jobs.job(job_id)
    return ChangeResponse(job_events(service.jobs, job_id))


@router.post("/jobs/{id}/cancel")
async def cancel_job(service: TheService, job_id: JobId) -> Job:
    """Stop a job; what is done stays."""
    return await service.jobs.cancel(job_id)


@router.post("/jobs/{id}/resume")
async def resume_job(service: TheService, job_id: JobId) -> Job:
    """Take up a job again that was stopped, failed or was interrupted."""
    return await service.jobs.resume(job_id)


@router.delete("/jobs/{id}")
async def remove_job(service: TheService, job_id: JobId) -> Job:
    """Take a job off the list that has ended, with its results."""
    return await service.jobs.remove(job_id)


@router.get("/jobs/{id}/results")
async def list_results(
    service: TheService,
    job_id: JobId,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    status: Annotated[JobResultStatus | None, Query(description="Only these.")] = None,
) -> JobResultPage:
    """List what became of each dataset of a job that has ended."""
    return await service.jobs.results(job_id, cursor, limit, status)


@router.get(
    "/changes",
    response_class=StreamingResponse,
    responses={200: {"description": "One `ChangeEvent` a line.", "content": {NDJSON: {}}}},
)
async def follow_changes(service: TheService) -> ChangeResponse:
    """Stream how jobs stand and the versions of personal repositories, and every change of these."""
    return ChangeResponse(service.changes.lines())


@router.post("/repositories/personal/{label}/presence")
async def find_presence(service: TheService, label: Label, request: PresenceRequest) -> Presence:
    """Tell which of some datasets a satellite has, by reference or with a copy."""

    def work(repository: BrowsedRepository) -> Presence:
        from .presence import find_presence

        return find_presence(repository, request.ids)

    return await service.ask(RepositoryKind.PERSONAL, label, work)


@router.get("/repositories/{kind}/{label}/held")
async def find_held(
    service: TheService,
    kind: Kind,
    label: Label,
    collection: Annotated[str, Query(min_length=1, description="Counted are the datasets in it.")],
) -> HeldTypes:
    """Tell how many official datasets of each type in a collection the satellite has."""

    def work(repository: BrowsedRepository, other: BrowsedRepository | None) -> HeldTypes:
        from .held import find_held

        return find_held(repository, other, collection)

    return await service.ask_both(kind, label, work)
