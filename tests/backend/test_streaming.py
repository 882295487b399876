"""Streams of rows: back-pressure, being superseded, and the client going away."""

from __future__ import annotations

import contextlib
import json
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy
from lsst.daf.butler import Butler
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.backend.interrupting import Interrupter
from python_butler.backend.streaming import Cancelled, Sink
from python_butler.demo.platform import Platform
from python_butler.errors import ServerBusyError
from python_butler.official import connect
from tests.processes import PATIENCE

from .conftest import Backend, in_thread, wait_until
from .small import BIG_RUN

LIST = "/repositories/{}/dp2/datasets"


class Listing:
    """A long list whose client has taken the first line and no more."""

    def __init__(self, backend: Backend, kind: str, stack: contextlib.ExitStack) -> None:
        client = stack.enter_context(backend.new_client())
        self.stack = contextlib.ExitStack()
        stack.enter_context(self.stack)
        parameters: dict[str, str | int] = {
            "collection": BIG_RUN,
            "dataset_type": "visit_image",
            "limit": 20_000,
        }
        self.response = self.stack.enter_context(client.stream("GET", LIST.format(kind), params=parameters))
        assert self.response.status_code == 200
        self._lines = self.response.iter_lines()
        self.first = json.loads(next(self._lines))

    def rest(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines]

    def leave(self) -> None:
        self.stack.close()


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def free_slots(platform: Platform, monkeypatch: pytest.MonkeyPatch, stack: contextlib.ExitStack) -> int:
    """How many of the user's two streaming queries the server would still take."""
    for name, value in platform.environment.items():
        monkeypatch.setenv(name, value)
    results: list[Iterator[object]] = []
    with contextlib.ExitStack() as queries:
        for free in range(2):
            butler = connect("dp2", patience=0)
            queries.callback(butler._connection.close)
            query = queries.enter_context(butler.query())
            # Kept, since a result that is dropped gives its slot back.
            results.append(iter(query.datasets("visit_image", BIG_RUN)))
            try:
                next(results[-1])
            except ServerBusyError:
                return free
    return 2


def test_a_newer_list_of_an_official_repository_ends_the_older_which_can_be_taken_up_again(
    backend: Backend, stack: contextlib.ExitStack
) -> None:
    older = Listing(backend, "official", stack)
    newer = backend.page("official", "LSSTCam/runs/a", "visit_image", limit=10)
    assert [event["event"] for event in newer] == ["rows", "end"]
    assert not newer[-1]["superseded"]
    events = [older.first, *older.rest()]
    assert events[-1]["event"] == "end"
    assert events[-1]["superseded"]
    rows = [row for event in events[:-1] for row in event["rows"]]
    assert 0 < len(rows) < 20_000
    # It may have been ended so early that a page does not hold the rest.
    more, cursor = [], events[-1]["next_cursor"]
    while cursor is not None:
        *page, end = backend.page("official", BIG_RUN, "visit_image", limit=20_000, cursor=cursor)
        more += page
        cursor = end["next_cursor"]
    rows += [row for event in more for row in event["rows"]]
    assert len(rows) == len({row["id"] for row in rows}) == 21_000


def test_lists_of_a_personal_repository_do_not_disturb_each_other(
    backend: Backend, stack: contextlib.ExitStack
) -> None:
    older = Listing(backend, "personal", stack)
    assert backend.page("personal", "LSSTCam/runs/a", "visit_image", limit=10)[-1]["event"] == "end"
    events = [older.first, *older.rest()]
    assert sum(len(event["rows"]) for event in events[:-1]) == 20_000
    assert not events[-1]["superseded"]


def test_a_client_that_leaves_gives_its_query_slot_back(
    official: Platform,
    start_backend: Callable[..., Backend],
    monkeypatch: pytest.MonkeyPatch,
    stack: contextlib.ExitStack,
) -> None:
    backend = start_backend(official)
    listing = Listing(backend, "official", stack)
    assert listing.first["event"] == "rows"
    listing.leave()
    wait_until(lambda: free_slots(official, monkeypatch, stack) == 2)


