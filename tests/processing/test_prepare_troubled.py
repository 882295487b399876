"""Preparing meets a server that goes down, and others who prepare the same at the same time."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path

import pytest

from python_butler import processing
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, OfflineError
from python_butler.processing.workdir import runs_of
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress
from tests.processes import Forked

from .conftest import WHERE
from .tasks import MeasureTask


@pytest.mark.parametrize("stage", ["planning", "locating inputs"])
def test_when_the_server_goes_down_nothing_is_left_and_preparing_again_works(
    satellite: Satellite, platform: Platform, tmp_path: Path, stage: str
) -> None:
    def prepare(progress: object = False) -> processing.Run:
        return processing.prepare(
            MeasureTask,
            label="dp2",
            directory=tmp_path / "run",
            name="mysources",
            where=WHERE,
            progress=progress,  # type: ignore[arg-type]  # either kind of wish
        )

    def go_down(progress: Progress) -> None:
        if progress.what.startswith(stage):
            platform.trouble("server", status=500)

    try:
        with pytest.raises(OfflineError, match="dp2 server"):
            prepare(go_down)
    finally:
        platform.calm()
    assert list((tmp_path / "run").iterdir()) == []
    assert runs_of(satellite.root) == []
    assert prepare().summary.quanta == 3


def test_two_at_once_of_one_name_are_two_runs_and_a_directory_takes_one(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Neither finds a satellite: both make it.
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    reading, writing = os.pipe()

    def prepare(directory: Path) -> None:
        os.read(reading, 1)
        try:
            processing.prepare(MeasureTask, label="dp2", directory=directory, name="mysources", where=WHERE)
        except InvalidRequestError as error:
            os._exit(3 if "works on the run" in str(error) or "already" in str(error) else 4)

    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(Forked(partial(prepare, tmp_path / name)))
            for name in ("one", "two", "same", "same")
        ]
        os.write(writing, b"go!!")
        codes = [child.wait() for child in children]
    os.close(reading)
    os.close(writing)
    assert sorted(codes) == [0, 0, 0, 3]
    runs = [workdir.settings() for workdir in runs_of(Satellite.open("dp2").root)]
    assert len(runs) == len({run.output_run for run in runs}) == 3
    assert {run.output for run in runs} == {"u/me/mysources"}
