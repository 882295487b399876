"""Prepared runs on the demonstration repository, with the small tasks of `.tasks`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsst.pipe.base import Pipeline, PipelineTask

from python_butler import processing
from python_butler.demo.platform import Platform
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from tests.datastore.checksums import digests, listing

from .tasks import GatherTask, MeasureTask

type Prepare = Callable[..., WorkDirectory]

TESTS = Path(__file__).parents[1]
VISIT, DETECTORS = 2025072100601, (91, 93, 94)
WHERE = f"instrument = 'LSSTCam' AND visit = {VISIT} AND detector IN {DETECTORS}"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let processes that execute quanta import the tasks by the names they have here."""
    monkeypatch.syspath_prepend(str(TESTS))
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))


@pytest.fixture
def satellite(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Satellite:
    """An empty satellite of the user ``me``; with "elsewhere", in PostgreSQL and an object store."""
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    where = {}
    if getattr(request, "param", "here") == "elsewhere":
        where = {
            "registry": request.getfixturevalue("postgres"),
            "storage": request.getfixturevalue("object_storage"),
        }
    return Satellite.create("dp2", **where)


@pytest.fixture
def official_untouched(repository: Path, platform: Platform) -> Iterator[None]:
    """The official repository is what it was when the test is over."""
    before = digests(repository), listing(platform)
    yield
    assert (digests(repository), listing(platform)) == before


def pipeline(*tasks: type[PipelineTask] | tuple[type[PipelineTask], dict[str, Any]]) -> Pipeline:
    """Pipeline of some tasks, each by itself or with its configuration."""
    made = Pipeline("Tasks of tests.")
    for task, settings in (each if isinstance(each, tuple) else (each, {}) for each in tasks):
        made.addTask(task, task._DefaultName)
        for name, value in settings.items():
            made.addConfigOverride(task._DefaultName, name, value)
    return made


@pytest.fixture
def prepare_run(satellite: Satellite, tmp_path: Path) -> Prepare:
    """Prepare a run: a pipeline, ``where``, a name for the outputs, and one for the directory if it differs.

    Without a pipeline it is `MeasureTask` and `GatherTask`; without ``where`` three detectors of one visit.
    """

    def prepare_run(
        tasks: Pipeline | None = None,
        *,
        where: str = WHERE,
        name: str = "mysources",
        directory: str | None = None,
    ) -> WorkDirectory:
        run = processing.prepare(
            tasks or pipeline(MeasureTask, GatherTask),
            label="dp2",
            directory=tmp_path / f"run-{directory or name}",
            inputs=["dp2", "LSSTCam/calib/DP2"],
            name=name,
            where=where,
            progress=False,
        )
        return run.workdir

    return prepare_run
