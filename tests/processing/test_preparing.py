"""Preparing: what is planned over both repositories, counted and kept, and with how many requests."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lsst.daf.butler import Butler, CollectionType
from lsst.pipe.base import Pipeline, TaskMetadata
from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph, PredictedQuantumGraphComponents

import python_butler
from python_butler import processing
from python_butler.demo.contents import RUNS
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError
from python_butler.processing.preparing import PreparingStoppedError
from python_butler.processing.workdir import runs_of
from python_butler.satellite import Satellite
from python_butler.satellite.progress import Progress

from .conftest import DETECTORS, VISIT, WHERE
from .tasks import CalibrateTask, GatherTask, MeasureTask

CALIBRATIONS = "LSSTCam/calib/DP2"
PIPELINE = """
description: First each image, then each visit.
tasks:
  measure:
    class: processing.tasks.MeasureTask
    config:
      seconds: 0.5
  gather: processing.tasks.GatherTask
"""


def graph_of(run: processing.Run) -> PredictedQuantumGraphComponents:
    with PredictedQuantumGraph.open(run.workdir.graph) as reader:
        reader.read_all()
    return reader.components


def recorded(components: PredictedQuantumGraphComponents) -> dict[str, set[Any]]:
    """Datasets of which the graph has records, by the name of the datastore."""
    found: dict[str, set[Any]] = {}
    for quantum in components.quantum_datasets.values():
        for store, records in quantum.datastore_records.items():
            found.setdefault(store, set()).update(records.dataset_ids)
    return found


def test_a_pipeline_file_becomes_a_graph_with_a_summary_and_a_picture(
    satellite: Satellite, tmp_path: Path
) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(PIPELINE)
    run = processing.prepare(
        file,
        label="dp2",
        directory=tmp_path / "run",
        name="mysources",
        where="instrument = 'LSSTCam' AND visit = :mine AND detector IN (:detectors)",
        bind={"mine": VISIT, "detectors": list(DETECTORS)},
        config={"gather:seconds": 0.25},
    )
    summary = run.summary
    assert {task.label: task.quanta for task in summary.tasks} == {"measure": 3, "gather": 1}
    roles = {each.name: (each.role, each.datasets) for each in summary.types}
    assert roles["visit_image"] == ("input", 3)
    assert roles["measured"] == ("intermediate", 3)
    assert roles["gathered"] == ("output", 1)
    assert roles["measure_log"] == ("record", 3)
    images = next(each for each in summary.types if each.name == "visit_image")
    assert images.official == 3
    with python_butler.open("dp2", collections="dp2") as butler:
        refs = butler.query_datasets("visit_image", where=WHERE)
        assert images.bytes == sum(butler.getURI(ref).size() for ref in refs)
    assert "4 quanta of 2 tasks" in summary.headline()
    assert "visit_image" in summary._repr_html_()
    components = graph_of(run)
    assert recorded(components) == {"references": {ref.id for ref in refs}}
    tasks = components.pipeline_graph.tasks
    assert (tasks["measure"].config.seconds, tasks["gather"].config.seconds) == (0.5, 0.25)
    settings = processing.open(tmp_path / "run").settings
    assert settings.output == "u/me/mysources"
    assert settings.output_run.startswith("u/me/mysources/2")
    assert components.header.output_run == settings.output_run
    assert yaml.safe_load(run.workdir.pipeline.read_text())["tasks"].keys() == {"measure", "gather"}
    assert "gather" in run.workdir.picture_source.read_text()
    drawn = "".join(ET.parse(run.workdir.picture).getroot().itertext())
    assert all(name in drawn for name in ("measure", "gather", "visit_image", "measured", "gathered"))
    assert "measure_log" not in drawn


def test_preparing_writes_no_row_and_no_secret(
    satellite: Satellite, platform: Platform, tmp_path: Path
) -> None:
    before = satellite.version()
    run = processing.prepare(MeasureTask, label="dp2", directory=tmp_path / "run", where=WHERE)
    assert satellite.version() == before
    everything = graph_of(run).quantum_datasets.__repr__().encode()
    everything += b"".join(path.read_bytes() for path in run.directory.iterdir() if path.is_file())
    assert b"file_size" in everything
    assert platform.token.encode() not in everything
    assert b"X-Amz-Signature" not in everything


def test_a_satellite_is_made_by_the_first_run(environment: dict[str, str], tmp_path: Path) -> None:
    assert not Satellite.exists("dp2")
    run = processing.prepare(MeasureTask, label="dp2", directory=tmp_path / "run", where=WHERE)
    assert Satellite.open("dp2").root == run.settings.satellite


def test_tasks_can_be_chosen_from_a_file(satellite: Satellite, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(PIPELINE)
    run = processing.prepare(
        f"{tmp_path}/two.yaml#measure", label="dp2", directory=tmp_path / "run", where=WHERE
    )
    assert [task.label for task in run.summary.tasks] == ["measure"]


@pytest.fixture
def own_images(satellite: Satellite) -> Iterator[python_butler.SatelliteButler]:
    """A Butler over the release and, first, a run with an image of one's own and a table."""
    with python_butler.open("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine") as butler:
        data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": DETECTORS[0]}
        image = butler.get("visit_image", data_id, collections="dp2")
        butler.put(image, "visit_image", data_id)
        yield butler


