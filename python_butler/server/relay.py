"""The handlers: the relay to the backend, and the state of the backend.

Nothing passes that is not on a list: a cookie or a token of Jupyter's never reaches the backend,
and the backend cannot set a cookie or send the browser elsewhere.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast
from urllib.parse import unquote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web
from tornado.httputil import HTTPHeaders
from tornado.iostream import StreamClosedError

from ..errors import BackendUnavailableError
from .exchange import Endpoint, Exchange
from .report import report
from .supervisor import Supervisor

__all__ = ["API_PATH", "STATE_PATH", "BackendStateHandler", "RelayHandler"]

API_PATH = "python-butler/api"
"""Below the Jupyter server's base address: what the backend answers."""

STATE_PATH = "python-butler/backend"
"""Below the Jupyter server's base address: whether there is a backend."""

_RESOURCE = "python-butler"
_REQUEST_ID = "X-Request-ID"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_REQUEST_HEADERS = ("Accept", "Accept-Language", "Content-Type", "If-Modified-Since", "If-None-Match")
_ANSWER_HEADERS = (
    "Cache-Control",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "ETag",
    "Last-Modified",
    "Retry-After",
    "Vary",
    _REQUEST_ID,
)
# Meant for the Jupyter server, and in one case secret.
_JUPYTER_ARGUMENTS = {"token", "_xsrf", "no_track_activity"}

_Verb = TypeVar("_Verb", bound=Callable[..., Awaitable[None]])
# Which permission a verb needs is said for each of them: `authorized` without an action keeps that
# of the first request it saw. It has no useful type of its own.
_reads = cast("Callable[[_Verb], _Verb]", authorized("read", resource=_RESOURCE))
_writes = cast("Callable[[_Verb], _Verb]", authorized("write", resource=_RESOURCE))


class _Handler(APIHandler):
    """What both handlers share."""

    auth_resource = _RESOURCE

    def initialize(self, supervisor: Supervisor) -> None:
        """Take the one supervisor."""
        self.supervisor = supervisor

    def set_default_headers(self) -> None:
        """Give every answer, also an error, the identifier of its request."""
        super().set_default_headers()
        given = self.request.headers.get(_REQUEST_ID, "")
        if not hasattr(self, "request_id"):
            self.request_id = given if _REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex
        self.set_header(_REQUEST_ID, self.request_id)

    def compute_etag(self) -> str | None:
        """Leave it to the backend."""
        return None


class BackendStateHandler(_Handler):
    """Answers whether there is a backend, without starting one."""

    @web.authenticated
    @_reads
    async def get(self) -> None:
        """Answer the state, and the reason of a failure."""
        error = self.supervisor.error
        failure = error and report(error, self.request_id, self.supervisor.retry_in)
        self.finish({"state": self.supervisor.state, "error": failure})


class RelayHandler(_Handler):
    """Passes requests on to the backend, and its answers back as they come."""

    _relayed: _RelayedExchange | None = None
    _client_gone = False

    @web.authenticated
    @_reads
    async def get(self, path: str) -> None:
        """Relay a request that only reads."""
        await self._relay(path)

    @web.authenticated
    @_writes
    async def post(self, path: str) -> None:
        """Relay a request that changes something."""
        await self._relay(path)

    @web.authenticated
    @_writes
    async def put(self, path: str) -> None:
        """Relay a request that changes something."""
        await self._relay(path)

    @web.authenticated
    @_writes
    async def patch(self, path: str) -> None:
        """Relay a request that changes something."""
        await self._relay(path)

    @web.authenticated
    @_writes
    async def delete(self, path: str) -> None:
        """Relay a request that deletes something."""
        await self._relay(path)

    def on_connection_close(self) -> None:
        """Let the backend know at once that nobody wants the answer any more."""
        self._client_gone = True
        if self._relayed is not None:
            self._relayed.close()
        super().on_connection_close()

    async def _relay(self, path: str) -> None:
        if unquote(path).strip("/") == "lease":
            raise web.HTTPError(404)  # the server's own
        try:
            async with self.supervisor.use() as endpoint:
                if not self._client_gone:
                    await self._exchange(endpoint)
        except BackendUnavailableError as error:
            self._answer_unavailable(error, self.supervisor.retry_in)

    async def _exchange(self, endpoint: Endpoint) -> None:
        headers = {
            name: self.request.headers[name] for name in _REQUEST_HEADERS if name in self.request.headers
        }
        headers[_REQUEST_ID] = self.request_id
        self._relayed = relayed = _RelayedExchange(endpoint, self)
        try:
            await relayed.run(self.request.method, self._target(), headers, self.request.body)
        except OSError as error:
            raise _gone() from error
        finally:
            # Each knows the other. Left to the garbage collector, a few hundred requests would bring
            # on one of its full passes, which holds a Jupyter server's event loop for 100 ms.
            self._relayed = None
        if self._client_gone:
            return
        if relayed.complete:
            self.finish()
        elif relayed.began:
            # A proper end would pass half an answer off as a whole one.
            self.detach().close()
        else:
            raise _gone()

    def _target(self) -> str:
        """Path and query as the browser sent them: "%2F" in a name is no separator."""
        uri = self.request.uri
        path, _, query = uri.partition(f"/{API_PATH}")[2].partition("?")
        kept = "&".join(
            part for part in query.split("&") if unquote(part.partition("=")[0]) not in _JUPYTER_ARGUMENTS
        )
        return f"{path}?{kept}" if kept else path

    def _answer_unavailable(self, error: BackendUnavailableError, retry_in: float) -> None:
        if self._client_gone:
            return
        self.set_status(503)
        # Ask again when a start would be tried again, but not in the same instant.
        self.finish(report(error, self.request_id, max(retry_in, 1.0)))


class _RelayedExchange(Exchange):
    """Writes the answer to a browser as it comes, no faster than the browser takes it."""

    def __init__(self, endpoint: Endpoint, handler: RelayHandler) -> None:
        super().__init__(endpoint)
        self._handler = handler
        self.began = False

    def answer_began(self, status: int, headers: HTTPHeaders) -> Awaitable[None] | None:
        self._handler.set_status(status)
        for name in _ANSWER_HEADERS:
            if name in headers:
                self._handler.set_header(name, headers[name])
        self.began = True
        # The first row of a stream may be long in coming; a short answer goes out in one piece.
        return None if int(headers.get("Content-Length", "0")) > 0 else self._flush()

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        self._handler.write(chunk)
        return self._flush()

    async def _flush(self) -> None:
        try:
            await self._handler.flush()
        except StreamClosedError:
            self.close()


def _gone() -> BackendUnavailableError:
    return BackendUnavailableError(
        "The Butler backend ended before it had answered.",
        "It is being started again: press Retry. The Jupyter server's log tells why it ended.",
    )
