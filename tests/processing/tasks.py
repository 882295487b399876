"""Small PipelineTasks for tests: they read images of the demonstration repository and write small tables.

What they do wrong, and when, is in their configuration, so that it is in a prepared graph. A directory of
marks tells how often and in what process a quantum really ran.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import lsst.pipe.base as pb
import numpy as np
from astropy.table import Table
from lsst.pex.config import Field, ListField
from lsst.pipe.base import connectionTypes as ct  # noqa: N813  upstream's name

__all__ = ["FILTERS", "CalibrateTask", "GatherTask", "MeasureTask", "NumberTask"]

_VISIT_DETECTOR = ("instrument", "visit", "detector")

FILTERS = ("g_6", "r_57", "i_39", "z_20", "y_10")
"""With detectors up to 199, `NumberTask` has a thousand quanta."""


class TroubleConfig(pb.PipelineTaskConfig, pipelineConnections=pb.PipelineTaskConnections):
    """What all tasks here can be told to do."""

    fail = ListField[int]("Detectors whose quanta raise.", default=[])
    fail_unless = Field[str]("Path: the quanta of `fail` raise while there is no such file.", default="")
    silent = ListField[int]("Detectors whose quanta end well and write nothing.", default=[])
    no_work = ListField[int]("Detectors whose quanta say that there is nothing to do.", default=[])
    die = ListField[int]("Detectors whose quanta end their process at once.", default=[])
    seconds = Field[float]("How long a quantum takes at least.", default=0.0)
    marks = Field[str]("Directory in which each execution leaves a file.", default="")
    wait_for = Field[str]("Path: quanta wait until there is such a file.", default="")


class _Trouble:
    """Carries out what the configuration says before a task does its own work."""

    config: Any
    log: Any

    def _trouble(self, name: str, detector: int) -> bool:
        """Whether the task is to write nothing."""
        config = self.config
        if config.marks:
            mark = Path(config.marks, f"{name}.{os.getpid()}.{uuid4().hex}")
            mark.touch()
        self.log.info("This is %s at work.", name)
        time.sleep(config.seconds)
        while config.wait_for and not Path(config.wait_for).exists():
            time.sleep(0.02)
        if detector in config.die:
            os._exit(9)
        if detector in config.fail and not (config.fail_unless and Path(config.fail_unless).exists()):
            raise RuntimeError(f"The sky of detector {detector} has fallen.")
        if detector in config.no_work:
            raise pb.NoWorkFound(f"Detector {detector} saw nothing.")
        return detector in config.silent


class MeasureConnections(pb.PipelineTaskConnections, dimensions=_VISIT_DETECTOR):
    """An image, and the table made of it."""

    image = ct.Input(doc="Image.", name="visit_image", storageClass="VisitImage", dimensions=_VISIT_DETECTOR)
    columns = ct.InitOutput(doc="Columns of the table.", name="measured_columns", storageClass="ArrowAstropy")
    table = ct.Output(
        doc="Its brightness.", name="measured", storageClass="ArrowAstropy", dimensions=_VISIT_DETECTOR
    )


class MeasureConfig(TroubleConfig, pipelineConnections=MeasureConnections):
    """Configuration of `MeasureTask`."""


class MeasureTask(_Trouble, pb.PipelineTask):
    """The median of each image."""

    ConfigClass = MeasureConfig
    _DefaultName: ClassVar[str] = "measure"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = Table({"column": ["visit", "detector", "median"]})

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N803
        """Measure one image."""
        data_id = butlerQC.quantum.dataId
        visit, detector = data_id["visit"], data_id["detector"]
        image = butlerQC.get(inputRefs.image)
        if not self._trouble(f"measure.{visit}.{detector}", detector):
            median = float(np.nanmedian(image.image.array))
            butlerQC.put(
                Table({"visit": [visit], "detector": [detector], "median": [median]}), outputRefs.table
            )


class CalibrateConnections(pb.PipelineTaskConnections, dimensions=_VISIT_DETECTOR):
    """An image, the bias valid when it was taken, and the table made of both."""

    image = ct.Input(doc="Image.", name="visit_image", storageClass="VisitImage", dimensions=_VISIT_DETECTOR)
    bias = ct.PrerequisiteInput(
        doc="Bias.",
        name="bias",
        storageClass="ImageV2",
        dimensions=("instrument", "detector"),
        isCalibration=True,
    )
    table = ct.Output(
        doc="Its brightness.", name="calibrated", storageClass="ArrowAstropy", dimensions=_VISIT_DETECTOR
    )


class CalibrateConfig(TroubleConfig, pipelineConnections=CalibrateConnections):
    """Configuration of `CalibrateTask`."""


class CalibrateTask(_Trouble, pb.PipelineTask):
    """The median of each image, and that of its bias."""

    ConfigClass = CalibrateConfig
    _DefaultName: ClassVar[str] = "calibrate"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N803
        """Compare one image with its bias."""
        data_id = butlerQC.quantum.dataId
        visit, detector = data_id["visit"], data_id["detector"]
        if not self._trouble(f"calibrate.{visit}.{detector}", detector):
            image, bias = butlerQC.get(inputRefs.image), butlerQC.get(inputRefs.bias)
            median, level = float(np.nanmedian(image.image.array)), float(np.nanmedian(bias.array))
            table = Table({"visit": [visit], "detector": [detector], "median": [median], "bias": [level]})
            butlerQC.put(table, outputRefs.table)


class GatherConnections(pb.PipelineTaskConnections, dimensions=("instrument", "visit")):
    """The tables of a visit's detectors, and one of them all."""

    tables = ct.Input(
        doc="Tables.", name="measured", storageClass="ArrowAstropy", dimensions=_VISIT_DETECTOR, multiple=True
    )
    table = ct.Output(
        doc="All of them.", name="gathered", storageClass="ArrowAstropy", dimensions=("instrument", "visit")
    )


