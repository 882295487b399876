"""A `RemoteButler` whose token is always fresh, whose waiting is visible and whose errors are clear."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeGuard, override
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
from ..errors import (
    BrokenOffError,
    ForbiddenError,
    OfflineError,
    QueryFailedError,
    ServerBusyError,
    TokenError,
    UnknownRepositoryError,
)
from ..settings import CONNECT_TIMEOUT
from .index import official_url

__all__ = ["FreshToken", "OfficialConnection", "connect", "disconnect", "streaming_turn"]

_LOG = logging.getLogger(__name__)

PATIENCE = 120.0
"""Seconds for which a busy server is asked again, as upstream's own client does."""

SHORTEST_WAIT = 1.0
"""Seconds to wait at least before a busy server is asked again."""

QUERIES = 2
"""Queries whose rows a server streams to one user at once; it turns away more."""

QUERY_WAIT = 5.0
"""Seconds for which threads wait for each other's queries, as the server would make them."""

READ_TIMEOUT = 120.0
"""Seconds without a byte from the server after which it counts as offline, at most."""

streaming_turn: ContextVar[Callable[[str], AbstractContextManager[None]] | None] = ContextVar(
    "streaming_turn", default=None
)
"""For connections made in this context: given a label, what each streaming query waits for before it begins,
where others of the same person ask the same server. Without it nothing is waited for."""

_TIMEOUTS = (
    # The server gives a sign of life every 15 seconds.
    (re.compile(r"/v1/query/(execute|all_datasets)$"), 45.0),
    (re.compile(r"/v1/query/"), READ_TIMEOUT),
    (re.compile(r"/v1/(query_collection_info|query_dataset_types|file_transfer|datasets)$"), 30.0),
    (re.compile(r"/v1/"), 10.0),
)
"""For the path of a request, seconds without a byte after which nothing more is to be expected."""

_QUERY = re.compile(r"/v1/query/")
"""Path of a request that asks what somebody thought of, which a server may be unable to answer."""

_ANSWERING = "python_butler_answering"
"""Set in the extensions of a request when the head of its answer has come."""


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


class _BrokenOff(BrokenOffError, _Failure): ...


