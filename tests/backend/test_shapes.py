"""Regions become rings that go around the same sky."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from lsst.sphgeom import (
    Angle,
    AngleInterval,
    Box,
    Circle,
    ConvexPolygon,
    Ellipse,
    IntersectionRegion,
    LonLat,
    NormalizedAngleInterval,
    Region,
    UnionRegion,
    UnitVector3d,
)

from python_butler.backend.footprints.models import Ring
from python_butler.backend.footprints.shapes import rings_of


def at(ra: float, dec: float) -> UnitVector3d:
    return UnitVector3d(LonLat.fromDegrees(ra, dec))


def polygon(*places: tuple[float, float]) -> ConvexPolygon:
    return ConvexPolygon([at(*place) for place in places])


def circle(ra: float, dec: float, radius: float) -> Circle:
    return Circle(at(ra, dec), Angle.fromDegrees(radius))


def box(west: float, south: float, east: float, north: float) -> Box:
    return Box(NormalizedAngleInterval.fromDegrees(west, east), AngleInterval.fromDegrees(south, north))


def inside(ring: Ring, place: tuple[float, float]) -> bool:
    """Whether a place is on the left of every side, which holds inside a counter-clockwise convex ring."""
    here = at(*place)
    corners = [at(*vertex) for vertex in ring]
    return all(a.cross(b).dot(here) > 0 for a, b in zip(corners, corners[1:] + corners[:1], strict=True))


@pytest.mark.parametrize(
    ("region", "within", "without"),
    [
        (polygon((359, -1), (1, -1), (1, 1), (359, 1)), (0, 0), (180, 0)),
        (polygon((0, 89), (90, 89), (180, 89), (270, 89)), (12, 90), (12, 80)),
        (circle(0.5, 10, 2), (359, 10), (3, 10)),
        (circle(30, -90, 3), (200, -88), (30, -80)),
        (box(350, 40, 10, 50), (0, 45), (20, 45)),
    ],
    ids=["over 0 h", "at the pole", "circle over 0 h", "circle at the pole", "box over 0 h"],
)
def test_a_ring_goes_around_what_is_inside(
    region: Region, within: tuple[float, float], without: tuple[float, float]
) -> None:
    (ring,), _ = rings_of(region)
    assert all(0 <= ra < 360 and -90 <= dec <= 90 for ra, dec in ring)
    assert region.contains(at(*within))
    if not isinstance(region, Box):  # whose northern side is not convex
        assert inside(ring, within)
    assert not inside(ring, without)


def test_a_circle_is_outlined_at_its_radius() -> None:
    (ring,), approximate = rings_of(circle(120, -30, 1.75))
    centre = at(120, -30)
    for vertex in ring:
        assert math.degrees(math.acos(at(*vertex).dot(centre))) == pytest.approx(1.75, abs=1e-6)
    assert approximate


def test_a_box_that_reaches_a_pole_has_one_vertex_there() -> None:
    (ring,), _ = rings_of(box(0, 80, 120, 90))
    assert [dec for _, dec in ring].count(90) == 1


def test_a_union_is_all_its_parts() -> None:
    parts = [polygon((0, 0), (1, 0), (1, 1)), polygon((5, 0), (6, 0), (6, 1))]
    rings, approximate = rings_of(UnionRegion(*parts))
    assert rings == [rings_of(part)[0][0] for part in parts]
    assert not approximate


@pytest.mark.parametrize(
    ("make", "radius"),
    [
        (lambda: IntersectionRegion(circle(10, 0, 5), circle(10, 0, 1)), 1),
        (lambda: Ellipse(at(10, 0), Angle.fromDegrees(1), Angle.fromDegrees(0.5), Angle(0)), 1),
    ],
    ids=["intersection", "ellipse"],
)
def test_what_cannot_be_outlined_is_within_something_that_can(
    make: Callable[[], Region], radius: float
) -> None:
    (ring,), approximate = rings_of(make())
    assert approximate
    centre = at(10, 0)
    distances = [math.degrees(math.acos(at(*vertex).dot(centre))) for vertex in ring]
    assert distances == pytest.approx([radius] * len(ring), abs=1e-5)


def test_nothing_has_no_ring() -> None:
    assert rings_of(Circle.empty())[0] == rings_of(Box.empty())[0] == []
