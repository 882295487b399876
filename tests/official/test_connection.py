"""Reaching an official repository: fresh tokens, visible waiting, clear errors.

A server that is busy, fails or breaks off at will is scripted here on loopback: the real one does none
of that on request. The real one is used in the tests of the federation.
"""

from __future__ import annotations

import contextlib
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from lsst.daf.butler import DimensionUniverse
from lsst.daf.butler.remote_butler._http_connection import ButlerServerError

from python_butler.errors import (
    BrokenOffError,
    ErrorKind,
    ForbiddenError,
    OfficialServerError,
    OfflineError,
    ServerBusyError,
    TokenError,
    UnknownRepositoryError,
)
from python_butler.official import OfficialConnection, connect, known_repositories, official_url

TOKEN = "gt-AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB"
UNIVERSE = {"universe": DimensionUniverse().dimensionConfig.toDict()}
Answer = tuple[int, dict[str, str], Any]


class Scripted:
    """Server whose answers are set beforehand, none for status 0; the last one is repeated."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.url = f"http://127.0.0.1:{server.server_port}/api/butler/repo/dp2"
        self.answers: list[Answer] = [(200, {}, UNIVERSE)]
        self.tokens: list[str | None] = []
        self.released = threading.Event()

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextlib.contextmanager
def serving() -> Iterator[Scripted]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script.tokens.append(self.headers.get("Authorization"))
            status, headers, body = script.next()
            if not status:
                self.close_connection = True
                return
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            if "X-Then" in headers:
                script.released.wait(30)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    script = Scripted(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", TOKEN)
    with serving() as script:
        yield script


@pytest.fixture
def other() -> Iterator[Scripted]:
    """Another server, which no label leads to."""
    with serving() as script:
        yield script


@pytest.fixture
def connection(scripted: Scripted) -> Iterator[OfficialConnection]:
    connection = OfficialConnection("dp2", scripted.url)
    yield connection
    connection.close()


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    monkeypatch.delenv("DAF_BUTLER_REPOSITORIES", raising=False)
    monkeypatch.delenv("DAF_BUTLER_REPOSITORY_INDEX", raising=False)

    def write(**repositories: str) -> None:
        file = tmp_path / "index.yaml"
        file.write_text("".join(f"{label}: {url}\n" for label, url in repositories.items()))
        monkeypatch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(file))

    return write


def test_official_repositories_are_those_served_over_http(index: Callable[..., None], tmp_path: Path) -> None:
    index(dp2="https://data.lsst.cloud/api/butler/repo/dp2/butler.yaml", mine=str(tmp_path))
    assert known_repositories() == {"dp2": "https://data.lsst.cloud/api/butler/repo/dp2"}
    assert official_url("dp2") == "https://data.lsst.cloud/api/butler/repo/dp2"


def test_an_unknown_label_names_the_known_ones(index: Callable[..., None]) -> None:
    index(dp1="https://host/dp1", dp2="https://host/dp2")
    with pytest.raises(UnknownRepositoryError, match=r"'dp3'.*dp1, dp2"):
        connect("dp3")


def test_without_an_index_the_error_says_what_to_set(index: Callable[..., None]) -> None:
    with pytest.raises(UnknownRepositoryError, match="DAF_BUTLER_REPOSITORY_INDEX"):
        official_url("dp2")


def test_opening_asks_the_server_once(index: Callable[..., None], scripted: Scripted) -> None:
    index(dp2=f"{scripted.url}/butler.yaml")
    assert connect("dp2").dimensions.version == DimensionUniverse().version
    assert scripted.tokens == [f"Bearer {TOKEN}"]


def test_the_token_is_read_anew_for_each_request(
    connection: OfficialConnection, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.get("universe")
    monkeypatch.setenv("BUTLER_RUBIN_ACCESS_TOKEN", "gt-renewed")
    connection.get("universe")
    monkeypatch.delenv("BUTLER_RUBIN_ACCESS_TOKEN")
    connection.get("universe")
    assert scripted.tokens == [f"Bearer {TOKEN}", "Bearer gt-renewed", None]


@pytest.mark.parametrize(
    ("status", "error", "kind", "message"),
    [
        (401, TokenError, ErrorKind.TOKEN, "refused by the dp2 server"),
        (403, ForbiddenError, ErrorKind.FORBIDDEN, "may not read dp2"),
        (404, UnknownRepositoryError, ErrorKind.UNKNOWN_REPOSITORY, "does not serve dp2"),
        (429, ServerBusyError, ErrorKind.BUSY, "dp2 server takes no more requests of yours"),
        (503, OfflineError, ErrorKind.OFFLINE, "is not available now"),
        (500, OfflineError, ErrorKind.OFFLINE, "failed with status 500"),
    ],
)
def test_each_status_is_told_apart(
    connection: OfficialConnection,
    scripted: Scripted,
    status: int,
    error: type[Exception],
    kind: ErrorKind,
    message: str,
) -> None:
    scripted.answers = [(status, {}, {"detail": "because"})]
    with pytest.raises(error, match=message) as caught:
        connection.get("universe")
    assert isinstance(caught.value, ButlerServerError)
    assert caught.value.status_code == status
    assert getattr(caught.value, "kind", None) is kind
    assert getattr(caught.value, "next_step", "")
    assert any(caught.value.client_request_id in note for note in caught.value.__notes__)
    assert caught.value.__suppress_context__


def test_a_server_that_sends_elsewhere_is_not_followed(
    connection: OfficialConnection, scripted: Scripted, other: Scripted
) -> None:
    scripted.answers = [(302, {"Location": f"{other.url}/v1/universe"}, {})]
    with pytest.raises(OfficialServerError):
        connection.get("universe")
    assert scripted.tokens == [f"Bearer {TOKEN}"]
    assert other.tokens == []


def test_what_the_server_says_of_a_refusal_is_passed_on_without_secrets(
    connection: OfficialConnection, scripted: Scripted
) -> None:
    scripted.answers = [(403, {}, {"detail": f"Join g_dp2; token {TOKEN} lacks it"})]
    with pytest.raises(ForbiddenError, match="Join g_dp2") as caught:
        connection.get("universe")
    assert TOKEN not in str(caught.value)


def test_a_busy_server_is_asked_again_when_it_wants_to_be(scripted: Scripted) -> None:
    waits: list[float] = []
    connection = OfficialConnection("dp2", scripted.url, on_busy=waits.append)
    scripted.answers = [(429, {"Retry-After": "1"}, {}), (503, {"Retry-After": "0"}, {}), (200, {}, UNIVERSE)]
    begin = time.monotonic()
    assert connection.get("universe").status_code == 200
    # One that wants to be asked again at once is not overrun.
    assert time.monotonic() - begin >= 2.0
    assert waits == [1.0, 1.0]
    connection.close()


@pytest.mark.parametrize(("status", "message"), [(429, "requests of yours"), (503, "is overloaded")])
def test_patience_ends(scripted: Scripted, status: int, message: str) -> None:
    connection = OfficialConnection("dp2", scripted.url, patience=0.5)
    scripted.answers = [(status, {"Retry-After": "30"}, {})]
    begin = time.monotonic()
    with pytest.raises(ServerBusyError, match=f"{message}.*in 30 s") as caught:
        connection.get("universe")
    assert caught.value.retry_in == 30.0
    assert time.monotonic() - begin < 25.0
    connection.close()


def test_a_sign_of_life_is_not_waited_for(connection: OfficialConnection, scripted: Scripted) -> None:
    connection.probe()
    scripted.answers = [(503, {"Retry-After": "100"}, {})]
    begin = time.monotonic()
    with pytest.raises(ServerBusyError):
        connection.probe()
    assert time.monotonic() - begin < 60.0


def test_waiting_ends_when_it_is_cancelled(scripted: Scripted) -> None:
    connection: OfficialConnection

    def cancel(seconds: float) -> None:
        connection.cancelled.set()

    connection = OfficialConnection("dp2", scripted.url, on_busy=cancel)
    scripted.answers = [(429, {"Retry-After": "60"}, {})]
    begin = time.monotonic()
    with pytest.raises(ServerBusyError):
        connection.get("universe")
    assert time.monotonic() - begin < 30.0
    connection.close()


def test_nobody_at_the_address_is_offline(scripted: Scripted) -> None:
    connection = OfficialConnection("dp2", "http://127.0.0.1:1/api/butler/repo/dp2")
    with pytest.raises(OfflineError, match="cannot be reached"):
        connection.get("universe")
    connection.close()


def test_a_broken_answer_is_offline(connection: OfficialConnection, scripted: Scripted) -> None:
    scripted.answers = [(200, {"Content-Length": "5000"}, b"{")]
    with pytest.raises(OfflineError, match="broke off in the middle of its answer"):
        connection.get("universe")


def test_a_query_whose_answer_is_broken_off_makes_nobody_offline(
    connection: OfficialConnection, scripted: Scripted
) -> None:
    lost: list[OfflineError] = []
    connection.on_offline = lost.append
    scripted.answers = [(429, {"Retry-After": "1"}, {}), (200, {"Content-Length": "5000"}, b"{")]
    with pytest.raises(BrokenOffError, match=r"broke off .* Try again\..* ask for less") as caught:
        connection.get("query/any")
    assert isinstance(caught.value, ButlerServerError)
    assert not isinstance(caught.value, OfflineError)
    assert lost == []


@pytest.mark.parametrize(
    ("then", "kind"), [((200, {}, UNIVERSE), BrokenOffError), ((0, {}, {}), OfflineError)], ids=["up", "down"]
)
def test_a_query_that_is_hung_up_on_makes_nobody_offline_whose_server_still_answers(
    connection: OfficialConnection, scripted: Scripted, then: Answer, kind: type[Exception]
) -> None:
    lost: list[OfflineError] = []
    connection.on_offline = lost.append
    scripted.answers = [(0, {}, {}), then]
    with pytest.raises(kind, match=r"Try again|Check the network"):
        connection.get("query/any")
    assert bool(lost) is (kind is OfflineError)


def test_a_busy_server_that_is_gone_when_it_is_asked_again_is_offline(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_away(seconds: float) -> None:
        # What answered before is out of reach now.
        monkeypatch.setattr(httpx2.HTTPTransport, "handle_request", refuse)

    def refuse(*_: object) -> None:
        raise httpx2.ConnectError("refused")

    connection = OfficialConnection("dp2", scripted.url, on_busy=go_away)
    scripted.answers = [(429, {"Retry-After": "1"}, {})]
    with pytest.raises(OfflineError, match="cannot be reached"):
        connection.get("query/any")
    connection.close()


def test_a_silent_server_is_offline(scripted: Scripted) -> None:
    connection = OfficialConnection("dp2", scripted.url, read_timeout=0.3)
    scripted.answers = [(200, {"Content-Length": "5000", "X-Then": "silence"}, b"{")]
    with pytest.raises(OfflineError, match="did not answer in time"):
        connection.get("universe")
    scripted.released.set()
    connection.close()


def test_a_connection_is_pickled_without_its_token(
    connection: OfficialConnection, scripted: Scripted
) -> None:
    connection.get("universe")
    pickled = pickle.dumps(connection)
    assert TOKEN.encode() not in pickled
    copy = pickle.loads(pickled)
    assert copy.get("universe").status_code == 200
    copy.close()
