"""Drawing sources on pixels, and measuring them there: the demonstration's own small pipeline.

Room: demo. Arrays in, arrays out; no files and no Butler. Neighbours are subtracted with the true model
before a source is measured, as a perfect deblender would do; its noise stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from lsst.images import Box

from .geometry import Floats, Projection
from .sky import Sky

__all__ = ["APERTURES", "Measurements", "Scene"]

APERTURES = (3, 6, 9, 12, 17, 25, 35, 50, 70)
"""Radii of the circular apertures in pixels."""

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

_CHUNK = 256
"""Sources handled at once, so that stamps stay small in memory."""

_LARGE_APERTURE = 17
"""Radius from which on an aperture is summed row by row, which is exact in x and much faster."""


def cut(array: Floats, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], half: int) -> Floats:
    """Stamps around pixels, 0 beyond the array's edge.

    Parameters
    ----------
    array : `numpy.ndarray`
        Shape ``(ny, nx)``.
    rows, columns : `numpy.ndarray`
        Central elements, shape ``(n,)``.
    half : `int`
        Half the side.

    Returns
    -------
    stamps : `numpy.ndarray`
        Shape ``(n, 2 * half + 1, 2 * half + 1)``.
    """
    steps = np.arange(-half, half + 1)
    row = rows[:, None] + steps
    column = columns[:, None] + steps
    good = ((row >= 0) & (row < array.shape[0]))[:, :, None] & (
        (column >= 0) & (column < array.shape[1])
    )[:, None, :]
    stamps = array[
        np.clip(row, 0, array.shape[0] - 1)[:, :, None], np.clip(column, 0, array.shape[1] - 1)[:, None, :]
    ]
    return np.where(good, stamps, 0.0)


@dataclass(frozen=True)
class _Stamps:
    """Sources of similar size with their unit-flux profiles."""

    which: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    half: int
    profiles: Floats


class _Pixels:
    """An image from which all sources were subtracted, its variance, and sums along their rows."""

    def __init__(self, residual: Floats, variance: Floats) -> None:
        self.residual = residual
        self.variance = variance
        self._residual_sums = np.pad(np.cumsum(residual, axis=1), ((0, 0), (1, 0)))
        self._variance_sums = np.pad(np.cumsum(variance, axis=1), ((0, 0), (1, 0)))

    def disc(self, x: Floats, y: Floats, radius: float) -> tuple[Floats, Floats]:
        """Sums of residual and variance in circles; the part beyond the image's edge counts as 0."""
        height, width = self.residual.shape
        rows = np.rint(y).astype(int)[:, None] + np.arange(-int(radius) - 1, int(radius) + 2)
        half_chord = np.sqrt(np.clip(radius**2 - (rows - y[:, None]) ** 2, 0, None))
        inside = (rows >= 0) & (rows < height)
        rows = np.clip(rows, 0, height - 1)
        # Pixel k reaches from k - 0.5 to k + 0.5, which is from k to k + 1 in the running sum.
        ends = [np.clip(x[:, None] + sign * half_chord + 0.5, 0, width) for sign in (1, -1)]
        sums = []
        for running in (self._residual_sums, self._variance_sums):
            upper, lower = (self._interpolate(running, rows, end) for end in ends)
            sums.append(np.where(inside, upper - lower, 0.0).sum(axis=1))
        return sums[0], sums[1]

    @staticmethod
    def _interpolate(running: Floats, rows: npt.NDArray[np.int64], columns: Floats) -> Floats:
        left = np.minimum(columns.astype(int), running.shape[1] - 2)
        fraction = columns - left
        return running[rows, left] * (1 - fraction) + running[rows, left + 1] * fraction


