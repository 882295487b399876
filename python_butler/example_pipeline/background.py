"""The level of an image where there are no sources. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from astropy.stats import sigma_clip
from scipy import ndimage

__all__ = ["estimate_background"]

_FEWEST = 64
"""Good pixels without which a block has no level of its own."""


def estimate_background(
    image: npt.NDArray[np.floating], good: npt.NDArray[np.bool_], size: int
) -> npt.NDArray[np.float64]:
    """Estimate a smooth background from sigma-clipped means in blocks.

    Parameters
    ----------
    image : `numpy.ndarray`
        Shape ``(ny, nx)``.
    good : `numpy.ndarray`
        Which pixels to use, shape ``(ny, nx)``: no bad pixels and no sources.
    size : `int`
        Side of a block in pixels; the image is cut into blocks of about this size.

    Returns
    -------
    background : `numpy.ndarray`
        Interpolated between the blocks' centres, shape ``(ny, nx)``, in units of the image.

    Raises
    ------
    ValueError
        If no block has enough good pixels.
    """
    edges = [np.linspace(0, length, max(round(length / size), 1) + 1).astype(int) for length in image.shape]
    levels = np.full([len(each) - 1 for each in edges], np.nan)
    for row, column in np.ndindex(*levels.shape):
        block = (
            slice(edges[0][row], edges[0][row + 1]),
            slice(edges[1][column], edges[1][column + 1]),
        )
        values = image[block][good[block]]
        if len(values) >= _FEWEST:
            levels[row, column] = sigma_clip(values, sigma=3.0, maxiters=5, masked=False).mean()
    if np.isnan(levels).all():
        raise ValueError("No part of the image has enough good pixels to estimate its background.")
    levels[np.isnan(levels)] = np.nanmedian(levels)
    # Positions of pixels in units of blocks, 0 at the centre of the first; constant beyond the centres.
    positions = [
        (np.arange(length) + 0.5) / length * count - 0.5
        for length, count in zip(image.shape, levels.shape, strict=True)
    ]
    grid = np.meshgrid(*positions, indexing="ij")
    return np.asarray(ndimage.map_coordinates(levels, grid, order=1, mode="nearest"))
