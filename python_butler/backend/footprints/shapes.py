"""Regions of ``lsst.sphgeom`` as polygons that a map can draw."""

from __future__ import annotations

import math

from lsst.sphgeom import (
    Angle,
    Box,
    Circle,
    CompoundRegion,
    ConvexPolygon,
    IntersectionRegion,
    LonLat,
    Region,
    UnionRegion,
    UnitVector3d,
)

from .models import Ring

__all__ = ["rings_of"]

_CIRCLE_VERTICES = 48
_EDGE_STEP = 5.0
"""Degrees between vertices along a circle of latitude."""
_DIGITS = 7
"""Of a degree: 0.4 milliarcseconds, more than any map shows."""


def rings_of(region: Region) -> tuple[list[Ring], bool]:
    """Outline a region.

    Parameters
    ----------
    region : `lsst.sphgeom.Region`
        Any region.

    Returns
    -------
    rings : `list`
        Polygons that together make the region: ``(ra, dec)`` in degrees, counter-clockwise as seen from
        outside the sphere, not closed. Empty for an empty region.
    approximate : `bool`
        Whether the region has another shape: great circles stand for other curves, or, of a region that is
        what several have in common, only the smallest of them is outlined.
    """
    if isinstance(region, ConvexPolygon):
        return [[_position(vertex) for vertex in region.getVertices()]], False
    if isinstance(region, Circle):
        return ([] if region.isEmpty() else [_circle(region)]), True
    if isinstance(region, Box):
        return ([] if region.isEmpty() else [_box(region)]), True
    if isinstance(region, UnionRegion):
        parts = [rings_of(part) for part in _operands(region)]
        return [ring for rings, _ in parts for ring in rings], any(rough for _, rough in parts)
    if isinstance(region, IntersectionRegion):
        smallest = min(_operands(region), key=lambda part: part.getBoundingCircle().getArea())
        return rings_of(smallest)[0], True
    return [_circle(region.getBoundingCircle())], True


def _operands(region: CompoundRegion) -> list[Region]:
    return [region.cloneOperand(index) for index in range(region.nOperands())]


def _position(vertex: UnitVector3d) -> tuple[float, float]:
    place = LonLat(vertex)
    # Rounding may give 360, which is 0.
    ra = round(place.getLon().asDegrees(), _DIGITS) % 360
    return ra, round(place.getLat().asDegrees(), _DIGITS)


def _circle(circle: Circle) -> Ring:
    centre, angle = circle.getCenter(), circle.getOpeningAngle()
    east = UnitVector3d.orthogonalTo(centre)
    start = centre.rotatedAround(east, angle)
    step = 2 * math.pi / _CIRCLE_VERTICES
    return [_position(start.rotatedAround(centre, Angle(step * n))) for n in range(_CIRCLE_VERTICES)]


def _box(box: Box) -> Ring:
    """Follow a box in longitude and latitude, whose sides of constant latitude are no great circles."""
    west, width = box.getLon().getA().asDegrees(), box.getWidth().asDegrees()
    south, north = box.getLat().getA().asDegrees(), box.getLat().getB().asDegrees()
    steps = max(1, math.ceil(width / _EDGE_STEP))
    along = [west + width * n / steps for n in range(steps + 1)]
    ring: Ring = []
    # At a pole all longitudes are one vertex.
    ring += [(ra, south) for ra in along] if south > -90 else [(west, south)]
    ring += [(ra, north) for ra in reversed(along)] if north < 90 else [(west, north)]
    return [(round(ra % 360, _DIGITS) % 360, round(dec, _DIGITS)) for ra, dec in ring]
