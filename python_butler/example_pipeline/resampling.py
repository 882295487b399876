"""Moving pixels from one grid to another. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

__all__ = ["ORDER", "resample"]

ORDER = 3
"""Order of the Lanczos kernel, which reaches as many pixels to either side."""

type Floats = npt.NDArray[np.float64]


def _lanczos(offset: Floats) -> list[Floats]:
    """Weights of the pixels around positions that lie ``offset`` beyond a pixel, shape of the offset."""
    weights = [
        np.sinc(step - offset) * np.sinc((step - offset) / ORDER) for step in range(1 - ORDER, ORDER + 1)
    ]
    total = sum(weights)
    return [weight / total for weight in weights]


def resample(
    image: npt.NDArray[np.floating],
    variance: npt.NDArray[np.floating],
    good: npt.NDArray[np.bool_],
    x: Floats,
    y: Floats,
) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Interpolate an image of fluxes a pixel at the pixels of another grid.

    Parameters
    ----------
    image, variance : `numpy.ndarray`
        Shape ``(ny, nx)``.
    good : `numpy.ndarray`
        Which pixels to use.
    x, y : `numpy.ndarray`
        Columns and rows of the image on which the other grid's pixels fall, shape ``(my, mx)`` with at least
        two of each.

    Returns
    -------
    image, variance, good : `numpy.ndarray`
        On the other grid, shape ``(my, mx)``; 0 where not good, which is where a pixel needs one that is not
        good or not on the image. Light is conserved: a pixel that covers more sky has more of it. Neighbours'
        noise is correlated: each pixel has less than its share, and a sum of them has more than the variances
        tell.
    """
    # Bad pixels may hold anything, infinity too, and no weight makes that harmless.
    clean_image, clean_variance = np.where(good, image, 0.0), np.where(good, variance, 0.0)
    left, bottom = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    height, width = image.shape
    inside = (left >= ORDER - 1) & (left < width - ORDER) & (bottom >= ORDER - 1) & (bottom < height - ORDER)
    # Positions after a pixel are lost if any of the pixels is bad that they need.
    lost = ndimage.binary_dilation(~good, np.ones((2 * ORDER, 2 * ORDER), dtype=bool))
    inside[inside] = ~lost[bottom[inside], left[inside]]
    new_image, new_variance = np.zeros(x.shape), np.zeros(x.shape)
    if inside.any():
        first = bottom[inside] * width + left[inside]
        sums = np.zeros((2, len(first)))
        across, along = _lanczos((x - left)[inside]), _lanczos((y - bottom)[inside])
        for row, row_weight in enumerate(along, start=1 - ORDER):
            for column, column_weight in enumerate(across, start=1 - ORDER):
                weight = row_weight * column_weight
                pixels = first + (row * width + column)
                sums[0] += weight * clean_image.take(pixels)
                sums[1] += weight**2 * clean_variance.take(pixels)
        area = _area(x, y)[inside]
        new_image[inside], new_variance[inside] = area * sums[0], area**2 * sums[1]
    return new_image, new_variance, inside


def _area(x: Floats, y: Floats) -> Floats:
    """How many of the image's pixels one of the grid's covers."""
    (x_up, x_right), (y_up, y_right) = np.gradient(x), np.gradient(y)
    return np.asarray(np.abs(x_right * y_up - x_up * y_right))
