"""The routes of images."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

from fastapi import Query, Request
from fastapi.responses import Response

from ....errors import InvalidRequestError
from ...routing import Kind, Label, TheService, new_router
from ..routes import DatasetId
from ..running import leaving
from .models import MEDIA_TYPE, ImageBox, ImageDescription

if TYPE_CHECKING:
    from ...repository import BrowsedRepository

__all__ = ["router"]

router = new_router()


@router.get("/repositories/{kind}/{label}/datasets/{id}/image")
async def get_image(service: TheService, kind: Kind, label: Label, dataset_id: DatasetId) -> ImageDescription:
    """Describe an image: its planes, its mask, and where it is on the sky; no pixel is read."""

    def work(repository: BrowsedRepository) -> ImageDescription:
        from .regions import describe_image

        return describe_image(repository, dataset_id)

    return await service.ask(kind, label, work)


@router.get(
    "/repositories/{kind}/{label}/datasets/{id}/image/region",
    response_class=Response,
    responses={
        200: {"description": "An `ImageRegion`, and the pixels after it.", "content": {MEDIA_TYPE: {}}}
    },
)
async def get_image_region(
    service: TheService,
    request: Request,
    kind: Kind,
    label: Label,
    dataset_id: DatasetId,
    plane: Annotated[str, Query(description="Identifier of a plane, or `mask`.")],
    bin_: Annotated[
        int, Query(alias="bin", ge=1, le=65_536, description="Pixels each way that a value stands for.")
    ] = 1,
    bbox: Annotated[
        list[int] | None, Query(description="x0, x1, y0, y1: half open; without it, the whole image.")
    ] = None,
) -> Response:
    """Give a region of an image, averaged over blocks; of a mask, what is set anywhere in each block."""
    box = None if bbox is None else _box(bbox)

    cancelled = threading.Event()

    def work(repository: BrowsedRepository, _: BrowsedRepository | None) -> bytes:
        from .regions import read_region

        return read_region(repository, dataset_id, plane, box, bin_, cancelled)

    body = await service.ask_watched(kind, label, work, leaving(request), cancelled.set)
    # What a dataset holds never changes, but the browser's disk is no place for it.
    return Response(body, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def _box(bbox: list[int]) -> ImageBox:
    if len(bbox) != 4 or bbox[0] >= bbox[1] or bbox[2] >= bbox[3]:
        raise InvalidRequestError("A box is x0, x1, y0, y1 with x0 < x1 and y0 < y1.", "Change the box.")
    x0, x1, y0, y1 = bbox
    return ImageBox(x0=x0, x1=x1, y0=y0, y1=y1)
