"""Detect and measure sources on a visit image."""

from __future__ import annotations

from collections.abc import Sequence

import astropy.units as u
import lsst.pipe.base as pipe_base
import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from astropy.table import Table
from lsst.images import VisitImage
from lsst.pex.config import Field, ListField, RangeField
from lsst.pipe.base import connectionTypes
from scipy import ndimage

from .background import estimate_background
from .measuring import Fits, aperture_fluxes, find_peaks, fit_sources, significance
from .tables import ColumnSpec, make_table

__all__ = ["DetectSourcesConfig", "DetectSourcesConnections", "DetectSourcesTask"]


class DetectSourcesConnections(
    pipe_base.PipelineTaskConnections,
    dimensions=("instrument", "visit", "detector"),
    defaultTemplates={"prefix": "example"},
):
    """What `DetectSourcesTask` reads and writes: one quantum for each image."""

    image = connectionTypes.Input(
        doc="Calibrated image of one detector during one visit, in nJy.",
        name="visit_image",
        storageClass="VisitImage",
        dimensions=("instrument", "visit", "detector"),
    )
    sources = connectionTypes.Output(
        doc="Sources detected and measured on the image.",
        name="{prefix}_source",
        storageClass="ArrowAstropy",
        dimensions=("instrument", "visit", "detector"),
    )


class DetectSourcesConfig(pipe_base.PipelineTaskConfig, pipelineConnections=DetectSourcesConnections):
    """Configuration of `DetectSourcesTask`."""

    threshold = RangeField(
        dtype=float,
        doc="The least signal to noise of the PSF flux that counts as a detection.",
        default=5.0,
        min=0.0,
    )
    separation = RangeField(
        dtype=int, doc="Pixels within which there is only one detection.", default=6, min=1, max=100
    )
    fit_radius = RangeField(
        dtype=int,
        doc="Radius in pixels of the part of the image to which the PSF is fitted.",
        default=9,
        min=2,
    )
    aperture_radius = RangeField(
        dtype=float, doc="Radius in pixels of the circle in which light is summed.", default=12.0, min=1.0
    )
    background_size = RangeField(
        dtype=int,
        doc="Side in pixels of the blocks in which the local background is estimated.",
        default=128,
        min=16,
    )
    subtract_background = Field[bool](
        doc="Whether to subtract a local background. Visit images already have theirs subtracted; what is "
        "left are its errors.",
        default=True,
    )
    bad_planes = ListField[str](
        doc="Mask planes whose pixels are not used. Planes that an image does not have are no obstacle.",
        default=["BAD", "SATURATED", "COSMIC_RAY", "NO_DATA", "UNMASKED_NAN"],
    )


