"""Asteroids that cross the simulated fields, each during one night.

Room: demo. Straight lines at constant speed: good enough for the minutes that a night's visits take. No
files and no Butler.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from .geometry import BANDS, Floats
from .sky import Kind, Sky, flux_of, join, simulated_sky
from .survey import FIELDS, Visit

__all__ = ["ASTEROIDS", "Asteroid", "observed_sky"]

_SOLAR_COLOURS = np.array([1.6, 0.45, 0.0, -0.12, -0.13, -0.12])
"""Magnitudes relative to r, in ``ugrizy``, of a grey body in sunlight, roughly."""


@dataclass(frozen=True)
class Asteroid:
    """One asteroid.

    Parameters
    ----------
    designation : `str`
        Provisional designation; these bodies are invented.
    day_obs : `int`
        The night in which it is seen.
    field : `int`
        The field that it crosses.
    time : `float`
        MJD (TAI) of ``offset``.
    offset : `tuple` [`float`, `float`]
        Arcseconds east and north of the field's centre.
    rate : `tuple` [`float`, `float`]
        Degrees a day towards east and north.
    magnitude : `float`
        AB, in r.
    """

    designation: str
    day_obs: int
    field: int
    time: float
    offset: tuple[float, float]
    rate: tuple[float, float]
    magnitude: float

    @property
    def id(self) -> int:
        """``ssObjectId``: the designation's characters as a number, as the release does it."""
        return int.from_bytes(self.designation.replace(" ", "").encode()[-7:], "big")

    def position(self, mjd: float) -> tuple[float, float]:
        """Right ascension and declination in degrees at a time (MJD, TAI)."""
        field = FIELDS[self.field]
        east = self.offset[0] / 3600 + self.rate[0] * (mjd - self.time)
        north = self.offset[1] / 3600 + self.rate[1] * (mjd - self.time)
        return field.ra + east / math.cos(math.radians(field.dec)), field.dec + north

    @property
    def flux(self) -> Floats:
        """NJy in each band."""
        return flux_of(self.magnitude + _SOLAR_COLOURS)


ASTEROIDS = (
    Asteroid("2025 OA31", 20250722, 0, 60879.3735, (4.0, -6.0), (-0.21, 0.08), 20.4),
    Asteroid("2025 SC12", 20250919, 1, 60938.2708, (-9.0, 11.0), (0.17, 0.11), 20.9),
    Asteroid("2025 WK7", 20251202, 0, 61012.1108, (-12.0, -3.0), (-0.15, -0.13), 20.1),
)


def observed_sky(visit: Visit) -> Sky:
    """The simulated sky as it is during one visit, with the asteroids of its night at the end.

    Parameters
    ----------
    visit : `Visit`
        The visit.

    Returns
    -------
    sky : `Sky`
        The sources of `simulated_sky` with their numbers, and the night's asteroids, each numbered with
        the number of all sources plus its place in `ASTEROIDS`.
    """
    fixed = simulated_sky()
    moving = [number for number, asteroid in enumerate(ASTEROIDS) if asteroid.day_obs == visit.day_obs]
    if not moving:
        return fixed
    positions = np.array([ASTEROIDS[number].position(visit.middle) for number in moving])
    count = len(moving)
    template = fixed[np.zeros(count, dtype=np.int64)]
    asteroids = replace(
        template,
        kind=np.full(count, int(Kind.ASTEROID)),
        ra=positions[:, 0],
        dec=positions[:, 1],
        flux=np.array([ASTEROIDS[number].flux for number in moving]).reshape(count, len(BANDS)),
        radius=np.zeros(count),
        axis_ratio=np.ones(count),
        angle=np.zeros(count),
        amplitude=np.zeros(count),
        period=np.zeros(count),
        index=np.zeros(count, dtype=np.int64),
    )
    joined = join([fixed, asteroids])
    joined.index[len(fixed) :] = len(fixed) + np.array(moving)
    return joined
