"""Routes of the table preview. No lsst package is imported here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Path, Request

from ...models import RepositoryKind
from ...routing import Kind, Label, TheService, new_router
from ...service import Service
from ..running import leaving
from .giving_up import Waiting
from .models import ColumnSummary, SummaryRequest, TableOverview, TablePage, TableRequest

if TYPE_CHECKING:
    from ...repository import BrowsedRepository

__all__ = ["router"]

router = new_router()

_Id = Annotated[UUID, Path(alias="id", description="Identifier of the dataset.")]


async def _ask[T](
    service: Service,
    request: Request,
    kind: RepositoryKind,
    label: str,
    work: Callable[[BrowsedRepository, Waiting], T],
) -> T:
    """Have something found out about a table, for as long as the client waits."""
    waiting = Waiting()

    def run(repository: BrowsedRepository, _other: object) -> T:
        return work(repository, waiting)

    return await service.ask_watched(kind, label, run, leaving(request), waiting.cancelled.set)


@router.get("/repositories/{kind}/{label}/datasets/{id}/table")
async def get_table(
    service: TheService, request: Request, kind: Kind, label: Label, dataset_id: _Id
) -> TableOverview:
    """Describe a table: its columns with units and descriptions, and how large it is."""

    def work(repository: BrowsedRepository, waiting: Waiting) -> TableOverview:
        from .answers import overview

        return overview(repository, dataset_id, waiting)

    return await _ask(service, request, kind, label, work)


@router.post("/repositories/{kind}/{label}/datasets/{id}/table/rows")
async def get_table_rows(
    service: TheService, request: Request, kind: Kind, label: Label, dataset_id: _Id, wanted: TableRequest
) -> TablePage:
    """Give some cells of a table, of the rows that pass filters, in some order."""

    def work(repository: BrowsedRepository, waiting: Waiting) -> TablePage:
        from .answers import page

        return page(repository, dataset_id, wanted, waiting)

    return await _ask(service, request, kind, label, work)


@router.post("/repositories/{kind}/{label}/datasets/{id}/table/summary")
async def get_column_summary(
    service: TheService, request: Request, kind: Kind, label: Label, dataset_id: _Id, wanted: SummaryRequest
) -> ColumnSummary:
    """Give statistics and a histogram of one column."""

    def work(repository: BrowsedRepository, waiting: Waiting) -> ColumnSummary:
        from .answers import summary

        return summary(repository, dataset_id, wanted, waiting)

    return await _ask(service, request, kind, label, work)
