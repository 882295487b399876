"""Runs as the sidebar is told of them: real ones, executed by other processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from python_butler import processing
from python_butler.backend.app import create_app
from python_butler.backend.runs.models import LOG_BYTES
from python_butler.backend.service import Service
from python_butler.processing.workdir import WorkDirectory

from .conftest import Prepare, pipeline
from .tasks import GatherTask, MeasureTask

TOKEN = "gt-0123456789abcdefghijkl.0123456789abcdefghijkl"
SECRET = "a secret of this test"


class Page:
    """Asks the backend's application what a page would ask."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(service, secret=SECRET)),
            base_url="http://backend",
            headers={"X-Python-Butler-Secret": SECRET},
        )

    async def get(self, path: str) -> Any:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()

    async def error(self, path: str) -> tuple[int, dict[str, Any]]:
        response = await self.client.get(path)
        return response.status_code, response.json()

    async def runs(self) -> list[dict[str, Any]]:
        return list((await self.get("/runs"))["runs"])


@pytest.fixture
async def page(environment: dict[str, str]) -> AsyncIterator[Page]:
    page = Page(Service())
    async with page.client:
        yield page


def counts(run: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Numbers other than 0, by task."""
    return {
        task["task"]: {name: n for name, n in task.items() if isinstance(n, int) and n}
        for task in run["tasks"]
    }


def start(workdir: WorkDirectory) -> None:
    """Execute a run in a process of its own, as a person would in a terminal."""
    code = "import sys; from python_butler import processing; processing.open(sys.argv[1]).start()"
    subprocess.run([sys.executable, "-c", code, str(workdir.path)], check=True, capture_output=True)


async def test_a_run_is_told_of_from_its_preparation_to_its_collection(
    page: Page, prepare_run: Prepare
) -> None:
    assert await page.get("/runs") == {"runs": [], "total": 0}

    workdir = prepare_run(pipeline((MeasureTask, {"fail": [93]}), GatherTask))
    settings = workdir.settings()
    (prepared,) = await page.runs()
    assert (prepared["id"], prepared["label"], prepared["name"]) == (str(settings.id), "dp2", "mysources")
    assert prepared["output_run"] == settings.output_run
    assert (prepared["working"], prepared["collected"]) == (False, "nothing")
    assert counts(prepared) == {"measure": {"total": 3, "waiting": 3}, "gather": {"total": 1, "waiting": 1}}

    start(workdir)
    (ended,) = await page.runs()
    assert counts(ended) == {
        "measure": {"total": 3, "succeeded": 2, "failed": 1},
        "gather": {"total": 1, "skipped": 1},
    }

    address = f"/repositories/personal/dp2/runs/{settings.id}"
    report = await page.get(address)
    assert report["run"] == ended
    (failure,) = report["failures"]
    assert (failure["task"], failure["data_id"]["detector"], failure["state"]) == ("measure", 93, "failed")
    assert "The sky of detector 93 has fallen." in failure["error"]
    assert any("The sky of detector 93 has fallen." in line for line in failure["lines"])
    assert failure["command"] == f"satellite run start {workdir.path} --quantum {failure['quantum']}"
    assert report["commands"]["collect"] == f"satellite run collect {workdir.path}"
    assert report["more_failures"] == 0

    log = await page.get(f"{address}/logs/{failure['quantum']}")
    file = workdir.log("measure", UUID(failure["quantum"]))
    assert log["path"] == failure["log"] == str(file)
    assert (log["text"], log["bytes"], log["left_out"]) == (file.read_text(), file.stat().st_size, 0)

    processing.open(workdir.path).collect(inputs="none", progress=False)
    (collected,) = await page.runs()
    assert collected["collected"] == "partly"

    processing.open(workdir.path).clean()
    assert await page.runs() == []
    status, error = await page.error(address)
    assert (status, error["kind"]) == (404, "gone")


async def test_the_end_of_a_long_log_is_told_without_secrets(page: Page, prepare_run: Prepare) -> None:
    workdir = prepare_run(pipeline(MeasureTask))
    quantum = uuid4()
    path = workdir.log("measure", quantum)
    path.parent.mkdir(parents=True)
    path.write_text("a line of the log é\n" * 30_000 + f"the last one, with {TOKEN}\n")
    address = f"/repositories/personal/dp2/runs/{workdir.settings().id}/logs"
    log = await page.get(f"{address}/{quantum}")
    assert log["text"].startswith("a line of the log é\n")
    assert log["text"].endswith("the last one, with <token>\n")
    assert log["bytes"] == path.stat().st_size
    assert log["bytes"] - LOG_BYTES <= log["left_out"] < log["bytes"] - LOG_BYTES + 30
    assert path.read_bytes()[log["left_out"] - 1 :].startswith(b"\na line")

    status, error = await page.error(f"{address}/{uuid4()}")
    assert (status, error["kind"]) == (404, "gone")
    assert "satellite run start" in error["next_step"]


async def test_a_run_whose_files_are_damaged_is_told_of_with_what_to_do(
    page: Page, prepare_run: Prepare
) -> None:
    workdir = prepare_run(pipeline(MeasureTask))
    workdir.summary.write_text("{")
    (run,) = await page.runs()
    assert run["tasks"] == []
    assert "cannot be read" in run["problem"]["message"]
    status, error = await page.error(f"/repositories/personal/dp2/runs/{workdir.settings().id}")
    assert (status, error["next_step"]) == (400, "Prepare the run anew, in another directory.")


async def test_a_run_is_there_as_soon_as_its_directory_is_complete(page: Page, prepare_run: Prepare) -> None:
    workdir = prepare_run(pipeline(MeasureTask))
    # As preparing leaves it in the last moment: the satellite knows where the run will be.
    settings, aside = workdir.settings_file, workdir.settings_file.with_name("aside")
    settings.rename(aside)
    assert await page.runs() == []
    aside.rename(settings)
    assert len(await page.runs()) == 1


async def test_changes_are_told_as_they_happen(page: Page, prepare_run: Prepare) -> None:
    words: list[str] = []
    changes = page.service.changes.lines()
    assert isinstance(changes, AsyncGenerator)

    async def next_word() -> str:
        async for line in changes:
            event = json.loads(line)
            if event["event"] == "runs":
                return str(event["word"])
        raise AssertionError("The stream has ended.")

    words.append(await next_word())
    workdir = prepare_run(pipeline(MeasureTask))
    words.append(await next_word())
    with workdir.locked():
        words.append(await next_word())
        assert (await page.runs())[0]["working"]
    words.append(await next_word())
    assert not (await page.runs())[0]["working"]
    assert len(set(words)) == 3
    assert words[1] == words[3]
    await changes.aclose()
