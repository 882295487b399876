"""Coadds of cutouts, beside what is truly there."""

from __future__ import annotations

from dataclasses import dataclass

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from lsst.daf.butler import Butler
from lsst.images import Box, MaskedImage, VisitImage
from lsst.pipe.base import NoWorkFound
from lsst.sphgeom import ConvexPolygon

from python_butler.demo.sky import simulated_sky
from python_butler.demo.survey import visits
from python_butler.example_pipeline import CoaddCutoutsConfig, CoaddCutoutsTask
from python_butler.example_pipeline.resampling import resample


@pytest.fixture(scope="module")
def coadd(results: Butler) -> MaskedImage:
    (ref,) = results.query_datasets("example_coadd")
    image = results.get(ref)
    assert isinstance(image, MaskedImage)
    return image


@pytest.fixture(scope="module")
def inputs(results: Butler) -> Table:
    (ref,) = results.query_datasets("example_coadd_input")
    return results.get(ref)


@pytest.fixture(scope="module")
def region(official: Butler) -> ConvexPolygon:
    (patch,) = official.query_dimension_records("patch", skymap="lsst_cells_v2", tract=5063, patch=15)
    return patch.region


@dataclass
class InMemory:
    """A handle of an image that was changed after it was read."""

    image: VisitImage

    def get(self, *, component: str | None = None, parameters: dict[str, Box] | None = None) -> object:
        if component is not None:
            return getattr(self.image, component)
        assert parameters is not None, "only the cutout is read"
        return self.image[parameters["bbox"]]


def stars(coadd: MaskedImage, inputs: Table) -> list[tuple[float, float, float]]:
    """Position and flux of bright stars that have the coadd to themselves.

    Most of them vary: what the coadd shows is their average over the visits, with its weights.
    """
    sky = simulated_sky()
    times = {visit.id: visit.middle for visit in visits()}
    each = [sky.flux_at("r", times[visit]) for visit in inputs["visit"]]
    flux = np.average(each, axis=0, weights=inputs["weight"])
    place = coadd.sky_projection.sky_to_pixel(SkyCoord(sky.ra * u.deg, sky.dec * u.deg))
    found = []
    for number in np.flatnonzero((sky.radius == 0) & (flux > 8000)):
        x, y = place.x[number], place.y[number]
        if not coadd.bbox.padded(-60).contains(x=x, y=y):
            continue
        apart = np.hypot(place.x - x, place.y - y)
        if (flux[(apart < 25) & (apart > 0)] < 0.005 * flux[number]).all():
            found.append((x, y, flux[number]))
    return found


def test_stars_are_where_they_are_and_as_bright_as_they_are(coadd: MaskedImage, inputs: Table) -> None:
    found = stars(coadd, inputs)
    assert len(found) >= 3
    columns, rows = np.meshgrid(coadd.bbox.x.arange, coadd.bbox.y.arange)
    for x, y, flux in found:
        near = np.hypot(columns - x, rows - y) < 14
        light = coadd.image.array[near].astype(float)
        # Neighbours' noise is correlated: somewhat more than the sum of the variances.
        error = float(1.3 * np.sqrt(coadd.variance.array[near].sum()))
        assert light.sum() == pytest.approx(flux, abs=3 * error)
        core = np.hypot(columns - x, rows - y) < 5
        weight = coadd.image.array[core].astype(float)
        assert (columns[core] * weight).sum() / weight.sum() == pytest.approx(x, abs=0.08)
        assert (rows[core] * weight).sum() / weight.sum() == pytest.approx(y, abs=0.08)


def test_the_variance_is_that_of_the_noise(coadd: MaskedImage, inputs: Table) -> None:
    assert len(inputs) == 8
    assert inputs["weight"].unit == u.nJy**-2
    middle = coadd[coadd.bbox.padded(-100)]
    # Interpolation shares noise between neighbours, which leaves less of it in each.
    best = 1 / inputs["weight"].sum()
    assert 0.7 * best < np.median(middle.variance.array) <= best
    ratio = middle.image.array / np.sqrt(middle.variance.array)
    # Most pixels have no source; the percentiles of those that do are at the bright end.
    low, median = np.percentile(ratio, [16, 50])
    assert median - low == pytest.approx(1.0, abs=0.1)
    assert abs(median) < 0.15


def test_pixels_without_images_say_so(coadd: MaskedImage) -> None:
    empty = coadd.mask.get("NO_DATA")
    assert 0 < empty.sum() < 0.2 * empty.size
    assert np.isnan(coadd.image.array[empty]).all()
    assert np.isfinite(coadd.image.array[~empty]).all()
    assert (coadd.variance.array[~empty] > 0).all()


