"""Averages over blocks of pixels, stripe by stripe, so that an image is never in memory as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .models import ImageBox

__all__ = ["Read", "block_means", "block_unions", "stripes"]

Read = Callable[[ImageBox], npt.NDArray[Any]]
"""Reads the pixels of a box, rows first."""

_STRIPE_PIXELS = 2 << 20
"""Pixels read at a time: some megabytes, and some tens of milliseconds until a cancellation is seen."""


def stripes(box: ImageBox, size: int) -> Iterator[tuple[ImageBox, slice]]:
    """Cut a box into stripes of whole rows of blocks.

    Parameters
    ----------
    box : `ImageBox`
        The box; blocks are counted from its lower left corner.
    size : `int`
        Pixels of a block each way.

    Yields
    ------
    stripe : `ImageBox`
        A part of the box, over its whole width.
    rows : `slice`
        The rows of blocks in it.
    """
    blocks = max(1, _STRIPE_PIXELS // max(1, (box.x1 - box.x0) * size))
    for y in range(box.y0, box.y1, blocks * size):
        stop = min(y + blocks * size, box.y1)
        first = (y - box.y0) // size
        yield (
            ImageBox(x0=box.x0, x1=box.x1, y0=y, y1=stop),
            slice(first, first + -(-(stop - y) // size)),
        )


def block_means(pixels: npt.NDArray[Any], size: int) -> npt.NDArray[np.float32]:
    """Average over blocks of what has a value.

    Parameters
    ----------
    pixels : `numpy.ndarray`
        Values; those that are not finite are left out.
    size : `int`
        Pixels of a block each way. Blocks at the upper and right edge may be smaller.

    Returns
    -------
    means : `numpy.ndarray`
        One value a block; not a number where no pixel of a block has a value.
    """
    if size == 1:
        return np.asarray(pixels, dtype=np.float32)
    values = _padded(np.asarray(pixels, dtype=np.float64), size, np.nan)
    there = np.isfinite(values)
    counts = there.sum(axis=(1, 3), dtype=np.float64)
    sums = np.where(there, values, 0.0).sum(axis=(1, 3))
    means = np.full(sums.shape, np.nan, dtype=np.float32)
    np.divide(sums, counts, out=means, where=counts > 0, casting="same_kind")
    return means


def block_unions(mask: npt.NDArray[np.uint32], size: int) -> npt.NDArray[np.uint32]:
    """Give the bits that are set anywhere in each block.

    Parameters
    ----------
    mask : `numpy.ndarray`
        Bits, rows first.
    size : `int`
        Pixels of a block each way.

    Returns
    -------
    unions : `numpy.ndarray`
        One value a block.
    """
    if size == 1:
        return mask
    unions: npt.NDArray[np.uint32] = np.bitwise_or.reduce(_padded(mask, size, 0), axis=(1, 3))
    return unions


def _padded(pixels: npt.NDArray[Any], size: int, fill: float) -> npt.NDArray[Any]:
    """Fill up to whole blocks, and give each block axes of its own."""
    height, width = pixels.shape
    rows, columns = -(-height // size), -(-width // size)
    padded = np.full((rows * size, columns * size), fill, dtype=pixels.dtype)
    padded[:height, :width] = pixels
    return padded.reshape(rows, size, columns, size)
