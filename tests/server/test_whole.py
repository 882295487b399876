"""The whole way: browser's request, Jupyter server, real backend, real Butler server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from python_butler.backend.models import ErrorReport, RepositoryList
from python_butler.demo.platform import Platform

from .conftest import ROOT, JupyterServer, alive, wait_until


@pytest.fixture(scope="module")
def whole(
    platform: Platform, start_jupyter: Callable[..., JupyterServer], tmp_path_factory: pytest.TempPathFactory
) -> JupyterServer:
    """A Jupyter server as on a laptop: one environment for both halves, nothing configured."""
    packages = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    satellites = str(tmp_path_factory.mktemp("satellites"))
    return start_jupyter(
        "", {**platform.environment, "PYTHON_BUTLER_ROOT": satellites, "PYTHONPATH": packages}
    )


def datasets(whole: JupyterServer, dataset_type: str) -> list[dict]:
    query = {"collection": "dp2", "dataset_type": dataset_type, "limit": 500}
    with whole.client.stream(
        "GET", "python-butler/api/repositories/official/dp2/datasets", params=query
    ) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in answer.iter_lines()]


def test_the_official_repository_is_listed_and_connected(whole: JupyterServer) -> None:
    answer = whole.get("repositories/official/dp2")
    assert answer.json()["state"] == "connected"
    listed = RepositoryList.model_validate(whole.get("repositories").json())
    assert {(r.kind, r.label) for r in listed.repositories} == {("official", "dp2"), ("personal", "dp2")}


def test_a_page_of_datasets_streams_to_its_end(whole: JupyterServer) -> None:
    events = datasets(whole, "visit_image")
    assert events[-1]["event"] == "end"
    assert sum(len(event.get("rows", [])) for event in events) > 20


def test_errors_of_the_backend_pass_unchanged(whole: JupyterServer) -> None:
    answer = whole.get("repositories/official/nope/collections", headers={"X-Request-ID": "page-7"})
    assert answer.status_code == 404
    report = ErrorReport.model_validate(answer.json())
    assert report.kind == "unknown_repository"
    assert report.request_id == "page-7"


def test_no_token_is_in_anything_the_page_receives(whole: JupyterServer, platform: Platform) -> None:
    (dataset, *_), *_ = (
        event["rows"] for event in datasets(whole, "visit_image") if event["event"] == "rows"
    )
    answers = [
        whole.get(path)
        for path in (
            "status",
            "versions",
            "repositories",
            "repositories/official/dp2/collections",
            "repositories/official/dp2/dataset-types?collection=dp2",
            f"repositories/official/dp2/datasets/{dataset['id']}",
            "repositories/official/nope",
        )
    ]
    answers.append(whole.client.get("python-butler/backend"))
    for answer in answers:
        text = answer.text + str(answer.headers)
        assert platform.token not in text
        assert whole.token not in text
        assert "X-Amz-Signature" not in text
    assert platform.token not in whole.log.read_text()


def test_a_killed_backend_is_back_without_the_page_doing_anything(whole: JupyterServer) -> None:
    pid = whole.get("status").json()["pid"]
    os.kill(pid, 9)
    wait_until(lambda: not alive(pid))
    wait_until(lambda: whole.get("repositories/official/dp2").status_code == 200)
    assert whole.get("status").json()["pid"] != pid
    assert whole.get("repositories/official/dp2").json()["state"] == "connected"
