"""True geometry of the sky map ``lsst_cells_v2``, and the projection that images of all kinds use.

Room: demo. Numbers only: no files and no Butler.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import astropy.io.fits
import numpy as np
import numpy.typing as npt
from lsst.images import YX, Box
from lsst.images.cells import CellGrid, PatchDefinition
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

__all__ = [
    "BANDS",
    "CELL_PIXELS",
    "PATCHES_PER_SIDE",
    "PIXEL_SCALE",
    "SKYMAP",
    "TRACT_COUNT",
    "Floats",
    "Patch",
    "Projection",
    "Tract",
    "neighbours",
]

type Floats = npt.NDArray[np.floating[Any]]

SKYMAP = "lsst_cells_v2"
BANDS = ("u", "g", "r", "i", "z", "y")

PIXEL_SCALE = 0.2
"""Arcseconds per pixel, of coadds and of the camera alike."""

RINGS = 120
RING_HEIGHT = math.pi / (RINGS + 1)
"""Radians of declination; each polar cap is half a ring."""

PATCHES_PER_SIDE = 10
PATCH_PIXELS = 3000
CELL_PIXELS = 150
"""Side of a cell, and width of the border by which a patch overlaps its neighbours."""

TRACT_PIXELS = PATCHES_PER_SIDE * PATCH_PIXELS
TRACT_CENTRE = 14999.0
"""Zero-based pixel of a tract's tangent point, in x and y."""


def _ring_tracts(ring: int) -> int:
    start = RING_HEIGHT * (ring + 0.5) - 0.5 * math.pi
    nearest_equator = min(abs(start), abs(start + RING_HEIGHT))
    return int(2 * math.pi * math.cos(nearest_equator) / RING_HEIGHT) + 1


_TRACTS_PER_RING = tuple(_ring_tracts(ring) for ring in range(RINGS))
TRACT_COUNT = sum(_TRACTS_PER_RING) + 2
"""Tracts of the whole sky map, the two polar caps included."""


