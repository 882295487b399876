"""The routes of runs of pipelines: a list, the report of one, and the log of a quantum."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path

from ..routing import Label, TheService, new_router
from .models import RunList, RunLog, RunReport

__all__ = ["router"]

router = new_router()

RunId = Annotated[UUID, Path(alias="id", description="Identifier of the run.")]


@router.get("/runs")
async def list_runs(service: TheService) -> RunList:
    """List the runs of all satellites, the newest first, with how far they are."""
    return await service.ask_runs(lambda runs: runs.newest())


@router.get("/repositories/personal/{label}/runs/{id}")
async def get_run_report(service: TheService, label: Label, run_id: RunId) -> RunReport:
    """Tell what became of a run, with what failed and the last lines of the logs."""
    return await service.ask_runs(lambda runs: runs.report(label, run_id))


@router.get("/repositories/personal/{label}/runs/{id}/logs/{quantum}")
async def get_run_log(
    service: TheService,
    label: Label,
    run_id: RunId,
    quantum: Annotated[UUID, Path(description="Identifier of the quantum.")],
) -> RunLog:
    """Give the log of a quantum, or the end of it if it is long."""
    return await service.ask_runs(lambda runs: runs.log(label, run_id, quantum))
