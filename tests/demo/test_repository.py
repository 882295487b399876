"""The demonstration's repository, opened as anyone opens a Butler repository."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from lsst.daf.butler import Butler, CollectionType, DatasetIdFactory, DatasetIdGenEnum, Timespan
from lsst.images import Box

from python_butler.demo import repository as recipe
from python_butler.demo.catalogues import visit_detector_table, visit_table
from python_butler.demo.contents import CALIBRATION, CHAIN, DATASET_TYPES, RUNS, TAGGED
from python_butler.demo.tables import columns_of
from tests.processes import PATIENCE

TRACT = {"skymap": "lsst_cells_v2", "tract": 5063}
VISIT = {"instrument": "LSSTCam", "visit": 2025120200439}
SIZE_LIMIT = 250e6


@pytest.fixture(scope="module")
def butler(repository: Path) -> Butler:
    return Butler.from_config(str(repository / "repo"), collections=CHAIN)


def aperture_flux(image, x, y, radius):
    """Photometry as someone would do it in a notebook: the sum of the pixels in a circle, in nJy."""
    box = image.bbox
    columns, rows = np.meshgrid(box.x.arange, box.y.arange)
    weight = np.clip(radius + 0.5 - np.hypot(columns - x, rows - y), 0, 1)
    error = np.sqrt((image.variance.array * weight**2).sum())
    return (image.image.array * weight).sum(), error


def sky_to_pixel(image, ra, dec):
    from astropy.coordinates import SkyCoord

    return image.sky_projection.sky_to_pixel(SkyCoord(ra, dec, unit="deg"))


def test_the_chain_has_at_least_ten_runs_named_like_the_real_ones(butler):
    children = butler.collections.get_info(CHAIN).children
    runs = [name for name in children if butler.collections.get_info(name).type is CollectionType.RUN]
    assert len(runs) >= 10
    assert all(name.startswith("LSSTCam/runs/DRP/DP2/v30_0_8/stage") for name in runs)
    assert [butler.collections.get_info(name).type for name in (CALIBRATION, TAGGED)] == [
        CollectionType.CALIBRATION,
        CollectionType.TAGGED,
    ]
    assert CALIBRATION in children
    assert butler.collections.query("u/*")


def test_every_dataset_type_has_the_real_dimensions_and_datasets(butler):
    for name, (dimensions, storage_class) in DATASET_TYPES.items():
        dataset_type = butler.get_dataset_type(name)
        assert set(dimensions) == set(dataset_type.dimensions.required)
        assert dataset_type.storageClass_name == storage_class
        assert butler.query_datasets(name, collections="*", find_first=False, limit=1), name


def test_a_search_by_position_finds_images_that_have_pixels_there(butler):
    position = {"ra": 53.076, "dec": -28.110}
    refs = butler.query_datasets(
        "visit_image",
        where="band.name = :band AND visit_detector_region.region OVERLAPS POINT(:ra, :dec)",
        bind={"band": "r", **position},
        order_by=["visit.timespan.begin"],
    )
    assert len(refs) == 8
    for ref in refs[:2]:
        projection = butler.get(ref.makeComponentRef("sky_projection"))
        from astropy.coordinates import SkyCoord

        point = projection.sky_to_pixel(SkyCoord(position["ra"], position["dec"], unit="deg"))
        box = butler.get(ref.makeComponentRef("bbox"))
        assert box.contains(x=round(float(point.x)), y=round(float(point.y)))
    coadds = butler.query_datasets(
        "deep_coadd", where="patch.region OVERLAPS POINT(:ra, :dec)", bind={"ra": 53.0, "dec": -28.015}
    )
    assert {ref.dataId["patch"] for ref in coadds} >= {15, 25}


def test_visits_can_be_found_by_time(butler):
    from astropy.time import Time

    times = [Time(mjd, format="mjd", scale="tai") for mjd in (60_878.3, 60_878.5)]
    records = butler.query_dimension_records(
        "visit",
        where="visit.timespan OVERLAPS :night",
        bind={"night": Timespan(*times)},
        instrument="LSSTCam",
    )
    assert {record.day_obs for record in records} == {20250721}


def test_source_fluxes_agree_with_photometry_on_the_visit_image(butler):
    sources = butler.get("source", VISIT)
    for detector in (10, 13):
        image = butler.get("visit_image", VISIT, detector=detector)
        mine = sources[sources["detector"] == detector]
        alone = [
            row
            for row in mine
            if np.sort(np.hypot(mine["x"] - row["x"], mine["y"] - row["y"]))[1:2].min(initial=np.inf) > 40
            and Box.factory[
                image.bbox.y.start + 20 : image.bbox.y.stop - 20,
                image.bbox.x.start + 20 : image.bbox.x.stop - 20,
            ].contains(x=round(row["x"]), y=round(row["y"]))
        ]
        assert len(alone) >= 3
        for row in alone:
            x, y = sky_to_pixel(image, row["ra"], row["dec"])
            assert (x, y) == (pytest.approx(row["x"], abs=1e-3), pytest.approx(row["y"], abs=1e-3))
            flux, error = aperture_flux(image, x, y, 9)
            # Sources too faint to be listed may lie in the circle: allow for one.
            assert flux == pytest.approx(row["ap09Flux"], abs=3 * error + 600)


def test_star_fluxes_agree_between_coadd_visits_and_forced_photometry(butler):
    columns = ["objectId", "coord_ra", "coord_dec", "r_psfFlux", "r_psfFluxErr", "r_extendedness", "patch"]
    objects = butler.get("object", TRACT, parameters={"columns": columns})
    changing = butler.get("dia_object", TRACT)
    compared = 0
    for patch in np.unique(objects["patch"]):
        forced = butler.get("object_forced_source", TRACT, patch=int(patch))
        for row in objects[(objects["patch"] == patch) & (objects["r_psfFlux"] > 3e3)]:
            mine = forced[(forced["objectId"] == row["objectId"]) & (forced["band"] == "r")]
            distance = np.hypot((changing["ra"] - row["coord_ra"]) * 0.88, changing["dec"] - row["coord_dec"])
            if len(mine) < 4 or row["r_extendedness"] > 0.5 or distance.min() < 1 / 3600:
                continue
            pull = (mine["psfFlux"] - row["r_psfFlux"]) / np.hypot(mine["psfFluxErr"], row["r_psfFluxErr"])
            assert np.abs(np.mean(pull)) < 1.5
            assert np.abs(mine["psfDiffFlux"] / mine["psfDiffFluxErr"]).max() < 5
            compared += 1
    assert compared >= 5


def test_forced_photometry_agrees_with_the_difference_image(butler):
    dia_sources = butler.get("dia_source", TRACT)
    mine = dia_sources[(dia_sources["visit"] == VISIT["visit"]) & (dia_sources["detector"] == 10)]
    assert len(mine) >= 3
    image = butler.get("difference_image", VISIT, detector=10)
    for row in mine:
        x, y = sky_to_pixel(image, row["ra"], row["dec"])
        if not image.bbox.padded(-15).contains(x=round(float(x)), y=round(float(y))):
            continue
        flux, error = aperture_flux(image, x, y, 9)
        neighbours = np.hypot(mine["x"] - row["x"], mine["y"] - row["y"]) < 30
        if neighbours.sum() == 1:
            assert flux == pytest.approx(row["psfFlux"], abs=4 * error)


def test_variables_vary_and_asteroids_move(butler):
    dia_objects = butler.get("dia_object", TRACT)
    assert (dia_objects["nDiaSources"] >= 10).sum() >= 10
    ss_objects, ss_sources = butler.get("ss_object"), butler.get("ss_source")
    assert len(ss_objects) == 3
    assert set(ss_sources["ssObjectId"]) == set(ss_objects["ssObjectId"])
    dia_sources = butler.get("dia_source", TRACT)
    assert set(ss_sources["diaSourceId"]) <= set(dia_sources["diaSourceId"])
    assert np.all(ss_sources["ephOffset"] < 0.5)
    assert len(np.unique(dia_sources["diaSourceId"])) == len(dia_sources)


def test_objects_are_measured_at_their_positions_on_the_coadd(butler):
    columns = [
        "coord_ra",
        "coord_dec",
        "g_psfFlux",
        "g_psfFluxErr",
        "g_ap12Flux",
        "patch",
        "detect_isIsolated",
    ]
    objects = butler.get("object", TRACT, parameters={"columns": columns})
    bright = objects[(objects["patch"] == 15) & (objects["g_psfFlux"] > 2e4) & objects["detect_isIsolated"]]
    assert len(bright) >= 5
    for row in bright[:5]:
        projection = butler.get("deep_coadd.sky_projection", TRACT, patch=15, band="g")
        from astropy.coordinates import SkyCoord

        x, y = projection.sky_to_pixel(SkyCoord(row["coord_ra"], row["coord_dec"], unit="deg"))
        box = Box.factory[
            round(float(y)) - 20 : round(float(y)) + 21, round(float(x)) - 20 : round(float(x)) + 21
        ]
        cutout = butler.get("deep_coadd", TRACT, patch=15, band="g", parameters={"bbox": box})
        assert cutout.bbox == box
        flux, error = aperture_flux(cutout, x, y, 12)
        # A hundredth for what faint neighbours, which the catalogue's fluxes are free of, add.
        assert flux == pytest.approx(row["g_ap12Flux"], abs=4 * error + 0.02 * row["g_ap12Flux"])


@pytest.mark.parametrize(
    ("dataset_type", "table", "data_id"),
    [
        ("object", "Object", TRACT),
        ("source", "Source", VISIT),
        ("object_forced_source", "ForcedSource", {**TRACT, "patch": 15}),
        ("dia_object_forced_source", "ForcedSourceOnDiaObject", {**TRACT, "patch": 15}),
        ("dia_object", "DiaObject", TRACT),
        ("dia_source", "DiaSource", TRACT),
        ("ss_object", "SSObject", {}),
        ("ss_source", "SSSource", {}),
        ("visit_table", "Visit", {"instrument": "LSSTCam"}),
        ("visit_detector_table", "VisitDetector", {"instrument": "LSSTCam"}),
    ],
)
def test_tables_have_the_real_columns(butler, dataset_type, table, data_id):
    schema = butler.get(f"{dataset_type}.columns", data_id)
    assert {column.name for column in columns_of(table)} <= {str(name) for name in schema}
    assert butler.get(f"{dataset_type}.rowcount", data_id) > 0


def test_a_calibration_is_found_by_the_time_of_a_visit(butler):
    # The darks changed between these two visits of one night.
    before, after = (
        butler.find_dataset(
            "dark", instrument="LSSTCam", detector=94, collections=CALIBRATION, timespan=record.timespan
        )
        for visit in (2025101800244, 2025101800245)
        for record in butler.query_dimension_records("visit", instrument="LSSTCam", visit=visit)
    )
    assert before.run != after.run
    for visit, dark in ((2025101800244, before), (2025101800245, after)):
        got = butler.get("dark", instrument="LSSTCam", detector=94, visit=visit)
        assert np.array_equal(got.array, butler.get(dark).array)


def test_logs_and_metadata_tell_the_same_story(butler):
    data_id = {"instrument": "LSSTCam", "exposure": 2025120200439, "detector": 10}
    log, metadata = butler.get("isr_log", data_id), butler.get("isr_metadata", data_id)
    assert "isr" in log[0].message
    assert metadata["quantum"]["startUtc"] == log[0].asctime.isoformat()


def test_dataset_identifiers_follow_from_the_recipe_alone(butler):
    factory = DatasetIdFactory()
    for name in ("visit_image", "object", "bias", "packages"):
        for ref in butler.query_datasets(name, collections="*", find_first=False, limit=3):
            assert ref.id == factory.makeDatasetId(
                ref.run, ref.datasetType, ref.dataId, DatasetIdGenEnum.DATAID_TYPE_RUN
            )


def test_catalogues_are_the_same_bytes_whenever_they_are_made(butler, tmp_path):
    from python_butler.demo.files import Target, write_table

    for name, table in (("visit_table", visit_table()), ("visit_detector_table", visit_detector_table())):
        ref = butler.find_dataset(name, instrument="LSSTCam")
        target = Target(ref.to_simple(), str(tmp_path / f"{name}.parq"))
        write_table(table, target)
        stored = Path(butler.getURI(ref).ospath).read_bytes()
        assert hashlib.sha256(Path(target.path).read_bytes()).digest() == hashlib.sha256(stored).digest()


def test_the_build_is_small_and_its_datastore_is_where_the_object_store_serves_it(repository):
    files = [path for path in repository.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < SIZE_LIMIT
    assert (repository / "repo" / "gen3.sqlite3").exists()
    assert (repository / "bucket" / "dp2" / "LSSTCam").is_dir()


def test_records_hold_relative_paths_so_that_the_build_can_be_moved(repository, tmp_path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    (moved / "repo").symlink_to(repository / "repo")
    (moved / "bucket").symlink_to(repository / "bucket")
    butler = Butler.from_config(str(moved / "repo"), collections=CHAIN)
    ref = butler.find_dataset("visit_table", instrument="LSSTCam")
    assert str(butler.getURI(ref)).startswith(f"file://{tmp_path}")
    assert len(butler.get(ref)) == 24


def test_the_fingerprint_changes_with_the_recipe(monkeypatch):
    before = recipe.fingerprint()
    assert recipe.fingerprint() == before
    monkeypatch.setattr(recipe, "_PACKAGES", (*recipe._PACKAGES, "astropy"))
    assert recipe.fingerprint() != before


def test_every_module_of_the_build_belongs_to_the_recipe():
    import subprocess
    import sys

    code = (
        "import sys, python_butler.demo.build\n"
        "print(*(name for name in sys.modules if name.startswith('python_butler.demo.')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name.rpartition(".")[2] for name in loaded} == set(recipe._RECIPE)


def _build(root: str, results) -> None:
    os.environ["XDG_CACHE_HOME"] = root
    from python_butler.demo import build, repository

    def fake(directory: Path, progress) -> None:
        # Stands for the build, which takes a minute: what is tested is who may build.
        results.put("built")
        (directory / "repo").mkdir(parents=True)

    build.build = fake
    results.put(str(repository.ensure_repository()))


def test_two_processes_build_it_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=_build, args=(str(tmp_path), results), daemon=True) for _ in range(2)]
    try:
        for process in processes:
            process.start()
        found = [results.get(timeout=PATIENCE) for _ in range(3)]
        for process in processes:
            process.join(PATIENCE)
    finally:
        for process in processes:
            process.kill()
    assert found.count("built") == 1
    directories = {item for item in found if item != "built"}
    assert len(directories) == 1
    assert (Path(directories.pop()) / "repo").is_dir()


def test_a_failed_build_leaves_nothing_behind_and_old_builds_go(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = tmp_path / "python-butler" / "demo"
    (root / "0123456789abcdef").mkdir(parents=True)
    (root / "fresh").mkdir()
    os.utime(root / "0123456789abcdef", (0, 0))

    def fail(directory: Path, progress) -> None:
        directory.mkdir()
        raise RuntimeError("disk full")

    monkeypatch.setattr("python_butler.demo.build.build", fail)
    with pytest.raises(RuntimeError, match="disk full"):
        recipe.ensure_repository()
    assert sorted(path.name for path in root.iterdir() if path.is_dir()) == ["fresh"]


def test_the_runs_are_in_the_order_in_which_they_are_searched(butler):
    assert butler.collections.get_info(CHAIN).children == (*reversed(RUNS.values()), CALIBRATION)
