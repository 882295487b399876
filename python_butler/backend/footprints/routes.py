"""The route of footprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from ..queries.models import DatasetSearch
from ..routing import Kind, Label, TheService, new_router
from ..streaming import NDJSON, EventResponse, Sink

if TYPE_CHECKING:
    from ..repository import BrowsedRepository

__all__ = ["MAX_FOOTPRINTS", "router"]

MAX_FOOTPRINTS = 20_000
"""Most datasets on one map."""

router = new_router()


@router.post(
    "/repositories/{kind}/{label}/footprints",
    response_class=StreamingResponse,
    responses={200: {"description": "One `FootprintEvent` a line.", "content": {NDJSON: {}}}},
)
async def list_footprints(
    service: TheService,
    kind: Kind,
    label: Label,
    search: DatasetSearch,
    limit: Annotated[int, Query(ge=1, le=MAX_FOOTPRINTS)] = MAX_FOOTPRINTS,
) -> EventResponse:
    """Stream where on the sky the datasets of a search are, in the order of their list.

    It waits for a listing that runs, and ends early, marked as superseded, when another begins.
    """

    def work(repository: BrowsedRepository, sink: Sink) -> None:
        from .producing import produce

        produce(repository, search, limit, sink)

    return EventResponse(await service.stream(kind, label, work, polite=True))
