"""A `RemoteButler` whose token is always fresh, whose waiting is visible and whose errors are clear."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, override
from urllib.parse import urlsplit

import httpx2
from lsst.daf.butler._butler_instance_options import ButlerInstanceOptions
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.remote_butler._http_connection import (
    ButlerServerError,
    RemoteButlerHttpConnection,
    _needs_retry,
    _Request,
)
from lsst.daf.butler.remote_butler._remote_butler import RemoteButlerCache
from lsst.daf.butler.remote_butler.authentication.interface import RemoteButlerAuthenticationProvider

from ..credentials import scrub, token_for
from ..errors import ForbiddenError, OfflineError, ServerBusyError, TokenError, UnknownRepositoryError
from ..settings import CONNECT_TIMEOUT
from .index import official_url

__all__ = ["FreshToken", "OfficialConnection", "connect", "disconnect"]

PATIENCE = 120.0
"""Seconds for which a busy server is asked again, as upstream's own client does."""

READ_TIMEOUT = 120.0
"""Seconds without a byte from the server after which it counts as offline."""


class FreshToken(RemoteButlerAuthenticationProvider):
    """Authentication that reads the token again for each request and never keeps it.

    Parameters
    ----------
    server_url : `str`
        Address of the Butler server: decides which token it may see.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url

    @override
    def get_server_headers(self) -> dict[str, str]:
        token = token_for(self._server_url)
        if token is None:
            return {}
        if not (token.isascii() and token.isprintable()):
            # The HTTP client would put the whole token into its exception.
            raise TokenError(
                "The token holds characters that no token has.",
                "Copy it again into BUTLER_RUBIN_ACCESS_TOKEN, or log in to the platform again.",
            )
        return {"Authorization": f"Bearer {token}"}

    @override
    def get_datastore_headers(self) -> dict[str, str]:
        return {}


class _Failure(ButlerServerError):
    """What upstream raises for any trouble with a server, so that code that catches it goes on working."""

    def _describe(self, error: ButlerServerError) -> None:
        self.client_request_id = error.client_request_id
        self.status_code = error.status_code
        self.add_note(f"Request ID: {error.client_request_id}")


class _Offline(OfflineError, _Failure): ...


class _Token(TokenError, _Failure): ...


class _Forbidden(ForbiddenError, _Failure): ...


class _Busy(ServerBusyError, _Failure): ...


class _Unknown(UnknownRepositoryError, _Failure): ...


class OfficialConnection(RemoteButlerHttpConnection):
    """HTTP connection to an official Butler server.

    Parameters
    ----------
    label : `str`
        Label of the repository, for messages.
    server_url : `str`
        Address of the server.
    on_busy : callable, optional
        Called with the seconds to wait whenever the server asks to come back later.
    patience : `float`, optional
        Seconds for which a busy server is asked again before `ServerBusyError` is raised.
    read_timeout : `float`, optional
        Seconds without a byte from the server after which it counts as offline.
    """

    def __init__(
        self,
        label: str,
        server_url: str,
        *,
        on_busy: Callable[[float], None] | None = None,
        patience: float = PATIENCE,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        client = httpx2.Client(
            timeout=httpx2.Timeout(read_timeout, connect=CONNECT_TIMEOUT),
            event_hooks={"request": [self._watch]},
        )
        super().__init__(http_client=client, server_url=server_url, auth=FreshToken(server_url))
        self.label = label
        self.cancelled = threading.Event()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._on_busy = on_busy
        self._patience = patience

    def close(self) -> None:
        """Close the pool of connections; safe to call twice."""
        self._client.close()

    def cancel(self) -> None:
        """End all requests at once, from any thread; the connection cannot be used again.

        Whoever waits for an answer gets an `OfflineError`. Closing the pool would not do: it leaves a
        thread that is reading from a socket waiting.
        """
        self.cancelled.set()
        for connected in list(self._sockets):
            _shut(connected)

    def _watch(self, request: httpx2.Request) -> None:
        request.extensions["trace"] = self._trace

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            connected = info["return_value"].get_extra_info("socket")
            self._sockets.add(connected)
            if self.cancelled.is_set():
                _shut(connected)

    def __reduce__(self) -> tuple[Any, ...]:
        return (OfficialConnection, (self.label, self.server_url))

    def _send_request(self, request: _Request) -> httpx2.Response:
        with self._clear_errors():
            return super()._send_request(request)

    @contextmanager
    def _send_request_with_stream_response(self, request: _Request) -> Iterator[httpx2.Response]:
        with self._clear_errors(), super()._send_request_with_stream_response(request) as response:
            yield response

    def _send_with_retries(self, request: _Request, stream: bool) -> httpx2.Response:
        deadline = time.monotonic() + self._patience
        while True:
            response = self._client.send(request.request, stream=stream)
            retry = _needs_retry(response)
            remaining = deadline - time.monotonic()
            if not retry.retry or retry.delay_seconds > remaining:
                return response
            if stream:
                response.close()
            if self._on_busy is not None:
                self._on_busy(float(retry.delay_seconds))
            if self.cancelled.wait(retry.delay_seconds):
                return response

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except ButlerServerError as error:
            if isinstance(error, _Failure):
                raise
            clear = self._explain(error)
            clear._describe(error)
            raise clear from None

    def _explain(self, error: ButlerServerError) -> _Offline | _Token | _Forbidden | _Busy | _Unknown:
        name = f"the {self.label} server"
        host = urlsplit(self.server_url).netloc
        status = error.status_code
        if status == 401:
            if token_for(self.server_url) is None:
                return _Token(
                    f"There is no token for {name} ({host}).",
                    "Log in to the platform again, or set BUTLER_RUBIN_ACCESS_TOKEN, then retry.",
                )
            return _Token(
                f"The token was refused by {name}: it has expired or is not valid.",
                "Log in to the platform again, then retry.",
            )
        if status == 403:
            return _Forbidden(
                f"You may not read {self.label}.",
                _said(error) or "Ask the platform's support for access to this release.",
            )
        if status == 404:
            return _Unknown(
                f"The server at {host} does not serve {self.label}.",
                "Check the address of this label in the repository index.",
            )
        if status in (429, 503):
            wait = _retry_after(error)
            after = f" in {wait:.0f} s" if wait else " in a moment"
            return _Busy(f"{name[0].upper()}{name[1:]} is busy.", f"Try again{after}.", retry_in=wait)
        if status is None:
            cause = error.__cause__
            reason = (
                "did not answer in time"
                if isinstance(cause, httpx2.TimeoutException)
                else "cannot be reached"
            )
            return _Offline(
                f"{name[0].upper()}{name[1:]} ({host}) {reason}.",
                "Check the network, or wait until it is back; personal data can be used meanwhile.",
            )
        return _Offline(
            f"{name[0].upper()}{name[1:]} failed with status {status}.",
            f"Try again; if it stays, report request {error.client_request_id} to the platform's support.",
        )


def _shut(connected: socket.socket) -> None:
    # Of the plain socket even for an encrypted one: no farewell, which could block.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _said(error: ButlerServerError) -> str:
    """What the server itself gave as its reason, if it is fit to be shown."""
    cause = error.__cause__
    if not isinstance(cause, httpx2.HTTPStatusError):
        return ""
    try:
        detail = cause.response.json().get("detail", "")
    except Exception:  # any body may come with an error status, streamed ones cannot be read here
        return ""
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        detail = detail[0].get("msg", "")
    return scrub(detail)[:300] if isinstance(detail, str) else ""


def _retry_after(error: ButlerServerError) -> float | None:
    cause = error.__cause__
    if not isinstance(cause, httpx2.HTTPStatusError):
        return None
    try:
        return float(cause.response.headers.get("retry-after", ""))
    except ValueError:
        return None


def connect(
    label: str,
    *,
    options: ButlerInstanceOptions | None = None,
    on_busy: Callable[[float], None] | None = None,
    patience: float = PATIENCE,
    read_timeout: float = READ_TIMEOUT,
    cache: RemoteButlerCache | None = None,
) -> RemoteButler:
    """Open an official repository for reading.

    Parameters
    ----------
    label : `str`
        Label of the repository in the repository index, for example ``dp2``.
    options : `lsst.daf.butler.ButlerInstanceOptions`, optional
        Default collections and data ID values.
    on_busy : callable, optional
        Called with the seconds to wait whenever the server asks to come back later.
    patience : `float`, optional
        Seconds for which a busy server is asked again.
    read_timeout : `float`, optional
        Seconds without a byte from the server after which it counts as offline.
    cache : `RemoteButlerCache`, optional
        What several connections to one server share: pass one to save requests.

    Returns
    -------
    butler : `lsst.daf.butler.remote_butler.RemoteButler`
        The repository. Trouble with its server raises the exceptions of `python_butler.errors`
        that are at the same time upstream's ``ButlerServerError``.

    Raises
    ------
    UnknownRepositoryError
        If no official repository has this label.
    OfficialServerError
        If the server, the token or the network is in trouble.
    """
    connection = OfficialConnection(
        label, official_url(label), on_busy=on_busy, patience=patience, read_timeout=read_timeout
    )
    try:
        return RemoteButler(
            connection=connection,
            defaults=RegistryDefaults.from_butler_instance_options(options or ButlerInstanceOptions()),
            cache=cache or RemoteButlerCache(),
            use_disabled_datastore_cache=False,
        )
    except BaseException:
        connection.close()
        raise


def disconnect(butler: RemoteButler) -> None:
    """Close the connection of a Butler and its clones; upstream's own ``close`` leaves it open.

    Parameters
    ----------
    butler : `lsst.daf.butler.remote_butler.RemoteButler`
        What `connect` gave; any other is left as it is. Safe to call twice.
    """
    connection = butler._connection
    if isinstance(connection, OfficialConnection):
        connection.close()