def test_a_coadd_about_a_position_has_its_middle_there_and_its_size(
    official: Butler, results: Butler, region: ConvexPolygon
) -> None:
    refs = results.query_datasets("example_source", limit=2, order_by="visit")
    config = CoaddCutoutsConfig()
    config.position = [53.076, -28.110]
    config.size = 100
    handles = [official.getDeferred("visit_image", ref.dataId) for ref in refs]
    result = CoaddCutoutsTask(config=config).run(images=handles, region=region)
    assert result.coadd.bbox.shape == (100, 100)
    middle = result.coadd.sky_projection.pixel_to_sky(x=0, y=0)
    assert middle.separation(SkyCoord(53.076 * u.deg, -28.110 * u.deg)) < 1e-3 * u.arcsec
    assert len(result.contributions) == 2


def test_bad_pixels_of_one_image_are_filled_by_the_others(
    official: Butler, results: Butler, region: ConvexPolygon
) -> None:
    refs = results.query_datasets("example_source", limit=2, order_by="visit")
    config = CoaddCutoutsConfig()
    config.position = [53.076, -28.110]
    config.size = 100
    whole, broken = (official.get("visit_image", ref.dataId) for ref in refs)
    spot = broken.sky_projection.sky_to_pixel(SkyCoord(53.076 * u.deg, -28.110 * u.deg))
    columns, rows = np.meshgrid(broken.bbox.x.arange, broken.bbox.y.arange)
    hit = np.hypot(columns - spot.x, rows - spot.y) < 6
    broken.image.array[hit] = np.inf
    broken.mask.set("COSMIC_RAY", hit)
    handles = [InMemory(image) for image in (whole, broken)]
    task = CoaddCutoutsTask(config=config)
    both = task.run(images=handles, region=region).coadd
    alone = task.run(images=handles[:1], region=region).coadd
    lost = both.mask.get("REJECTED")
    assert 100 < lost.sum() < 300
    assert np.isfinite(both.image.array).all()
    assert both.image.array[lost] == pytest.approx(alone.image.array[lost])
    assert np.median(both.variance.array[~lost]) < 0.7 * np.median(alone.variance.array)


def test_a_position_outside_the_patch_is_no_work(
    official: Butler, results: Butler, region: ConvexPolygon
) -> None:
    (ref,) = results.query_datasets("example_source", limit=1)
    config = CoaddCutoutsConfig()
    config.position = [53.076, -27.0]
    config.size = 100
    with pytest.raises(NoWorkFound, match="far from the patch"):
        CoaddCutoutsTask(config=config).run(
            images=[official.getDeferred("visit_image", ref.dataId)], region=region
        )


def test_resampling_keeps_light_whatever_the_scale() -> None:
    rows, columns = np.mgrid[:61, :61]
    star = np.exp(-0.5 * np.hypot(columns - 30.3, rows - 29.8) ** 2 / 2.2**2)
    x, y = np.meshgrid(np.arange(70) * 0.8 + 2.9, np.arange(70) * 0.8 + 2.6)
    moved, _, good = resample(star, np.ones_like(star), np.ones(star.shape, dtype=bool), x, y)
    assert moved.sum() == pytest.approx(star.sum(), rel=1e-3)
    assert (moved * x).sum() / moved.sum() == pytest.approx(30.3, abs=0.01)
    assert (moved * y).sum() / moved.sum() == pytest.approx(29.8, abs=0.01)
    assert good.sum() > 4000


def test_resampling_to_the_same_grid_changes_nothing() -> None:
    image = np.random.default_rng(5).normal(size=(30, 40))
    rows, columns = np.mgrid[:30, :40].astype(float)
    moved, variance, good = resample(
        image, np.full(image.shape, 4.0), np.ones(image.shape, dtype=bool), columns, rows
    )
    assert moved[good] == pytest.approx(image[good])
    assert variance[good] == pytest.approx(4.0)


def test_pixels_that_need_a_bad_one_are_lost_and_no_others() -> None:
    random = np.random.default_rng(6)
    image, good = random.normal(size=(30, 40)), np.ones((30, 40), dtype=bool)
    x, y = np.meshgrid(np.arange(-3, 43) + 0.3, np.arange(-3, 33) + 0.6)
    before, _, all_good = resample(image, np.ones_like(image), good, x, y)
    image[12, 25] = 1e6
    after, _, _ = resample(image, np.ones_like(image), good, x, y)
    good[12, 25] = False
    _, _, usable = resample(image, np.ones_like(image), good, x, y)
    assert np.array_equal(all_good & ~usable, before != after)
