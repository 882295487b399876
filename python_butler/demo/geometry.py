"""True geometry of the sky map and the camera that the demonstration observes with.

Room: demo. Numbers only: no files and no Butler. The sky map is ``lsst_cells_v2``, a ring sky map; the
camera is the regular grid of LSSTCam's 189 science detectors, with a distortion-free tangent projection.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import astropy.io.fits
import numpy as np
import numpy.typing as npt
from lsst.images import YX, Box
from lsst.images.cells import CellGrid, PatchDefinition
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

__all__ = [
    "BANDS",
    "CELL_PIXELS",
    "INSTRUMENT",
    "PATCHES_PER_SIDE",
    "PHYSICAL_FILTERS",
    "PIXEL_SCALE",
    "SKYMAP",
    "TRACT_COUNT",
    "DetectorGeometry",
    "Floats",
    "Patch",
    "Pointing",
    "Projection",
    "Tract",
    "camera",
    "neighbours",
]

type Floats = npt.NDArray[np.float64]

SKYMAP = "lsst_cells_v2"
INSTRUMENT = "LSSTCam"
BANDS = ("u", "g", "r", "i", "z", "y")
PHYSICAL_FILTERS = {"u": "u_24", "g": "g_6", "r": "r_57", "i": "i_39", "z": "z_20", "y": "y_10"}
"""LSSTCam's science filters by band."""

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
        return Box.from_shape((PATCH_PIXELS, PATCH_PIXELS), start=(self.y * PATCH_PIXELS, self.x * PATCH_PIXELS))

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


SENSOR_PITCH = 42.25
RAFT_PITCH = 127.0
PIXEL_SIZE = 0.01
"""Millimetres."""

_ITL_RAFTS = frozenset({"R01", "R02", "R03", "R10", "R20", "R41", "R42", "R43"})


@dataclass(frozen=True)
class DetectorGeometry:
    """One detector of LSSTCam.

    Parameters
    ----------
    id : `int`
        Number of the detector.
    raft, sensor : `str`
        For example ``R22`` and ``S11``.
    purpose : `str`
        ``SCIENCE``, ``GUIDER`` or ``WAVEFRONT``.
    x, y : `float`
        Centre in the focal plane in millimetres.
    """

    id: int
    raft: str
    sensor: str
    purpose: str
    x: float
    y: float

    @property
    def name(self) -> str:
        """Full name, for example ``R22_S11``."""
        return f"{self.raft}_{self.sensor}"

    @property
    def vendor(self) -> str:
        """Who made the detector; the two makes differ in size."""
        return "ITL" if self.raft in _ITL_RAFTS or self.purpose != "SCIENCE" else "E2V"

    @property
    def box(self) -> Box:
        """All pixels of the assembled detector."""
        return Box.from_shape((4000, 4072) if self.vendor == "ITL" else (4004, 4096))

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        """Pixel of a point of the focal plane.

        Parameters
        ----------
        x, y : `float`
            Millimetres.

        Returns
        -------
        x, y : `float`
            Zero-based pixel, possibly off the detector.
        """
        height, width = self.box.shape
        return (x - self.x) / PIXEL_SIZE + (width - 1) / 2, (y - self.y) / PIXEL_SIZE + (height - 1) / 2


@cache
def camera() -> tuple[DetectorGeometry, ...]:
    """All 205 detectors of LSSTCam in the order of their numbers."""
    detectors: list[DetectorGeometry] = []
    corners = {"00", "04", "40", "44"}
    rafts = [f"{row}{column}" for row in range(5) for column in range(5)]
    for raft in (name for name in rafts if name not in corners):
        for number in range(9):
            row, column = divmod(number, 3)
            x = (int(raft[1]) - 2) * RAFT_PITCH + (column - 1) * SENSOR_PITCH
            y = (int(raft[0]) - 2) * RAFT_PITCH + (row - 1) * SENSOR_PITCH
            detectors.append(DetectorGeometry(len(detectors), f"R{raft}", f"S{row}{column}", "SCIENCE", x, y))
    for raft in sorted(corners):
        x, y = (int(raft[1]) - 2) * RAFT_PITCH, (int(raft[0]) - 2) * RAFT_PITCH
        for sensor, purpose in (("SG0", "GUIDER"), ("SG1", "GUIDER"), ("SW0", "WAVEFRONT"), ("SW1", "WAVEFRONT")):
            detectors.append(DetectorGeometry(len(detectors), f"R{raft}", sensor, purpose, x, y))
    return tuple(detectors)


@dataclass(frozen=True)
class Pointing:
    """Where the telescope looks during a visit.

    Parameters
    ----------
    ra, dec : `float`
        Boresight in degrees.
    rotation : `float`
        Degrees from the focal plane's y axis to north, towards decreasing x (east).
    """

    ra: float
    dec: float
    rotation: float

    def projection(self, detector: DetectorGeometry) -> Projection:
        """Projection of one detector's pixels."""
        x, y = detector.pixel(0.0, 0.0)
        return Projection(self.ra, self.dec, x, y, self.rotation)

    def focal_plane(self, ra: float, dec: float) -> tuple[float, float]:
        """Millimetres in the focal plane of a sky position in degrees."""
        x, y = Projection(self.ra, self.dec, 0.0, 0.0, self.rotation).sky_to_pixel(ra, dec)
        return float(x) * PIXEL_SIZE, float(y) * PIXEL_SIZE

    def find(self, ra: float, dec: float) -> DetectorGeometry | None:
        """The science detector that sees a sky position, or `None` if it falls beside all of them."""
        x, y = self.focal_plane(ra, dec)
        for detector in camera():
            column, row = detector.pixel(x, y)
            if detector.purpose == "SCIENCE" and detector.box.contains(x=round(column), y=round(row)):
                return detector
        return None

    def region(self) -> ConvexPolygon:
        """Region on the sky of the whole focal plane."""
        projection = Projection(self.ra, self.dec, 0.0, 0.0, self.rotation)
        points = []
        for detector in camera():
            if detector.purpose == "SCIENCE":
                half = SENSOR_PITCH / 2
                for x, y in ((-half, -half), (half, -half), (half, half), (-half, half)):
                    column, row = (detector.x + x) / PIXEL_SIZE, (detector.y + y) / PIXEL_SIZE
                    ra, dec = projection.pixel_to_sky(column, row)
                    points.append(UnitVector3d(LonLat.fromDegrees(float(ra), float(dec))))
        return ConvexPolygon(points)