@dataclass(frozen=True)
class Projection:
    """Gnomonic (TAN) projection between a pixel grid and ICRS.

    Parameters
    ----------
    ra, dec : `float`
        Tangent point in degrees.
    x, y : `float`
        Zero-based pixel of the tangent point.
    rotation : `float`
        Degrees from the direction of increasing y to north, towards decreasing x (east).
    """

    ra: float
    dec: float
    x: float
    y: float
    rotation: float = 0.0

    @property
    def matrix(self) -> Floats:
        """Degrees towards east and north for one pixel in x and y, shape ``(2, 2)``."""
        cosine = math.cos(math.radians(self.rotation)) * PIXEL_SCALE / 3600
        sine = math.sin(math.radians(self.rotation)) * PIXEL_SCALE / 3600
        return np.array([[-cosine, -sine], [-sine, cosine]])

    def sky_to_pixel(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Pixels of sky positions.

        Parameters
        ----------
        ra, dec : array-like
            Degrees, within 90 degrees of the tangent point.

        Returns
        -------
        x, y : `numpy.ndarray`
            Zero-based pixels.
        """
        alpha = np.radians(np.asarray(ra, dtype=np.float64) - self.ra)
        delta = np.radians(np.asarray(dec, dtype=np.float64))
        delta0 = math.radians(self.dec)
        depth = np.sin(delta) * math.sin(delta0) + np.cos(delta) * math.cos(delta0) * np.cos(alpha)
        xi = np.cos(delta) * np.sin(alpha) / depth
        eta = (np.sin(delta) * math.cos(delta0) - np.cos(delta) * math.sin(delta0) * np.cos(alpha)) / depth
        inverse = np.linalg.inv(self.matrix)
        xi, eta = np.degrees(xi), np.degrees(eta)
        return self.x + inverse[0, 0] * xi + inverse[0, 1] * eta, self.y + inverse[1, 0] * xi + inverse[
            1, 1
        ] * eta

    def pixel_to_sky(self, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Sky positions of pixels.

        Parameters
        ----------
        x, y : array-like
            Zero-based pixels.

        Returns
        -------
        ra, dec : `numpy.ndarray`
            Degrees; right ascension between 0 and 360.
        """
        dx = np.asarray(x, dtype=np.float64) - self.x
        dy = np.asarray(y, dtype=np.float64) - self.y
        matrix = np.radians(self.matrix)
        xi = matrix[0, 0] * dx + matrix[0, 1] * dy
        eta = matrix[1, 0] * dx + matrix[1, 1] * dy
        delta0 = math.radians(self.dec)
        depth = math.cos(delta0) - eta * math.sin(delta0)
        ra = self.ra + np.degrees(np.arctan2(xi, depth))
        dec = np.degrees(np.arctan2(math.sin(delta0) + eta * math.cos(delta0), np.hypot(xi, depth)))
        return np.mod(ra, 360.0), dec

    def header(self) -> astropy.io.fits.Header:
        """The same projection as FITS WCS cards."""
        header = astropy.io.fits.Header()
        header["CTYPE1"], header["CTYPE2"] = "RA---TAN", "DEC--TAN"
        header["CUNIT1"] = header["CUNIT2"] = "deg"
        header["RADESYS"] = "ICRS"
        header["CRVAL1"], header["CRVAL2"] = self.ra, self.dec
        header["CRPIX1"], header["CRPIX2"] = self.x + 1.0, self.y + 1.0
        matrix = self.matrix
        header["CD1_1"], header["CD1_2"] = matrix[0, 0], matrix[0, 1]
        header["CD2_1"], header["CD2_2"] = matrix[1, 0], matrix[1, 1]
        return header

    def region(self, box: Box) -> ConvexPolygon:
        """Region on the sky of a box of pixels, out to the edges of its pixels."""
        corners_x = np.array([box.x.start, box.x.stop, box.x.stop, box.x.start]) - 0.5
        corners_y = np.array([box.y.start, box.y.start, box.y.stop, box.y.stop]) - 0.5
        ra, dec = self.pixel_to_sky(corners_x, corners_y)
        return ConvexPolygon(
            [UnitVector3d(LonLat.fromDegrees(*position)) for position in zip(ra, dec, strict=True)]
        )


@dataclass(frozen=True)
class Patch:
    """One patch of a tract, in the tract's pixels."""

    tract: int
    x: int
    y: int

    @property
    def id(self) -> int:
        """The patch's number within its tract."""
        return self.y * PATCHES_PER_SIDE + self.x

    @property
    def inner_box(self) -> Box:
        """Pixels that belong to this patch and to no other."""
        return Box.from_shape(
            (PATCH_PIXELS, PATCH_PIXELS), start=(self.y * PATCH_PIXELS, self.x * PATCH_PIXELS)
        )

    @property
    def outer_box(self) -> Box:
        """Pixels of this patch's coadds: the inner box and a border of one cell."""
        return self.inner_box.padded(CELL_PIXELS)

    def definition(self) -> PatchDefinition:
        """The patch as coadds carry it."""
        cells = CellGrid(bbox=self.outer_box, cell_shape=YX(y=CELL_PIXELS, x=CELL_PIXELS))
        return PatchDefinition(
            id=self.id, index=YX(y=self.y, x=self.x), inner_bbox=self.inner_box, cells=cells
        )


@dataclass(frozen=True)
class Tract:
    """One tract of ``lsst_cells_v2``."""

    id: int

    def _ring(self) -> tuple[int, int]:
        number, ring = self.id - 1, 0
        while number >= _TRACTS_PER_RING[ring]:
            number -= _TRACTS_PER_RING[ring]
            ring += 1
        return ring, number

    @property
    def projection(self) -> Projection:
        """Projection of the tract's pixels; its tangent point is the tract's centre."""
        ring, number = self._ring()
        ra = 360.0 * number / _TRACTS_PER_RING[ring]
        dec = math.degrees(RING_HEIGHT * (ring + 1)) - 90.0
        return Projection(ra, dec, TRACT_CENTRE, TRACT_CENTRE)

    @property
    def box(self) -> Box:
        """All pixels of the tract."""
        return Box.from_shape((TRACT_PIXELS, TRACT_PIXELS))

    @property
    def patches(self) -> Iterator[Patch]:
        """The tract's patches in the order of their numbers."""
        for y in range(PATCHES_PER_SIDE):
            for x in range(PATCHES_PER_SIDE):
                yield Patch(self.id, x, y)


def neighbours(tract: int) -> list[int]:
    """Tracts whose centre lies within 1.75 ring heights of a tract's centre.

    Parameters
    ----------
    tract : `int`
        Number of a tract that is no polar cap.

    Returns
    -------
    tracts : `list` [`int`]
        Numbers in ascending order, the tract itself included.
    """
    centre = Tract(tract).projection
    found = []
    for candidate in range(1, TRACT_COUNT - 1):
        other = Tract(candidate).projection
        width = (other.ra - centre.ra + 180.0) % 360.0 - 180.0
        distance = math.hypot(width * math.cos(math.radians(centre.dec)), other.dec - centre.dec)
        if distance < 1.75 * math.degrees(RING_HEIGHT):
            found.append(candidate)
    return found