def test_inputs_are_official_and_personal_ones(
    own_images: python_butler.SatelliteButler, tmp_path: Path
) -> None:
    run = processing.prepare(MeasureTask, butler=own_images, directory=tmp_path / "run", where=WHERE)
    (images,) = [each for each in run.summary.types if each.role == "input"]
    assert (images.datasets, images.official) == (3, 2)
    mine = own_images.find_dataset(
        "visit_image", instrument="LSSTCam", visit=VISIT, detector=DETECTORS[0], collections="u/me/mine"
    )
    assert mine is not None
    stores = recorded(graph_of(run))
    assert stores["personal"] == {mine.id}
    assert len(stores["references"]) == 2


def test_what_is_referenced_already_is_told_by_the_satellite(
    satellite: Satellite, platform: Platform, tmp_path: Path
) -> None:
    satellite.reference("visit_image", collections="dp2", where=WHERE)
    platform.requests("server", forget=True)
    run = processing.prepare(MeasureTask, label="dp2", directory=tmp_path / "run", where=WHERE)
    assert not [seen for seen in platform.requests("server") if seen.path.endswith("file_transfer")]
    assert len(recorded(graph_of(run))["references"]) == 3


def test_the_server_is_asked_no_more_than_by_upstreams_builder_alone(
    satellite: Satellite, platform: Platform, tmp_path: Path
) -> None:
    pipeline = Pipeline("Two tasks, one of which needs a calibration.")
    pipeline.addTask(MeasureTask, "measure")
    pipeline.addTask(CalibrateTask, "calibrate")
    inputs = ["dp2", CALIBRATIONS]
    platform.requests("server", forget=True)
    with Butler("dp2") as remote:
        AllDimensionsQuantumGraphBuilder(
            pipeline.to_graph(), remote, input_collections=inputs, output_run="u/me/x", where=WHERE
        ).finish(attach_datastore_records=False)
    theirs = platform.requests("server", forget=True)
    run = processing.prepare(pipeline, label="dp2", directory=tmp_path / "run", inputs=inputs, where=WHERE)
    assert run.summary.quanta == 6
    ours = platform.requests("server", forget=True)
    # One more tells where the files are.
    assert sum(seen.path.endswith("file_transfer") for seen in ours) == 1
    assert len(ours) - 1 <= len(theirs)


