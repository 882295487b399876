"""``satellite run example``: a package of one's own to begin with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from python_butler.cli import main

# What somebody who starts from the copy has: the copy, and the science packages.
LOAD = """
import json, sys
from lsst.pipe.base import Pipeline
graph = Pipeline.fromFile(sys.argv[1]).to_graph()
print(json.dumps({
    "tasks": {label: node.task_class_name for label, node in graph.tasks.items()},
    "ours": [name for name in sys.modules if name.startswith("python_butler")],
}))
"""


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["run", "example", *map(str, arguments)])
    return result.exit_code, result.output


def test_the_copy_is_a_pipeline_that_needs_nothing_of_ours(tmp_path: Path) -> None:
    code, text = run(tmp_path / "work", "--name", "flares", "--json")
    assert code == 0, text
    written = json.loads(text)
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD, written["pipeline"]],
        env={**os.environ, "PYTHONPATH": written["path"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(loaded.stdout)
    assert answer["tasks"] == {
        "detectSources": "flares.detect.DetectSourcesTask",
        "matchSources": "flares.match.MatchSourcesTask",
        "coaddCutouts": "flares.coadd.CoaddCutoutsTask",
    }
    assert answer["ours"] == []


def test_what_to_do_next_is_said(tmp_path: Path) -> None:
    code, text = run(tmp_path / "work")
    assert code == 0
    assert f"export PYTHONPATH={tmp_path / 'work'}" in text
    assert f"--pipeline {tmp_path / 'work' / 'pipeline.yaml'}" in text


def test_what_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert run(tmp_path)[0] == 0
    mine = tmp_path / "my_tasks" / "detect.py"
    mine.write_text("mine")
    code, text = run(tmp_path)
    assert code != 0
    assert "left as it is" in text
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(("name", "reason"), [("my-tasks", "cannot be called"), ("numpy", "already")])
def test_a_name_that_could_not_be_imported_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    code, text = run(tmp_path / "work", "--name", name)
    assert code != 0
    assert reason in text
    assert not (tmp_path / "work").exists()
