"""The routes: what each takes and gives, and nothing of how.

What is behind them is in `service`, which loads the lsst packages later and elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Path, Query, Request
from fastapi.responses import StreamingResponse

from ..settings import PAGE_ROWS
from .models import (
    BackendStatus,
    CalibrationValidity,
    CollectionPage,
    CollectionPath,
    DatasetCount,
    DatasetDetails,
    DatasetTypeList,
    PersonalUsage,
    Repository,
    RepositoryKind,
    RepositoryList,
    VersionList,
)
from .queries.models import DatasetSearch
from .routing import CollectionName, DatasetTypeName, Kind, Label, TheService, leaving, new_router
from .streaming import NDJSON, EventResponse

if TYPE_CHECKING:
    from .repository import BrowsedRepository

__all__ = ["MAX_COLLECTIONS", "MAX_ROWS", "router"]

MAX_ROWS = 20_000
"""Most datasets in one page."""

MAX_COLLECTIONS = 10_000
"""Most collections in one page."""

router = new_router()


@router.get("/status")
async def get_status(service: TheService) -> BackendStatus:
    """Tell which versions run here."""
    return await service.status()


@router.get("/repositories")
async def list_repositories(service: TheService) -> RepositoryList:
    """List all repositories; the state of an official one may be the remembered one."""
    return await service.repositories()


@router.get("/repositories/{kind}/{label}")
async def get_repository(service: TheService, kind: Kind, label: Label) -> Repository:
    """Check one repository now."""
    return await service.repository(kind, label)


@router.get("/repositories/{kind}/{label}/collections")
async def list_collections(
    service: TheService,
    kind: Kind,
    label: Label,
    parent: Annotated[str | None, Query(description="A chain; without it, the top level is given.")] = None,
    folder: Annotated[
        str | None,
        Query(description="Group the top level by slashes: path of a folder, or empty; not grouped without."),
    ] = None,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_COLLECTIONS)] = 1_000,
) -> CollectionPage:
    """List the collections at one level of the tree.

    The top level holds the collections that are in no chain: the default collection, chains, folders if they
    are grouped, then the others by name. Below a chain are its children in search order.
    """
    return await service.collections(kind, label, parent, folder, offset, limit)


@router.get("/repositories/{kind}/{label}/collections/path")
async def find_collection(
    service: TheService, kind: Kind, label: Label, collection: CollectionName, grouped: bool = True
) -> CollectionPath:
    """Find the way from the top of the tree to a collection."""

    def find(repository: BrowsedRepository) -> CollectionPath:
        from .collections import find_path

        return find_path(repository, collection, grouped=grouped)

    return await service.ask(kind, label, find)


@router.get("/repositories/{kind}/{label}/dataset-types")
async def list_dataset_types(
    service: TheService, kind: Kind, label: Label, collection: CollectionName
) -> DatasetTypeList:
    """List the dataset types present in a collection, from its summary."""
    return await service.dataset_types(kind, label, collection)


@router.get("/repositories/{kind}/{label}/validity")
async def get_validity(
    service: TheService, kind: Kind, label: Label, collection: CollectionName, dataset_type: DatasetTypeName
) -> CalibrationValidity:
    """Tell for which times the calibrations of a type in a calibration collection are valid."""

    def find(repository: BrowsedRepository) -> CalibrationValidity:
        from .validity import find_validity

        return find_validity(repository, collection, dataset_type)

    return await service.ask(kind, label, find)


@router.get("/repositories/personal/{label}/usage")
async def get_usage(service: TheService, label: Label) -> PersonalUsage:
    """Tell how much room a personal repository takes, and how much there is."""

    def find(repository: BrowsedRepository) -> PersonalUsage:
        from .usage import find_usage

        return find_usage(repository)

    return await service.ask(RepositoryKind.PERSONAL, label, find)


@router.get("/repositories/{kind}/{label}/count")
async def count_datasets(
    service: TheService,
    request: Request,
    kind: Kind,
    label: Label,
    collection: CollectionName,
    dataset_type: DatasetTypeName,
) -> DatasetCount:
    """Count the datasets of a type in a collection, up to a bound; cached."""
    search = DatasetSearch(collection=collection, dataset_type=dataset_type)
    return await service.count(kind, label, search, leaving(request))


@router.get(
    "/repositories/{kind}/{label}/datasets",
    response_class=StreamingResponse,
    responses={200: {"description": "One `DatasetEvent` a line.", "content": {NDJSON: {}}}},
)
async def list_datasets(
    service: TheService,
    kind: Kind,
    label: Label,
    collection: CollectionName,
    dataset_type: DatasetTypeName,
    limit: Annotated[int, Query(ge=1, le=MAX_ROWS)] = PAGE_ROWS,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
) -> EventResponse:
    """Stream one page of the datasets of a type in a collection, ordered by data ID."""
    search = DatasetSearch(collection=collection, dataset_type=dataset_type)
    return EventResponse(await service.datasets(kind, label, search, limit, cursor))


@router.get("/repositories/{kind}/{label}/datasets/{id}")
async def get_dataset(
    service: TheService,
    kind: Kind,
    label: Label,
    dataset_id: Annotated[UUID, Path(alias="id", description="Identifier of the dataset.")],
) -> DatasetDetails:
    """Give everything a details pane shows of one dataset."""
    return await service.dataset(kind, label, dataset_id)


@router.get("/versions")
async def list_versions(service: TheService) -> VersionList:
    """Give a word per personal repository that changes whenever its contents do."""
    return await service.versions()
