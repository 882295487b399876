"""Regions of images as bytes."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from .models import ImageRegion

__all__ = ["encode"]

_LEVEL = 1
"""How hard to compress: more takes much longer and gains little."""


def encode(region: ImageRegion, pixels: npt.NDArray[Any]) -> bytes:
    """Write a region as `ImageRegion` says.

    Parameters
    ----------
    region : `ImageRegion`
        What the pixels are.
    pixels : `numpy.ndarray`
        Numbers of four bytes.

    Returns
    -------
    body : `bytes`
        The region.
    """
    head = region.model_dump_json().encode()
    little = np.ascontiguousarray(pixels, dtype=np.dtype(pixels.dtype).newbyteorder("<"))
    shuffled = little.reshape(-1).view(np.uint8).reshape(-1, 4).T
    return struct.pack("<I", len(head)) + head + zlib.compress(shuffled.tobytes(), _LEVEL)