class _QueryFailed(QueryFailedError, _Failure): ...


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
        Called with the seconds to wait whenever the server asks to come back later; a warning is logged
        if not given.
    patience : `float`, optional
        Seconds for which a busy server is asked again before `ServerBusyError` is raised.
    read_timeout : `float`, optional
        Seconds without a byte from the server after which it counts as offline, at most: for what is
        answered by a look-up it is less.
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
        self._read_timeout = read_timeout
        super().__init__(http_client=self._new_client(), server_url=server_url, auth=FreshToken(server_url))
        self.label = label
        self.cancelled = threading.Event()
        self._queries = threading.Semaphore(QUERIES)
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._on_busy = on_busy or partial(_warn_of_waiting, label)
        self._patience = patience
        # Kept, since the threads in which the queries run have contexts of their own.
        self._turn = streaming_turn.get()
        self.on_offline: Callable[[OfflineError], None] | None = None
        """Called whenever the server turns out to be out of reach."""
        _connections.add(self)

    def _new_client(self) -> httpx2.Client:
        return httpx2.Client(
            timeout=httpx2.Timeout(self._read_timeout, connect=CONNECT_TIMEOUT),
            event_hooks={"request": [self._watch]},
        )

    def start_anew(self) -> None:
        """In a forked process: leave what is connected to the parent, and connect anew."""
        # Kept, since closing it would say farewell on the parent's connections.
        _inherited.append(self._client)
        self._client = self._new_client()
        self._queries = threading.Semaphore(QUERIES)
        self._sockets = weakref.WeakSet()

    def close(self) -> None:
        """Close the pool of connections; safe to call twice."""
        self._client.close()

    def probe(self) -> None:
        """Ask for a sign of life, without patience for a server that is busy.

        Raises
        ------
        python_butler.errors.OfficialServerError, python_butler.errors.UnknownRepositoryError
            If the server is away, or in trouble.
        """
        with contextlib.closing(OfficialConnection(self.label, self.server_url, patience=0)) as impatient:
            impatient.get("universe")

    def _is_there(self) -> bool:
        try:
            self.probe()
        except ButlerServerError:
            return False
        return True

    def cancel(self) -> None:
        """End all requests at once, from any thread; the connection cannot be used again.

        Whoever waits for an answer gets an `OfflineError`. Closing the pool would not do: it leaves a
        thread that is reading from a socket waiting.
        """
        self.cancelled.set()
        for connected in list(self._sockets):
            _shut(connected)

    def _watch(self, request: httpx2.Request) -> None:
        # It may be sent once more, to a server that was busy.
        request.extensions.pop(_ANSWERING, None)
        request.extensions["trace"] = partial(self._trace, request)

    def _trace(self, request: httpx2.Request, event: str, info: dict[str, Any]) -> None:
        if event.endswith("receive_response_headers.complete"):
            request.extensions[_ANSWERING] = True
        elif event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            connected = info["return_value"].get_extra_info("socket")
            self._sockets.add(connected)
            if self.cancelled.is_set():
                _shut(connected)

    def __reduce__(self) -> tuple[Any, ...]:
        return (OfficialConnection, (self.label, self.server_url))

    def _send_request(self, request: _Request) -> httpx2.Response:
        with self._clear_errors():
            response = super()._send_request(request)
        self._check_is_json(request, response)
        return response

    @contextmanager
    def _send_request_with_stream_response(self, request: _Request) -> Iterator[httpx2.Response]:
        # A server would turn away the third, to ask again in some seconds. One thread that leaves a query
        # open, or opens one within another, may still be turned away, and wait.
        free = self._queries.acquire(timeout=QUERY_WAIT)
        try:
            with (
                self._turn(self.label) if self._turn is not None else contextlib.nullcontext(),
                self._clear_errors(),
                super()._send_request_with_stream_response(request) as response,
            ):
                self._check_is_json(request, response)
                yield response
        finally:
            if free:
                self._queries.release()

    def _send_with_retries(self, request: _Request, stream: bool) -> httpx2.Response:
        deadline = time.monotonic() + self._patience
        request.request.extensions["timeout"]["read"] = self._timeout_of(request.request.url.path)
        while True:
            response = self._client.send(request.request, stream=stream)
            retry = _needs_retry(response)
            # A server may name no time at all, and be overrun.
            delay = max(SHORTEST_WAIT, float(retry.delay_seconds))
            if not retry.retry or delay > deadline - time.monotonic():
                return response
            if stream:
                response.close()
            self._on_busy(delay)
            if self.cancelled.wait(delay):
                return response

    def _check_is_json(self, request: _Request, response: httpx2.Response) -> None:
        if "json" in response.headers.get("content-type", "json"):
            return
        # A page to log in at, or of a proxy, may come with a status that says that all is well.
        strange = _Offline(
            f"What answers at {urlsplit(self.server_url).netloc} is no Butler server.",
            f"Log in to the network if it asks for that, or check the address of {self.label}.",
        )
        strange._describe(ButlerServerError(client_request_id=request.request_id))
        raise strange

    def _timeout_of(self, path: str) -> float:
        usual = next((seconds for pattern, seconds in _TIMEOUTS if pattern.search(path)), READ_TIMEOUT)
        return min(self._read_timeout, usual)

    @contextmanager
    def _clear_errors(self) -> Iterator[None]:
        try:
            yield
        except ButlerServerError as error:
            if isinstance(error, _Failure):
                raise
            clear = self._explain(error)
            clear._describe(error)
            if isinstance(clear, OfflineError) and error.status_code in (None, 503) and self.on_offline:
                self.on_offline(clear)
            raise clear from None

    def _explain(
        self, error: ButlerServerError
    ) -> _Offline | _QueryFailed | _BrokenOff | _Token | _Forbidden | _Busy | _Unknown:
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
        wait = _retry_after(error)
        if status == 429 or (status == 503 and wait is not None):
            what = "takes no more requests of yours for now" if status == 429 else "is overloaded"
            after = f" in {wait:.0f} s" if wait else " in a moment"
            return _Busy(f"{name[0].upper()}{name[1:]} {what}.", f"Try again{after}.", retry_in=wait)
        if status == 503:
            # So says what stands before a server that is away: one that is busy names a time.
            return _Offline(
                f"{name[0].upper()}{name[1:]} ({host}) is not available now (status 503).",
                "Wait until it is back; personal data can be used meanwhile.",
            )
        if status is None:
            cause = error.__cause__
            if isinstance(cause, httpx2.TimeoutException):
                reason = "did not answer in time"
            elif not _was_answering(cause):
                if _was_hung_up_on(cause) and not self.cancelled.is_set() and self._is_there():
                    return _BrokenOff(
                        f"{name[0].upper()}{name[1:]} ({host}) closed the connection instead of answering a "
                        "query.",
                        "Try again. If the same query fails again, ask in another way: the server may not "
                        "understand it.",
                    )
                reason = "cannot be reached"
            elif _QUERY.search(cause.request.url.path) and not self.cancelled.is_set():
                return _BrokenOff(
                    f"{name[0].upper()}{name[1:]} ({host}) broke off in the middle of its answer.",
                    "Try again. If the same query breaks off again, the server may be unable to answer it: "
                    "ask for less at once, or in another way.",
                )
            else:
                reason = "broke off in the middle of its answer"
            return _Offline(
                f"{name[0].upper()}{name[1:]} ({host}) {reason}.",
                "Check the network, or wait until it is back; personal data can be used meanwhile.",
            )
        # A server that fails at one query, or takes too long for a gateway, may be well otherwise.
        one_query = status in (500, 504) and _is_query(error.__cause__)
        return (_QueryFailed if one_query else _Offline)(
            f"{name[0].upper()}{name[1:]} failed with status {status}.",
            f"Try again; if it stays, report request {error.client_request_id} to the platform's support.",
        )


def _was_answering(error: BaseException | None) -> TypeGuard[httpx2.TransportError]:
    """Whether a request failed after the server had begun to answer it."""
    return isinstance(error, httpx2.TransportError) and _ANSWERING in error.request.extensions


def _was_hung_up_on(error: BaseException | None) -> bool:
    """Whether a query was sent, and the connection closed."""
    if not isinstance(error, httpx2.ReadError | httpx2.RemoteProtocolError):
        return False
    return bool(_QUERY.search(error.request.url.path))


def _is_query(error: BaseException | None) -> bool:
    """Whether an answer is that to a query."""
    return isinstance(error, httpx2.HTTPStatusError) and bool(_QUERY.search(error.request.url.path))


_connections: weakref.WeakSet[OfficialConnection] = weakref.WeakSet()
_inherited: list[httpx2.Client] = []


def _start_anew() -> None:
    for connection in list(_connections):
        connection.start_anew()


os.register_at_fork(after_in_child=_start_anew)


def _warn_of_waiting(label: str, seconds: float) -> None:
    _LOG.warning("The %s server is busy; asking again in %.0f s.", label, seconds)


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
