"""What every router shares: how failures are answered, where the service is, and the usual parameters.

A room of routes, such as `queries`, has its own models, its own router made by `new_router`, and what does
the work in modules that are imported only in the threads where it is done; `routers` lists all routers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute

from .middleware import answer_failure
from .models import ErrorReport, RepositoryKind
from .service import Service

__all__ = ["CollectionName", "DatasetTypeName", "Kind", "Label", "TheService", "leaving", "new_router"]

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


def new_router() -> APIRouter:
    """Make a router whose failures are answered with an `ErrorReport`.

    Returns
    -------
    router : `fastapi.APIRouter`
        Without routes.
    """
    return APIRouter(responses=_ERRORS, route_class=_Reporting)


def leaving(request: Request) -> Callable[[], Awaitable[None]]:
    """Give what waits until the client of a request goes away.

    Parameters
    ----------
    request : `fastapi.Request`
        The request, whose body has been read.

    Returns
    -------
    left : callable
        Returns when it has gone.
    """

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return left


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


TheService = Annotated[Service, Depends(_service)]
Kind = Annotated[RepositoryKind, Path(description="Whose repository it is.")]
Label = Annotated[str, Path(description="Label of the official repository, such as `dp2`.")]
CollectionName = Annotated[str, Query(min_length=1, description="Name of a collection of any type.")]
DatasetTypeName = Annotated[str, Query(min_length=1, description="Name of a dataset type.")]