def test_a_query_that_the_server_does_not_answer_is_superseded_at_once(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    backend.page("official", "LSSTCam/runs/a", "visit_image", limit=1)
    own_official.set_latency(24)
    outcomes: queue.Queue[Any] = queue.Queue()
    for limit in (2, 3):
        in_thread(
            lambda n=limit: outcomes.put(backend.page("official", "LSSTCam/runs/a", "visit_image", limit=n))
        )
    # Which of the two came second is the threads' matter: the other one is told at once.
    first, second = (outcomes.get(timeout=timeout) for timeout in (20, PATIENCE))
    assert first == [{"event": "end", "next_cursor": None, "superseded": True}]
    assert [event["event"] for event in second] == ["rows", "end"]


def test_a_busy_server_is_told_while_the_list_waits(
    own_official: Platform,
    start_backend: Callable[..., Backend],
    monkeypatch: pytest.MonkeyPatch,
    stack: contextlib.ExitStack,
) -> None:
    for name, value in own_official.environment.items():
        monkeypatch.setenv(name, value)
    backend = start_backend(own_official)
    backend.get("/repositories/official/dp2/dataset-types", collection="dp2")
    # Two results that nobody reads hold both of the user's queries.
    held = contextlib.ExitStack()
    stack.enter_context(held)
    results = []
    for _ in range(2):
        butler = connect("dp2")
        held.callback(butler._connection.close)
        results.append(iter(held.enter_context(butler.query()).datasets("visit_image", BIG_RUN)))
        next(results[-1])
    client = stack.enter_context(backend.new_client())
    parameters = {"collection": "LSSTCam/runs/a", "dataset_type": "visit_image", "limit": "5"}
    response = stack.enter_context(client.stream("GET", LIST.format("official"), params=parameters))
    lines = response.iter_lines()
    busy = json.loads(next(lines))
    assert busy == {"event": "busy", "retry_in": 5.0}
    held.close()
    events = [json.loads(line) for line in lines]
    assert [event["event"] for event in events if event["event"] != "busy"] == ["rows", "end"]


class Watcher(Sink):
    def __init__(self) -> None:
        super().__init__(lambda event: None)


@pytest.fixture
def personal(small_repository: Path) -> Iterator[DirectButler]:
    with Butler.from_config(str(small_repository / "repo")) as butler:
        assert isinstance(butler, DirectButler)
        yield butler


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def test_a_database_query_is_interrupted_and_the_butler_can_be_used_afterwards(
    personal: DirectButler,
) -> None:
    interrupter = Interrupter(personal)
    watcher = Watcher()
    clone = personal.clone()

    def endless() -> str:
        with interrupter.watched(watcher), clone._registry._db._engine.connect() as connection:
            try:
                connection.execute(sqlalchemy.text(ENDLESS))
            except (sqlalchemy.exc.OperationalError, Cancelled) as error:
                return str(error)
        return "ended by itself"

    finish = in_thread(endless)
    wait_until(lambda: watcher._cancellers)
    watcher.cancel()
    # Before the query began, or in its midst.
    assert finish() != "ended by itself"
    assert len(clone.query_datasets("deep_coadd", "LSSTCam/runs/a", limit=None)) == 144


def test_a_query_that_is_cancelled_before_it_begins_does_not_run(personal: DirectButler) -> None:
    interrupter = Interrupter(personal)
    watcher = Watcher()
    watcher.cancel()
    with (
        interrupter.watched(watcher),
        personal._registry._db._engine.connect() as connection,
        pytest.raises(Cancelled),
    ):
        connection.execute(sqlalchemy.text(ENDLESS))


def test_a_count_is_given_up_when_its_client_leaves(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    backend.get("/repositories/official/dp2/dataset-types", collection="dp2")
    own_official.set_latency(30)
    with backend.new_client() as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.get(
            "/repositories/official/dp2/count",
            params={"collection": "dp2", "dataset_type": "visit_image"},
            timeout=1,
        )
    own_official.set_latency(0)
    # The one count at a time is free again, long before the first would have ended.
    begun = time.monotonic()
    count = backend.get("/repositories/official/dp2/count", collection="dp2", dataset_type="object")
    assert count == {"count": 3, "exact": True}
    assert time.monotonic() - begun < 25
