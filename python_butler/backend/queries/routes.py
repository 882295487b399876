"""The routes of queries: what each takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from ...settings import PAGE_ROWS
from ..models import DatasetCount
from ..routes import MAX_ROWS
from ..routing import DatasetTypeName, Kind, Label, TheService, leaving, new_router
from ..streaming import NDJSON, EventResponse
from .models import DatasetSearch, FacetValues, QueryCheck, QueryShape

if TYPE_CHECKING:
    from ..repository import BrowsedRepository
    from ..streaming import Sink

__all__ = ["MAX_VALUES", "router"]

MAX_VALUES = 1_000
"""Most values of a dimension in one answer."""

router = new_router()


@router.post(
    "/repositories/{kind}/{label}/query",
    response_class=StreamingResponse,
    responses={200: {"description": "One `DatasetEvent` a line.", "content": {NDJSON: {}}}},
)
async def query_datasets(
    service: TheService,
    kind: Kind,
    label: Label,
    search: DatasetSearch,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS, description="Most datasets in this page.")] = PAGE_ROWS,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> EventResponse:
    """Stream one page of the datasets that a search finds, in its order."""
    return EventResponse(await service.datasets(kind, label, search, limit, cursor))


@router.post("/repositories/{kind}/{label}/query/count")
async def count_query(
    service: TheService, request: Request, kind: Kind, label: Label, search: DatasetSearch
) -> DatasetCount:
    """Count the datasets that a search finds, up to a bound; cached."""
    return await service.count(kind, label, search, leaving(request))


@router.post("/repositories/{kind}/{label}/query/check")
async def check_query(service: TheService, kind: Kind, label: Label, search: DatasetSearch) -> QueryCheck:
    """Tell what is wrong with a search, or else which call of a butler's it is."""

    def work(repository: BrowsedRepository) -> QueryCheck:
        from .check import check

        return check(repository, search)

    return await service.ask(kind, label, work)


@router.post("/repositories/{kind}/{label}/query/values")
async def find_query_values(
    service: TheService,
    request: Request,
    kind: Kind,
    label: Label,
    search: DatasetSearch,
    dimension: Annotated[str, Query(min_length=1, description="The dimension whose values are wanted.")],
    prefix: Annotated[str, Query(max_length=200, description="What they begin with.")] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_VALUES)] = 50,
) -> FacetValues:
    """Give the values of a dimension among the datasets that the rest of a search finds; cached."""

    def work(repository: BrowsedRepository, sink: Sink) -> FacetValues:
        from .values import find_values

        return find_values(repository, search, dimension, prefix, limit, sink)

    return await service.answer(kind, label, work, leaving(request))


@router.get("/repositories/{kind}/{label}/query/shape")
async def get_query_shape(
    service: TheService, kind: Kind, label: Label, dataset_type: DatasetTypeName
) -> QueryShape:
    """Tell by what the datasets of a type can be narrowed."""

    def work(repository: BrowsedRepository) -> QueryShape:
        from ..dataset_types import find_dataset_type
        from .shape import shape_of

        return shape_of(find_dataset_type(repository, dataset_type))

    return await service.ask(kind, label, work)
