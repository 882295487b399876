"""The simulated sky: its geometry is the real one, and what is measured is what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.wcs import WCS
from lsst.sphgeom import LonLat, UnitVector3d

from python_butler.demo.camera import camera
from python_butler.demo.geometry import TRACT_COUNT, Tract, neighbours
from python_butler.demo.images import observe
from python_butler.demo.measure import APERTURES, measure
from python_butler.demo.scene import Scene
from python_butler.demo.sky import Kind, simulated_sky
from python_butler.demo.solarsystem import ASTEROIDS, observed_sky
from python_butler.demo.survey import FIELDS, PATCHES, TRACT, visits


def test_the_sky_map_has_the_tracts_of_the_real_one():
    assert TRACT_COUNT == 18_938
    centre = Tract(5063).projection
    assert (centre.ra, centre.dec) == (
        pytest.approx(53.08755760, abs=1e-8),
        pytest.approx(-27.52066116, abs=1e-8),
    )


def test_a_known_position_falls_on_its_real_pixel_and_patches():
    x, y = Tract(5063).projection.sky_to_pixel(53.076, -28.110)
    assert (float(x), float(y)) == (pytest.approx(15182.5075, abs=1e-4), pytest.approx(4390.5180, abs=1e-4))
    holding = [
        patch.id
        for patch in Tract(5063).patches
        if patch.inner_box.contains(x=round(float(x)), y=round(float(y)))
    ]
    assert holding == [15]
    x, y = Tract(5063).projection.sky_to_pixel(53.0, -28.015)
    outer = [
        patch.id
        for patch in Tract(5063).patches
        if patch.outer_box.contains(x=round(float(x)), y=round(float(y)))
    ]
    assert outer == [15, 25]


def test_the_tract_comes_with_those_around_it():
    around = neighbours(5063)
    assert {5062, 5063, 5064} <= set(around)
    assert 7 <= len(around) <= 11


def test_the_camera_has_the_detectors_of_lsstcam():
    detectors = camera()
    assert len(detectors) == 205
    assert sum(detector.purpose == "SCIENCE" for detector in detectors) == 189
    assert (detectors[10].name, detectors[94].name, detectors[191].name) == ("R02_S01", "R22_S11", "R00_SW0")
    assert sum(detector.vendor == "E2V" for detector in detectors) == 117


@pytest.mark.parametrize("visit", visits(), ids=lambda visit: str(visit.id))
def test_a_projection_agrees_with_fits_and_its_region_holds_its_pixels(visit):
    for exposed in visit.exposed:
        field = FIELDS[exposed.field]
        x, y = exposed.projection.sky_to_pixel(field.ra, field.dec)
        assert exposed.box.contains(x=round(float(x)), y=round(float(y)))
        assert WCS(exposed.projection.header()).all_world2pix(field.ra, field.dec, 0) == pytest.approx(
            [float(x), float(y)], abs=1e-4
        )
        back = exposed.projection.pixel_to_sky(x, y)
        assert np.allclose(back, (field.ra, field.dec), rtol=0, atol=1e-10)
        point = UnitVector3d(LonLat.fromDegrees(field.ra, field.dec))
        assert exposed.projection.region(exposed.box).contains(point)
        assert visit.pointing.region().contains(point)


def test_there_are_two_dozen_visits_over_several_nights_in_all_bands():
    assert len(visits()) == 24
    assert {visit.band for visit in visits()} == set("ugrizy")
    assert len({visit.day_obs for visit in visits()}) == 6
    ids = {visit.id for visit in visits()}
    assert set(range(2025072200465, 2025072200471)) | {2025120200439} <= ids
    assert 10 in {
        exposed.detector.id for visit in visits() if visit.id == 2025120200439 for exposed in visit.exposed
    }


def test_every_field_has_variable_stars_and_a_supernova():
    sky = simulated_sky()
    for field in FIELDS:
        near = np.hypot((sky.ra - field.ra) * np.cos(np.radians(field.dec)), sky.dec - field.dec) < 60 / 3600
        assert (near & (sky.kind == Kind.SUPERNOVA)).sum() >= 1
        assert (near & (sky.amplitude > 0)).sum() >= 4


def test_fluxes_are_measured_without_bias_and_with_honest_errors():
    visit = visits()[6]
    box, projection = PATCHES[0].outer_box, Tract(TRACT).projection
    scene = Scene(simulated_sky(), projection, box, visit.sigma)
    flux = scene.sky.static_flux(visit.band)
    noise = 5.0
    pixels = scene.paint(flux) + np.random.default_rng(1).normal(0, noise, box.shape)
    measured = measure(scene, pixels, np.full(box.shape, noise**2), flux)
    truth = flux[np.isin(scene.sky.index, measured.index)]
    stars = scene.sky.kind[np.isin(scene.sky.index, measured.index)] == Kind.STAR
    pull = ((measured.model - truth) / measured.model_error)[truth > 0]
    assert abs(np.mean(pull)) < 0.1
    assert 0.9 < np.std(pull) < 1.1
    # The PSF's flux is right for stars, and a large aperture's for everything.
    pull = ((measured.psf - truth) / measured.psf_error)[stars & (truth > 0)]
    assert abs(np.median(pull)) < 0.3
    for number, radius in enumerate(APERTURES):
        if radius >= 12:
            pull = ((measured.apertures[:, number] - truth) / measured.aperture_errors[:, number])[stars]
            assert 0.8 < np.std(pull) < 1.2, radius


def test_what_changes_stands_out_of_the_difference_image_and_nothing_else_does():
    visit = next(visit for visit in visits() if visit.id == 2025120200439)
    exposed = visit.exposed[0]
    observed = observe(visit, exposed)
    significance = observed.differences.psf / observed.differences.psf_error
    sky = observed_sky(visit)
    changes = np.isin(observed.differences.index, sky.index[sky.changes])
    assert (np.abs(significance[changes]) > 5).sum() >= 3
    assert (np.abs(significance[~changes]) < 5).all()
    asteroid = next(asteroid for asteroid in ASTEROIDS if asteroid.day_obs == visit.day_obs)
    found = observed.changes.index == len(simulated_sky()) + ASTEROIDS.index(asteroid)
    ra, dec = exposed.projection.pixel_to_sky(observed.changes.x[found], observed.changes.y[found])
    expected = asteroid.position(visit.middle)
    assert np.allclose([ra[0], dec[0]], expected, rtol=0, atol=0.2 / 3600)


def test_the_same_recipe_gives_the_same_pixels():
    visit = visits()[0]
    first, second = (observe(visit, visit.exposed[2]).visit_image for _ in range(2))
    assert np.array_equal(first.image.array, second.image.array)
    assert np.array_equal(first.mask.array, second.mask.array)
