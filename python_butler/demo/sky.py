"""The one simulated sky that every image and every catalogue of the demonstration agrees with.

Room: demo. Stars, some of them variable, exponential galaxies and a few supernovae, over the patches that
have coadds. Positions are ICRS degrees, fluxes nJy (AB), times MJD (TAI). No files and no Butler.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import IntEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from .geometry import BANDS, CELL_PIXELS, Floats, Tract
from .survey import FIELDS, PATCHES, TRACT

__all__ = ["Kind", "Sky", "flux_of", "join", "magnitude_of", "simulated_sky"]

STARS_PER_SQUARE_ARCMINUTE = 2.0
GALAXIES_PER_SQUARE_ARCMINUTE = 8.0
VARIABLES_PER_FIELD = 4
SUPERNOVAE_PER_FIELD = 1
SUPERNOVA_PEAK = 60_965.0
"""MJD around which the supernovae are brightest: between the third and the fourth night of the survey."""


class Kind(IntEnum):
    """What a source of light is."""

    STAR = 0
    GALAXY = 1
    SUPERNOVA = 2
    ASTEROID = 3


def flux_of(magnitude: npt.ArrayLike) -> Floats:
    """Fluxes in nJy of AB magnitudes."""
    return np.asarray(10 ** (0.4 * (31.4 - np.asarray(magnitude, dtype=np.float64))))


def magnitude_of(flux: npt.ArrayLike) -> Floats:
    """AB magnitudes of fluxes in nJy; NaN where the flux is not positive."""
    values = np.asarray(flux, dtype=np.float64)
    return 31.4 - 2.5 * np.log10(np.where(values > 0, values, np.nan))


@dataclass(frozen=True)
class Sky:
    """Sources of light, one an element of each array.

    Parameters
    ----------
    kind : `numpy.ndarray`
        Values of `Kind`.
    ra, dec : `numpy.ndarray`
        Degrees.
    flux : `numpy.ndarray`
        Mean flux in nJy, shape ``(n, 6)``, bands in the order of `BANDS`. A supernova's is its peak.
    radius : `numpy.ndarray`
        Half-light radius of the major axis in arcseconds; 0 for a point.
    axis_ratio, angle : `numpy.ndarray`
        Minor over major axis, and position angle in degrees from north through east.
    amplitude, period, phase : `numpy.ndarray`
        Half the range in magnitudes, days and fraction of the period of a variable star; amplitude 0 if
        the star is constant.
    index : `numpy.ndarray`
        Number of the source, which stays with it through subsets.
    """

    kind: npt.NDArray[np.int64]
    ra: Floats
    dec: Floats
    flux: Floats
    radius: Floats
    axis_ratio: Floats
    angle: Floats
    amplitude: Floats
    period: Floats
    phase: Floats
    index: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ra)

    def __getitem__(self, key: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Sky:
        return replace(self, **{field.name: getattr(self, field.name)[key] for field in fields(self)})

    @property
    def is_static(self) -> npt.NDArray[np.bool_]:
        """Whether each source belongs to the static sky, that coadds and templates show."""
        return self.kind <= Kind.GALAXY

    @property
    def changes(self) -> npt.NDArray[np.bool_]:
        """Whether each source differs between visits: variable stars, supernovae and asteroids."""
        return (self.kind > Kind.GALAXY) | (self.amplitude > 0)

    def static_flux(self, band: str) -> Floats:
        """Flux in nJy on coadds and templates."""
        return np.where(self.is_static, self.flux[:, BANDS.index(band)], 0.0)

    def flux_at(self, band: str, mjd: float) -> Floats:
        """Flux in nJy at one time.

        Parameters
        ----------
        band : `str`
            One of ``ugrizy``.
        mjd : `float`
            MJD (TAI).

        Returns
        -------
        flux : `numpy.ndarray`
            nJy, shape ``(n,)``. A variable star swings around its mean in flux.
        """
        mean = self.flux[:, BANDS.index(band)]
        swing = np.tanh(0.4605 * self.amplitude)  # relative amplitude in flux of one in magnitudes
        with np.errstate(divide="ignore", invalid="ignore"):
            turns = np.where(self.period > 0, mjd / self.period, 0.0) + self.phase
        stars = mean * (1 + swing * np.sin(2 * np.pi * turns))
        age = mjd - SUPERNOVA_PEAK - 20 * (self.phase - 0.5)
        supernovae = mean * np.exp(-0.5 * (age / np.where(age < 0, 12.0, 25.0)) ** 2)
        return np.where(self.kind == Kind.SUPERNOVA, supernovae, stars)


def _star_colours(random: np.random.Generator, count: int) -> Floats:
    """Magnitudes relative to r along the stellar locus, shape ``(count, 6)``."""
    redness = random.beta(1.3, 1.0, count)
    g_r = 0.25 + 1.15 * redness
    r_i = 0.08 + 1.4 * redness**3
    u_g = 1.0 + 1.5 * redness
    i_z, z_y = 0.05 + 0.55 * r_i, 0.03 + 0.25 * r_i
    return np.stack([g_r + u_g, g_r, 0 * g_r, -r_i, -r_i - i_z, -r_i - i_z - z_y], axis=1)


def _galaxy_colours(random: np.random.Generator, count: int) -> Floats:
    """Magnitudes relative to r, shape ``(count, 6)``."""
    g_r, scatter = random.normal(0.6, 0.25, count), random.normal(0, 0.05, (count, 6))
    base = [0.9 * g_r + g_r, g_r, 0 * g_r, -0.5 * g_r, -0.75 * g_r, -0.85 * g_r]
    colours = np.stack(base, axis=1) + scatter
    colours[:, 2] = 0
    return np.asarray(colours)


def _population(
    random: np.random.Generator,
    kind: Kind,
    x: Floats,
    y: Floats,
    magnitude: Floats,
    colours: Floats,
) -> Sky:
    ra, dec = Tract(TRACT).projection.pixel_to_sky(x, y)
    count = len(ra)
    is_galaxy = kind is Kind.GALAXY
    size = 0.75 * 10 ** (-0.12 * (magnitude - 21)) * random.lognormal(0, 0.35, count)
    return Sky(
        kind=np.full(count, int(kind)),
        ra=ra,
        dec=dec,
        flux=flux_of(magnitude[:, None] + colours),
        radius=np.clip(size, 0.12, 1.8) if is_galaxy else np.zeros(count),
        axis_ratio=random.uniform(0.35, 1.0, count) if is_galaxy else np.ones(count),
        angle=random.uniform(0, 180, count) if is_galaxy else np.zeros(count),
        amplitude=np.zeros(count),
        period=np.zeros(count),
        phase=random.uniform(0, 1, count),
        index=np.zeros(count, dtype=np.int64),
    )


def join(parts: list[Sky]) -> Sky:
    """Put several lots of sources together and number them from 0."""
    joined = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Sky)
    }
    joined["index"] = np.arange(len(joined["ra"]))
    return Sky(**joined)


def _luminosity(random: np.random.Generator, count: int, slope: float, bright: float, faint: float) -> Floats:
    """Magnitudes whose number grows as ``10 ** (slope * magnitude)``."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return np.log10(random.uniform(low, high, count)) / slope


