"""Geometry of LSSTCam: where its detectors are, and what they see during a visit.

Room: demo. Numbers only: no files and no Butler. The camera is the regular grid of the 189 science detectors,
without optical distortion; guiders and wavefront sensors are known by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from lsst.images import Box
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from .geometry import Projection

__all__ = ["INSTRUMENT", "PHYSICAL_FILTERS", "PIXEL_SIZE", "DetectorGeometry", "Pointing", "camera"]

INSTRUMENT = "LSSTCam"
PHYSICAL_FILTERS = {"u": "u_24", "g": "g_6", "r": "r_57", "i": "i_39", "z": "z_20", "y": "y_10"}
"""LSSTCam's science filters by band."""

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
        for sensor, purpose in (
            ("SG0", "GUIDER"),
            ("SG1", "GUIDER"),
            ("SW0", "WAVEFRONT"),
            ("SW1", "WAVEFRONT"),
        ):
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
