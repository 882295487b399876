"""The visits of the demonstration: when, where and through what the simulated sky was observed.

Room: demo. Numbers only: no files and no Butler. Every visit puts the same five fields of the sky on five
detectors; each image covers a window around its field, and carries the detector's true pixel coordinates.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from lsst.images import Box

from .camera import DetectorGeometry, Pointing, camera
from .geometry import BANDS, PIXEL_SCALE, Projection, Tract

__all__ = [
    "COADD_VISITS",
    "FIELDS",
    "NANOJANSKY_PER_ELECTRON",
    "PATCHES",
    "TRACT",
    "WINDOW",
    "Exposed",
    "Field",
    "Visit",
    "coadd_sigma",
    "noise",
    "visits",
]

TRACT = 5063
"""The tract of ``lsst_cells_v2`` that holds the Extended Chandra Deep Field South."""

WINDOW = 512
"""Side in pixels of the part of a detector that is simulated."""

COADD_VISITS = 24
"""Equivalent number of visits in a coadd; its noise is smaller by the square root of this."""

NANOJANSKY_PER_ELECTRON = 0.55
"""Shot noise: how much flux one electron stands for in a 30 s visit."""

_SINGLE_VISIT_DEPTH = {"u": 23.80, "g": 24.50, "r": 24.03, "i": 23.41, "z": 22.74, "y": 22.02}
"""Expected five-sigma point-source depth of one 30 s visit, in AB magnitudes."""

_COADD_SEEING = {"u": 1.05, "g": 0.95, "r": 0.88, "i": 0.85, "z": 0.83, "y": 0.82}
"""Full width at half maximum of a coadd's PSF in arcseconds."""

_LATITUDE, _LONGITUDE = -30.244639, -70.749417


@dataclass(frozen=True)
class Field:
    """A part of the sky that every visit looks at."""

    ra: float
    dec: float


def _fields() -> tuple[Field, ...]:
    # One field a sensor pitch away from its neighbours, so that five detectors of a raft see the five.
    projection = Tract(TRACT).projection
    south = projection.sky_to_pixel(53.076, -28.110)
    pitch = 4225.0
    offsets = ((0, 0), (0, 1), (0, 2), (-1, 1), (1, 1))
    found = []
    for dx, dy in offsets:
        ra, dec = projection.pixel_to_sky(south[0] + dx * pitch, south[1] + dy * pitch)
        found.append(Field(float(ra), float(dec)))
    return tuple(found)


FIELDS = _fields()
"""The five fields: south (the one tutorials look at), centre, north, east, west."""


PATCHES = tuple(patch for patch in Tract(TRACT).patches if patch.id in {15, 23, 25, 26, 45})
"""The patches that have coadds: those of the five fields, in the order of their numbers."""


def noise(band: str, sigma: float) -> float:
    """Background noise of one visit.

    Parameters
    ----------
    band : `str`
        One of ``ugrizy``.
    sigma : `float`
        Standard deviation of the PSF in pixels.

    Returns
    -------
    noise : `float`
        Standard deviation of a pixel in nJy that gives the band's five-sigma depth.
    """
    limit = 10 ** (0.4 * (31.4 - _SINGLE_VISIT_DEPTH[band]))
    return limit / 5 / (math.sqrt(4 * math.pi) * sigma)


def coadd_sigma(band: str) -> float:
    """Standard deviation in pixels of the PSF of a band's coadds."""
    return _COADD_SEEING[band] / PIXEL_SCALE / 2.3548


@dataclass(frozen=True)
class Exposed:
    """One detector during one visit, and the window of it that is simulated."""

    detector: DetectorGeometry
    field: int
    box: Box
    projection: Projection


