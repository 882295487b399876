"""A run that a batch system executes: parsl on this machine, through upstream's Batch Processing Service."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from python_butler.cli import main
from python_butler.errors import InvalidRequestError
from python_butler.federation import open as open_butler
from python_butler.processing import workdir as workdirs
from python_butler.processing.batch import job, submit
from python_butler.processing.batch.configuration import write_configuration
from python_butler.processing.batch.sites import read_site, site_directory
from python_butler.processing.execution import start
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite

from .conftest import Prepare, pipeline
from .tasks import GatherTask, MeasureTask


@pytest.mark.timeout(300)
def test_the_local_site_executes_the_graph_and_its_last_job_collects(
    prepare_run: Prepare, environment: dict[str, str], satellite: Satellite
) -> None:
    workdir = prepare_run(name="batched")
    submission = submit(workdir, "local", cores=2)
    assert submission.status.complete, submission.log.read_text()
    with open_butler("dp2", collections=workdir.settings().output) as butler:
        assert len(butler.query_datasets("measured")) == 3
        assert len(butler.get(butler.query_datasets("gathered")[0])) == 3

    # Whatever BPS, parsl and the jobs wrote down.
    token = environment["BUTLER_RUBIN_ACCESS_TOKEN"].encode()
    written = [path for path in (*workdir.path.rglob("*"), *satellite.root.rglob("*")) if path.is_file()]
    assert any(path.name.endswith(".env.info.yaml") for path in written)
    assert [
        path for path in written if token in path.read_bytes() or b"Signature=" in path.read_bytes()
    ] == []


@pytest.mark.timeout(300)
def test_a_batch_that_is_stopped_can_be_submitted_again(prepare_run: Prepare, tmp_path: Path) -> None:
    gate, cancel = tmp_path / "gate", threading.Event()
    slow = pipeline((MeasureTask, {"wait_for": str(gate), "marks": str(tmp_path)}), GatherTask)
    workdir = prepare_run(slow, name="stopped")

    def stop_when_begun(_: object) -> None:
        if list(tmp_path.glob("measure*")):
            with pytest.raises(InvalidRequestError, match="with a batch system"):
                submit(workdir)
            cancel.set()

    submission = submit(workdir, cores=2, progress=stop_when_begun, cancel=cancel)
    assert not submission.status.complete

    gate.touch()
    assert submit(workdir, cores=2).status.complete


def test_a_site_is_a_file_of_the_person_and_one_that_is_not_known_is_refused_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(InvalidRequestError, match="Choose one of local, or write"):
        read_site("cluster")
    file = site_directory() / "cluster.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("computeSite: cluster\n")
    with pytest.raises(InvalidRequestError, match="wmsServiceClass and computeSite"):
        read_site("cluster")
    file.write_text("wmsServiceClass: lsst.ctrl.bps.htcondor.HTCondorService\ncomputeSite: cluster\n")
    assert read_site("cluster") == read_site(str(file))


def test_a_directory_that_batch_systems_would_misread_is_refused(
    prepare_run: Prepare, tmp_path: Path
) -> None:
    moved = prepare_run().path.rename(tmp_path / "two words")
    with pytest.raises(InvalidRequestError, match="blanks or signs that mean"):
        submit(WorkDirectory(moved))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A batch system with a queue, which nothing leaves."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    file = site_directory() / "queue.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("wmsServiceClass: processing.noting.NotingService\ncomputeSite: queue\n")
    return "queue"


@pytest.mark.timeout(300)
def test_a_run_in_a_queue_was_submitted_well_and_says_where_it_is_until_it_is_executed_here(
    prepare_run: Prepare, site: str
) -> None:
    workdir = prepare_run()
    assert workdir.settings().site is None
    done = CliRunner().invoke(main, ["run", "start", str(workdir.path), "--bps", site])
    assert done.exit_code == 0, done.output
    assert "0 of 4 quanta succeeded" in done.output
    assert workdir.settings().site == site
    assert start(workdir).complete
    assert workdir.settings().site is None


def test_how_many_jobs_are_executed_at_once_is_said_by_the_site_unless_the_person_does(
    prepare_run: Prepare, site: str, tmp_path: Path
) -> None:
    workdir = prepare_run()

    def described(site: str, cores: int | None) -> dict[str, object]:
        write_configuration(workdir, site, tmp_path / "submit", cores)
        written = yaml.safe_load(workdir.batch.read_text())
        return written.get("site", {}).get(written["computeSite"], {})

    own = site_directory() / "wide.yaml"
    own.write_text(yaml.safe_dump({**read_site("local"), "site": {"local": {"cores": 16}}}))
    assert described("wide", None)["cores"] == 16
    assert described("wide", 3)["cores"] == 3
    assert "cores" not in described(site, 3)


def test_a_job_does_not_work_beside_another_process(
    prepare_run: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir = prepare_run()
    monkeypatch.setattr(workdirs, "_REFUSED", 0.2)
    with workdir.locked():
        assert job.main(["init", str(workdir.path)]) == job.IN_TROUBLE
    assert not workdir.journal.exists()
    assert job.main(["init", str(workdir.path)]) == 0
