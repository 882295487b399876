"""Finding point sources and fitting them. Arrays in, arrays out.

Positions are in pixels of the array, ``x`` along columns and ``y`` along rows, 0 at the centre of the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage, signal

__all__ = ["Fits", "aperture_fluxes", "find_peaks", "fit_sources", "significance"]

type Floats = npt.NDArray[np.float64]
type Flags = npt.NDArray[np.bool_]
type Profile = Callable[[float, float], tuple[Floats, int, int]]
"""Gives the PSF at a position, with the row and column of its first element."""


def significance(image: Floats, variance: Floats, good: Flags, kernel: Floats) -> Floats:
    """Signal to noise of a point source centred on each pixel: the matched filter.

    Parameters
    ----------
    image, variance : `numpy.ndarray`
        Background-subtracted pixels and their variance, shape ``(ny, nx)``.
    good : `numpy.ndarray`
        Which pixels to use.
    kernel : `numpy.ndarray`
        The PSF, centred on the middle element of an array with odd sides.

    Returns
    -------
    ratio : `numpy.ndarray`
        Shape ``(ny, nx)``; 0 where no good pixel is near.
    """
    weight = np.where(good, 1 / np.where(good, variance, 1.0), 0.0)
    flipped = kernel[::-1, ::-1]
    flux = signal.oaconvolve(np.where(good, image, 0.0) * weight, flipped, mode="same")
    noise = signal.oaconvolve(weight, flipped**2, mode="same")
    # What rounding leaves where there is nothing must not look like signal.
    usable = noise > 1e-6 * noise.max()
    return np.where(usable, flux / np.sqrt(np.where(usable, noise, 1.0)), 0.0)


def find_peaks(ratio: Floats, threshold: float, separation: int) -> tuple[Floats, Floats]:
    """Find local maxima.

    Parameters
    ----------
    ratio : `numpy.ndarray`
        Signal to noise, shape ``(ny, nx)``.
    threshold : `float`
        The least significant maximum that counts.
    separation : `int`
        Pixels within which there is only one maximum.

    Returns
    -------
    x, y : `numpy.ndarray`
        Pixels of the maxima, the most significant first.
    """
    steps = np.arange(-separation, separation + 1)
    disc = np.hypot(steps[:, None], steps) <= separation
    highest = ratio == ndimage.maximum_filter(ratio, footprint=disc)
    y, x = np.nonzero(highest & (ratio > threshold))
    order = np.argsort(-ratio[y, x])
    return x[order].astype(float), y[order].astype(float)


@dataclass(frozen=True)
class Fits:
    """Point sources as they were fitted, one an element.

    Parameters
    ----------
    x, y, x_err, y_err : `numpy.ndarray`
        Pixels, and their standard deviations.
    flux, flux_err : `numpy.ndarray`
        In units of the image.
    ok : `numpy.ndarray`
        Whether the fit converged near the peak where it began.
    residual : `numpy.ndarray`
        The image without all fitted sources, shape ``(ny, nx)``.
    """

    x: Floats
    y: Floats
    x_err: Floats
    y_err: Floats
    flux: Floats
    flux_err: Floats
    ok: Flags
    residual: Floats


def fit_sources(
    image: Floats,
    variance: Floats,
    good: Flags,
    profile: Profile,
    peaks: tuple[Floats, Floats],
    *,
    radius: int,
    rounds: int = 6,
) -> Fits:
    """Fit position and flux of all sources, each with its neighbours subtracted.

    Parameters
    ----------
    image, variance, good : `numpy.ndarray`
        Background-subtracted pixels, their variance, and which of them to use; shape ``(ny, nx)``.
    profile : callable
        Gives the PSF of flux 1 at a position.
    peaks : `tuple` [`numpy.ndarray`, `numpy.ndarray`]
        Where to begin: x and y.
    radius : `int`
        Pixels around a source that are fitted. Every pixel counts the same, so that a variance which knows
        of the source's own light does not change its flux; errors follow from the variance.
    rounds : `int`, optional
        How often all sources are fitted in turn.

    Returns
    -------
    fits : `Fits`
        In the order of the peaks.
    """
    x, y = (each.copy() for each in peaks)
    count = len(x)
    flux, ok = np.zeros(count), np.ones(count, dtype=bool)
    errors = np.full((count, 3), np.nan)
    residual = image.astype(np.float64)
    for _ in range(rounds):
        for number in range(count):
            stamp, part = _cut(profile(x[number], y[number]), image.shape)
            residual[part] += flux[number] * stamp
            rows, columns = np.ogrid[part]
            used = good[part] & (np.hypot(rows - y[number], columns - x[number]) <= radius)
            step, covariance = _solve(residual[part], variance[part], used, stamp, flux[number])
            if step is None or covariance is None:
                ok[number], flux[number] = False, 0.0
                continue
            flux[number] = step[0]
            errors[number] = np.sqrt(np.diag(covariance))
            x[number] += np.clip(step[1], -1.0, 1.0)
            y[number] += np.clip(step[2], -1.0, 1.0)
            if np.hypot(x[number] - peaks[0][number], y[number] - peaks[1][number]) > radius / 2:
                # It ran away to a neighbour.
                ok[number], flux[number] = False, 0.0
                x[number], y[number] = peaks[0][number], peaks[1][number]
            stamp, part = _cut(profile(x[number], y[number]), image.shape)
            residual[part] -= flux[number] * stamp
    return Fits(x, y, errors[:, 1], errors[:, 2], flux, errors[:, 0], ok, residual)


def _cut(placed: tuple[Floats, int, int], shape: tuple[int, ...]) -> tuple[Floats, tuple[slice, slice]]:
    """The part of a stamp that is on the image, and where that is."""
    stamp, row, column = placed
    bottom, left = max(row, 0), max(column, 0)
    top, right = min(row + stamp.shape[0], shape[0]), min(column + stamp.shape[1], shape[1])
    cut = stamp[bottom - row : max(top - row, 0), left - column : max(right - column, 0)]
    return cut, (slice(bottom, bottom + cut.shape[0]), slice(left, left + cut.shape[1]))


def _solve(
    data: Floats, variance: Floats, used: Flags, stamp: Floats, flux: float
) -> tuple[Floats, Floats] | tuple[None, None]:
    """Flux and change of position by linear least squares, and their covariance."""
    if np.count_nonzero(used) < 6:
        return None, None
    if flux <= 0:
        # The first time: flux alone, which the slopes are proportional to.
        flux = float((data * stamp)[used].sum() / (stamp**2)[used].sum())
        if flux <= 0:
            return None, None
    slope_y, slope_x = np.gradient(stamp, axis=0), np.gradient(stamp, axis=1)
    design = np.stack([stamp[used], -flux * slope_x[used], -flux * slope_y[used]], axis=1)
    try:
        inverse = np.linalg.inv(design.T @ design)
    except np.linalg.LinAlgError:
        return None, None
    step = inverse @ (design.T @ data[used])
    noise = design.T @ (variance[used][:, None] * design)
    return step, inverse @ noise @ inverse


def aperture_fluxes(fits: Fits, variance: Floats, profile: Profile, radius: float) -> tuple[Floats, Floats]:
    """Light in circles around the sources, without that of their neighbours.

    Parameters
    ----------
    fits : `Fits`
        The sources.
    variance : `numpy.ndarray`
        Of the image's pixels.
    profile : callable
        As for `fit_sources`.
    radius : `float`
        Of the circles in pixels. A circle that the image's edge cuts misses what is beyond.

    Returns
    -------
    flux, flux_err : `numpy.ndarray`
        In units of the image.
    """
    flux, error = np.zeros(len(fits.x)), np.zeros(len(fits.x))
    reach = int(radius) + 2
    for number, (x, y) in enumerate(zip(fits.x, fits.y, strict=True)):
        row, column = round(y) - reach, round(x) - reach
        steps = np.arange(2 * reach + 1)
        distance = np.hypot((steps + row - y)[:, None], steps + column - x)
        # The fraction of each pixel that is inside, to first order.
        disc, part = _cut((np.clip(radius + 0.5 - distance, 0.0, 1.0), row, column), fits.residual.shape)
        own, place = _cut(profile(x, y), fits.residual.shape)
        rows, columns = np.ogrid[place]
        inside = np.clip(radius + 0.5 - np.hypot(rows - y, columns - x), 0.0, 1.0)
        flux[number] = (fits.residual[part] * disc).sum() + fits.flux[number] * (own * inside).sum()
        error[number] = np.sqrt((variance[part] * disc**2).sum())
    return flux, error
