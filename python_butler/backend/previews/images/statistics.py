"""How the values of an image are distributed, found out while it is read in stripes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.visualization import ZScaleInterval

from .models import ImageStatistics

__all__ = ["Gatherer"]

_PERCENTAGES = (0.0, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 100.0)
_SAMPLE = 200_000


class Gatherer:
    """Gathers statistics over stripes of an image.

    Parameters
    ----------
    pixels : `int`
        How many there will be in all.
    """

    def __init__(self, pixels: int) -> None:
        # Odd, so that it does not go along with columns.
        self._step = max(1, pixels // _SAMPLE) | 1
        self._skip = 0
        self._pixels = 0
        self._missing = 0
        self._minimum = np.inf
        self._maximum = -np.inf
        self._samples: list[npt.NDArray[np.float64]] = []

    def add(self, pixels: npt.NDArray[Any]) -> None:
        """Take note of some pixels.

        Parameters
        ----------
        pixels : `numpy.ndarray`
            Values of any shape.
        """
        values = np.ravel(pixels)
        finite = np.isfinite(values)
        count = int(np.count_nonzero(finite))
        self._pixels += count
        self._missing += values.size - count
        if count:
            self._minimum = min(self._minimum, float(np.min(values, where=finite, initial=np.inf)))
            self._maximum = max(self._maximum, float(np.max(values, where=finite, initial=-np.inf)))
        chosen = slice(self._skip, None, self._step)
        self._samples.append(values[chosen][finite[chosen]].astype(np.float64))
        self._skip = (self._skip - values.size) % self._step

    def result(self) -> ImageStatistics | None:
        """Give the statistics.

        Returns
        -------
        statistics : `ImageStatistics` or `None`
            `None` if no pixel has a value.
        """
        sample = np.concatenate(self._samples) if self._samples else np.empty(0)
        if not self._pixels or not sample.size:
            return None
        low, high = (float(value) for value in ZScaleInterval().get_limits(sample))
        percentiles = [float(value) for value in np.percentile(sample, _PERCENTAGES)]
        # The extremes are known of all pixels, not of the sample alone.
        percentiles[0], percentiles[-1] = self._minimum, self._maximum
        return ImageStatistics(
            pixels=self._pixels,
            missing=self._missing,
            minimum=self._minimum,
            maximum=self._maximum,
            zscale=(low, high),
            percentiles=list(zip(_PERCENTAGES, percentiles, strict=True)),
            sampled=int(sample.size),
        )
