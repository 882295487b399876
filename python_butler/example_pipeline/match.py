"""Match the sources of all visits in a patch, and average them."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import lsst.pipe.base as pipe_base
import numpy as np
import numpy.typing as npt
from astropy.coordinates import CartesianRepresentation, SkyCoord, UnitSphericalRepresentation
from astropy.table import QTable, Table, vstack
from lsst.pex.config import Field, ListField, RangeField
from lsst.pipe.base import connectionTypes
from lsst.sphgeom import Region

from .matching import average, group_positions, scatter
from .tables import ColumnSpec, make_table

__all__ = ["MatchSourcesConfig", "MatchSourcesConnections", "MatchSourcesTask"]


class MatchSourcesConnections(
    pipe_base.PipelineTaskConnections,
    dimensions=("skymap", "tract", "patch"),
    defaultTemplates={"prefix": "example"},
):
    """What `MatchSourcesTask` reads and writes: one quantum for each patch.

    A patch has no visit and no detector. That the sources of exactly those images are read which overlap it,
    follows from the regions of both: Butler joins dimensions that have regions.
    """

    sources = connectionTypes.Input(
        doc="Sources detected on each image that overlaps the patch.",
        name="{prefix}_source",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    objects = connectionTypes.Output(
        doc="Averages over the visits, a row an object.",
        name="{prefix}_object",
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract", "patch"),
    )
    object_sources = connectionTypes.Output(
        doc="The objects' sources: their light curves.",
        name="{prefix}_object_source",
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract", "patch"),
    )


class MatchSourcesConfig(pipe_base.PipelineTaskConfig, pipelineConnections=MatchSourcesConnections):
    """Configuration of `MatchSourcesTask`."""

    radius = RangeField(
        dtype=float,
        doc="Arcseconds within which two sources are the same object.",
        default=0.5,
        min=0.01,
        max=10.0,
    )
    minimum_visits = RangeField(
        dtype=int, doc="The fewest visits in which an object has been seen.", default=2, min=1
    )
    bands = ListField[str](doc="Bands that have columns.", default=["u", "g", "r", "i", "z", "y"])
    keep_flagged = Field[bool](
        doc="Whether to use sources with bad pixels near their centre, or that the image's edge cuts.",
        default=False,
    )


class MatchSourcesTask(pipe_base.PipelineTask):
    """Match sources over visits by position, and average them into objects.

    Only what was detected counts in an average, so that fluxes near the limit of detection come out too
    bright. Patches overlap at their borders: an object there is in the tables of both, with the same visits.
    """

    ConfigClass = MatchSourcesConfig
    _DefaultName = "matchSources"
    config: MatchSourcesConfig

    def runQuantum(
        self,
        butlerQC: pipe_base.QuantumContext,
        inputRefs: pipe_base.InputQuantizedConnection,
        outputRefs: pipe_base.OutputQuantizedConnection,
    ) -> None:
        """Run on what Butler has; ``run`` knows no Butler."""
        handles = butlerQC.get(inputRefs.sources)
        data_id = butlerQC.quantum.dataId
        assert data_id is not None, "This task's quanta are patches."
        butlerQC.put(
            self.run(sources=[handle.get() for handle in handles], region=data_id.region), outputRefs
        )

    def run(self, *, sources: Sequence[Table], region: Region | None = None) -> pipe_base.Struct:
        """Match and average.

        Parameters
        ----------
        sources : `~collections.abc.Sequence` [`astropy.table.Table`]
            Tables of `DetectSourcesTask`, one for each image.
        region : `lsst.sphgeom.Region`, optional
            Part of the sky in which objects lie; else everywhere.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``objects``, a row an object, and ``object_sources``, a row for each source of an object; both
            `astropy.table.Table`.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            If there are no sources.
        """
        # One table for all, in an order that does not depend on which image came first.
        filled = [QTable(each) for each in sources if len(each)]
        if not filled:
            raise pipe_base.NoWorkFound("No image that overlaps the patch has any sources.")
        found = vstack(filled, metadata_conflicts="silent")
        if not self.config.keep_flagged:
            found = found[~(found["edge"] | found["bad"])]
        found.sort(["mjd", "detector", "ra"])

        sky = SkyCoord(found["ra"], found["dec"])
        group = group_positions(sky, self.config.radius)
        groups = int(group.max(initial=-1)) + 1
        centre = _mean_position(sky, found["sky_err"].to_value(u.arcsec), group, groups)
        visits = np.bincount(np.unique(np.stack([group, found["visit"]]), axis=1)[0], minlength=groups)
        kept = visits >= self.config.minimum_visits
        if region is not None:
            kept &= np.asarray(region.contains(centre.ra.rad, centre.dec.rad), dtype=bool)
        # Objects are numbered from north to south in the patch.
        order = np.flatnonzero(kept)[np.argsort(-centre.dec.deg[kept])]
        number = np.full(groups, -1)
        number[order] = np.arange(len(order))

        found["object"] = number[group]
        found = found[found["object"] >= 0]
        found.sort(["object", "mjd"])
        objects = self._objects(found, centre[order], visits[order])
        description = "Number of the object in the patch's table of objects."
        columns: dict[str, ColumnSpec] = {"object": (found["object"], None, description)}
        for name in found.colnames[:-1]:
            column = found[name]
            columns[name] = (np.asarray(column), column.info.unit, column.info.description)
        self.log.info("%d objects of %d sources on %d images.", len(objects), len(found), len(sources))
        self.metadata["objects"] = len(objects)
        return pipe_base.Struct(objects=objects, object_sources=make_table(columns))

    def _objects(self, found: QTable, centre: SkyCoord, visits: npt.NDArray[np.int64]) -> Table:
        count = len(centre)
        group = np.asarray(found["object"])
        error = found["sky_err"].to_value(u.arcsec)
        apart = SkyCoord(found["ra"], found["dec"]).separation(centre[group]).to_value(u.arcsec)
        columns: dict[str, ColumnSpec] = {
            "object": (np.arange(count), None, "Number of the object in the patch."),
            "ra": (centre.ra.deg, u.deg, "Right ascension (ICRS), averaged over the visits."),
            "dec": (centre.dec.deg, u.deg, "Declination (ICRS), averaged over the visits."),
            "sky_err": (
                average(np.zeros(len(group)), error, group, count)[1],
                u.arcsec,
                "Standard deviation of the mean position along each axis.",
            ),
            # Two coordinates contribute to a distance, and scatter is that of one.
            "sky_scatter": (
                scatter(apart, np.zeros(count), group, count) / np.sqrt(2),
                u.arcsec,
                "Standard deviation of one visit's position along each axis.",
            ),
            "visits": (visits, None, "How many visits have seen the object."),
        }
        for band in self.config.bands:
            columns |= _photometry(found[found["band"] == band], band, count)
        return make_table(columns)


def _photometry(sources: QTable, band: str, count: int) -> dict[str, ColumnSpec]:
    """Columns of one band, in which not every object needs to have sources."""
    group = np.asarray(sources["object"])
    flux, flux_err = (sources[name].to_value(u.nJy) for name in ("flux", "flux_err"))
    mean, mean_err = average(flux, flux_err, group, count)
    spread = scatter(flux, mean, group, count)
    chi2 = np.bincount(group, ((flux - mean[group]) / flux_err) ** 2, count).astype(float)
    magnitudes = 2.5 / np.log(10)
    return {
        f"{band}_visits": (np.bincount(group, minlength=count), None, f"Sources in {band}."),
        f"{band}_flux": (mean, u.nJy, f"Mean flux in {band}, weighted by inverse variance."),
        f"{band}_flux_err": (mean_err, u.nJy, f"Standard deviation of the mean flux in {band}."),
        f"{band}_flux_scatter": (spread, u.nJy, f"Standard deviation of one visit's flux in {band}."),
        f"{band}_mag": (
            (mean * u.nJy).to_value(u.ABmag),
            u.mag,
            f"AB magnitude of the mean flux in {band}.",
        ),
        f"{band}_mag_err": (
            magnitudes * mean_err / mean,
            u.mag,
            f"Standard deviation of the magnitude in {band}.",
        ),
        f"{band}_mag_scatter": (
            magnitudes * spread / mean,
            u.mag,
            f"Standard deviation of one visit's flux in {band}, in magnitudes.",
        ),
        f"{band}_chi2": (
            chi2,
            None,
            f"Squared deviations from a constant flux in {band} over their variances; about the number of "
            "visits less one unless the object varies.",
        ),
    }


def _mean_position(
    sky: SkyCoord, errors: npt.NDArray[np.float64], group: npt.NDArray[np.int64], groups: int
) -> SkyCoord:
    """Weighted averages on the sphere, where right ascension may pass 0 hours."""
    mean = [average(axis, errors, group, groups)[0] for axis in sky.cartesian.xyz.value]
    around = CartesianRepresentation(*mean).represent_as(UnitSphericalRepresentation)
    return SkyCoord(around, frame="icrs")
