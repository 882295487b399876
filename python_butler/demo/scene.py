"""Drawing the simulated sky on pixels.

Room: demo. Arrays in, arrays out; no files and no Butler.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from lsst.images import Box

from .geometry import Floats, Projection
from .sky import Sky

__all__ = ["Scene", "Stamps"]

# Gaussians whose sum is an exponential profile: Hogg & Lang (2013), PASP 125, 719, table 1. Variances in
# squared half-light radii.
_EXPONENTIAL_WEIGHTS = np.array(
    [2.34853813e-03, 3.07995260e-02, 2.23364214e-01, 1.17949102e00, 4.33873750e00, 5.99820770e00]
)
_EXPONENTIAL_WEIGHTS = _EXPONENTIAL_WEIGHTS / _EXPONENTIAL_WEIGHTS.sum()
_EXPONENTIAL_VARIANCES = np.array(
    [1.20078965e-03, 8.84526493e-03, 3.91463084e-02, 1.39976817e-01, 4.60962500e-01, 1.50159566e00]
)

_HALF_SIZES = (13, 22, 45)
"""Half the sides of the stamps; a source is drawn on the smallest that holds it."""


@dataclass(frozen=True)
class Stamps:
    """Sources of similar size with their unit-flux profiles."""

    which: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    half: int
    profiles: Floats


class Scene:
    """Sources as they fall on one image.

    Parameters
    ----------
    sky : `Sky`
        Sources, of which those near the image are used.
    projection : `Projection`
        Of the image's pixels.
    box : `lsst.images.Box`
        The image's pixels.
    sigma : `float`
        Standard deviation of the Gaussian PSF in pixels.
    """

    def __init__(self, sky: Sky, projection: Projection, box: Box, sigma: float) -> None:
        x, y = projection.sky_to_pixel(sky.ra, sky.dec)
        x, y = x - box.x.start, y - box.y.start
        reach = _HALF_SIZES[-1]
        height, width = box.shape
        near = (x > -reach) & (x < width + reach) & (y > -reach) & (y < height + reach)
        self.sky = sky[near]
        self.x, self.y = x[near], y[near]
        self.box = box
        self.sigma = sigma
        self.covariance = self._shapes(projection)
        self.stamps = list(self._draw())

    def _shapes(self, projection: Projection) -> Floats:
        """Covariance in pixels of the unit half-light radius ellipses, shape ``(n, 2, 2)``."""
        major = self.sky.radius
        minor = major * self.sky.axis_ratio
        angle = np.radians(self.sky.angle)
        # Axes: east, north; the position angle runs from north to east.
        axes = np.stack(
            [
                np.stack([major * np.sin(angle), minor * np.cos(angle)], axis=-1),
                np.stack([major * np.cos(angle), -minor * np.sin(angle)], axis=-1),
            ],
            axis=-2,
        )
        to_pixels = np.linalg.inv(projection.matrix * 3600)
        pixels = to_pixels @ axes
        return np.asarray(pixels @ np.swapaxes(pixels, -1, -2))

    def _draw(self) -> Iterator[Stamps]:
        widest = np.sqrt(
            self.sigma**2 + _EXPONENTIAL_VARIANCES[-1] * np.trace(self.covariance, axis1=1, axis2=2)
        )
        wanted = 4.5 * widest
        previous = 0.0
        for half in _HALF_SIZES:
            limit = np.inf if half == _HALF_SIZES[-1] else half
            which = np.flatnonzero((wanted > previous) & (wanted <= limit))
            previous = half
            if len(which):
                rows, columns = np.rint(self.y[which]).astype(int), np.rint(self.x[which]).astype(int)
                yield Stamps(which, rows, columns, half, self._profiles(which, rows, columns, half))

    def _profiles(
        self,
        which: npt.NDArray[np.int64],
        rows: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        half: int,
    ) -> Floats:
        steps = np.arange(-half, half + 1, dtype=np.float64)
        dx = (steps + (columns - self.x[which])[:, None])[:, None, :]
        dy = (steps + (rows - self.y[which])[:, None])[:, :, None]
        extended = self.sky.radius[which] > 0
        profiles = np.empty((len(which), 2 * half + 1, 2 * half + 1))
        points = ~extended
        variance = self.sigma**2
        profiles[points] = np.exp(-0.5 * dx[points] ** 2 / variance) * np.exp(
            -0.5 * dy[points] ** 2 / variance
        )
        profiles[points] /= 2 * np.pi * variance
        if extended.any():
            total = np.zeros((int(extended.sum()), 2 * half + 1, 2 * half + 1))
            covariance = self.covariance[which][extended]
            for weight, scale in zip(_EXPONENTIAL_WEIGHTS, _EXPONENTIAL_VARIANCES, strict=True):
                xx = scale * covariance[:, 0, 0] + variance
                yy = scale * covariance[:, 1, 1] + variance
                xy = scale * covariance[:, 0, 1]
                determinant = xx * yy - xy**2
                exponent = (
                    (yy / determinant)[:, None, None] * dx[extended] ** 2
                    - 2 * (xy / determinant)[:, None, None] * dx[extended] * dy[extended]
                    + (xx / determinant)[:, None, None] * dy[extended] ** 2
                )
                total += (weight / (2 * np.pi * np.sqrt(determinant)))[:, None, None] * np.exp(
                    -0.5 * exponent
                )
            profiles[extended] = total
        return profiles

    def paint(self, flux: Floats) -> Floats:
        """An image of the sources without noise.

        Parameters
        ----------
        flux : `numpy.ndarray`
            Flux of each of ``self.sky`` in nJy, shape ``(n,)``.

        Returns
        -------
        image : `numpy.ndarray`
            nJy a pixel, shape of the box.
        """
        height, width = self.box.shape
        image = np.zeros((height, width), dtype=np.float32)
        for stamps in self.stamps:
            half = stamps.half
            for profile, number, row, column in zip(
                stamps.profiles, stamps.which, stamps.rows, stamps.columns, strict=True
            ):
                if flux[number] == 0:
                    continue
                top, left = row - half, column - half
                rows = slice(max(top, 0), min(top + 2 * half + 1, height))
                columns = slice(max(left, 0), min(left + 2 * half + 1, width))
                if rows.start < rows.stop and columns.start < columns.stop:
                    part = profile[
                        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
                    ]
                    image[rows, columns] += flux[number] * part
        return image
