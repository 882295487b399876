"""Sources on visit images, beside what is truly there."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from lsst.daf.butler import Butler, DatasetRef
from lsst.pipe.base import NoWorkFound

from python_butler.example_pipeline import DetectSourcesConfig, DetectSourcesTask

from .truth import truth_of


@pytest.fixture(scope="module")
def catalogues(results: Butler) -> list[tuple[DatasetRef, Table]]:
    refs = results.query_datasets("example_source", order_by=["visit", "detector"])
    return [(ref, results.get(ref)) for ref in refs]


def test_every_image_that_overlaps_the_patch_has_a_catalogue(
    results: Butler, official: Butler, catalogues: list[tuple[DatasetRef, Table]]
) -> None:
    assert len(catalogues) == 8
    with official.query() as query:
        images = query.join_dataset_search("visit_image", "dp2").where(
            skymap="lsst_cells_v2", tract=5063, patch=15, band="r"
        )
        expected = set(images.data_ids(["instrument", "visit", "detector"]))
    assert {ref.dataId for ref, _ in catalogues} == expected


def test_columns_that_are_read_back_tell_their_units_and_what_they_are(
    catalogues: list[tuple[DatasetRef, Table]],
) -> None:
    _, table = catalogues[0]
    assert all(table[name].description for name in table.colnames)
    assert table["flux"].unit == u.nJy
    assert table["ra"].unit == u.deg
    assert table["x"].unit == u.pix
    assert table["sky_err"].unit == u.arcsec
    assert table["mjd"].unit == u.d


def test_stars_are_where_they_are_and_as_bright_as_they_are_within_their_errors(
    catalogues: list[tuple[DatasetRef, Table]],
) -> None:
    pulls: dict[str, list[float]] = {"x": [], "y": [], "flux": [], "aperture_flux": []}
    for ref, table in catalogues:
        truth = truth_of(ref.dataId)
        bright = truth.flux > 8 * truth.noise
        for star in np.flatnonzero(bright & truth.star & truth.isolated & truth.inside):
            distance = np.hypot(table["x"] - truth.x[star], table["y"] - truth.y[star])
            source = table[np.argmin(distance)]
            assert distance.min() < 1.0, "a bright star is missing"
            expected = {"x": truth.x[star], "y": truth.y[star], "flux": truth.flux[star]}
            expected["aperture_flux"] = truth.flux[star]
            for name, value in expected.items():
                pulls[name].append((source[name] - value) / source[f"{name}_err"])
            assert source["mjd"] == pytest.approx(truth.visit.middle, abs=1e-6)
    for name, values in pulls.items():
        assert len(values) >= 25
        # Deviations in units of their errors: a normal distribution, as far as so few can tell.
        assert abs(np.mean(values)) < 3 / np.sqrt(len(values)), name
        assert 0.7 < np.std(values) < 1.3, name
        assert np.abs(values).max() < 4, name


def test_sky_positions_are_those_of_the_pixels(catalogues: list[tuple[DatasetRef, Table]]) -> None:
    for ref, table in catalogues:
        truth = truth_of(ref.dataId)
        sky = SkyCoord(truth.sky.ra * u.deg, truth.sky.dec * u.deg)
        for source in table[table["flux"] > 100 * table["flux_err"]]:
            nearest = np.argmin(np.hypot(truth.x - source["x"], truth.y - source["y"]))
            here = SkyCoord(source["ra"] * u.deg, source["dec"] * u.deg)
            assert here.separation(sky[nearest]) < 0.02 * u.arcsec


def test_what_is_found_is_there(catalogues: list[tuple[DatasetRef, Table]]) -> None:
    found = wrong = 0
    for ref, table in catalogues:
        truth = truth_of(ref.dataId)
        shining = truth.flux > 2.5 * truth.noise
        for source in table:
            near = np.hypot(truth.x - source["x"], truth.y - source["y"]) < 2.5
            found += 1
            wrong += not (near & shining).any()
    assert found > 100
    assert wrong <= 0.03 * found


def test_bad_pixels_count_for_nothing(official: Butler, results: Butler) -> None:
    ref = results.query_datasets("example_source", limit=1)[0]
    image = official.get("visit_image", ref.dataId)
    untouched = DetectSourcesTask().run(image=image).sources
    # The right half is hit by all that a detector can do.
    middle = image.bbox.x.size // 2
    right = np.zeros(image.bbox.shape, dtype=bool)
    right[:, middle:] = True
    image.image.array[right] = np.nan
    image.image.array[:, middle + 50] = 1e9
    image.mask.set("BAD", right)
    half = DetectSourcesTask().run(image=image).sources
    edge = image.bbox.x.start + middle
    assert (half["x"] < edge).all()
    far = untouched[untouched["x"] < edge - 20]
    assert len(far) > 3
    for source in far:
        same = half[np.argmin(np.hypot(half["x"] - source["x"], half["y"] - source["y"]))]
        # The background is not quite the same.
        assert same["flux"] == pytest.approx(source["flux"], abs=source["flux_err"])


def test_an_image_without_good_pixels_is_no_work(official: Butler, results: Butler) -> None:
    ref = results.query_datasets("example_source", limit=1)[0]
    image = official.get("visit_image", ref.dataId)
    image.mask.set("NO_DATA")
    with pytest.raises(NoWorkFound, match="pixels are good"):
        DetectSourcesTask().run(image=image)


def test_a_catalogue_without_sources_has_all_columns(official: Butler, results: Butler) -> None:
    ref = results.query_datasets("example_source", limit=1)[0]
    image = official.get("visit_image", ref.dataId)
    config = DetectSourcesConfig()
    config.threshold = 1e9
    empty = DetectSourcesTask(config=config).run(image=image).sources
    assert len(empty) == 0
    assert empty.colnames == results.get(ref).colnames
