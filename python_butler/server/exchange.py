"""One request to the backend and its answer, over one connection to its unix socket."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tornado.http1connection import HTTP1Connection, HTTP1ConnectionParameters
from tornado.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)
from tornado.iostream import IOStream, StreamClosedError

__all__ = ["SECRET_HEADER", "Endpoint", "Exchange"]

SECRET_HEADER = "X-Python-Butler-Secret"  # noqa: S105  the name of a header
"""Header by which the backend knows the server that started it."""

_CHUNK_BYTES = 131_072
# An answer is passed on piece by piece, so its length costs no memory.
_NO_LIMIT = 2**62


@dataclass(frozen=True)
class Endpoint:
    """Where a backend listens, and what it wants to be told."""

    socket: Path
    secret: str = field(repr=False)


class Exchange(HTTPMessageDelegate):
    """One exchange; subclasses say what becomes of the answer.

    Parameters
    ----------
    endpoint : `Endpoint`
        The backend.

    Attributes
    ----------
    complete : `bool`
        Whether the answer came to its proper end.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._stream: IOStream | None = None
        self.complete = False

    async def run(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send the request and wait until the answer has ended, one way or the other.

        Parameters
        ----------
        method : `str`
            HTTP method.
        target : `str`
            Path and query, exactly as they are to be sent.
        headers : mapping of `str` to `str`
            Headers of the request.
        body : `bytes`, optional
            Body of the request.

        Raises
        ------
        OSError
            If nobody listens.
        """
        connection = HTTP1Connection(
            self._connect(),
            is_client=True,
            params=HTTP1ConnectionParameters(
                no_keep_alive=True, chunk_size=_CHUNK_BYTES, max_body_size=_NO_LIMIT
            ),
        )
        sent = HTTPHeaders({"Host": "python-butler", "Connection": "close", **headers})
        sent[SECRET_HEADER] = self._endpoint.secret
        if body or method in {"POST", "PUT", "PATCH"}:
            sent["Content-Length"] = str(len(body))
        try:
            connection.write_headers(RequestStartLine(method, target, "HTTP/1.1"), sent, body or None)
            connection.finish()
            await connection.read_response(self)
        except StreamClosedError:
            pass  # `complete` tells
        finally:
            self.close()

    def close(self) -> None:
        """Drop the connection, by which the backend learns that nobody wants the answer."""
        if self._stream is not None:
            self._stream.close()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Take note of the beginning of the answer."""
        assert isinstance(start_line, ResponseStartLine)
        # An interim answer such as "100 Continue" is not the answer.
        return self.answer_began(start_line.code, headers) if start_line.code >= 200 else None

    def answer_began(self, status: int, headers: HTTPHeaders) -> Awaitable[None] | None:
        """Take the status and headers of the answer; nothing more is read before this is done."""
        raise NotImplementedError

    def finish(self) -> None:
        """Take note of the proper end of the answer."""
        self.complete = True

    def _connect(self) -> IOStream:
        # Connecting to a unix socket succeeds or fails at once.
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.setblocking(False)
        try:
            connected.connect(str(self._endpoint.socket))
        except OSError:
            connected.close()
            raise
        self._stream = IOStream(connected)
        return self._stream
