"""The route of the search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from fastapi.responses import StreamingResponse

from ..routing import Kind, Label, TheService, new_router
from ..streaming import NDJSON, EventResponse, Sink
from .models import DatasetTypePlace

if TYPE_CHECKING:
    from ..repository import BrowsedRepository

__all__ = ["MAX_MATCHES", "router"]

MAX_MATCHES = 2_000
"""Most matches in one answer."""

router = new_router()


@router.get(
    "/repositories/{kind}/{label}/search",
    response_class=StreamingResponse,
    responses={200: {"description": "One `SearchEvent` a line.", "content": {NDJSON: {}}}},
)
async def search(
    service: TheService,
    kind: Kind,
    label: Label,
    text: Annotated[
        str,
        Query(
            min_length=1,
            max_length=500,
            description="Words that have all to occur, globs for a whole name, or a dataset's identifier.",
        ),
    ],
    request: Annotated[str, Query(max_length=64, description="Comes back in every event.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_MATCHES)] = 200,
) -> EventResponse:
    """Search names and documentation of collections, names of dataset types, and identifiers."""

    def work(repository: BrowsedRepository, sink: Sink) -> None:
        from .finding import find

        find(repository, text, request, limit, sink)

    # Lists of collections are short questions: they need not end what is being listed.
    return EventResponse(await service.stream(kind, label, work, exclusive=False))


@router.get("/repositories/{kind}/{label}/place")
async def find_place(
    service: TheService,
    kind: Kind,
    label: Label,
    dataset_type: Annotated[str, Query(min_length=1, description="Name of a dataset type.")],
) -> DatasetTypePlace:
    """Find a collection that has datasets of a type."""

    def work(repository: BrowsedRepository) -> DatasetTypePlace:
        from .locating import find_place

        return find_place(repository, dataset_type)

    return await service.ask(kind, label, work)
