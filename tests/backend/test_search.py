"""A search finds what matches in names, documentation and identifiers, and says when there is more."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from lsst.daf.butler import Butler

from python_butler.backend.memory import Memory
from python_butler.backend.models import WireModel
from python_butler.backend.official import OfficialRepository
from python_butler.backend.search.finding import find
from python_butler.backend.search.models import FoundEvent, Match, SummaryEvent
from python_butler.backend.search.wording import Wording
from python_butler.backend.streaming import Sink
from python_butler.demo.platform import Platform
from python_butler.errors import TokenError

from .conftest import Backend
from .small import BIG_RUN

KINDS = ["official", "personal"]


def search(backend: Backend, kind: str, text: str, **more: Any) -> tuple[list[Any], dict[str, Any]]:
    response = backend.client.get(
        f"/repositories/{kind}/dp2/search", params={"text": text, "request": "r7", **more}
    )
    assert response.status_code == 200, response.text
    *found, summary, end = (json.loads(line) for line in response.text.splitlines())
    assert end["event"] == "end"
    assert summary["event"] == "summary"
    assert {event["request"] for event in (*found, summary)} == {"r7"}
    return [match for event in found for match in event["matches"]], summary


def names(matches: list[Any]) -> list[str]:
    return [
        (match["collection"] if match["what"] == "collection" else match["dataset_type"])["name"]
        for match in matches
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_all_words_have_to_occur_in_a_name(backend: Backend, kind: str) -> None:
    matches, summary = search(backend, kind, "runs LSSTcam")
    assert names(matches) == ["LSSTCam/runs/a", "LSSTCam/runs/b", "LSSTCam/runs/big"]
    assert (summary["total"], summary["capped"]) == (3, False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_glob_matches_a_whole_name(backend: Backend, kind: str) -> None:
    assert names(search(backend, kind, "u/*/b*")[0]) == ["u/someone/best"]
    assert names(search(backend, kind, "*_image")[0]) == ["visit_image"]
    assert names(search(backend, kind, "runs/*")[0]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_dataset_types_come_with_a_collection_that_has_some(backend: Backend, kind: str) -> None:
    (match,), _ = search(backend, kind, "deep")
    assert match["what"] == "dataset-type"
    assert match["dataset_type"]["dimensions"] == ["band", "skymap", "tract", "patch"]
    assert match["collection"]["name"] == "dp2"


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_type_is_found_wherever_it_is(backend: Backend, kind: str, expected: Butler) -> None:
    path = f"/repositories/{kind}/dp2/place"
    assert backend.get(path, dataset_type="deep_coadd")["collection"]["name"] == "dp2"
    assert "stray" not in {
        name
        for info in expected.collections.query_info("dp2", include_summary=True, flatten_chains=True)
        for name in info.dataset_types or ()
    }
    assert backend.get(path, dataset_type="stray")["collection"]["name"] == BIG_RUN
    assert backend.error(path, dataset_type="no_such_type")[0] == 404


@pytest.mark.parametrize("kind", KINDS)
def test_documentation_is_searched_after_names(backend: Backend, kind: str) -> None:
    (match,), _ = search(backend, kind, "chosen HAND")
    assert (match["collection"]["name"], match["by"]) == ("u/someone/best", "documentation")


@pytest.mark.parametrize("kind", KINDS)
def test_a_dataset_is_found_by_its_identifier(backend: Backend, kind: str, expected: Butler) -> None:
    ref = expected.find_dataset("object", skymap="lsst_cells_v2", tract=1, collections="dp2")
    assert ref is not None
    (match,), _ = search(backend, kind, f"ivo://org.rubinobs/lsst-dp2?repo=dp2&id={ref.id}")
    assert match["what"] == "dataset"
    assert match["data_id"] == {"skymap": "lsst_cells_v2", "tract": 1}
    assert match["collection"]["name"] == "LSSTCam/runs/a"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_left_out_is_told(backend: Backend, kind: str) -> None:
    matches, summary = search(backend, kind, "l", limit=2)
    assert len(matches) == 2
    assert summary["total"] > 2
    assert summary["capped"]


def test_nothing_is_found_in_a_repository_that_is_not_there_yet(
    official: Platform, start_backend: Callable[..., Backend], tmp_path: Path
) -> None:
    matches, summary = search(start_backend(official), "personal", "anything")
    assert (matches, summary["total"]) == ([], 0)


class Events:
    """What a search puts, kept."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.matches: list[Match] = []
        self.totals: list[int] = []

    def event(self, event: WireModel) -> None:
        if isinstance(event, FoundEvent):
            self.matches += event.matches
        elif isinstance(event, SummaryEvent):
            self.totals.append(event.total)

    def busy(self, retry_in: float) -> None:
        pass

    def on_cancel(self, canceller: Callable[[], None]) -> None:
        pass


def test_what_was_known_a_while_ago_is_found_before_the_server_answers(
    own_official: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in own_official.environment.items():
        monkeypatch.setenv(name, value)
    repository = OfficialRepository("dp2")
    # Whatever is remembered is too old at once.
    repository.memory = Memory(-1)

    def found() -> Events:
        events = Events()
        with suppress(TokenError):
            find(repository, "runs", "r7", 100, cast(Sink, events))
        return events

    first = found()
    assert len(first.matches) == 3
    again = found()
    assert (again.matches, again.totals) == (first.matches, first.totals)
    own_official.refuse_token()
    refused = found()
    assert (refused.matches, refused.totals) == (first.matches, [])


def test_words_globs_and_identifiers_are_told_apart() -> None:
    wording = Wording.of("Runs u/*  6c7b52a5-5ae0-4d8e-9d4d-2d0f4a8d7d3f")
    assert wording.words == ("runs", "6c7b52a5-5ae0-4d8e-9d4d-2d0f4a8d7d3f")
    assert len(wording.globs) == 1
    assert str(wording.identifier) == "6c7b52a5-5ae0-4d8e-9d4d-2d0f4a8d7d3f"
