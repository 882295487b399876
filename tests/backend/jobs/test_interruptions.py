"""Jobs that are stopped, break off, wait for one another, or outlive who asked for them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from python_butler.demo.platform import Platform

from ..conftest import in_thread, wait_until
from .conftest import Jobs


def state(jobs: Jobs, job_id: str) -> dict[str, Any]:
    return dict(jobs.backend.get(f"/jobs/{job_id}"))


def is_copying(jobs: Jobs, job_id: str) -> bool:
    progress = state(jobs, job_id)["progress"]
    return progress is not None and progress["phase"] == "copying"


def check_is_clean(jobs: Jobs) -> None:
    """Nothing is half there, and nothing is left over."""
    report = jobs.satellite().check(min_age=0)
    assert not report.findings, report
    unfinished = jobs.satellite_root / "unfinished"
    assert not unfinished.exists() or not list(unfinished.iterdir())


def test_a_job_stopped_in_the_middle_leaves_a_clean_satellite_and_can_be_resumed(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    chosen = jobs.chosen("visit_image", 20)
    # The first files come, the others are long in coming.
    own_platform.trouble("store", after=6, delay=60)
    job_id = jobs.start("pin", chosen=chosen, create=True)
    wait_until(lambda: is_copying(jobs, job_id) and state(jobs, job_id)["progress"]["done"] > 0)
    assert jobs.backend.client.post(f"/jobs/{job_id}/cancel").json()["state"] == "stopping"
    job = jobs.finish(job_id)
    assert job["state"] == "stopped"
    assert job["resumable"]
    assert job["counts"]["done"] >= 1
    assert job["counts"]["done"] + job["counts"]["left"] == 20
    own_platform.calm()
    check_is_clean(jobs)
    done = {result["id"] for result in jobs.results(job_id, status="done")}
    presence = jobs.backend.client.post(
        "/repositories/personal/dp2/presence", json={"ids": [row["id"] for row in chosen["datasets"]]}
    ).json()
    assert set(presence["pinned"]) == done

    assert jobs.backend.client.post(f"/jobs/{job_id}/resume").status_code == 200
    job = jobs.finish(job_id)
    assert (job["state"], job["counts"]) == ("done", {"there": len(done), "done": 20 - len(done)})


def test_a_job_whose_backend_was_killed_is_shown_as_interrupted_and_can_be_resumed(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    chosen = jobs.chosen("visit_image", 12)
    own_platform.trouble("store", after=3, delay=60)
    job_id = jobs.start("pin", chosen=chosen, create=True)
    wait_until(lambda: is_copying(jobs, job_id))
    jobs.backend.process.kill()
    jobs.backend.process.wait(20)
    own_platform.calm()

    again = start_jobs(own_platform)
    (job,) = again.backend.get("/jobs")["jobs"]
    assert (job["id"], job["state"], job["resumable"]) == (job_id, "interrupted", True)
    assert again.backend.client.post(f"/jobs/{job_id}/resume").json()["state"] in ("waiting", "running")
    job = again.finish(job_id)
    assert job["state"] == "done"
    assert sum(job["counts"].values()) == 12
    presence = again.backend.client.post(
        "/repositories/personal/dp2/presence", json={"ids": [row["id"] for row in chosen["datasets"]]}
    ).json()
    assert len(presence["pinned"]) == 12


def test_a_backend_that_is_told_to_end_notes_what_it_interrupts(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    own_platform.trouble("store", delay=60)
    job_id = jobs.start("pin", chosen=jobs.chosen("visit_image", 2), create=True)
    wait_until(lambda: is_copying(jobs, job_id))
    jobs.backend.process.send_signal(signal.SIGTERM)
    jobs.backend.process.wait(20)
    own_platform.calm()
    again = start_jobs(own_platform)
    assert state(again, job_id)["state"] == "interrupted"
    check_is_clean(again)


def test_jobs_on_one_satellite_wait_for_one_another(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    chosen = jobs.chosen("visit_image", 2)
    own_platform.trouble("store", delay=60)
    first = jobs.start("pin", chosen=chosen, create=True)
    wait_until(lambda: is_copying(jobs, first))
    second = jobs.start("reference", chosen=jobs.chosen("visit_image", 4))
    third = jobs.start("reference", chosen=jobs.chosen("visit_image", 5))
    assert (state(jobs, second)["state"], state(jobs, second)["ahead"]) == ("waiting", 1)
    assert state(jobs, third)["ahead"] == 2
    assert jobs.backend.client.post(f"/jobs/{second}/cancel").json()["state"] == "stopped"
    assert state(jobs, third)["ahead"] == 1
    # The list of datasets is not held up by jobs.
    assert jobs.rows("deep_coadd", 1)
    jobs.backend.client.post(f"/jobs/{first}/cancel")
    assert jobs.finish(first)["state"] == "stopped"
    assert jobs.finish(third)["state"] == "done"


def test_the_backend_lives_until_its_jobs_have_ended(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    own_platform.trouble("store", delay=60)
    job_id = jobs.start("pin", chosen=jobs.chosen("visit_image", 2), create=True)
    wait_until(lambda: is_copying(jobs, job_id))
    # The holder is told that it must not stop it for want of questions.
    assert next(jobs.backend._held) == b"busy\n"
    jobs.backend.lease.close()
    with pytest.raises(subprocess.TimeoutExpired):
        jobs.backend.process.wait(7)
    jobs.backend.client.post(f"/jobs/{job_id}/cancel")
    assert jobs.backend.process.wait(20) == 0


def test_trouble_with_the_server_is_told_with_a_next_step_and_retrying_goes_on(
    own_platform: Platform, start_jobs: Callable[..., Jobs]
) -> None:
    jobs = start_jobs(own_platform)
    chosen = jobs.chosen("visit_image", 3)
    jobs.run("reference", chosen=jobs.chosen("visit_image", 1), create=True)
    own_platform.stop_server()
    job = jobs.run("reference", chosen=chosen)
    assert job["state"] == "failed"
    assert job["error"]["kind"] == "offline"
    assert job["error"]["next_step"]
    own_platform.start_server()
    jobs.backend.client.post(f"/jobs/{job['id']}/resume")
    assert jobs.finish(job["id"])["counts"] == {"there": 1, "done": 2}


def test_changes_are_told_at_once(jobs: Jobs, tmp_path: Path) -> None:
    chosen = jobs.chosen("visit_image", 1)
    with jobs.backend.new_client() as client, client.stream("GET", "/changes") as changes:
        # Of runs of pipelines it is told, too.
        lines = (line for line in changes.iter_lines() if '"event":"runs"' not in line)
        assert '"versions":{"dp2":"absent"}' in next(lines)

        def until_made() -> list[str]:
            seen = []
            for line in lines:
                seen.append(line)
                if '"versions"' in line:
                    return seen
            return seen

        finish = in_thread(until_made)
        jobs.satellite_root.parent.mkdir(exist_ok=True)
        job_id = jobs.start("reference", chosen=chosen, create=True)
        seen = finish()
        assert job_id in seen[0]
        assert '"absent"' not in seen[-1]