@cache
def simulated_sky() -> Sky:
    """The sky over the patches that have coadds: the same sources in every build."""
    random = np.random.default_rng(20_300_301)
    boxes = [patch.outer_box for patch in PATCHES]
    margin = CELL_PIXELS
    x_range = min(box.x.start for box in boxes) - margin, max(box.x.stop for box in boxes) + margin
    y_range = min(box.y.start for box in boxes) - margin, max(box.y.stop for box in boxes) + margin
    area = (x_range[1] - x_range[0]) * (y_range[1] - y_range[0]) / 300**2  # square arcminutes
    parts = []
    for kind, density in (
        (Kind.STAR, STARS_PER_SQUARE_ARCMINUTE),
        (Kind.GALAXY, GALAXIES_PER_SQUARE_ARCMINUTE),
    ):
        count = int(area * density)
        x, y = random.uniform(*x_range, count), random.uniform(*y_range, count)
        if kind is Kind.STAR:
            magnitude, colours = _luminosity(random, count, 0.12, 17.0, 25.0), _star_colours(random, count)
        else:
            magnitude, colours = _luminosity(random, count, 0.33, 18.5, 25.3), _galaxy_colours(random, count)
        part = _population(random, kind, x, y, magnitude, colours)
        if kind is Kind.STAR:
            part = _vary(random, part, random.uniform(size=count) < 0.04)
        parts.append(part)
    projection = Tract(TRACT).projection
    for field in FIELDS:
        centre_x, centre_y = projection.sky_to_pixel(field.ra, field.dec)
        for kind, count in ((Kind.STAR, VARIABLES_PER_FIELD), (Kind.SUPERNOVA, SUPERNOVAE_PER_FIELD)):
            x = centre_x + random.uniform(-170, 170, count)
            y = centre_y + random.uniform(-170, 170, count)
            bright, faint = (19.0, 21.5) if kind is Kind.STAR else (20.8, 21.8)
            magnitude = random.uniform(bright, faint, count)
            colours = _star_colours(random, count)
            part = _population(random, kind, x, y, magnitude, colours)
            parts.append(_vary(random, part, np.full(count, kind is Kind.STAR)))
    return join(parts)


def _vary(random: np.random.Generator, stars: Sky, which: npt.NDArray[np.bool_]) -> Sky:
    """Let some of the stars pulsate, by 0.2 to 0.7 magnitudes within hours."""
    count = len(stars)
    return replace(
        stars,
        amplitude=np.where(which, random.uniform(0.2, 0.7, count), 0.0),
        period=np.where(which, random.uniform(0.25, 0.8, count), 0.0),
    )
