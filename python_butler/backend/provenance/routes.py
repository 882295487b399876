"""The routes of provenance, and of the collections that hold a dataset."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from ..previews.routes import DatasetId
from ..previews.running import leaving
from ..routing import Kind, Label, TheService, new_router
from ..streaming import NDJSON, EventResponse, Sink
from .models import Provenance

if TYPE_CHECKING:
    from ..repository import BrowsedRepository

__all__ = ["router"]

router = new_router()


@router.get("/repositories/{kind}/{label}/datasets/{id}/provenance")
async def get_provenance(
    service: TheService,
    request: Request,
    kind: Kind,
    label: Label,
    dataset_id: DatasetId,
    brief: Annotated[
        bool, Query(description="Only who made it is wanted: no file is read, no other dataset looked for.")
    ] = False,
) -> Provenance:
    """Tell what a dataset was made from, what was made from it and how; one step of the graph."""
    cancelled = threading.Event()

    def work(repository: BrowsedRepository, other: BrowsedRepository | None) -> Provenance:
        from .steps import describe_step

        return describe_step(repository, other, dataset_id, cancelled, brief=brief)

    return await service.ask_watched(kind, label, work, leaving(request), cancelled.set)


@router.get(
    "/repositories/{kind}/{label}/datasets/{id}/collections",
    response_class=StreamingResponse,
    responses={200: {"description": "One `HoldingEvent` a line.", "content": {NDJSON: {}}}},
)
async def list_holding_collections(
    service: TheService, kind: Kind, label: Label, dataset_id: DatasetId
) -> EventResponse:
    """Stream the collections that hold a dataset: its run, tags and calibrations, and chains of them."""

    def work(repository: BrowsedRepository, sink: Sink) -> None:
        from .holdings import list_holdings

        list_holdings(repository, dataset_id, sink)

    return EventResponse(await service.stream(kind, label, work, polite=True))