class DetectSourcesTask(pipe_base.PipelineTask):
    """Detect sources on a visit image, and measure their positions and fluxes.

    A matched filter with the image's own PSF finds peaks. To each of them the PSF is fitted, with the fits of
    its neighbours subtracted. Blends closer than ``config.separation`` count as one source, and galaxies are
    measured as if they were stars: ``aperture_flux`` is the better guess of their light.
    """

    ConfigClass = DetectSourcesConfig
    _DefaultName = "detectSources"
    config: DetectSourcesConfig

    def run(self, *, image: VisitImage) -> pipe_base.Struct:
        """Detect and measure.

        Parameters
        ----------
        image : `lsst.images.VisitImage`
            Calibrated image in nJy, with PSF and sky projection.

        Returns
        -------
        result : `lsst.pipe.base.Struct`
            ``sources``, an `astropy.table.Table` with a row a source, the brightest first.

        Raises
        ------
        lsst.pipe.base.NoWorkFound
            If the image has no good pixels.
        """
        config = self.config
        pixels = image.image.array.astype(np.float64)
        variance = image.variance.array.astype(np.float64)
        good = np.isfinite(pixels) & np.isfinite(variance) & (variance > 0)
        for plane in config.bad_planes:
            if plane in image.mask.schema.names:
                good &= ~image.mask.get(plane)
        if np.count_nonzero(good) < good.size / 100:
            raise pipe_base.NoWorkFound("Fewer than one in a hundred of the image's pixels are good.")

        box = image.bbox
        kernel = image.psf.compute_kernel_image(x=box.x.center, y=box.y.center).array.astype(np.float64)
        ratio = significance(pixels, variance, good, kernel)
        if config.subtract_background:
            free = good & ~_grown(ratio > 3.0, config.separation)
            if "DETECTED" in image.mask.schema.names:
                free &= ~image.mask.get("DETECTED")
            pixels -= estimate_background(pixels, free, config.background_size)
            ratio = significance(pixels, variance, good, kernel)

        def profile(x: float, y: float) -> tuple[npt.NDArray[np.float64], int, int]:
            stamp = image.psf.compute_stellar_image(x=x + box.x.start, y=y + box.y.start)
            start = stamp.bbox.start
            return stamp.array.astype(np.float64), start.y - box.y.start, start.x - box.x.start

        peaks = find_peaks(ratio, config.threshold, config.separation)
        fits = fit_sources(pixels, variance, good, profile, peaks, radius=config.fit_radius)
        aperture = aperture_fluxes(fits, variance, profile, config.aperture_radius)
        sources = self._table(image, fits, aperture, good)
        self.log.info("%d peaks, of which %d are sources.", len(peaks[0]), len(sources))
        self.metadata["peaks"] = len(peaks[0])
        self.metadata["sources"] = len(sources)
        return pipe_base.Struct(sources=sources)

    def _table(
        self,
        image: VisitImage,
        fits: Fits,
        aperture: Sequence[npt.NDArray[np.float64]],
        good: npt.NDArray[np.bool_],
    ) -> Table:
        box, frame = image.bbox, image.sky_projection.pixel_frame
        height, width = box.shape
        with np.errstate(invalid="ignore"):
            kept = fits.ok & (fits.flux > self.config.threshold * fits.flux_err)
        kept &= (fits.x > -0.5) & (fits.x < width - 0.5) & (fits.y > -0.5) & (fits.y < height - 0.5)
        kept = np.flatnonzero(kept)
        kept = kept[np.argsort(-fits.flux[kept])]
        x, y = fits.x[kept], fits.y[kept]
        sky = _sky(image, x + box.x.start, y + box.y.start)
        step = _sky(image, x + box.x.start + 1, y + box.y.start)
        scale = sky.separation(step).to(u.arcsec).value
        reach = self.config.aperture_radius
        count = len(kept)
        edge = (x < reach) | (x > width - 1 - reach) | (y < reach) | (y > height - 1 - reach)
        bad = _grown(~good, 3)[np.rint(y).astype(int), np.rint(x).astype(int)]
        columns: dict[str, ColumnSpec] = {
            "visit": (np.full(count, frame.visit), None, "Number of the visit."),
            "detector": (np.full(count, frame.detector), None, "Number of the detector."),
            "band": (np.full(count, image.band), None, "Band of the visit."),
            "mjd": (np.full(count, _middle(image)), u.d, "Middle of the exposure as MJD (TAI)."),
            "ra": (sky.ra.deg, u.deg, "Right ascension (ICRS)."),
            "dec": (sky.dec.deg, u.deg, "Declination (ICRS)."),
            "sky_err": (
                scale * np.hypot(fits.x_err[kept], fits.y_err[kept]) / np.sqrt(2),
                u.arcsec,
                "Standard deviation of the position along each axis.",
            ),
            "x": (x + box.x.start, u.pix, "Column of the fitted position."),
            "y": (y + box.y.start, u.pix, "Row of the fitted position."),
            "x_err": (fits.x_err[kept], u.pix, "Standard deviation of x."),
            "y_err": (fits.y_err[kept], u.pix, "Standard deviation of y."),
            "flux": (fits.flux[kept], u.nJy, "Flux of the fitted PSF."),
            "flux_err": (fits.flux_err[kept], u.nJy, "Standard deviation of flux."),
            "aperture_flux": (
                aperture[0][kept],
                u.nJy,
                f"Flux within {reach:g} pixels, without the neighbours'.",
            ),
            "aperture_flux_err": (aperture[1][kept], u.nJy, "Standard deviation of aperture_flux."),
            "edge": (edge, None, "Whether the image's edge cuts the aperture."),
            "bad": (bad, None, "Whether there are unusable pixels within 3 of the centre."),
        }
        return make_table(columns, threshold=self.config.threshold)


def _grown(mask: npt.NDArray[np.bool_], pixels: int) -> npt.NDArray[np.bool_]:
    return np.asarray(ndimage.binary_dilation(mask, iterations=pixels))


def _middle(image: VisitImage) -> float:
    begin, end = image.obs_info.datetime_begin, image.obs_info.datetime_end
    if begin is None or end is None:
        return float("nan")
    return float((begin.tai.mjd + end.tai.mjd) / 2)


def _sky(image: VisitImage, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> SkyCoord:
    if len(x) == 0:
        # The projection refuses to transform nothing.
        return SkyCoord(np.zeros(0) * u.deg, np.zeros(0) * u.deg)
    return image.sky_projection.pixel_to_sky(x=x, y=y)
