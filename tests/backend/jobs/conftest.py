"""A backend before the demonstration's server, and jobs as a page would start and follow them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from ..conftest import Backend, kernel_environment

ENDED = ("done", "stopped", "failed", "interrupted")


class Jobs:
    """Jobs of one backend."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.satellite_root = backend.root / "dp2"

    def rows(self, dataset_type: str, count: int) -> list[dict[str, Any]]:
        return self.backend.rows("official", "dp2", dataset_type, 1000)[:count]

    def chosen(self, dataset_type: str, count: int, *, kind: str = "official") -> dict[str, Any]:
        rows = self.rows(dataset_type, count)
        return {"kind": kind, "collection": "dp2", "dataset_type": dataset_type, "datasets": rows}

    def plan(self, action: str, **request: Any) -> dict[str, Any]:
        events = self.events("POST", "/jobs/plan", {"action": action, "label": "dp2", **request})
        assert events[-1]["event"] == "end", events[-1]
        (plan,) = [event["plan"] for event in events if event["event"] == "plan"]
        return dict(plan)

    def start(self, action: str, **request: Any) -> str:
        response = self.backend.client.post("/jobs", json={"action": action, "label": "dp2", **request})
        assert response.status_code == 200, response.text
        return str(response.json()["id"])

    def finish(self, job_id: str) -> dict[str, Any]:
        *events, end = self.events("GET", f"/jobs/{job_id}/events")
        assert end["event"] == "end"
        job = [event for event in events if event["event"] == "job"][-1]["job"]
        assert job["state"] in ENDED
        return dict(job)

    def run(self, action: str, **request: Any) -> dict[str, Any]:
        return self.finish(self.start(action, **request))

    def results(self, job_id: str, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = self.backend.get(f"/jobs/{job_id}/results", **parameters, **more)
            found += page["results"]
            if (cursor := page["next_cursor"]) is None:
                return found

    def events(self, verb: str, path: str, body: Any = None) -> list[dict[str, Any]]:
        response = self.backend.client.request(verb, path, json=body)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in response.text.splitlines()]

    def satellite(self) -> Satellite:
        return Satellite.open("dp2", self.satellite_root)


@pytest.fixture
def start_jobs(
    tmp_path: Path, platform: Platform, environment: dict[str, str]
) -> Iterator[Callable[..., Jobs]]:
    """Starts backends on the same satellite, one after the other."""
    started: list[Backend] = []

    def start(served: Platform | None = None, **more: str) -> Jobs:
        served = served or platform
        variables = kernel_environment(
            served, tmp_path / "butler", DAF_BUTLER_CACHE_DIRECTORY=str(tmp_path / "cache"), **more
        )
        directory = tmp_path / f"backend{len(started)}"
        directory.mkdir()
        started.append(Backend(directory, variables))
        return Jobs(started[-1])

    yield start
    for backend in started:
        backend.close()


@pytest.fixture
def jobs(start_jobs: Callable[..., Jobs]) -> Jobs:
    return start_jobs()
