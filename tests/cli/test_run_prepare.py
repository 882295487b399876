"""``satellite run prepare`` and ``list``, as a person and as a program use them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from python_butler.cli import main
from python_butler.cli.exits import ExitCode

WHERE = "instrument = 'LSSTCam' AND visit = :mine AND detector IN (91, 93, 94)"
TASK = "processing.tasks.MeasureTask"


@pytest.fixture(autouse=True)
def _tasks(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "me")
    monkeypatch.syspath_prepend(os.fspath(Path(__file__).parents[1]))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["run", *arguments])


def test_a_person_is_told_what_there_is_to_do(tmp_path: Path) -> None:
    directory = str(tmp_path / "stars")
    chosen = ["--where", WHERE, "--bind", "mine=2025072100601", "--config", "measure:seconds=0.5"]
    prepared = run("prepare", directory, "--pipeline", TASK, "--label", "dp2", *chosen)
    assert prepared.exit_code == 0, prepared.output
    assert "3 quanta of 1 task, 3 inputs of " in prepared.output
    assert "into u/me/stars/2" in prepared.output
    assert f"satellite run start {directory}" in prepared.output
    listed = json.loads(run("list", "dp2", "--json").stdout)
    assert [(each["directory"], each["working"]) for each in listed] == [(directory, False)]
    again = run("prepare", directory, "--pipeline", TASK, "--label", "dp2", *chosen)
    assert again.exit_code == ExitCode.ERROR
    assert "satellite run clean" in again.output
    document = json.loads(
        run(
            *("prepare", str(tmp_path / "few"), "--pipeline", TASK, "--label", "dp2", "--limit", "1"),
            *("--where", "instrument = 'LSSTCam'", "--json"),
        ).stdout
    )
    assert [task["quanta"] for task in document["tasks"]] == [1]


def test_a_pipeline_must_be_named(tmp_path: Path) -> None:
    done = run("prepare", str(tmp_path / "stars"), "--label", "dp2")
    assert done.exit_code == ExitCode.USAGE
    assert "--pipeline" in done.output
