"""Questions of planning that are the same are asked once."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import lsst.pipe.base as pb
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType
from lsst.daf.butler.registry import Registry
from lsst.pipe.base import connectionTypes as ct  # noqa: N813  upstream's name

import python_butler
from python_butler import processing
from python_butler.demo.contents import RUNS
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

_VISIT_DETECTOR = ("instrument", "visit", "detector")
_BIAS: dict[str, Any] = {
    "name": "bias",
    "storageClass": "ImageV2",
    "dimensions": ("instrument", "detector"),
    "isCalibration": True,
}


def _search(
    dataset_type: DatasetType, registry: Registry, data_id: DataCoordinate, collections: Iterable[str]
) -> list[DatasetRef]:
    """Look a bias up as tasks of an instrument do, which have no time to go by."""
    return list(registry.queryDatasets(dataset_type, dataId=data_id, collections=collections, findFirst=True))


class SearchingConnections(pb.PipelineTaskConnections, dimensions=_VISIT_DETECTOR):
    """An image, and the bias that a function finds."""

    image = ct.Input(doc="Image.", name="visit_image", storageClass="VisitImage", dimensions=_VISIT_DETECTOR)
    bias = ct.PrerequisiteInput(doc="Bias.", lookupFunction=_search, **_BIAS)
    table = ct.Output(doc="Table.", name="t", storageClass="ArrowAstropy", dimensions=_VISIT_DETECTOR)


class SearchingConfig(pb.PipelineTaskConfig, pipelineConnections=SearchingConnections):
    """Configuration of `SearchingTask`."""


class SearchingTask(pb.PipelineTask):
    """Only planned."""

    ConfigClass = SearchingConfig
    _DefaultName: ClassVar[str] = "searching"


def questions(platform: Platform, tmp_path: Path, visits: int) -> tuple[int, processing.Run]:
    with python_butler.open("dp2") as butler:
        biases = butler.query_datasets("bias", "LSSTCam/calib/DP2", find_first=False, limit=1)[0].run
    platform.requests("server", forget=True)
    run = processing.prepare(
        SearchingTask,
        label="dp2",
        directory=tmp_path / f"run{visits}",
        inputs=[RUNS["visits"], biases],
        where="instrument = 'LSSTCam' AND detector IN (91, 93)",
        limit=2 * visits,
    )
    seen: list[Any] = platform.requests("server", forget=True)
    return len(seen), run


def test_a_search_for_each_quantum_is_asked_once_for_what_it_depends_on(
    satellite: Satellite, platform: Platform, tmp_path: Path
) -> None:
    few, first = questions(platform, tmp_path, 2)
    many, second = questions(platform, tmp_path, 8)
    assert (first.summary.quanta, second.summary.quanta) == (4, 16)
    (bias,) = [each for each in second.summary.types if each.name == "bias"]
    # The first data IDs are all of one detector.
    assert (bias.datasets, bias.role) == (1, "prerequisite")
    # Once for it, not for each quantum.
    assert many <= few
