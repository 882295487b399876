"""Bias, dark and flat of the detectors that were used, and when each is valid.

Room: demo. The images cover the middle of a detector in its true pixel coordinates. Knows no Butler and
writes no files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import astropy.units as u
import numpy as np
from lsst.daf.butler import Timespan
from lsst.images import Box, Image

from .camera import PHYSICAL_FILTERS, camera
from .geometry import Floats
from .registry import timespan_of
from .survey import visits

__all__ = ["Calibration", "calibration_image", "calibrations"]

_SIZE = 256
_FIRST_LIGHT, _END = 60_770.0, 61_100.0
"""MJD (TAI) between which the calibrations taken together are valid."""


@dataclass(frozen=True)
class Calibration:
    """One calibration image of one detector.

    Parameters
    ----------
    kind : `str`
        ``bias``, ``dark`` or ``flat``, which is also the dataset type.
    run : `str`
        Run into which it was put.
    detector : `int`
        Number of the detector.
    band : `str` or `None`
        Of a flat.
    begin, end : `float`
        MJD (TAI) between which it is valid.
    """

    kind: str
    run: str
    detector: int
    band: str | None
    begin: float
    end: float

    @property
    def timespan(self) -> Timespan:
        """When the calibration is valid."""
        return timespan_of(self.begin, self.end)

    @property
    def data_id(self) -> dict[str, int | str]:
        """Data ID without the instrument."""
        data_id: dict[str, int | str] = {"detector": self.detector}
        return data_id if self.band is None else data_id | {"physical_filter": PHYSICAL_FILTERS[self.band]}


def _change_of_darks() -> float:
    # In the middle of a night, so that a search by night finds both darks.
    return next(visit.begin for visit in visits() if visit.day_obs == 20251018 and visit.sequence == 245)


def calibrations() -> Iterator[Calibration]:
    """All calibrations, in the order of kinds, epochs, detectors and filters."""
    epochs = {
        "bias": [(_FIRST_LIGHT, 60_930.5, "biasGen.20250601a"), (60_930.5, _END, "biasGen.20250911a")],
        "dark": [
            (_FIRST_LIGHT, _change_of_darks(), "darkGen.20250601a"),
            (_change_of_darks(), _END, "darkGen.20251018a"),
        ],
        "flat": [(_FIRST_LIGHT, _END, "flatGen.20250601a")],
    }
    used = sorted({(exposed.detector.id, visit.band) for visit in visits() for exposed in visit.exposed})
    for kind, periods in epochs.items():
        for begin, end, label in periods:
            run = f"LSSTCam/calib/DP2/{label}"
            if kind == "flat":
                for detector, band in used:
                    yield Calibration(kind, run, detector, band, begin, end)
            else:
                for detector in sorted({detector for detector, _ in used}):
                    yield Calibration(kind, run, detector, None, begin, end)


def calibration_image(calibration: Calibration) -> Image:
    """Simulate one calibration image.

    Parameters
    ----------
    calibration : `Calibration`
        Which one.

    Returns
    -------
    image : `lsst.images.Image`
        The middle 256 x 256 pixels of the detector: adu for a bias, adu per second for a dark, relative
        response around 1 for a flat.
    """
    detector = camera()[calibration.detector].box
    start = [(size - _SIZE) // 2 for size in detector.shape]
    box = Box.from_shape((_SIZE, _SIZE), start=start)
    random = np.random.default_rng(
        [detector.area, calibration.detector, int(calibration.begin), ord(calibration.kind[0])]
    )
    noise: Floats = random.standard_normal(box.shape, dtype=np.float32)
    x, y = (np.linspace(-1, 1, _SIZE, dtype=np.float32) for _ in range(2))
    if calibration.kind == "bias":
        columns = random.normal(0, 0.3, _SIZE).astype(np.float32)
        return Image(columns + 0.8 * noise, bbox=box, unit=u.adu)
    if calibration.kind == "dark":
        glow = 0.02 * np.exp(-((x[None, :] - 1) ** 2 + (y[:, None] + 1) ** 2))
        return Image(np.float32(0.02) + glow + 0.01 * noise, bbox=box, unit=u.adu / u.s)
    tilt = random.uniform(-0.01, 0.01, 2)
    response = 1 + tilt[0] * x[None, :] + tilt[1] * y[:, None] + 0.002 * noise
    return Image(response.astype(np.float32), bbox=box, unit=u.dimensionless_unscaled)
