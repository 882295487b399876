"""Runs that would not work are refused before anything is run, with what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType, DatasetType, MissingCollectionError
from lsst.pipe.base import PipelineTask

import python_butler
from python_butler import processing
from python_butler.demo.contents import RUNS
from python_butler.errors import GoneError, InvalidRequestError
from python_butler.satellite import Satellite

from .conftest import VISIT, WHERE
from .tasks import CalibrateTask, GatherTask, MeasureTask


def prepare(tmp_path: Path, task: type[PipelineTask] = MeasureTask, **changes: object) -> processing.Run:
    arguments = {"label": "dp2", "directory": tmp_path / "run", "name": "mysources", "where": WHERE} | changes
    return processing.prepare(task, **arguments)  # type: ignore[arg-type]


def test_a_directory_holds_one_run(satellite: Satellite, tmp_path: Path) -> None:
    run = prepare(tmp_path)
    with pytest.raises(InvalidRequestError, match=r"prepared .* already.*satellite run clean"):
        prepare(tmp_path)
    with (
        run.workdir.locked(),
        pytest.raises(InvalidRequestError, match=r"Process \d+ on .* works on the run"),
    ):
        prepare(tmp_path)


def test_a_directory_with_other_files_is_left_alone(satellite: Satellite, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").touch()
    with pytest.raises(InvalidRequestError, match=r"not empty: thesis\.tex"):
        prepare(tmp_path)


def test_a_graph_without_quanta_is_refused_with_reasons(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"no quanta\. .+ Choose other inputs"):
        prepare(tmp_path, where="instrument = 'LSSTCam' AND visit = 1")
    assert list((tmp_path / "run").iterdir()) == []


def test_inputs_that_come_from_nowhere_are_named(satellite: Satellite, tmp_path: Path) -> None:
    # Made by another task, which is not in this pipeline.
    with pytest.raises(InvalidRequestError, match=r"measured"):
        prepare(tmp_path, GatherTask)


def test_a_missing_calibration_is_named(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"calibrate\.bias .* Add the collection"):
        prepare(tmp_path, CalibrateTask, inputs=[RUNS["visits"]])


def test_missing_input_collections_are_named(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(MissingCollectionError, match="nowhere"):
        prepare(tmp_path, inputs=["nowhere"])
    with pytest.raises(MissingCollectionError, match="u/me/satrs"):
        prepare(tmp_path, skip_existing_in=["dp2", "u/me/satrs"])


@pytest.mark.parametrize(
    ("dimensions", "storage_class"),
    [(("instrument", "visit"), "ArrowAstropy"), (("instrument", "visit", "detector"), "StructuredDataDict")],
)
def test_dataset_types_must_be_those_of_the_satellite(
    satellite: Satellite, tmp_path: Path, dimensions: tuple[str, ...], storage_class: str
) -> None:
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("measured", dimensions, storage_class, universe=writer.dimensions)
        )
    with pytest.raises(InvalidRequestError, match=r"(?s)measured.*other name|another name"):
        prepare(tmp_path)


def test_inputs_without_files_are_refused(satellite: Satellite, tmp_path: Path) -> None:
    with python_butler.open("dp2", collections="dp2", run="u/me/mine") as butler:
        data_id = {"instrument": "LSSTCam", "visit": VISIT, "detector": 91}
        ref = butler.put(butler.get("visit_image", data_id), "visit_image", data_id)
    with satellite.writer() as writer:
        writer.pruneDatasets([ref], disassociate=False, unstore=True)
    with pytest.raises(
        InvalidRequestError, match=r"neither repository has a file.*1 of visit_image.*u/me/mine"
    ):
        prepare(tmp_path, inputs=["u/me/mine", "dp2"])


def test_outputs_cannot_go_into_a_run_of_datasets(satellite: Satellite, tmp_path: Path) -> None:
    with satellite.writer() as writer:
        writer.collections.register("u/me/mysources", CollectionType.RUN)
    with pytest.raises(InvalidRequestError, match="no chain of runs"):
        prepare(tmp_path)


@pytest.mark.parametrize("name", ["", "a b", "../x/", "tilde~"])
def test_names_are_those_of_collections(satellite: Satellite, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be the name of outputs"):
        prepare(tmp_path, name=name or " ")


def test_pipelines_that_are_not_there_or_wrong_are_told(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="There is no pipeline"):
        prepare(tmp_path, tmp_path / "nothing.yaml")  # type: ignore[arg-type]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("description: x\ntasks:\n  one: nowhere.to.be.found.Task\n")
    with pytest.raises(InvalidRequestError, match=r"cannot be imported.*PYTHONPATH"):
        prepare(tmp_path, wrong)  # type: ignore[arg-type]
    wrong.write_text("tasks: [")
    with pytest.raises(InvalidRequestError, match="no pipeline that can be read"):
        prepare(tmp_path, wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"not a field.*the tasks are measure"):
        prepare(tmp_path, config={"other:seconds": 1})
    with pytest.raises(InvalidRequestError, match="does not fit together"):
        prepare(tmp_path, config={"measure:nofield": 1})


def test_tasks_of_a_notebook_are_refused(satellite: Satellite, tmp_path: Path) -> None:
    class LocalTask(MeasureTask):
        pass

    with pytest.raises(InvalidRequestError, match=r"cannot import it.*file of its own"):
        prepare(tmp_path, LocalTask)


def test_a_bound_name_is_no_dimension(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"name of a dimension.*:my_visit"):
        prepare(tmp_path, where="instrument = 'LSSTCam' AND visit = :visit", bind={"visit": VISIT})


def test_a_malformed_expression_is_told(satellite: Satellite, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be used"):
        prepare(tmp_path, where="nodimension = 4")


def test_no_run_is_opened_where_none_is(tmp_path: Path) -> None:
    with pytest.raises(GoneError, match="satellite run prepare"):
        processing.open(tmp_path)
