"""Bytes from an object store: kept-alive connections, ranges, and taking up what broke off."""

from __future__ import annotations

import logging
import os
import time
import urllib.request
from collections.abc import Callable
from typing import Any, BinaryIO
from urllib.parse import urlsplit
from uuid import UUID

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError, TimeoutStateError
from urllib3.response import BaseHTTPResponse

from ..errors import ServerBusyError
from ..settings import CONNECT_TIMEOUT
from .failures import gone, refused, unreachable

__all__ = ["Transport"]

CONNECTIONS = 16
"""Connections kept open to one host."""

READ_TIMEOUT = 30.0
"""Seconds without a byte after which a connection is given up."""

PATIENCE = 120.0
"""Seconds for which a busy object store is asked again."""

SHORTEST_WAIT = 1.0
"""Seconds to wait at least before a busy object store is asked again."""

VAGUE_PATIENCE = 20.0
"""The same for one that does not say when to come back."""

ATTEMPTS = 5
"""How often in a row an answer may break off, or fail to come, without a single byte of progress."""

_COST_OF_WAITING = 3
"""As how many attempts one counts that took all of the time: nobody waits five times as long."""

_LOG = logging.getLogger(__name__)

_CHUNK = 1 << 20
_SLOW = "did not answer in time"

Sign = Callable[[bool], str]
"""Gives a signed address; a new one if its argument is true."""


