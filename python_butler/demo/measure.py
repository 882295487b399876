"""Measuring sources on simulated images: the demonstration's own small pipeline.

Room: demo. Arrays in, arrays out; no files and no Butler. Neighbours are subtracted with the true model
before a source is measured, as a perfect deblender would do; the noise stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .geometry import Floats
from .scene import Scene, Stamps

__all__ = ["APERTURES", "Measurements", "measure"]

APERTURES = (3, 6, 9, 12, 17, 25, 35, 50, 70)
"""Radii of the circular apertures in pixels."""

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
    good = ((row >= 0) & (row < array.shape[0]))[:, :, None] & ((column >= 0) & (column < array.shape[1]))[
        :, None, :
    ]
    stamps = array[
        np.clip(row, 0, array.shape[0] - 1)[:, :, None], np.clip(column, 0, array.shape[1] - 1)[:, None, :]
    ]
    return np.asarray(np.where(good, stamps, 0.0))


class _Pixels:
    """An image from which all sources were subtracted, its variance, and sums along their rows."""

    def __init__(self, residual: Floats, variance: Floats) -> None:
        self.residual = residual
        self.variance = variance
        self._residual_sums, self._variance_sums = self._sums(residual), self._sums(variance)

    @staticmethod
    def _sums(array: Floats) -> Floats:
        sums = np.zeros((array.shape[0], array.shape[1] + 1))
        np.cumsum(array, axis=1, dtype=np.float64, out=sums[:, 1:])
        return sums

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
        return np.asarray(running[rows, left] * (1 - fraction) + running[rows, left + 1] * fraction)


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


def _isolated(scene: Scene, flux: Floats) -> npt.NDArray[np.bool_]:
    """Whether no neighbour with a hundredth of a source's flux lies within 30 pixels."""
    distance = np.hypot(scene.x[:, None] - scene.x, scene.y[:, None] - scene.y)
    rival = (distance < 30) & (flux[None, :] > 0.01 * flux[:, None])
    np.fill_diagonal(rival, False)
    return np.asarray(~rival.any(axis=1))


def measure(
    scene: Scene, image: Floats, variance: Floats, flux: Floats, *, forced: bool = False
) -> Measurements:
    """Measure every source whose centre is on the image.

    Parameters
    ----------
    scene : `Scene`
        The sources as they fall on the image.
    image, variance : `numpy.ndarray`
        nJy and nJy² a pixel, shape of the box.
    flux : `numpy.ndarray`
        Flux with which each of ``scene.sky`` was drawn, shape ``(n,)``; used to subtract neighbours.
    forced : `bool`, optional
        Keep to the true positions instead of fitting a centroid.

    Returns
    -------
    measurements : `Measurements`
        In the order of the sky's index. Positions are in the coordinates of the box.
    """
    pixels = _Pixels(image - scene.paint(flux), variance)
    isolated = _isolated(scene, flux)
    height, width = image.shape
    parts = []
    for stamps in scene.stamps:
        inside = (
            (scene.x[stamps.which] > -0.5)
            & (scene.x[stamps.which] < width - 0.5)
            & (scene.y[stamps.which] > -0.5)
            & (scene.y[stamps.which] < height - 0.5)
        )
        chosen = np.flatnonzero(inside)
        for start in range(0, len(chosen), _CHUNK):
            chunk = chosen[start : start + _CHUNK]
            parts.append(_measure(scene, stamps, chunk, pixels, flux, isolated, forced))
    if not parts:
        empty = np.zeros(0)
        none = np.zeros((0, len(APERTURES)))
        return Measurements(
            *(
                np.zeros(0, dtype=np.int64),
                *([empty] * 7),
                none,
                none,
                *([empty] * 4),
                np.zeros(0, dtype=bool),
            )
        )
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Measurements.__annotations__
    }
    order = np.argsort(joined["index"])
    return Measurements(**{name: values[order] for name, values in joined.items()})


def _measure(
    scene: Scene,
    stamps: Stamps,
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
    data = np.where(
        good, cut(pixels.residual, rows, columns, half) + flux[which][:, None, None] * profiles, 0.0
    )
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
    x, y = scene.x[which] + dx, scene.y[which] + dy

    steps = np.arange(-half, half + 1, dtype=np.float64)
    off_x = (steps + (columns - x)[:, None])[:, None, :]
    off_y = (steps + (rows - y)[:, None])[:, :, None]
    spread = scene.sigma**2
    psf = np.where(good, np.exp(-0.5 * (off_x**2 + off_y**2) / spread) / (2 * np.pi * spread), 0.0)
    psf_norm = (psf**2).sum(axis=(1, 2))

    # Second moments under a Gaussian weight of about the source's own size, corrected for the weight.
    size = spread + 0.5 * 0.9 * np.trace(scene.covariance[which], axis1=1, axis2=2)
    weighted = data * np.exp(-0.5 * (off_x**2 + off_y**2) / size[:, None, None])
    total = weighted.sum(axis=(1, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        moments = [
            2 * (weighted * product).sum(axis=(1, 2)) / total
            for product in (off_x**2, off_y**2, off_x * off_y)
        ]

    apertures, errors = _apertures(stamps, chunk, x, y, pixels, flux)
    return Measurements(
        index=scene.sky.index[which],
        x=x + scene.box.x.start,
        y=y + scene.box.y.start,
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


def _disc(
    x: Floats,
    y: Floats,
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    half: int,
    radius: float,
) -> Floats:
    """Fraction of each pixel inside a circle, to first order, shape ``(n, 2*half+1, 2*half+1)``."""
    steps = np.arange(-half, half + 1, dtype=np.float64)
    distance = np.hypot(
        (steps + (columns - x)[:, None])[:, None, :], (steps + (rows - y)[:, None])[:, :, None]
    )
    return np.clip(radius + 0.5 - distance, 0.0, 1.0)


def _apertures(
    stamps: Stamps,
    chunk: npt.NDArray[np.int64],
    x: Floats,
    y: Floats,
    pixels: _Pixels,
    flux: Floats,
) -> tuple[Floats, Floats]:
    rows, columns = stamps.rows[chunk], stamps.columns[chunk]
    own = flux[stamps.which[chunk]]
    fluxes: Floats = np.empty((len(chunk), len(APERTURES)))
    errors = np.empty_like(fluxes)
    for number, radius in enumerate(APERTURES):
        half = min(radius + 2, stamps.half)
        disc = _disc(x, y, rows, columns, half, radius)
        edge = stamps.half - half
        inner = slice(edge, 2 * stamps.half + 1 - edge)
        light = own * (stamps.profiles[chunk][:, inner, inner] * disc).sum(axis=(1, 2))
        if radius < _LARGE_APERTURE:
            disc = disc if half == radius + 2 else _disc(x, y, rows, columns, radius + 2, radius)
            half = radius + 2
            noise: Floats = (cut(pixels.residual, rows, columns, half) * disc).sum(axis=(1, 2))
            variance: Floats = (cut(pixels.variance, rows, columns, half) * disc**2).sum(axis=(1, 2))
        else:
            noise, variance = pixels.disc(x, y, radius)
        fluxes[:, number], errors[:, number] = noise + light, np.sqrt(variance)
    return fluxes, errors