class GatherConfig(TroubleConfig, pipelineConnections=GatherConnections):
    """Configuration of `GatherTask`, whose detector is taken to be 0."""


class GatherTask(_Trouble, pb.PipelineTask):
    """What `MeasureTask` found, a table for each visit."""

    ConfigClass = GatherConfig
    _DefaultName: ClassVar[str] = "gather"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N803
        """Put the tables of one visit below each other."""
        visit = butlerQC.quantum.dataId["visit"]
        if not self._trouble(f"gather.{visit}", 0):
            tables = butlerQC.get(inputRefs.tables)
            rows = [
                (int(row["visit"]), int(row["detector"]), float(row["median"])) for t in tables for row in t
            ]
            butlerQC.put(Table(rows=sorted(rows), names=["visit", "detector", "median"]), outputRefs.table)


class NumberConnections(pb.PipelineTaskConnections, dimensions=("instrument", "detector", "physical_filter")):
    """A table made of nothing."""

    table = ct.Output(
        doc="A number.",
        name="numbered",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "detector", "physical_filter"),
    )


class NumberConfig(TroubleConfig, pipelineConnections=NumberConnections):
    """Configuration of `NumberTask`; its ``fail`` has numbers instead of detectors."""


class NumberTask(_Trouble, pb.PipelineTask):
    """Many small quanta, which read nothing: each has a number of its own."""

    ConfigClass = NumberConfig
    _DefaultName: ClassVar[str] = "number"

    def runQuantum(self, butlerQC: Any, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N803
        """Write the number of one detector with one filter."""
        data_id = butlerQC.quantum.dataId
        colour = FILTERS.index(data_id["physical_filter"])
        number = 200 * colour + data_id["detector"]
        if not self._trouble(f"number.{number}", number):
            butlerQC.put(Table({"number": [number]}), outputRefs.table)