class Transport:
    """Reads files of one official repository from whatever hosts its signed addresses lead to.

    Safe to use from several threads.

    Parameters
    ----------
    label : `str`
        Label of the official repository, for messages.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def download(self, dataset_id: UUID, sign: Sign, out: BinaryIO) -> int:
        """Write a whole file into another.

        Parameters
        ----------
        dataset_id : `uuid.UUID`
            The dataset, for messages.
        sign : callable
            Gives the address.
        out : file object
            Open for writing bytes, at its start.

        Returns
        -------
        size : `int`
            Bytes written.

        Raises
        ------
        python_butler.errors.GoneError
            If the file is not there.
        python_butler.errors.OfficialServerError
            If the object store is in trouble.
        """
        part = _Part(out)
        attempts = ATTEMPTS
        while True:
            response = self._ask(dataset_id, sign, part.headers)
            reason, cost = "does not send what it is asked for", 1
            try:
                if part.fits(response):
                    part.append(response)
                    return part.size
            except HTTPError as error:
                reason, cost = _reason(error), _cost(error)
            finally:
                _release(response)
            attempts = ATTEMPTS if part.has_grown() else attempts - cost
            if attempts <= 0:
                raise unreachable(self._label, dataset_id, reason)

    def fetch_range(self, dataset_id: UUID, sign: Sign, start: int, stop: int) -> bytes:
        """Read part of a file.

        Parameters
        ----------
        dataset_id, sign
            As for `download`.
        start, stop : `int`
            The first byte and the one after the last.

        Returns
        -------
        content : `bytes`
            Shorter than asked for if the file ends before.

        Raises
        ------
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `download`.
        """
        if stop <= start:
            return b""
        attempts = ATTEMPTS
        while True:
            response = self._ask(dataset_id, sign, {"Range": f"bytes={start}-{stop - 1}"})
            reason, cost = "does not send what it is asked for", 1
            try:
                if response.status == 416:
                    return b""
                if response.status == 200:
                    return response.read()[start:stop]
                if _first_byte(response) == start:
                    return response.read()
            except HTTPError as error:
                reason, cost = _reason(error), _cost(error)
            finally:
                _release(response)
            attempts -= cost
            if attempts <= 0:
                raise unreachable(self._label, dataset_id, reason)

    def length(self, dataset_id: UUID, sign: Sign) -> int:
        """Ask how long a file is.

        Parameters
        ----------
        dataset_id, sign
            As for `download`.

        Returns
        -------
        size : `int`
            Bytes in the file.

        Raises
        ------
        python_butler.errors.GoneError, python_butler.errors.OfficialServerError
            As for `download`.
        """
        # An address that is signed for GET is refused to HEAD.
        response = self._ask(dataset_id, sign, {"Range": "bytes=0-0"})
        try:
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            return int(total) if total.isdecimal() else int(response.headers.get("Content-Length", 0))
        finally:
            _release(response)

    def _ask(self, dataset_id: UUID, sign: Sign, headers: dict[str, str]) -> BaseHTTPResponse:
        """Send requests until one is answered with content, or with a failure that stays."""
        headers = {"Accept-Encoding": "identity", **headers}
        deadline = time.monotonic() + PATIENCE
        renewed = False
        for left in reversed(range(ATTEMPTS)):
            # A refusal and a wait are no attempts that failed.
            while True:
                url = sign(renewed)
                try:
                    response = self._pool(url).request("GET", url, headers=headers, preload_content=False)
                except HTTPError as error:
                    # Its text has the whole address: only the kind of failure goes on.
                    reason = _reason(error)
                    break
                status = response.status
                if status in (200, 206) or (status in (412, 416) and "Range" in headers):
                    return response
                _drain(response)
                if status == 404:
                    raise gone(self._label, dataset_id)
                if status in (400, 401, 403):
                    if renewed:
                        raise refused(self._label, dataset_id, status)
                    renewed = True
                elif status in (429, 503):
                    self._wait(response, deadline)
                elif status < 500:
                    raise unreachable(self._label, dataset_id, f"failed with status {status}")
                else:
                    reason = f"failed with status {status}"
                    break
            if not left or reason == _SLOW:
                break
            time.sleep(0.1 * 2 ** (ATTEMPTS - 1 - left))
        raise unreachable(self._label, dataset_id, reason)

    def _wait(self, busy: BaseHTTPResponse, deadline: float) -> None:
        try:
            seconds = max(SHORTEST_WAIT, float(busy.headers.get("Retry-After", "")))
        except ValueError:
            # It does not say when it is worth asking again: not for so long.
            seconds, deadline = SHORTEST_WAIT, deadline - PATIENCE + VAGUE_PATIENCE
        if time.monotonic() + seconds > deadline:
            raise ServerBusyError(
                f"The object store of {self._label} is busy.",
                f"Try again in {seconds:.0f} s.",
                retry_in=seconds,
            )
        _LOG.warning("The object store of %s is busy; asking again in %.0f s.", self._label, seconds)
        time.sleep(seconds)

    def _pool(self, url: str) -> urllib3.PoolManager:
        """Connections to a host, through the proxy that the environment names for it."""
        parts = urlsplit(url)
        proxy = None
        if parts.hostname and not urllib.request.proxy_bypass(parts.hostname):
            proxy = urllib.request.getproxies().get(parts.scheme)
        pool = self._pools.get(proxy)
        if pool is None:
            settings: dict[str, Any] = {
                "num_pools": 8,
                "maxsize": CONNECTIONS,
                "retries": urllib3.Retry(False),
                "timeout": urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
                # The same variable as upstream's own client reads.
                "ca_certs": os.environ.get("LSST_HTTP_CACERT_BUNDLE") or None,
            }
            made = urllib3.ProxyManager(proxy, **settings) if proxy else urllib3.PoolManager(**settings)
            pool = self._pools.setdefault(proxy, made)
        return pool


class _Part:
    """What has been written of a file so far.

    Parameters
    ----------
    out : file object
        Where it is written to.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size = 0
        self._furthest = 0
        self._tag = ""

    @property
    def headers(self) -> dict[str, str]:
        """Ask for the rest; for the whole if nothing tells that it would be the rest of the same file."""
        if not self.size or not self._tag or self._tag.startswith("W/"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Match": self._tag}

    def fits(self, response: BaseHTTPResponse) -> bool:
        """Tell whether an answer can be written after what is there; if need be, begin anew."""
        if response.status == 206 and self.size and _first_byte(response) == self.size:
            return True
        self._out.seek(0)
        self._out.truncate()
        self.size = 0
        return response.status == 200

    def append(self, response: BaseHTTPResponse) -> None:
        """Write an answer, as far as it comes."""
        self._tag = response.headers.get("ETag", "")
        # A read that waits for a full chunk would lose what came before the end.
        while chunk := response.read1(_CHUNK):
            self._out.write(chunk)
            self.size += len(chunk)

    def has_grown(self) -> bool:
        """Tell whether there is more than ever before."""
        grown = self.size > self._furthest
        self._furthest = max(self._furthest, self.size)
        return grown


def _first_byte(response: BaseHTTPResponse) -> int | None:
    """Where in the file a partial answer begins; `None` if it does not say."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _release(response: BaseHTTPResponse) -> None:
    """Give a connection back; one with unread content is closed, since reading on could take long."""
    if response.closed:
        response.release_conn()
    else:
        response.close()


def _drain(response: BaseHTTPResponse) -> None:
    """Read a short answer to its end, so that the connection can be used again."""
    try:
        response.drain_conn()
    finally:
        response.release_conn()


def _cost(error: HTTPError) -> int:
    return _COST_OF_WAITING if _reason(error) == _SLOW else 1


def _reason(error: HTTPError) -> str:
    # Which counts as a kind of timeout in urllib3.
    if isinstance(error, NewConnectionError):
        return "cannot be reached"
    if isinstance(error, TimeoutError | TimeoutStateError):
        return _SLOW
    if isinstance(error, urllib3.exceptions.SSLError):
        return "has a certificate that is not trusted here"
    return "broke off its answer"
