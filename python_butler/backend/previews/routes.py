"""The routes of previews: what is in a dataset, and what it takes in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import Path, Query, Request
from fastapi.responses import Response

from ..routing import Kind, Label, TheService, new_router
from .models import MemoryCost, Preview
from .running import make_preview

if TYPE_CHECKING:
    from .opening import OpenedDataset

__all__ = ["DatasetId", "router"]

router = new_router()

DatasetId = Annotated[UUID, Path(alias="id", description="Identifier of the dataset.")]


@router.get("/repositories/{kind}/{label}/datasets/{id}/preview")
async def get_preview(
    service: TheService,
    request: Request,
    kind: Kind,
    label: Label,
    dataset_id: DatasetId,
    path: Annotated[list[str] | None, Query(description="Keys that lead into a document.")] = None,
    offset: Annotated[int, Query(ge=0, description="Values, or lines of a log, to skip.")] = 0,
    level: Annotated[int, Query(ge=0, description="Lines of a log of this level or above.")] = 0,
    words: Annotated[str, Query(max_length=500, description="Words that lines of a log must have.")] = "",
) -> Preview:
    """Show what is in a dataset that is neither an image nor a table; a part of it if it is large."""

    def work(opened: OpenedDataset) -> Preview:
        from .looking import Wish, look

        return look(opened, Wish(tuple(path or ()), offset, level, words))

    return await make_preview(service, request, kind, label, dataset_id, work)


@router.get(
    "/repositories/{kind}/{label}/datasets/{id}/figure",
    response_class=Response,
    responses={200: {"content": {"image/png": {}, "image/jpeg": {}}}},
)
async def get_figure(
    service: TheService, request: Request, kind: Kind, label: Label, dataset_id: DatasetId
) -> Response:
    """Give a figure as a picture, smaller if it is large."""

    def work(opened: OpenedDataset) -> tuple[bytes, str]:
        from .figures import picture

        return picture(opened)

    content, media_type = await make_preview(service, request, kind, label, dataset_id, work)
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=300"})


@router.get("/repositories/{kind}/{label}/datasets/{id}/memory")
async def get_memory_cost(
    service: TheService, request: Request, kind: Kind, label: Label, dataset_id: DatasetId
) -> MemoryCost:
    """Estimate the memory a dataset takes when it is read whole, and look what there is."""

    def work(opened: OpenedDataset) -> MemoryCost:
        from .cost import memory_cost

        return memory_cost(opened)

    return await make_preview(service, request, kind, label, dataset_id, work)
