"""Trouble on demand, and a record of what was asked: around either service of the platform.

Tests say what shall go wrong through the pipe that a service has from its parent, so that a client sees
it as it sees real trouble: over the network, from a server that knows nothing of it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any, Literal, get_args

from .child import Application

__all__ = ["CLOCK_OFFSET", "Seen", "ServiceName", "Trouble", "Troublesome"]

CLOCK_OFFSET = "python_butler.clock_offset"
"""Key of an ASGI scope: seconds by which the clock that judges this request is ahead."""

ServiceName = Literal["server", "store"]
"""The Butler server, or the object store with the files."""

_LONGEST_RECORD = 20_000

_STORE_CODES = {403: "AccessDenied", 404: "NoSuchKey", 429: "TooManyRequests", 503: "SlowDown"}

type _Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Trouble:
    """What shall happen to some requests, in the order: delay, then answer or body.

    Attributes
    ----------
    path : `str`
        Regular expression that is searched for in the path of the request.
    method : `str` or `None`
        Only requests of this method.
    after : `int`
        How many matching requests get through before the first that does not.
    times : `int` or `None`
        How many requests it happens to; all if `None`.
    delay : `float`
        Seconds before anything else happens.
    hang : `bool`
        Never answer; with ``cut_after``, never go on after that many bytes.
    status : `int` or `None`
        Answer this instead of what the service would.
    headers : `dict` [`str`, `str`]
        Further headers of that answer.
    body : `str` or `None`
        Body of that answer; if `None`, one of the form in which the service tells of errors.
    cut_after : `int` or `None`
        Close the connection after so many bytes of the body; the headers promise the whole.
    spoil : `bool`
        Send a body of the right length with every byte wrong.
    clock_offset : `float`
        Seconds by which the store's clock is ahead when it looks at the signature.
    """

    path: str = ""
    method: str | None = None
    after: int = 0
    times: int | None = None
    delay: float = 0.0
    hang: bool = False
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    cut_after: int | None = None
    spoil: bool = False
    clock_offset: float = 0.0

    def strikes(self, scope: Mapping[str, Any]) -> bool:
        """Tell whether it happens to this request, and count it."""
        if self.method not in (None, scope["method"]) or not re.search(self.path, scope["path"]):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@dataclass
class Seen:
    """One request that reached a service.

    Attributes
    ----------
    service : `str`
        ``server`` or ``store``.
    method, path : `str`
        What was asked, without the query, which may hold a signature.
    status : `int` or `None`
        Status of the answer; `None` if there was none.
    authorization : `str` or `None`
        Scheme of the ``Authorization`` header, such as ``Bearer``.
    token : `bool`
        Whether a token of the platform came with it, wherever: in any header, the path or the query.
    range : `str` or `None`
        The ``Range`` header.
    sent : `int`
        Bytes of the body of the answer.
    """

    service: ServiceName
    method: str
    path: str
    status: int | None = None
    authorization: str | None = None
    token: bool = False
    range: str | None = None
    sent: int = 0


class Troublesome:
    """ASGI application that makes trouble for another, and keeps a record of all requests.

    Parameters
    ----------
    application : `Application`
        The service itself.
    service : `str`
        Which it is: ``server`` or ``store``.
    internal : `str`, optional
        Path that the platform asks itself: it is neither troubled nor recorded.
    """

    def __init__(self, application: Application, service: ServiceName, internal: str | None = None) -> None:
        assert service in get_args(ServiceName)
        self._application = application
        self._service: ServiceName = service
        self._internal = internal
        self._troubles: list[Trouble] = []
        self._seen: deque[Seen] = deque(maxlen=_LONGEST_RECORD)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or scope["path"] == self._internal:
            await self._application(scope, receive, send)
            return
        seen = self._record(scope)

        async def recording(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
            else:
                seen.sent += len(message.get("body", b""))
            await send(message)

        trouble = next((trouble for trouble in self._troubles if trouble.strikes(scope)), None)
        if trouble is None:
            await self._application(scope, receive, recording)
        else:
            await self._make_trouble(trouble, scope, receive, recording)

    def command(self, command: dict[str, Any]) -> Any:
        """Obey: ``{"trouble": {…}}``, ``{"calm": true}``, ``{"requests": forget}``; the service knows others.

        Returns
        -------
        answer : object
            For ``requests`` the recorded ones, the oldest first; they are dropped if told to forget.
        """
        if "trouble" in command:
            self._troubles.append(Trouble(**command["trouble"]))
        elif "calm" in command:
            self._troubles.clear()
        elif "requests" in command:
            requests = [asdict(seen) for seen in self._seen]
            if command["requests"]:
                self._seen.clear()
            return requests
        else:
            return self._application.command(command)
        return "ok"

    def _record(self, scope: Mapping[str, Any]) -> Seen:
        headers = dict(scope["headers"])
        everything = b"\n".join([*headers.values(), scope["raw_path"], scope["query_string"]])
        seen = Seen(
            service=self._service,
            method=scope["method"],
            path=scope["path"],
            authorization=_text(headers.get(b"authorization"), first_word=True),
            token=b"gt-" in everything,
            range=_text(headers.get(b"range")),
        )
        self._seen.append(seen)
        return seen

    async def _make_trouble(self, trouble: Trouble, scope: Any, receive: Any, send: _Send) -> None:
        await asyncio.sleep(trouble.delay)
        if trouble.hang and trouble.cut_after is None:
            await _until_given_up(receive)
            return
        send = _with_bad_body(trouble, send)
        if trouble.status is not None:
            await self._answer(trouble, trouble.status, scope["method"], send)
        else:
            await self._application({**scope, CLOCK_OFFSET: trouble.clock_offset}, receive, send)
        # If the body is not complete, the connection is closed as soon as this returns.
        if trouble.hang:
            await _until_given_up(receive)

    async def _answer(self, trouble: Trouble, status: int, method: str, send: _Send) -> None:
        if trouble.body is not None:
            kind, body = "text/plain", trouble.body
        elif self._service == "store":
            code = _STORE_CODES.get(status, "InternalError")
            kind, body = (
                "application/xml",
                f"<Error><Code>{code}</Code><Message>As a test wants.</Message></Error>",
            )
        else:
            kind, body = "application/json", json.dumps({"detail": HTTPStatus(status).phrase})
        headers = {"content-type": kind, "content-length": str(len(body.encode())), **trouble.headers}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body.encode()})


def _with_bad_body(trouble: Trouble, send: _Send) -> _Send:
    """Spoil the body on its way, or end it early."""
    left = trouble.cut_after

    async def sending(message: dict[str, Any]) -> None:
        nonlocal left
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            if trouble.spoil:
                body = bytes(byte ^ 0xFF for byte in body)
            if left is not None:
                # Without a last piece the answer stays incomplete.
                message, body = {**message, "more_body": True}, body[:left]
                left -= len(body)
            message = {**message, "body": body}
        await send(message)

    return sending


async def _until_given_up(receive: Callable[[], Awaitable[dict[str, Any]]]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _text(value: bytes | None, *, first_word: bool = False) -> str | None:
    if value is None:
        return None
    text = value.decode("latin-1")
    return text.partition(" ")[0] if first_word else text