def test_prerequisites_are_inputs_that_are_not_counted_as_such(satellite: Satellite, tmp_path: Path) -> None:
    run = processing.prepare(
        CalibrateTask, label="dp2", directory=tmp_path / "run", inputs=["dp2", CALIBRATIONS], where=WHERE
    )
    assert {each.name: each.role for each in run.summary.types if each.bytes is not None} == {
        "visit_image": "input",
        "bias": "prerequisite",
    }


def test_a_limit_takes_the_first_data_ids_of_the_first_task(satellite: Satellite, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(PIPELINE)
    run = processing.prepare(
        tmp_path / "two.yaml",
        label="dp2",
        directory=tmp_path / "run",
        where=f"instrument = 'LSSTCam' AND visit = {VISIT} AND detector > {DETECTORS[0]}",
        limit=2,
    )
    components = graph_of(run)
    measured = [q for q in components.quantum_datasets.values() if q.task_label == "measure"]
    index = [*components.pipeline_graph.tasks["measure"].dimensions.data_coordinate_keys].index("detector")
    assert {quantum.data_coordinate[index] for quantum in measured} == set(DETECTORS[1:])
    assert {task.label: task.quanta for task in run.summary.tasks} == {"measure": 2, "gather": 1}


def pretend_it_was_collected(run: processing.Run, detectors: tuple[int, ...]) -> None:
    """Leave in the satellite what collecting would, as far as planning looks at it."""
    with python_butler.open("dp2", run=run.settings.output_run) as butler:
        types = graph_of(run).pipeline_graph.dataset_types
        for name in ("measure_metadata", "measured", "measure_config", "measured_columns", "measure_log"):
            butler.registry.registerDatasetType(types[name].dataset_type)
        columns = MeasureTask().columns
        butler.put(columns, "measured_columns")
        butler.put(MeasureTask.ConfigClass(), "measure_config")
        for detector in detectors:
            data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": detector}
            butler.put(TaskMetadata(), "measure_metadata", data_id)
            butler.put(columns, "measured", data_id)
        visit = {"instrument": "LSSTCam", "visit": VISIT}
        for name in ("gather_metadata", "gather_config", "gathered"):
            butler.registry.registerDatasetType(types[name].dataset_type)
        butler.put(GatherTask.ConfigClass(), "gather_config")
        butler.put(TaskMetadata(), "gather_metadata", visit)
        butler.put(columns, "gathered", visit)
        butler.collections.register(run.settings.output, CollectionType.CHAINED)
        butler.collections.prepend_chain(run.settings.output, run.settings.output_run)


def test_an_earlier_run_is_extended_by_what_is_new(satellite: Satellite, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(PIPELINE)
    narrow = f"instrument = 'LSSTCam' AND visit = {VISIT} AND detector = {DETECTORS[0]}"
    first = processing.prepare(
        tmp_path / "two.yaml", label="dp2", directory=tmp_path / "first", name="mysources", where=narrow
    )
    with pytest.raises(InvalidRequestError, match="satellite run collect"):
        processing.prepare(directory=tmp_path / "second", extend=first)
    pretend_it_was_collected(first, DETECTORS[:1])
    second = processing.prepare(directory=tmp_path / "second", extend=first, where=WHERE)
    counts = {task.label: (task.quanta, task.skipped) for task in second.summary.tasks}
    assert counts == {"measure": (2, 1), "gather": (0, 1)}
    (note,) = second.summary.notes
    assert note.startswith(
        "gather has succeeded before for 1 data ID and is not run again there, without what"
    )
    assert second.settings.output == first.settings.output
    assert second.settings.output_run > first.settings.output_run
    # What the tasks began with then is used again.
    assert len(graph_of(second).init_quanta.root) > 1
    with pytest.raises(InvalidRequestError, match="nothing to do"):
        processing.prepare(
            f"{tmp_path}/two.yaml#measure", directory=tmp_path / "third", extend=tmp_path / "first"
        )


def test_what_was_made_officially_with_tasks_of_the_same_name_is_made_again(
    satellite: Satellite, tmp_path: Path
) -> None:
    file = tmp_path / "same.yaml"
    # The release has metadata of a task with this name, for the same images.
    file.write_text(
        "description: Like the release.\ntasks:\n  reprocessVisitImage: processing.tasks.MeasureTask\n"
    )
    narrow = f"instrument = 'LSSTCam' AND visit = {VISIT} AND detector = {DETECTORS[0]}"
    first = processing.prepare(
        file, label="dp2", directory=tmp_path / "first", name="mysources", where=narrow
    )
    chain = first.settings.output
    with python_butler.open("dp2", run=first.settings.output_run) as butler:
        butler.collections.register(chain, CollectionType.CHAINED)
        butler.collections.redefine_chain(chain, [first.settings.output_run, RUNS["visits"]])
    extended = processing.prepare(directory=tmp_path / "second", extend=first, where=WHERE)
    assert [(task.quanta, task.skipped) for task in extended.summary.tasks] == [(3, 0)]
    skipping = processing.prepare(
        file, label="dp2", directory=tmp_path / "third", where=WHERE, skip_existing_in=[chain]
    )
    assert [(task.quanta, task.skipped) for task in skipping.summary.tasks] == [(3, 0)]


def test_what_an_earlier_run_did_not_make_again_is_not_made_later_either(
    satellite: Satellite, tmp_path: Path
) -> None:
    (tmp_path / "two.yaml").write_text(PIPELINE)
    other = processing.prepare(
        tmp_path / "two.yaml", label="dp2", directory=tmp_path / "other", name="other", where=WHERE
    )
    pretend_it_was_collected(other, DETECTORS[:1])
    first = processing.prepare(
        f"{tmp_path}/two.yaml#measure",
        label="dp2",
        directory=tmp_path / "first",
        name="mysources",
        where=WHERE,
        skip_existing_in=[other.settings.output],
    )
    with python_butler.open("dp2", run=first.settings.output_run) as butler:
        butler.collections.register(first.settings.output, CollectionType.CHAINED)
        butler.collections.prepend_chain(first.settings.output, first.settings.output_run)
    extended = processing.prepare(directory=tmp_path / "second", extend=first)
    assert [(task.quanta, task.skipped) for task in extended.summary.tasks] == [(2, 1)]
    # It may have been removed since.
    with satellite.writer() as writer:
        writer.collections.x_remove(other.settings.output)
    extended = processing.prepare(directory=tmp_path / "third", extend=first)
    assert [(task.quanta, task.skipped) for task in extended.summary.tasks] == [(3, 0)]


def test_progress_is_told_and_stopping_leaves_nothing(satellite: Satellite, tmp_path: Path) -> None:
    told: list[Progress] = []
    cancel = threading.Event()

    def stop(progress: Progress) -> None:
        told.append(progress)
        if progress.what.startswith("planning") and progress.done:
            cancel.set()

    with pytest.raises(PreparingStoppedError):
        processing.prepare(
            MeasureTask, label="dp2", directory=tmp_path / "run", where=WHERE, progress=stop, cancel=cancel
        )
    assert told
    assert list((tmp_path / "run").iterdir()) == []
    assert list((satellite.root / ".runs").iterdir()) == []
    cancel.clear()
    told.clear()
    run = processing.prepare(
        MeasureTask, label="dp2", directory=tmp_path / "run", where=WHERE, progress=told.append
    )
    assert {each.what.partition(" (")[0] for each in told} >= {"planning", "locating inputs"}
    assert run.workdir.prepared


def test_the_satellite_knows_its_runs(satellite: Satellite, tmp_path: Path) -> None:
    runs = [
        processing.prepare(MeasureTask, label="dp2", directory=tmp_path / name, name="same", where=WHERE)
        for name in ("one", "two")
    ]
    # Both were perhaps prepared in the same second.
    assert len({run.settings.output_run for run in runs}) == 2
    assert [found.path for found in runs_of(satellite.root)] == [run.directory for run in reversed(runs)]
