"""What surrounds every request: the secret, the identifier, and the last catch for exceptions.

Plain ASGI: the convenience class of the framework gets between a stream and the news that its client left.
"""

from __future__ import annotations

import hmac
import logging
import re
import uuid

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..errors import BackendUnavailableError, ErrorKind
from .models import ErrorReport
from .reports import STATUS, report, request_id

__all__ = ["REQUEST_ID_HEADER", "SECRET_HEADER", "ErrorResponse", "Guard", "Identify", "answer_failure"]

SECRET_HEADER = "X-Python-Butler-Secret"  # noqa: S105  the name of a header, no secret
"""Header that proves that a request comes from the Jupyter server that started this backend."""

REQUEST_ID_HEADER = "X-Request-ID"
"""Header with the identifier of a request, on every answer."""

_LOG = logging.getLogger(__name__)
_FIT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class ErrorResponse(Response):
    """Answer with an `ErrorReport`.

    Parameters
    ----------
    content : `ErrorReport`
        The failure; its kind decides the status.
    status : `int`, optional
        Another status.
    """

    media_type = "application/json"

    def __init__(self, content: ErrorReport, status: int | None = None) -> None:
        super().__init__(content.model_dump_json(), status or STATUS[content.kind])


def answer_failure(error: Exception) -> ErrorResponse:
    """Answer a failure, and log what the answer does not tell.

    Parameters
    ----------
    error : `Exception`
        Any exception.

    Returns
    -------
    response : `ErrorResponse`
        The answer.
    """
    told = report(error)
    unexpected = told.kind in (ErrorKind.INTERNAL, ErrorKind.SATELLITE)
    _LOG.log(
        logging.ERROR if unexpected else logging.INFO,
        "Request %s: %s: %s",
        told.request_id,
        told.kind,
        told.message,
        exc_info=error if unexpected else None,
    )
    return ErrorResponse(told)


class Identify:
    """Give each request an identifier, and answer what nobody else caught.

    Parameters
    ----------
    app : ASGI application
        What is inside.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on.

        Parameters
        ----------
        scope, receive, send
            As ASGI says.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identifier = _header(scope, REQUEST_ID_HEADER)
        if not _FIT_ID.fullmatch(identifier):
            identifier = str(uuid.uuid4())
        request_id.set(identifier)
        started = False

        async def send_identified(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [
                    *message.get("headers", ()),
                    (REQUEST_ID_HEADER.lower().encode(), identifier.encode()),
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_identified)
        except Exception as error:
            if started:
                # Nothing but a cut connection tells the client that the answer is not complete.
                raise
            await answer_failure(error)(scope, receive, send_identified)


class Guard:
    """Refuse requests that do not carry the secret.

    Parameters
    ----------
    app : ASGI application
        What is inside.
    secret : `str`
        The secret.
    """

    def __init__(self, app: ASGIApp, secret: str) -> None:
        self._app = app
        self._secret = secret.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it.

        Parameters
        ----------
        scope, receive, send
            As ASGI says.
        """
        given = _header(scope, SECRET_HEADER).encode()
        if scope["type"] == "http" and not hmac.compare_digest(given, self._secret):
            refusal = BackendUnavailableError(
                "The request does not come from the Jupyter server that started this backend.",
                "Restart the Jupyter server.",
            )
            await ErrorResponse(report(refusal))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _header(scope: Scope, name: str) -> str:
    wanted = name.lower().encode()
    for key, value in scope.get("headers", ()):
        if key == wanted:
            return bytes(value).decode("latin-1")
    return ""
