"""Average cutouts of all visit images in a patch on one grid."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import astropy.units as u
import lsst.pipe.base as pipe_base
import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.wcs import WCS
from lsst.images import (
    Box,
    GeneralFrame,
    Image,
    Mask,
    MaskedImage,
    MaskPlane,
    MaskSchema,
    NoOverlapError,
    SkyProjection,
)
from lsst.pex.config import ListField, RangeField
from lsst.pipe.base import connectionTypes
from lsst.sphgeom import ConvexPolygon, LonLat

from .resampling import ORDER, resample
from .tables import make_table

__all__ = ["CoaddCutoutsConfig", "CoaddCutoutsConnections", "CoaddCutoutsTask"]

_PLANES = MaskSchema(
    [
        MaskPlane("NO_DATA", "No image has a good pixel here."),
        MaskPlane("REJECTED", "At least one image that covers this pixel was left out, as it is bad there."),
    ]
)


class CoaddCutoutsConnections(
    pipe_base.PipelineTaskConnections,
    dimensions=("skymap", "tract", "patch", "band"),
    defaultTemplates={"prefix": "example"},
):
    """What `CoaddCutoutsTask` reads and writes: one quantum for each patch and band."""

    images = connectionTypes.Input(
        doc="Calibrated images that overlap the patch, of which only the part in the cutout is read.",
        name="visit_image",
        storageClass="VisitImage",
        dimensions=("instrument", "visit", "detector"),
        multiple=True,
        deferLoad=True,
    )
    coadd = connectionTypes.Output(
        doc="Average of the images in nJy a pixel.",
        name="{prefix}_coadd",
        storageClass="MaskedImageV2",
        dimensions=("skymap", "tract", "patch", "band"),
    )
    contributions = connectionTypes.Output(
        doc="Which images are in the coadd, and with what weights.",
        name="{prefix}_coadd_input",
        storageClass="ArrowAstropy",
        dimensions=("skymap", "tract", "patch", "band"),
    )


class CoaddCutoutsConfig(pipe_base.PipelineTaskConfig, pipelineConnections=CoaddCutoutsConnections):
    """Configuration of `CoaddCutoutsTask`."""

    position = ListField[float](
        doc="Right ascension and declination (ICRS) in degrees of the cutout's middle. If it is left out, "
        "the middle is the patch's, and the cutout is the part of the patch that has images.",
        default=None,
        optional=True,
        length=2,
    )
    size = RangeField(
        dtype=int,
        doc="The longest side of a coadd in pixels, of which it may have fewer.",
        default=3400,
        min=16,
    )
    pixel_scale = RangeField(dtype=float, doc="Arcseconds a pixel of the coadd.", default=0.2, min=0.01)
    bad_planes = ListField[str](
        doc="Mask planes whose pixels are left out. Planes that an image does not have are no obstacle.",
        default=["BAD", "SATURATED", "COSMIC_RAY", "NO_DATA", "UNMASKED_NAN", "INTERPOLATED"],
    )


class CoaddCutoutsTask(pipe_base.PipelineTask):
    """Resample cutouts of images to one grid, and average them with their inverse variance as weights.

    Every image has one weight, from the median of its variance: weights that follow a source's own light
    would make bright stars fainter and wider. Images are not made equally sharp first, and outliers that
    no mask plane tells of are not rejected.
    """

    ConfigClass = CoaddCutoutsConfig
    _DefaultName = "coaddCutouts"
    config: CoaddCutoutsConfig

    def runQuantum(
        self,
        butlerQC: pipe_base.QuantumContext,
        inputRefs: pipe_base.InputQuantizedConnection,
        outputRefs: pipe_base.OutputQuantizedConnection,
    ) -> None:
        """Run on what Butler has; ``run`` takes handles too, so as to read no more than it needs."""
        data_id = butlerQC.quantum.dataId
        assert data_id is not None, "This task's quanta are patches and bands."
        region = data_id.region
        assert isinstance(region, ConvexPolygon), "Patches are polygons."
        butlerQC.put(self.run(images=butlerQC.get(inputRefs.images), region=region), outputRefs)

    def run(self, *, images: Iterable[Any], region: ConvexPolygon) -> pipe_base.Struct:
        """Resample and average.

        Parameters
        ----------
        images : `~collections.abc.Iterable`
            Handles (`lsst.daf.butler.DeferredDatasetHandle`, or `lsst.pipe.base.InMemoryDatasetHandle`) of
            `lsst.images.VisitImage` datasets in one band.
        region : `lsst.sphgeom.ConvexPolygon`
            The patch on the sky.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``coadd``, a `lsst.images.MaskedImage`, and ``contributions``, an `astropy.table.Table` with a
            row an image.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            If no image has a good pixel in the cutout.
        """
        handles = list(images)
        grid, box = self._grid(region)
        places = [
            (handle.get(component="sky_projection"), handle.get(component="bbox")) for handle in handles
        ]
        try:
            box = _covered(grid, box, places)
        except NoOverlapError:
            raise pipe_base.NoWorkFound("No image overlaps the cutout.") from None
        shape = box.shape
        total, squares, weights = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        rejected = np.zeros(shape, dtype=bool)
        rows = []
        for handle, (projection, whole) in zip(handles, places, strict=True):
            try:
                area = _covered(grid, box, [(projection, whole)])
                x, y = _pixels_on(projection, grid, area)
                cutout = whole.intersection(_around(x, y, margin=ORDER + 1))
            except NoOverlapError:
                continue
            image = handle.get(parameters={"bbox": cutout})
            good = self._good(image)
            if not good.any():
                continue
            weight = 1 / float(np.median(image.variance.array[good]))
            flux, variance, usable = resample(
                image.image.array, image.variance.array, good, x - cutout.x.start, y - cutout.y.start
            )
            part = area.slice_within(box)
            total[part] += weight * flux
            squares[part] += weight**2 * variance
            weights[part] += weight * usable
            rejected[part] |= whole.contains(x=x, y=y) & ~usable
            frame = projection.pixel_frame
            rows.append((frame.visit, frame.detector, weight, int(np.count_nonzero(usable))))
        if not weights.any():
            raise pipe_base.NoWorkFound("No image has a good pixel in the cutout.")
        empty = weights == 0
        with np.errstate(invalid="ignore", divide="ignore"):
            average, noise = total / weights, squares / weights**2
        mask = Mask(0, bbox=box, schema=_PLANES)
        mask.set("NO_DATA", empty)
        mask.set("REJECTED", rejected & ~empty)
        coadd = MaskedImage(
            Image(average.astype(np.float32), bbox=box, unit=u.nJy),
            mask=mask,
            variance=Image(noise.astype(np.float32), bbox=box, unit=u.nJy**2),
            sky_projection=grid,
        )
        self.log.info("%d of %d images on %d x %d pixels.", len(rows), len(handles), shape[1], shape[0])
        self.metadata["images"] = len(rows)
        return pipe_base.Struct(coadd=coadd, contributions=_contributions(rows))

    def _grid(self, region: ConvexPolygon) -> tuple[SkyProjection[GeneralFrame], Box]:
        """A tangential projection about the middle, north up, and the pixels that are wanted."""
        corners = [LonLat(vertex) for vertex in region.getVertices()]
        if self.config.position:
            ra, dec = self.config.position
        else:
            middle = LonLat(region.getCentroid())
            ra, dec = middle.getLon().asDegrees(), middle.getLat().asDegrees()
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.crval = [ra, dec]
        wcs.wcs.crpix = [1.0, 1.0]
        wcs.wcs.cdelt = [-self.config.pixel_scale / 3600, self.config.pixel_scale / 3600]
        grid = SkyProjection.from_fits_wcs(wcs, GeneralFrame(unit=u.pix))
        half = self.config.size // 2
        box = Box.from_shape((2 * half, 2 * half), start=(-half, -half))
        sky = SkyCoord(
            [corner.getLon().asDegrees() for corner in corners] * u.deg,
            [corner.getLat().asDegrees() for corner in corners] * u.deg,
        )
        outline = grid.sky_to_pixel(sky)
        try:
            return grid, box.intersection(_around(outline.x, outline.y, margin=0))
        except NoOverlapError:
            raise pipe_base.NoWorkFound("The configured position is far from the patch.") from None

    def _good(self, image: MaskedImage) -> npt.NDArray[np.bool_]:
        variance = image.variance.array
        good = np.isfinite(image.image.array) & np.isfinite(variance) & (variance > 0)
        for plane in self.config.bad_planes:
            if plane in image.mask.schema.names:
                good &= ~image.mask.get(plane)
        return good


def _around(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, margin: int) -> Box:
    """The smallest box with all positions and a margin around them."""
    return Box.from_float_bounds(x_min=x.min(), x_max=x.max(), y_min=y.min(), y_max=y.max()).padded(margin)


def _covered(
    grid: SkyProjection[GeneralFrame], box: Box, places: list[tuple[SkyProjection[Any], Box]]
) -> Box:
    """The part of the grid that images may cover, so that no memory goes to the rest."""
    x: list[float] = []
    y: list[float] = []
    for projection, whole in places:
        sides = np.array([whole.x.min, whole.x.max]), np.array([whole.y.min, whole.y.max])
        corners = np.meshgrid(*sides)
        on_grid = grid.sky_to_pixel(projection.pixel_to_sky(x=corners[0], y=corners[1]))
        x.extend(on_grid.x.ravel())
        y.extend(on_grid.y.ravel())
    return box.intersection(_around(np.array(x), np.array(y), margin=1))


def _pixels_on(
    projection: SkyProjection[Any], grid: SkyProjection[GeneralFrame], box: Box
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the grid's pixels fall on an image."""
    columns, rows = np.meshgrid(box.x.arange, box.y.arange)
    pixels = projection.sky_to_pixel(grid.pixel_to_sky(x=columns, y=rows))
    return np.asarray(pixels.x), np.asarray(pixels.y)


def _contributions(rows: list[tuple[int, int, float, int]]) -> Table:
    visit, detector, weight, pixels = (np.array(column) for column in zip(*rows, strict=True))
    return make_table(
        {
            "visit": (visit, None, "Number of the visit."),
            "detector": (detector, None, "Number of the detector."),
            "weight": (weight, u.nJy**-2, "Weight of the image in the average: its inverse variance."),
            "pixels": (pixels, None, "Pixels of the coadd to which the image contributes."),
        }
    )
