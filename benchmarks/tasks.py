"""A task that costs almost nothing by itself, so that what surrounds it is measured."""

from __future__ import annotations

import numpy as np
from astropy.table import Table
from lsst.pipe.base import PipelineTask, PipelineTaskConfig, PipelineTaskConnections, Struct
from lsst.pipe.base.connectionTypes import Input, Output

__all__ = ["MeasureTask"]


class MeasureConnections(PipelineTaskConnections, dimensions=("instrument", "visit", "detector")):
    """One image in, one table out."""

    image = Input(
        doc="An image, of which nothing is read.",
        name="visit_image",
        storageClass="VisitImage",
        dimensions=("instrument", "visit", "detector"),
        deferLoad=True,
    )
    table = Output(
        doc="A table of one row.",
        name="bench_table",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit", "detector"),
    )


class MeasureConfig(PipelineTaskConfig, pipelineConnections=MeasureConnections):
    """Nothing to configure."""


class MeasureTask(PipelineTask):
    """Makes a small table."""

    ConfigClass = MeasureConfig
    _DefaultName = "measure"

    def run(self, *, image: object) -> Struct:
        """Make it, whatever the image is."""
        return Struct(table=Table({"flux": np.ones(1)}))
