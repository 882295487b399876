"""Retiring and pruning remove what their plans said, and nothing that was not agreed to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from python_butler.demo.platform import Platform

from ..conftest import kernel_environment
from .conftest import Jobs

NAME = "u/me/results_of_mine"

SAVE = """
import python_butler
with python_butler.open("dp2", collections="dp2") as butler:
    for step in range(3):
        butler.save({"step": step}, "results_of_mine")
"""


@pytest.fixture
def jobs(start_jobs: Callable[..., Jobs], tmp_path: Path, platform: Platform) -> Jobs:
    """Jobs on a satellite in which a kernel has saved three versions of one name."""
    user = {"JUPYTERHUB_USER": "me"}
    environment = kernel_environment(platform, tmp_path / "butler", **user)
    subprocess.run([sys.executable, "-c", SAVE], env=environment, check=True, timeout=120)
    return start_jobs(**user)


def versions(jobs: Jobs) -> list[str]:
    """Versions that the name leads to, newest first."""
    with jobs.satellite().reader() as reader:
        return list(reader.collections.get_info(NAME).children)


def runs(jobs: Jobs) -> set[str]:
    with jobs.satellite().reader() as reader:
        return set(reader.collections.query(f"{NAME}/*"))


def test_a_retired_version_is_out_of_the_way_and_a_purged_one_is_gone(jobs: Jobs) -> None:
    first, second, newest = (f"{NAME}/v{number}" for number in (1, 2, 3))
    assert versions(jobs) == [newest, second, first]
    unknown = "u/me/nothing/v1"

    plan = jobs.plan("retire", versions=[first, unknown])
    assert (plan["new"], plan["there"], plan["irreversible"]) == (1, 0, False)
    assert [group["run"] for group in plan["groups"]] == [first]
    assert [problem["status"] for problem in plan["problems"]] == ["refused"]
    assert versions(jobs) == [newest, second, first]

    job = jobs.run("retire", versions=[first, unknown])
    assert (job["state"], job["counts"]) == ("done", {"done": 1, "refused": 1})
    assert [(each["run"], each["status"]) for each in jobs.results(job["id"])] == [
        (first, "done"),
        (unknown, "refused"),
    ]
    assert versions(jobs) == [newest, second]
    # It can be read by its own name as before.
    assert first in runs(jobs)
    assert jobs.run("retire", versions=[first])["counts"] == {"there": 1}

    plan = jobs.plan("retire", versions=[first, second], purge=True)
    assert (plan["new"], plan["irreversible"]) == (2, True)
    job = jobs.run("retire", versions=[first, second], purge=True)
    assert (job["counts"], job["bytes"]) == ({"done": 2}, plan["bytes"])
    assert job["bytes"] > 0
    assert (versions(jobs), runs(jobs)) == ([newest], {newest})


def test_pruning_removes_what_its_plan_lists_and_no_more_than_was_agreed_to(jobs: Jobs) -> None:
    rule = {"keep_versions": 1}
    plan = jobs.plan("prune", prune=rule)
    assert plan["irreversible"]
    doomed = {group["run"] for group in plan["groups"]}
    assert doomed == {f"{NAME}/v1", f"{NAME}/v2"}
    assert len(versions(jobs)) == 3

    for action in ("retire", "prune"):
        job = jobs.run(action)
        assert (job["state"], job["error"]["kind"]) == ("failed", "invalid"), "nothing is named"
        assert job["error"]["next_step"]
    refused = jobs.run("prune", prune=rule, most=plan["new"] - 1)
    assert (refused["state"], refused["error"]["kind"]) == ("failed", "invalid")
    assert "nothing was removed" in refused["error"]["message"]
    assert len(versions(jobs)) == 3

    job = jobs.run("prune", prune=rule, most=plan["new"])
    assert (job["state"], job["counts"]) == ("done", {"done": plan["new"]})
    assert {(each["run"], each["status"]) for each in jobs.results(job["id"])} == {
        (run, "done") for run in doomed
    }
    assert runs(jobs) == {f"{NAME}/v{number}" for number in (1, 2, 3)} - doomed
    assert jobs.plan("prune", prune=rule)["new"] == 0
