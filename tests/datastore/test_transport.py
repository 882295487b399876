"""Bytes come in the right order or not at all, whatever an object store answers."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest

from python_butler.datastore import transport
from python_butler.datastore.transport import Transport
from python_butler.errors import OfflineError, ServerBusyError

CONTENT = bytes(range(256)) * 400
OTHER = CONTENT[::-1]

type Answer = Callable[[BaseHTTPRequestHandler, int], None]


@pytest.fixture
def store() -> Iterator[Callable[[Answer], str]]:
    """An object store that answers as told.

    Made here, since the platform's own store cannot be brought to answer as wrongly as this.
    """
    servers = []

    def start(answer: Answer) -> str:
        count = 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                nonlocal count
                count += 1
                answer(self, count)

            def log_message(self, format: str, *args: object) -> None:
                """Stay silent."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/bucket/key?Signature=secret"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def reply(
    request: BaseHTTPRequestHandler, status: int, body: bytes, cut: int | None = None, **more: str
) -> None:
    request.send_response(status)
    request.send_header("Content-Length", str(len(body)))
    for name, value in more.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body[:cut])


def download(url: str) -> bytes:
    out = io.BytesIO()
    assert Transport("dp2").download(uuid4(), lambda renew: url, out) == len(out.getvalue())
    return out.getvalue()


def test_a_range_that_was_not_asked_for_is_not_put_after_what_is_there(
    store: Callable[[Answer], str],
) -> None:
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            reply(request, 200, CONTENT, cut=1000, ETag='"a"')
        elif number == 2:
            assert request.headers["Range"] == "bytes=1000-"
            reply(request, 206, CONTENT[500:], ETag='"a"', Content_Range="bytes 500-102399/102400")
        else:
            assert "Range" not in request.headers
            reply(request, 200, CONTENT, ETag='"a"')

    assert download(store(answer)) == CONTENT


@pytest.mark.parametrize("tag", ["", 'W/"a"'])
def test_without_a_strong_tag_a_file_is_read_again_from_its_start(
    store: Callable[[Answer], str], tag: str
) -> None:
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        assert "Range" not in request.headers
        tags = {"ETag": tag} if tag else {}
        if number == 1:
            reply(request, 200, OTHER, cut=1000, **tags)
        else:
            reply(request, 200, CONTENT, **tags)

    assert download(store(answer)) == CONTENT


def test_a_store_that_ignores_ranges_is_read_from_the_start(store: Callable[[Answer], str]) -> None:
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        reply(request, 200, CONTENT, cut=1000 if number == 1 else None, ETag='"a"')

    url = store(answer)
    assert download(url) == CONTENT
    assert Transport("dp2").fetch_range(uuid4(), lambda renew: url, 100, 200) == CONTENT[100:200]


def test_a_part_from_elsewhere_is_not_taken(store: Callable[[Answer], str]) -> None:
    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            reply(request, 206, CONTENT[:100], Content_Range="bytes 0-99/102400")
        else:
            reply(request, 206, CONTENT[100:200], Content_Range="bytes 100-199/102400")

    url = store(answer)
    assert Transport("dp2").fetch_range(uuid4(), lambda renew: url, 100, 200) == CONTENT[100:200]


def test_a_store_that_never_sends_what_it_is_asked_for_is_given_up(store: Callable[[Answer], str]) -> None:
    url = store(lambda request, number: reply(request, 206, b"xx", Content_Range="bytes 0-1/102400"))
    with pytest.raises(OfflineError, match="does not send what it is asked for"):
        Transport("dp2").fetch_range(uuid4(), lambda renew: url, 100, 200)
    with pytest.raises(OfflineError, match="does not send what it is asked for"):
        download(url)


def test_a_busy_store_is_not_overrun(store: Callable[[Answer], str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = 0

    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        nonlocal seen
        seen = number
        reply(request, 503, b"", Retry_After="0")

    monkeypatch.setattr(transport, "PATIENCE", 2.5)
    with pytest.raises(ServerBusyError):
        download(store(answer))
    assert seen <= 4


def test_another_address_is_not_followed(store: Callable[[Answer], str]) -> None:
    seen = 0

    def answer(request: BaseHTTPRequestHandler, number: int) -> None:
        nonlocal seen
        seen = number
        reply(request, 307, b"", Location="http://127.0.0.1:9/elsewhere")

    with pytest.raises(OfflineError, match="status 307"):
        download(store(answer))
    assert seen == 1
