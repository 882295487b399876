"""What a run made comes into the satellite, as often as one collects, and all that reads it finds it."""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner
from lsst.daf.butler import Butler, CollectionType
from lsst.pipe.base import Pipeline
from lsst.pipe.base.quantum_graph import ProvenanceQuantumGraph

import python_butler
from python_butler.cli import main
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, OfflineError, SatelliteError
from python_butler.processing import made_from, prepare, provenance
from python_butler.processing.batch import job
from python_butler.processing.collecting import clean, collect
from python_butler.processing.collecting.plan import Plan
from python_butler.processing.execution import rerun
from python_butler.processing.execution.journal import Event, Journal, State
from python_butler.processing.workdir import WorkDirectory
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Options, check
from tests.backend.conftest import Backend

from .conftest import DETECTORS, VISIT, WHERE, Prepare
from .running import execute
from .tasks import CalibrateTask, GatherTask, MeasureTask

CHAIN = "u/me/mysources"


@dataclass
class Ran:
    """A run that was executed, and a satellite that knows nothing of it but the files."""

    satellite: Satellite
    workdir: WorkDirectory

    @property
    def run(self) -> str:
        return self.workdir.settings().output_run

    def butler(self) -> Butler:
        return Butler.from_config(str(self.satellite.root), collections=CHAIN)

    def count(self) -> int:
        with self.butler() as butler:
            return len(set(butler.query_all_datasets(self.run, find_first=False)))

    def files(self) -> set[Path]:
        top = self.satellite.root / "files"
        return {path.relative_to(top) for path in top.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def executed(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with a satellite and a run; one of the seven quanta fails."""
    top = tmp_path_factory.mktemp("executed")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**platform.environment, "PYTHON_BUTLER_ROOT": str(top / "butler")}.items():
            patch.setenv(name, value)
        patch.setenv("JUPYTERHUB_USER", "me")
        tasks = Pipeline("small tasks")
        for task in (MeasureTask, GatherTask, CalibrateTask):
            tasks.addTask(task, task._DefaultName)
        run = prepare(
            tasks,
            directory=top / "run",
            label="dp2",
            inputs=["dp2", "LSSTCam/calib/DP2"],
            name="mysources",
            where=WHERE,
            config={"calibrate:fail": [DETECTORS[0]], "calibrate:fail_unless": str(top / "mended")},
        )
        assert execute(run.workdir) == 1
        yield top


@pytest.fixture
def ran(executed: Path, environment: dict[str, str], tmp_path: Path) -> Ran:
    """A copy of the run for one test."""
    shutil.copytree(executed / "butler", tmp_path / "butler", dirs_exist_ok=True)
    shutil.copytree(executed / "run", tmp_path / "run")
    satellite, workdir = Satellite.open("dp2"), WorkDirectory(tmp_path / "run")
    workdir.write_settings(workdir.settings().model_copy(update={"satellite": satellite.root}))
    return Ran(satellite, workdir)


@pytest.fixture
def mend(executed: Path) -> Iterator[Callable[[], None]]:
    """Let the quantum that fails succeed."""
    yield (executed / "mended").touch
    (executed / "mended").unlink(missing_ok=True)


def test_what_was_made_is_found_by_all_that_read_the_satellite(ran: Ran) -> None:
    report = collect(ran.workdir)
    assert report.new == {
        "measured": 3, "measured_columns": 1, "measure_log": 3, "measure_metadata": 3, "measure_config": 1,
        "calibrated": 2, "calibrate_log": 2, "calibrate_metadata": 2, "calibrate_config": 1,
        "gathered": 1, "gather_log": 1, "gather_metadata": 1, "gather_config": 1, "packages": 1,
    }  # fmt: skip
    with ran.butler() as plain, python_butler.open("dp2", collections=CHAIN) as both:
        for butler in (plain, both):
            table = butler.get("gathered", instrument="LSSTCam", visit=VISIT)
            assert sorted(table["detector"]) == sorted(DETECTORS)
            for ref in butler.query_all_datasets(ran.run, find_first=False):
                assert butler.get(ref) is not None
            # The chain has the collections of the inputs, too.
            assert butler.get("visit_image", instrument="LSSTCam", visit=VISIT, detector=DETECTORS[0])


def test_inputs_are_referenced_with_the_validity_ranges_they_were_found_with(ran: Ran) -> None:
    report = collect(ran.workdir)
    assert report.inputs is not None
    assert not report.inputs.problems
    with ran.butler() as butler, Butler.from_config("dp2") as official:
        names = butler.collections.query("*", CollectionType.CALIBRATION)
        assert names
        for name in names:
            here = butler.query_datasets("bias", name, find_first=False)
            assert {ref.dataId["detector"] for ref in here} == set(DETECTORS)
            data_id = {"instrument": "LSSTCam", "detector": DETECTORS[1], "visit": VISIT}
            found = butler.find_dataset("bias", data_id, collections=name)
            assert found == official.find_dataset("bias", data_id, collections=name)
        assert butler.collections.get_info("dp2").type is CollectionType.CHAINED
    assert not any("pinned" in str(path) for path in ran.files())


def test_inputs_can_be_left_out_or_copied(ran: Ran) -> None:
    report = collect(ran.workdir, inputs="none")
    assert report.inputs is None
    with ran.butler() as butler:
        assert butler.collections.get_info(CHAIN).children == (ran.run,)
        assert butler.get("gathered", instrument="LSSTCam", visit=VISIT)
    copied = collect(ran.workdir, inputs="copy")
    assert copied.inputs is not None
    assert copied.inputs.copied == 2 * len(DETECTORS)
    assert not copied.new
    with ran.butler() as butler:
        assert butler.collections.get_info(CHAIN).children[0] == ran.run
        assert len(butler.collections.get_info(CHAIN).children) > 1
    with pytest.raises(InvalidRequestError, match="reference, copy or none"):
        collect(ran.workdir, inputs="steal")  # type: ignore[arg-type]


def test_collecting_again_changes_nothing(ran: Ran) -> None:
    first = collect(ran.workdir)
    before, files = ran.count(), ran.files()
    again = collect(ran.workdir)
    assert (again.new.total(), again.there) == (0, first.new)
    assert (ran.count(), ran.files()) == (before, files)


def test_what_failed_is_said_and_added_when_it_has_been_run_again(ran: Ran, mend: Callable[[], None]) -> None:
    report = collect(ran.workdir)
    assert not report.complete
    assert report.quanta["calibrate"] == {"succeeded": 2, "failed": 1}
    assert "start the run again" in str(report)
    with ran.butler() as butler:
        assert len(butler.query_datasets("calibrated")) == 2
        assert len(butler.query_datasets("calibrate_log")) == 2
    mend()
    assert execute(ran.workdir) == 0
    report = collect(ran.workdir)
    assert report.complete
    assert report.new == {"calibrated": 1, "calibrate_log": 1, "calibrate_metadata": 1}
    with ran.butler() as butler:
        graph = butler.get("run_provenance")
        assert isinstance(graph, ProvenanceQuantumGraph)
        assert len(butler.query_datasets("run_provenance", ran.run)) == 1
    assert len(list((ran.satellite.root / "files" / ran.run / "run_provenance").iterdir())) == 1


def test_what_the_journal_has_to_be_run_again_is_left_out_whatever_it_wrote(ran: Ran) -> None:
    (quantum,) = (each for each in Plan(ran.workdir.graph).quanta.values() if each.task_label == "gather")
    with Journal(ran.workdir) as journal:
        journal.append(Event.now(quantum.quantum_id, "gather", State.STARTED, {}))
    report = collect(ran.workdir)
    assert report.quanta["gather"] == {"failed": 1}
    assert "gathered" not in report.new
    assert report.new["measured"] == 3
    with Journal(ran.workdir) as journal:
        journal.append(Event.now(quantum.quantum_id, "gather", State.SUCCEEDED, {}))
    assert collect(ran.workdir).new["gathered"] == 1


def test_the_satellite_is_in_good_order_before_and_after(ran: Ran) -> None:
    # Files of a run that is not collected are no orphans, however old.
    options = Options(min_age=0)
    assert check(ran.satellite, options).clean
    collect(ran.workdir)
    assert check(ran.satellite, options).clean
    clean(ran.workdir)
    report = check(ran.satellite, options)
    assert report.clean, report
    assert not list((ran.satellite.root / ".runs").iterdir())


def test_newer_runs_come_first_in_their_chain(ran: Ran) -> None:
    earlier, later = f"{CHAIN}/20250101T000000Z", f"{CHAIN}/29990101T000000Z"
    with ran.satellite.writer() as writer:
        for run in (earlier, later):
            writer.collections.register(run)
        writer.collections.register(CHAIN, CollectionType.CHAINED)
        writer.collections.redefine_chain(CHAIN, [later, earlier])
    collect(ran.workdir)
    with ran.butler() as butler:
        assert butler.collections.get_info(CHAIN).children[:3] == (later, ran.run, earlier)


def test_a_collection_in_the_place_of_the_chain_is_refused_with_the_outputs_saved(ran: Ran) -> None:
    with ran.satellite.writer() as writer:
        writer.collections.register(CHAIN)
    with pytest.raises(SatelliteError, match=ran.run):
        collect(ran.workdir)
    with Butler.from_config(str(ran.satellite.root), collections=ran.run) as butler:
        assert butler.get("gathered", instrument="LSSTCam", visit=VISIT)


def test_without_the_server_the_outputs_are_saved_and_the_rest_comes_later(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere.yaml"
    nowhere.write_text("dp2: http://127.0.0.1:9/api/butler/repo/dp2\n")
    with monkeypatch.context() as patch:
        patch.setenv("DAF_BUTLER_REPOSITORY_INDEX", str(nowhere))
        patch.delenv("DAF_BUTLER_REPOSITORIES", raising=False)
        with pytest.raises(OfflineError):
            collect(ran.workdir)
    with Butler.from_config(str(ran.satellite.root), collections=ran.run) as butler:
        assert butler.get("gathered", instrument="LSSTCam", visit=VISIT)
    report = collect(ran.workdir)
    assert report.inputs is not None
    assert report.inputs.total == 2 * len(DETECTORS)


def test_the_last_job_of_a_batch_system_waits_for_the_server(
    ran: Ran, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mender(logging.Handler):
        """Lets the server be well again as soon as the job says that it waits for it."""

        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())
            platform.calm()

    said: list[str] = []
    mender, log = Mender(), logging.getLogger(job.__name__)
    monkeypatch.setattr(job, "_PAUSE", 0.1)
    platform.trouble("server", status=500)
    log.addHandler(mender)
    try:
        assert job.main(["collect", str(ran.workdir.path)]) == 0
    finally:
        log.removeHandler(mender)
        platform.calm()
    assert "tried again" in said[0]
    with ran.butler() as butler:
        assert butler.query_datasets("bias", "LSSTCam/calib/DP2", find_first=False)


def test_a_run_that_made_nothing_yet_is_not_registered(prepare_run: Prepare, satellite: Satellite) -> None:
    workdir = prepare_run()
    collect(workdir)
    with satellite.reader() as reader:
        assert not reader.collections.query(f"{CHAIN}*")
    with pytest.raises(InvalidRequestError, match="satellite run collect"):
        prepare(directory=workdir.path.with_name("second"), extend=workdir.path)
    assert execute(workdir) == 0
    assert collect(workdir).complete
    with satellite.reader() as reader:
        assert reader.collections.get_info(CHAIN).children[0] == workdir.settings().output_run
        assert reader.query_datasets("run_provenance", CHAIN)


def test_what_was_collected_is_not_executed_again(ran: Ran) -> None:
    quanta = {each.task_label: each.quantum_id for each in Plan(ran.workdir.graph).quanta.values()}
    with Journal(ran.workdir) as journal:
        journal.append(Event.now(quanta["gather"], "gather", State.SUCCEEDED, {}))
    collect(ran.workdir)
    before = ran.files()
    with pytest.raises(InvalidRequestError, match=r"in your satellite.*Prepare it anew"):
        rerun(ran.workdir, quanta["gather"])
    assert ran.files() == before


def test_it_can_be_stopped_and_goes_on(ran: Ran) -> None:
    told: list[str] = []
    cancel = threading.Event()

    def stop(progress: object) -> None:
        told.append(str(progress))
        cancel.set()

    assert collect(ran.workdir, progress=stop, cancel=cancel).cancelled
    assert told
    report = collect(ran.workdir)
    assert not report.cancelled
    assert report.new.total() == ran.count() - 1


def test_cleaning_gives_up_what_was_not_collected(ran: Ran) -> None:
    (ran.workdir.path / "notes.txt").write_text("mine")
    would = clean(ran.workdir, dry_run=True)
    assert would.files > 0
    assert ran.workdir.prepared
    assert clean(ran.workdir).files == would.files
    assert not ran.files()
    assert [path.name for path in ran.workdir.path.iterdir()] == ["notes.txt"]


def test_cleaning_never_takes_what_was_collected(ran: Ran) -> None:
    collect(ran.workdir)
    run = ran.run
    stray = ran.satellite.root / "files" / run / "measured" / "mine.txt"
    stray.write_text("Nobody knows whose.")
    report = clean(ran.workdir, keep_logs=True)
    # Of the quantum that failed there was a log.
    assert report.files == 1
    assert stray.exists()
    with ran.butler() as butler:
        for ref in butler.query_all_datasets(run, find_first=False):
            assert butler.get(ref) is not None


class TestProvenance:
    def test_of_each_dataset_it_is_told_what_made_it_and_how(self, ran: Ran) -> None:
        collect(ran.workdir)
        with ran.butler() as plain, python_butler.open("dp2", collections=CHAIN) as both:
            for butler in (plain, both):
                (ref,) = butler.query_datasets("gathered")
                told = provenance(butler, ref)
                assert told is not None
                assert (told.task, told.status, told.run) == ("gather", "successful", ran.run)
                assert told.task_class.endswith("GatherTask")
                assert told.data_id["visit"] == VISIT
                assert {each.dataset_type for each in told.inputs} == {"measured"}
                assert {each.data_id["detector"] for each in told.inputs} == set(DETECTORS)
                assert "config.seconds" in told.config
                assert told.software["numpy"]
                # One step further, to what is official.
                measured = provenance(butler, told.inputs[0].id)
                assert measured is not None
                (image,) = (each for each in measured.inputs if each.connection == "image")
                assert butler.get_dataset(image.id) is not None
                assert provenance(butler, image.id) is None
                columns = butler.query_datasets("measured_columns")[0]
                before = provenance(butler, columns)
                assert before is not None
                assert (before.task, before.status) == ("measure", "")

    def test_what_was_made_from_an_official_dataset_is_found(self, ran: Ran) -> None:
        collect(ran.workdir)
        with ran.butler() as butler:
            data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": DETECTORS[1]}
            image = butler.find_dataset("visit_image", data_id)
            assert image is not None
            found = made_from(butler, image.id, 10)
            assert {each.dataset_type for each in found} == {"measured", "calibrated"}
            assert {each.data_id["detector"] for each in found} == {DETECTORS[1]}
            assert made_from(butler, uuid4()) == []
            assert made_from(butler, image.id, 1) == found[:1]
            with python_butler.open("dp2", collections=CHAIN) as both:
                assert made_from(both, image.id) == found

    def test_a_terminal_tells_it_of_datasets_by_their_ids_or_names(self, ran: Ran) -> None:
        collect(ran.workdir)
        with ran.butler() as butler:
            measured = butler.query_datasets("measured", where=f"detector = {DETECTORS[0]}")[0]
        named = ["measured", f"detector={DETECTORS[0]}", "--collections", CHAIN]
        (told,) = json.loads(CliRunner().invoke(main, ["provenance", *named, "--json"]).stdout)
        assert told["dataset"]["id"] == str(measured.id)
        assert told["maker"]["task"] == "measure"
        assert "config.seconds" in told["maker"]["configuration"]
        assert [each["dataset_type"] for each in told["inputs"]] == ["visit_image"]
        assert [each["dataset_type"] for each in told["outputs"]] == ["gathered"]
        shown = CliRunner().invoke(main, ["provenance", str(measured.id), "--full"])
        assert shown.exit_code == 0, shown.output
        for words in ("made by     measure", "visit_image", "gathered", "config.seconds", "numpy"):
            assert words in shown.output
        unknown = CliRunner().invoke(main, ["provenance", str(uuid4())])
        assert unknown.exit_code == 1
        assert "Neither dp2 nor your satellite of it has a dataset" in unknown.output

    def test_the_data_browser_is_told_too(
        self, ran: Ran, environment: dict[str, str], tmp_path: Path
    ) -> None:
        collect(ran.workdir)
        with ran.butler() as butler:
            (gathered,) = butler.query_datasets("gathered")
            measured = butler.query_datasets("measured")[0]
        directory = tmp_path / "backend"
        directory.mkdir()
        backend = Backend(directory, {**os.environ, **environment})
        try:
            datasets = "/repositories/personal/dp2/datasets"
            step = backend.get(f"{datasets}/{gathered.id}/provenance")
            assert (step["sources"], step["inputs_are"]) == (["graph"], "recorded")
            assert {each["dataset_type"] for each in step["inputs"]} == {"measured"}
            assert step["maker"]["task"] == "gather"
            assert "config.seconds" in step["maker"]["configuration"]
            assert step["maker"]["software"]["numpy"]
            assert [each["label"] for each in step["tasks"] if each["same_dimensions"]] == ["gather"]
            step = backend.get(f"{datasets}/{measured.id}/provenance")
            assert str(gathered.id) in {each["id"] for each in step["outputs"]}
        finally:
            backend.close()