@dataclass(frozen=True)
class Visit:
    """One visit of one exposure.

    Parameters
    ----------
    day_obs : `int`
        Night, as YYYYMMDD.
    sequence : `int`
        Number of the exposure within the night.
    band : `str`
        One of ``ugrizy``.
    begin : `float`
        Start of the exposure as MJD (TAI).
    centre : `int`
        Number of the detector that sees the middle field.
    """

    day_obs: int
    sequence: int
    band: str
    begin: float
    centre: int

    @property
    def id(self) -> int:
        """Number of the visit and of its only exposure."""
        return self.day_obs * 100_000 + self.sequence

    @property
    def name(self) -> str:
        """Observation identifier, as the camera's control system gives it."""
        return f"MC_O_{self.day_obs}_{self.sequence:06d}"

    @property
    def exposure_time(self) -> float:
        """Seconds."""
        return 38.0 if self.band == "u" else 30.0

    @property
    def end(self) -> float:
        """End of the exposure as MJD (TAI)."""
        return self.begin + self.exposure_time / 86_400

    @property
    def middle(self) -> float:
        """Midpoint of the exposure as MJD (TAI)."""
        return 0.5 * (self.begin + self.end)

    def random(self, *purpose: int) -> np.random.Generator:
        """A random number generator of this visit's own, the same in every build."""
        return np.random.default_rng([self.day_obs, self.sequence, *purpose])

    @property
    def sigma(self) -> float:
        """Standard deviation of the PSF in pixels: seeing between 0.75 and 1.15 arcseconds."""
        return _seeing(self) / PIXEL_SCALE / 2.3548

    @property
    def noise(self) -> float:
        """Standard deviation of a pixel's background in nJy."""
        return noise(self.band, self.sigma)

    @property
    def pointing(self) -> Pointing:
        """Boresight and rotation: dithered, and such that the middle field falls on its detector."""
        return _pointing(self)

    @property
    def exposed(self) -> tuple[Exposed, ...]:
        """The simulated windows, one on each of five detectors, in the order of the detectors."""
        return _exposed(self)

    @property
    def altitude_azimuth(self) -> tuple[float, float]:
        """Altitude and azimuth (north through east) of the boresight in degrees, to a tenth of a degree."""
        sidereal = (280.46061837 + 360.98564736629 * (self.middle - 51544.5) + _LONGITUDE) % 360
        hour_angle = math.radians(sidereal - self.pointing.ra)
        dec, latitude = math.radians(self.pointing.dec), math.radians(_LATITUDE)
        sine = math.sin(dec) * math.sin(latitude) + math.cos(dec) * math.cos(latitude) * math.cos(hour_angle)
        azimuth = math.atan2(
            -math.cos(dec) * math.sin(hour_angle),
            math.sin(dec) * math.cos(latitude) - math.cos(dec) * math.sin(latitude) * math.cos(hour_angle),
        )
        return math.degrees(math.asin(sine)), math.degrees(azimuth) % 360

    @property
    def airmass(self) -> float:
        """Secant of the zenith distance."""
        return 1 / math.sin(math.radians(self.altitude_azimuth[0]))


@cache
def _pointing(visit: Visit) -> Pointing:
    random = visit.random(2)
    # A raft is symmetric under quarter turns, so the five fields stay on five detectors.
    rotation = float(90 * random.integers(4) if visit.centre == 94 else 0) + float(random.uniform(-2, 2))
    detector = camera()[visit.centre]
    dither = random.uniform(-1.2, 1.2, 2)
    middle = FIELDS[1]
    pointing = Pointing(middle.ra, middle.dec, rotation)
    # Aim so that the middle field lands where the detector is; repeatedly, as the projection is not linear.
    for _ in range(3):
        x, y = pointing.focal_plane(middle.ra, middle.dec)
        pixels = (x - detector.x - dither[0]) / 0.01, (y - detector.y - dither[1]) / 0.01
        ra, dec = Projection(pointing.ra, pointing.dec, 0.0, 0.0, rotation).pixel_to_sky(*pixels)
        pointing = Pointing(float(ra), float(dec), rotation)
    return pointing


@cache
def _seeing(visit: Visit) -> float:
    quality = visit.random(1).uniform(0.75, 1.15)
    return float(quality) * {"u": 1.12, "g": 1.06, "r": 1.0}.get(visit.band, 0.96)


@cache
def _exposed(visit: Visit) -> tuple[Exposed, ...]:
    found = []
    random = visit.random(3)
    pointing = visit.pointing
    for number, field in enumerate(FIELDS):
        detector = pointing.find(field.ra, field.dec)
        assert detector is not None, "Visits are chosen such that every field falls on a detector."
        projection = pointing.projection(detector)
        x, y = projection.sky_to_pixel(field.ra, field.dec)
        shift = random.integers(-48, 49, 2)
        start = round(float(y)) - WINDOW // 2 + int(shift[0]), round(float(x)) - WINDOW // 2 + int(shift[1])
        box = Box.from_shape((WINDOW, WINDOW), start=start)
        assert detector.box.contains(box), "Visits are chosen such that windows lie on their detector."
        found.append(Exposed(detector, number, box, projection))
    found.sort(key=lambda exposed: exposed.detector.id)
    assert len({exposed.detector.id for exposed in found}) == len(FIELDS)
    return tuple(found)


# Nights with their first sequence number, the time after midnight of Greenwich in days, the bands in
# order, and the detector on which the middle field falls.
_NIGHTS = (
    (20250721, 601, 0.362, "griz", 94),
    (20250722, 465, 0.372, "ugrizy", 94),
    (20250919, 389, 0.270, "grir", 94),
    (20251018, 244, 0.210, "urz", 94),
    (20251120, 312, 0.130, "riy", 94),
    (20251202, 437, 0.110, "grri", 13),
)


@cache
def visits() -> tuple[Visit, ...]:
    """All visits in the order in which they were taken."""
    found = []
    for day_obs, first, fraction, bands, centre in _NIGHTS:
        night = datetime.date(day_obs // 10_000, day_obs // 100 % 100, day_obs % 100)
        # The night of a date ends on the next day of Greenwich.
        midnight = (night - datetime.date(1858, 11, 17)).days + 1
        for number, band in enumerate(bands):
            assert band in BANDS
            begin = midnight + fraction + number * 45.0 / 86_400
            found.append(Visit(day_obs, first + number, band, begin, centre))
    return tuple(found)
