"""Objects over several visits, beside what is truly there."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table, vstack
from lsst.daf.butler import Butler
from lsst.pipe.base import NoWorkFound

from python_butler.demo.sky import simulated_sky
from python_butler.example_pipeline import MatchSourcesConfig, MatchSourcesTask
from python_butler.example_pipeline.matching import group_positions


@pytest.fixture(scope="module")
def objects(results: Butler) -> QTable:
    (ref,) = results.query_datasets("example_object")
    return QTable(results.get(ref))


@pytest.fixture(scope="module")
def light_curves(results: Butler) -> QTable:
    (ref,) = results.query_datasets("example_object_source")
    return QTable(results.get(ref))


def nearest(objects: QTable) -> tuple[np.ndarray, u.Quantity]:
    """The true source that each object is, and how far it is from there."""
    sky = simulated_sky()
    here = SkyCoord(objects["ra"], objects["dec"])
    index, apart, _ = here.match_to_catalog_sky(SkyCoord(sky.ra * u.deg, sky.dec * u.deg))
    return index, apart


def test_every_object_is_one_source_of_the_sky(objects: QTable) -> None:
    # An asteroid was seen twice in one night, and is nowhere in the sky that stays.
    objects = objects[objects["visits"] > 2]
    index, apart = nearest(objects)
    assert len(objects) >= 12
    assert len(set(index)) == len(objects)
    assert (apart < 0.4 * u.arcsec).all()
    bright = objects["r_flux"] > 50 * objects["r_flux_err"]
    assert bright.sum() >= 5
    assert (apart[bright] < 0.03 * u.arcsec).all()


def test_constant_stars_are_as_bright_as_they_are_and_do_not_vary(
    objects: QTable, light_curves: QTable
) -> None:
    index, _ = nearest(objects)
    sky = simulated_sky()[index]
    constant = (sky.radius == 0) & ~sky.changes & (objects["r_visits"] >= 4)
    assert constant.sum() >= 2
    pull = (objects["r_flux"].to_value(u.nJy) - sky.static_flux("r")) / objects["r_flux_err"].to_value(u.nJy)
    assert (np.abs(pull[constant]) < 4).all()
    freedom = objects["r_visits"] - 1
    assert (objects["r_chi2"][constant] < 3.5 * freedom[constant]).all()


def test_variable_stars_vary_as_they_truly_do(results: Butler, objects: QTable, light_curves: QTable) -> None:
    index, _ = nearest(objects)
    sky = simulated_sky()[index]
    bright = objects["r_flux"] > 50 * objects["r_flux_err"]
    variable = np.flatnonzero((sky.amplitude > 0) & bright & (objects["r_visits"] > 4))
    assert len(variable) >= 2
    for number in variable:
        curve = light_curves[light_curves["object"] == number]
        expected = [sky.flux_at("r", mjd)[number] for mjd in curve["mjd"].to_value(u.d)]
        assert curve["flux"].to_value(u.nJy) == pytest.approx(expected, rel=0.03)
        assert objects["r_flux_scatter"][number].to_value(u.nJy) == pytest.approx(
            np.std(expected, ddof=1), rel=0.1
        )
        assert objects["r_chi2"][number] > 100


def test_magnitudes_are_those_of_the_fluxes(objects: QTable) -> None:
    seen = objects["r_visits"] > 0
    assert objects["r_mag"][seen].value == pytest.approx(
        31.4 - 2.5 * np.log10(objects["r_flux"][seen].to_value(u.nJy)), abs=1e-3
    )
    assert np.isnan(objects["g_mag"]).all()


def test_light_curves_have_the_sources_and_no_source_twice(
    results: Butler, objects: QTable, light_curves: QTable
) -> None:
    rows = vstack([results.get(ref) for ref in results.query_datasets("example_source")])
    all_sources = {(row["visit"], row["detector"], row["x"]) for row in rows}
    matched = [(row["visit"], row["detector"], row["x"].value) for row in light_curves]
    assert len(matched) == len(set(matched))
    assert set(matched) <= all_sources
    visits = [len(set(light_curves["visit"][light_curves["object"] == row["object"]])) for row in objects]
    assert visits == list(objects["visits"])
    assert min(visits) >= 2


def test_the_result_does_not_depend_on_the_order_of_images(results: Butler) -> None:
    tables = [results.get(ref) for ref in results.query_datasets("example_source")]
    one = MatchSourcesTask().run(sources=tables).objects
    other = MatchSourcesTask().run(sources=tables[::-1]).objects
    assert one.pformat() == other.pformat()


def test_objects_outside_the_region_are_left_to_other_patches(official: Butler, results: Butler) -> None:
    tables = [results.get(ref) for ref in results.query_datasets("example_source")]
    (elsewhere,) = official.query_dimension_records("patch", skymap="lsst_cells_v2", tract=5063, patch=45)
    assert len(MatchSourcesTask().run(sources=tables, region=elsewhere.region).objects) == 0


def test_an_object_seen_in_too_few_visits_is_none(results: Butler) -> None:
    tables = [results.get(ref) for ref in results.query_datasets("example_source")]
    config = MatchSourcesConfig()
    config.minimum_visits = 8
    objects = MatchSourcesTask(config=config).run(sources=tables).objects
    assert 0 < len(objects) < len(MatchSourcesTask().run(sources=tables).objects)
    assert (objects["visits"] == 8).all()


def test_no_sources_are_no_work(results: Butler) -> None:
    empty: Table = results.get(results.query_datasets("example_source", limit=1)[0])[:0]
    with pytest.raises(NoWorkFound, match="has any sources"):
        MatchSourcesTask().run(sources=[empty])


def test_positions_match_across_midnight_and_at_the_pole() -> None:
    sky = SkyCoord(
        [359.99999, 0.00001, 180.0, 10.0, 200.0, 10.0] * u.deg,
        [0.0, 0.0, 0.0, 89.99999, 89.99999, -5.0] * u.deg,
    )
    group = group_positions(sky, 0.2)
    assert group[0] == group[1]
    assert group[3] == group[4]
    assert len(set(group)) == 4
