"""Trouble with the official server is told in words, reaches nothing else, and passes without a restart."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from python_butler.backend.reports import STATUS, report, request_id
from python_butler.demo.platform import Platform
from python_butler.errors import ErrorKind, GoneError, ServerBusyError

from .conftest import Backend

OFFICIAL = "/repositories/official/dp2"
ROUTES = [
    ("/collections", {}),
    ("/dataset-types", {"collection": "LSSTCam/runs/b"}),
    ("/count", {"collection": "dp2", "dataset_type": "object"}),
    ("/datasets/01a20061-cfde-7b95-84a3-6dd3e5096095", {}),
    ("/datasets", {"collection": "LSSTCam/runs/b", "dataset_type": "visit_image"}),
]


def states(backend: Backend) -> dict[str, str]:
    listed = backend.get("/repositories")["repositories"]
    return {repository["kind"]: repository["state"] for repository in listed}


def kinds(backend: Backend) -> set[tuple[int, str]]:
    return {
        (status, error["kind"])
        for status, error in (backend.error(OFFICIAL + route, **parameters) for route, parameters in ROUTES)
    }


def test_a_stopped_server_is_offline_and_recovers_without_a_restart(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    own_official.stop_server()
    backend = start_backend(own_official)
    begun = time.monotonic()
    assert states(backend) == {"official": "offline", "personal": "absent"}
    assert kinds(backend) == {(502, "offline")}
    own_official.start_server()
    assert backend.get(OFFICIAL)["state"] == "connected"
    assert backend.get(OFFICIAL + "/collections")["total"] == 6
    assert len(backend.rows("official", "dp2", "object", 10)) == 3

    own_official.stop_server()
    # What was remembered may still be shown, but the state is told as it is.
    assert backend.get(OFFICIAL)["state"] == "offline"
    assert states(backend)["official"] == "offline"
    events = backend.client.get(
        OFFICIAL + "/datasets", params={"collection": "LSSTCam/runs/a", "dataset_type": "visit_image"}
    )
    assert '"kind":"offline"' in events.text
    own_official.start_server()
    assert states(backend)["official"] == "connected"
    assert len(backend.rows("official", "dp2", "object", 10)) == 3
    assert time.monotonic() - begun < 60


def test_an_error_in_a_stream_is_its_last_line(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    assert len(backend.rows("official", "dp2", "object", 10)) == 3
    own_official.refuse_token()
    (event,) = backend.page("official", "dp2", "object")
    assert event["event"] == "error"
    assert event["error"]["kind"] == "token"
    own_official.accept_token()
    assert len(backend.rows("official", "dp2", "object", 10)) == 3
    own_official.trouble("server", path="query/execute", cut_after=1)
    *_, event = backend.page("official", "dp2", "object")
    assert event["event"] == "error"
    # The server can be reached: it is not shown as offline.
    assert event["error"]["kind"] == "internal"
    assert "broke off in the middle" in event["error"]["message"]
    assert "ask for less" in event["error"]["next_step"]
    assert states(backend)["official"] == "connected"


def test_a_refused_token_is_told_and_a_renewed_one_is_used_at_once(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    own_official.refuse_token()
    backend = start_backend(own_official)
    assert states(backend) == {"official": "token", "personal": "absent"}
    assert kinds(backend) == {(502, "token")}
    _, error = backend.error(OFFICIAL + "/collections")
    assert "expired" in error["message"]
    assert "Log in" in error["next_step"]
    own_official.accept_token()
    assert states(backend)["official"] == "connected"
    assert backend.get(OFFICIAL + "/collections")["total"] == 6


def test_who_is_not_in_the_group_is_told_so(
    official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official, BUTLER_RUBIN_ACCESS_TOKEN=official.token_without_group)
    assert states(backend) == {"official": "forbidden", "personal": "absent"}
    assert kinds(backend) == {(502, "forbidden")}


def test_a_missing_token_is_told(official: Platform, start_backend: Callable[..., Backend]) -> None:
    backend = start_backend(official, BUTLER_RUBIN_ACCESS_TOKEN="")
    assert states(backend)["official"] == "token"
    assert "no token" in backend.get(OFFICIAL)["error"]["message"]


def test_a_server_that_hangs_does_not_hold_up_the_list_of_repositories(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    own_official.set_latency(30)
    backend.get("/status")
    backend.get("/versions")
    begun = time.monotonic()
    assert states(backend) == {"official": "offline", "personal": "absent"}
    assert time.monotonic() - begun < 25
    own_official.set_latency(0)
    assert states(backend)["official"] == "connected"


def test_a_server_that_hangs_keeps_nobody_from_personal_data_and_retry(
    own_official: Platform, small_repository: Path, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    assert backend.get("/repositories/personal/dp2/collections")["total"] == 0
    own_official.set_latency(30)

    def ask(number: int) -> None:
        with suppress(httpx.HTTPError):
            backend.client.get(OFFICIAL + "/collections", params={"parent": f"chain{number}"}, timeout=25)

    with ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(ask, number) for number in range(6)]
        begun = time.monotonic()
        assert backend.get(OFFICIAL)["state"] == "offline"
        backend.root.mkdir(exist_ok=True)
        (backend.root / "dp2").symlink_to(small_repository / "repo")
        assert backend.get("/repositories/personal/dp2/collections")["total"] == 6
        assert time.monotonic() - begun < 20
        assert not any(request.done() for request in waiting)
        own_official.set_latency(0)


def test_an_index_that_cannot_be_read_is_told(
    official: Platform, tmp_path: Path, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official, DAF_BUTLER_REPOSITORY_INDEX=str(tmp_path / "missing.yaml"))
    status, error = backend.error("/repositories")
    assert (status, error["kind"]) == (404, "unknown_repository")
    assert "DAF_BUTLER_REPOSITORY_INDEX" in error["next_step"]


def test_without_any_official_repository_personal_ones_are_still_listed(
    official: Platform, small_repository: Path, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official, DAF_BUTLER_REPOSITORY_INDEX="")
    assert backend.get("/repositories") == {"repositories": []}
    backend.root.mkdir()
    (backend.root / "dp1").symlink_to(small_repository / "repo")
    (listed,) = backend.get("/repositories")["repositories"]
    assert (listed["kind"], listed["label"], listed["state"]) == ("personal", "dp1", "connected")
    assert backend.get("/repositories/personal/dp1/collections")["total"] == 6


def test_no_token_and_no_signature_is_in_any_answer_or_in_the_log(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    told: list[str] = []

    def ask(path: str, **parameters: str) -> str:
        response = backend.client.get(path, params=parameters)
        told.append(str(response.headers) + response.text)
        return response.text

    def everything() -> None:
        for path in ("/status", "/repositories", "/versions", "/nowhere", OFFICIAL):
            ask(path)
        for route, parameters in ROUTES:
            ask(OFFICIAL + route, **parameters)
        rows = ask(OFFICIAL + "/datasets", collection="dp2", dataset_type="object")
        for identifier in re.findall(r'"id":"([^"]+)"', rows):
            ask(f"{OFFICIAL}/datasets/{identifier}")

    everything()
    assert '"stored":true' in told[-1]
    own_official.refuse_token()
    everything()
    own_official.stop_server()
    everything()
    text = "".join(told) + backend.log.read_text()
    assert "object" in text
    assert own_official.token not in text
    assert backend.secret not in text
    for secret in ("Signature=", "X-Amz", "Bearer", "AWSAccessKeyId"):
        assert secret.lower() not in text.lower()


def test_a_report_holds_no_secret_whatever_the_exception_says() -> None:
    url = "https://s3.example/b/k?X-Amz-Signature=abcdef&X-Amz-Date=1"
    for error in (
        GoneError(f"There is nothing at {url}."),
        RuntimeError(url),
        sqlite3.DatabaseError(url),
        ValueError("Bearer gt-abcdefghijklmnop.qrstuvwxyz"),
    ):
        told = report(error).model_dump_json()
        assert "abcdef" not in told


def test_a_report_names_the_request_and_the_time_to_wait() -> None:
    request_id.set("r1")
    told = report(ServerBusyError("It is busy.", "Wait.", retry_in=5.0))
    assert (told.kind, told.retry_in, told.request_id) == ("busy", 5.0, "r1")
    told = report(sqlite3.OperationalError("database is locked"))
    assert (told.kind, told.retry_in) == ("busy", 1.0)


def test_every_kind_of_error_has_a_status_that_jupyterlab_does_not_take_for_its_own() -> None:
    assert set(STATUS) == set(ErrorKind)
    assert not {401, 403} & set(STATUS.values())
