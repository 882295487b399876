"""The HTTP application: routes, lease and what surrounds them."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from ..errors import InvalidRequestError
from .lease import Lease
from .middleware import ErrorResponse, Guard, Identify
from .reports import report
from .routers import ROUTERS
from .service import Service

__all__ = ["create_app"]


def create_app(service: Service, *, secret: str, lease: Lease | None = None) -> ASGIApp:
    """Make the application.

    Parameters
    ----------
    service : `Service`
        What answers.
    secret : `str`
        What every request must carry in the header ``X-Python-Butler-Secret``.
    lease : `Lease`, optional
        Served as ``/lease``, which is no part of the documented API.

    Returns
    -------
    app : ASGI application
        To be served on a socket that only its owner can reach.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.service = service
    for router in ROUTERS:
        app.include_router(router)
    if lease is not None:
        app.router.routes.append(Route("/lease", endpoint=lease))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _refused)
    return Identify(Guard(app, secret))


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: it may hold anything.
    wrong = "; ".join(
        f"{'.'.join(str(part) for part in detail['loc'][1:])}: {detail['msg']}" for detail in error.errors()
    )
    return ErrorResponse(report(InvalidRequestError(f"The request is not valid ({wrong}).", "Change it.")))


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    unknown = InvalidRequestError(f"The backend does not serve this ({error.detail}).", "Reload the page.")
    return ErrorResponse(report(unknown), error.status_code)