@dataclass(frozen=True)
class Measurements:
    """What was measured, one source an element; fluxes in nJy, positions and shapes in pixels.

    Sources whose centre lies outside the image have no element; ``index`` says which source of the sky
    each element is.
    """

    index: npt.NDArray[np.int64]
    x: Floats
    y: Floats
    error: Floats
    psf: Floats
    psf_error: Floats
    model: Floats
    model_error: Floats
    apertures: Floats
    aperture_errors: Floats
    ixx: Floats
    iyy: Floats
    ixy: Floats
    chi2: Floats
    isolated: npt.NDArray[np.bool_]


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
        self._covariance = self._shapes(projection)
        self._stamps = list(self._draw())

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

    def _draw(self) -> Iterator[_Stamps]:
        widest = np.sqrt(self.sigma**2 + _EXPONENTIAL_VARIANCES[-1] * np.trace(self._covariance, axis1=1, axis2=2))
        wanted = 4.5 * widest
        previous = 0.0
        for half in _HALF_SIZES:
            limit = np.inf if half == _HALF_SIZES[-1] else half
            which = np.flatnonzero((wanted > previous) & (wanted <= limit))
            previous = half
            if len(which):
                rows, columns = np.rint(self.y[which]).astype(int), np.rint(self.x[which]).astype(int)
                yield _Stamps(which, rows, columns, half, self._profiles(which, rows, columns, half))

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
        profiles[points] = np.exp(-0.5 * dx[points] ** 2 / variance) * np.exp(-0.5 * dy[points] ** 2 / variance)
        profiles[points] /= 2 * np.pi * variance
        if extended.any():
            total = np.zeros((int(extended.sum()), 2 * half + 1, 2 * half + 1))
            covariance = self._covariance[which][extended]
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
                total += (weight / (2 * np.pi * np.sqrt(determinant)))[:, None, None] * np.exp(-0.5 * exponent)
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
        image = np.zeros((height, width))
        for stamps in self._stamps:
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

    def _isolated(self, flux: Floats) -> npt.NDArray[np.bool_]:
        """Whether no neighbour with a hundredth of a source's flux lies within 30 pixels."""
        distance = np.hypot(self.x[:, None] - self.x, self.y[:, None] - self.y)
        rival = (distance < 30) & (flux[None, :] > 0.01 * flux[:, None])
        np.fill_diagonal(rival, False)
        return np.asarray(~rival.any(axis=1))

    def measure(self, image: Floats, variance: Floats, flux: Floats, *, forced: bool = False) -> Measurements:
        """Measure every source whose centre is on the image.

        Parameters
        ----------
        image, variance : `numpy.ndarray`
            nJy and nJy² a pixel, shape of the box.
        flux : `numpy.ndarray`
            Flux with which each of ``self.sky`` was drawn, shape ``(n,)``; used to subtract neighbours.
        forced : `bool`, optional
            Keep to the true positions instead of fitting a centroid.

        Returns
        -------
        measurements : `Measurements`
            In the order of the sky's index. Positions are in the coordinates of the box.
        """
        pixels = _Pixels(image - self.paint(flux), variance)
        isolated = self._isolated(flux)
        height, width = image.shape
        parts = []
        for stamps in self._stamps:
            inside = (
                (self.x[stamps.which] > -0.5)
                & (self.x[stamps.which] < width - 0.5)
                & (self.y[stamps.which] > -0.5)
                & (self.y[stamps.which] < height - 0.5)
            )
            chosen = np.flatnonzero(inside)
            for start in range(0, len(chosen), _CHUNK):
                chunk = chosen[start : start + _CHUNK]
                parts.append(self._measure(stamps, chunk, pixels, flux, isolated, forced))
        if not parts:
            empty = np.zeros(0)
            none = np.zeros((0, len(APERTURES)))
            return Measurements(
                *(np.zeros(0, dtype=np.int64), *([empty] * 7), none, none, *([empty] * 4), np.zeros(0, dtype=bool))
            )
        joined = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in Measurements.__annotations__
        }
        order = np.argsort(joined["index"])
        return Measurements(**{name: values[order] for name, values in joined.items()})

    def _measure(
        self,
        stamps: _Stamps,
        chunk: npt.NDArray[np.int64],
        pixels: _Pixels,
        flux: Floats,
        isolated: npt.NDArray[np.bool_],
        forced: bool,
    ) -> Measurements:
        which, half = stamps.which[chunk], stamps.half
        rows, columns, profiles = stamps.rows[chunk], stamps.columns[chunk], stamps.profiles[chunk]
        noise = cut(pixels.variance, rows, columns, half)
        good = noise > 0
        data = np.where(good, cut(pixels.residual, rows, columns, half) + flux[which][:, None, None] * profiles, 0.0)
        template = np.where(good, profiles, 0.0)

        norm = (template**2).sum(axis=(1, 2))
        model = (data * template).sum(axis=(1, 2)) / norm
        model_error = np.sqrt((noise * template**2).sum(axis=(1, 2))) / norm
        chi2 = ((data - model[:, None, None] * template) ** 2 / np.where(good, noise, np.inf)).sum(axis=(1, 2))

        # One Gauss-Newton step of a fit of the position, from the true one.
        slope_y, slope_x = np.gradient(template, axis=(1, 2))
        sums = [(slope**2).sum(axis=(1, 2)) for slope in (slope_x, slope_y)]
        strength = np.where(np.abs(model) > model_error, model, model_error)
        error = model_error * np.sqrt(norm / sums[0]) / np.abs(strength)
        if forced:
            dx = dy = np.zeros(len(which))
        else:
            dx, dy = (
                np.clip(-(data * slope).sum(axis=(1, 2)) / (strength * total), -1.5, 1.5)
                for slope, total in zip((slope_x, slope_y), sums, strict=True)
            )
        x, y = self.x[which] + dx, self.y[which] + dy

        steps = np.arange(-half, half + 1, dtype=np.float64)
        off_x = (steps + (columns - x)[:, None])[:, None, :]
        off_y = (steps + (rows - y)[:, None])[:, :, None]
        spread = self.sigma**2
        psf = np.where(good, np.exp(-0.5 * (off_x**2 + off_y**2) / spread) / (2 * np.pi * spread), 0.0)
        psf_norm = (psf**2).sum(axis=(1, 2))

        # Second moments under a Gaussian weight of about the source's own size, corrected for the weight.
        size = spread + 0.5 * 0.9 * np.trace(self._covariance[which], axis1=1, axis2=2)
        weighted = data * np.exp(-0.5 * (off_x**2 + off_y**2) / size[:, None, None])
        total = weighted.sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            moments = [
                2 * (weighted * product).sum(axis=(1, 2)) / total
                for product in (off_x**2, off_y**2, off_x * off_y)
            ]

        apertures, errors = self._apertures(stamps, chunk, x, y, pixels, flux)
        return Measurements(
            index=self.sky.index[which],
            x=x + self.box.x.start,
            y=y + self.box.y.start,
            error=error,
            psf=(data * psf).sum(axis=(1, 2)) / psf_norm,
            psf_error=np.sqrt((noise * psf**2).sum(axis=(1, 2))) / psf_norm,
            model=model,
            model_error=model_error,
            apertures=apertures,
            aperture_errors=errors,
            ixx=moments[0],
            iyy=moments[1],
            ixy=moments[2],
            chi2=chi2,
            isolated=isolated[which],
        )

    @staticmethod
    def _disc(x: Floats, y: Floats, rows: Floats, columns: Floats, half: int, radius: float) -> Floats:
        """Fraction of each pixel inside a circle, to first order, shape ``(n, 2*half+1, 2*half+1)``."""
        steps = np.arange(-half, half + 1, dtype=np.float64)
        distance = np.hypot(
            (steps + (columns - x)[:, None])[:, None, :], (steps + (rows - y)[:, None])[:, :, None]
        )
        return np.clip(radius + 0.5 - distance, 0.0, 1.0)

    def _apertures(
        self,
        stamps: _Stamps,
        chunk: npt.NDArray[np.int64],
        x: Floats,
        y: Floats,
        pixels: _Pixels,
        flux: Floats,
    ) -> tuple[Floats, Floats]:
        rows, columns = stamps.rows[chunk], stamps.columns[chunk]
        own = flux[stamps.which[chunk]]
        fluxes = np.empty((len(chunk), len(APERTURES)))
        errors = np.empty_like(fluxes)
        for number, radius in enumerate(APERTURES):
            half = min(radius + 2, stamps.half)
            disc = self._disc(x, y, rows, columns, half, radius)
            edge = stamps.half - half
            inner = slice(edge, 2 * stamps.half + 1 - edge)
            light = own * (stamps.profiles[chunk][:, inner, inner] * disc).sum(axis=(1, 2))
            if radius < _LARGE_APERTURE:
                disc = disc if half == radius + 2 else self._disc(x, y, rows, columns, radius + 2, radius)
                half = radius + 2
                noise = (cut(pixels.residual, rows, columns, half) * disc).sum(axis=(1, 2))
                variance = (cut(pixels.variance, rows, columns, half) * disc**2).sum(axis=(1, 2))
            else:
                noise, variance = pixels.disc(x, y, radius)
            fluxes[:, number], errors[:, number] = noise + light, np.sqrt(variance)
        return fluxes, errors
