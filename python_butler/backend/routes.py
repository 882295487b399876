"""The routes: what each takes and gives, and nothing of how.

What is behind them is in `service`, which loads the lsst packages later and elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response, StreamingResponse
from fastapi.routing import APIRoute

from ..settings import PAGE_ROWS
from .middleware import answer_failure
from .models import (
    BackendStatus,
    CollectionPage,
    DatasetCount,
    DatasetDetails,
    DatasetTypeList,
    ErrorReport,
    Repository,
    RepositoryKind,
    RepositoryList,
    VersionList,
)
from .service import Service
from .streaming import NDJSON, EventResponse

__all__ = ["MAX_COLLECTIONS", "MAX_ROWS", "router"]

MAX_ROWS = 20_000
"""Most datasets in one page."""

MAX_COLLECTIONS = 10_000
"""Most collections in one page."""

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorReport, "description": "The request cannot be carried out as it was put."},
    404: {"model": ErrorReport, "description": "No such repository, or the dataset is gone."},
    500: {"model": ErrorReport, "description": "Something failed that should not."},
    502: {
        "model": ErrorReport,
        "description": "Trouble with the official server, the token or the network.",
    },
    503: {"model": ErrorReport, "description": "The official server is busy, or there is no backend."},
}


class _Reporting(APIRoute):
    """A route whose failures are answered with an `ErrorReport`, whatever they are."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except (HTTPException, RequestValidationError):
                raise
            except Exception as error:
                return answer_failure(error)

        return handle


router = APIRouter(responses=_ERRORS, route_class=_Reporting)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


_Service = Annotated[Service, Depends(_service)]
_Kind = Annotated[RepositoryKind, Path(description="Whose repository it is.")]
_Label = Annotated[str, Path(description="Label of the official repository, such as `dp2`.")]
_Collection = Annotated[str, Query(min_length=1, description="Name of a collection of any type.")]
_DatasetType = Annotated[str, Query(min_length=1, description="Name of a dataset type.")]


@router.get("/status")
async def get_status(service: _Service) -> BackendStatus:
    """Tell which versions run here."""
    return await service.status()


@router.get("/repositories")
async def list_repositories(service: _Service) -> RepositoryList:
    """List all repositories; the state of an official one may be the remembered one."""
    return await service.repositories()


@router.get("/repositories/{kind}/{label}")
async def get_repository(service: _Service, kind: _Kind, label: _Label) -> Repository:
    """Check one repository now."""
    return await service.repository(kind, label)


@router.get("/repositories/{kind}/{label}/collections")
async def list_collections(
    service: _Service,
    kind: _Kind,
    label: _Label,
    parent: Annotated[str | None, Query(description="A chain; without it, the top level is given.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_COLLECTIONS)] = 1_000,
) -> CollectionPage:
    """List the collections at one level of the tree.

    The top level holds the collections that are in no chain: the default collection, then chains, then the
    others by name. Below a chain are its children in search order.
    """
    return await service.collections(kind, label, parent, limit)


@router.get("/repositories/{kind}/{label}/dataset-types")
async def list_dataset_types(
    service: _Service, kind: _Kind, label: _Label, collection: _Collection
) -> DatasetTypeList:
    """List the dataset types present in a collection, from its summary."""
    return await service.dataset_types(kind, label, collection)


@router.get("/repositories/{kind}/{label}/count")
async def count_datasets(
    service: _Service,
    request: Request,
    kind: _Kind,
    label: _Label,
    collection: _Collection,
    dataset_type: _DatasetType,
) -> DatasetCount:
    """Count the datasets of a type in a collection, up to a bound; cached."""

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return await service.count(kind, label, collection, dataset_type, left)


@router.get(
    "/repositories/{kind}/{label}/datasets",
    response_class=StreamingResponse,
    responses={200: {"description": "One `DatasetEvent` a line.", "content": {NDJSON: {}}}},
)
async def list_datasets(
    service: _Service,
    kind: _Kind,
    label: _Label,
    collection: _Collection,
    dataset_type: _DatasetType,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = PAGE_ROWS,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> EventResponse:
    """Stream one page of the datasets of a type in a collection, ordered by data ID."""
    return EventResponse(await service.datasets(kind, label, collection, dataset_type, limit, cursor))


@router.get("/repositories/{kind}/{label}/datasets/{id}")
async def get_dataset(
    service: _Service,
    kind: _Kind,
    label: _Label,
    dataset_id: Annotated[UUID, Path(alias="id", description="Identifier of the dataset.")],
) -> DatasetDetails:
    """Give everything a details pane shows of one dataset."""
    return await service.dataset(kind, label, dataset_id)


@router.get("/versions")
async def list_versions(service: _Service) -> VersionList:
    """Give a word per personal repository that changes whenever its contents do."""
    return await service.versions()
