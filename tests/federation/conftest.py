"""A small official repository behind a real Butler server: quicker than the demonstration's.

One instrument with four detectors, three visits of known regions, a skymap with two tracts; tables for
each visit and tract in three runs below a chain, and a calibration collection.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import astropy.table
import pytest
from astropy.time import Time
from lsst.daf.butler import Butler, CollectionType, Config, DatasetType, Timespan
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from python_butler.demo.platform import Platform
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

VISITS = (101, 102, 103)
RUNS = ("Cam/runs/DRP/stage1", "Cam/runs/DRP/stage2", "Cam/runs/DRP/stage3")
FOREIGN_VARIABLES = ("ACCESS_TOKEN", "DAF_BUTLER_REPOSITORIES", "NUBLADO_RUNTIME_MOUNTS_DIR")


def table(seed: int) -> astropy.table.Table:
    """Table whose content tells which it is."""
    return astropy.table.Table({"id": [seed, seed + 1, seed + 2], "flux": [1.5, 2.5, 3.5]})


def _region(ra: float, dec: float, size: float = 1.0) -> ConvexPolygon:
    corners = [(0, 0), (size, 0), (size, size), (0, size)]
    return ConvexPolygon([UnitVector3d(LonLat.fromDegrees(ra + x, dec + y)) for x, y in corners])


def night(visit: int) -> Timespan:
    begin = Time("2026-01-01T00:00:00", scale="tai") + (visit - 100) * 0.01 * 86400 * _SECOND
    return Timespan(begin, begin + 30 * _SECOND)


_SECOND = astropy.units.s


def add_records(butler: Butler) -> None:
    insert = butler.registry.insertDimensionData
    insert(
        "instrument",
        {"name": "Cam", "class_name": "", "visit_max": 999, "exposure_max": 999, "detector_max": 9},
    )
    insert("physical_filter", *[{"instrument": "Cam", "name": f"{b}_1", "band": b} for b in "gr"])
    insert(
        "detector",
        *[
            {
                "instrument": "Cam",
                "id": i,
                "full_name": f"D{i}",
                "purpose": "SCIENCE",
                "raft": "R",
                "name_in_raft": f"{i}",
            }
            for i in range(1, 5)
        ],
    )
    insert("day_obs", {"instrument": "Cam", "id": 20260101})
    insert("group", *[{"instrument": "Cam", "name": f"g{v}"} for v in VISITS])
    for visit in VISITS:
        common = {
            "instrument": "Cam",
            "id": visit,
            "physical_filter": "g_1" if visit == 101 else "r_1",
            "day_obs": 20260101,
            "seq_num": visit - 100,
            "exposure_time": 30.0,
            "timespan": night(visit),
        }
        insert(
            "exposure", common | {"group": f"g{visit}", "obs_id": f"obs{visit}", "seq_start": 1, "seq_end": 1}
        )
        insert("visit", common | {"name": f"v{visit}", "region": _region(10.0 * (visit - 100), 0.0, 2.0)})
        insert("visit_definition", {"instrument": "Cam", "visit": visit, "exposure": visit})
        for detector in range(1, 5):
            insert(
                "visit_detector_region",
                {
                    "instrument": "Cam",
                    "visit": visit,
                    "detector": detector,
                    "region": _region(10.0 * (visit - 100) + 0.4 * detector, 0.0, 0.4),
                },
            )
    insert("skymap", {"name": "sky", "hash": b"x", "tract_max": 9, "patch_nx_max": 2, "patch_ny_max": 2})
    for tract in (1, 2):
        insert("tract", {"skymap": "sky", "id": tract, "region": _region(10.0 * tract, 0.0, 2.0)})
        for patch in range(2):
            insert(
                "patch",
                {
                    "skymap": "sky",
                    "tract": tract,
                    "id": patch,
                    "cell_x": patch,
                    "cell_y": 0,
                    "region": _region(10.0 * tract + patch, 0.0),
                },
            )


def build(directory: Path) -> None:
    """Build the repository as the platform serves it."""
    repo, bucket = directory / "repo", directory / "bucket" / "dp2"
    bucket.mkdir(parents=True)
    config = Config({"datastore": {"root": bucket.as_uri()}})
    Butler.makeRepo(str(repo), config=config, forceConfigRoot=False)
    with Butler.from_config(str(repo), writeable=True) as butler:
        add_records(butler)
        source = DatasetType("source", ("instrument", "visit"), "ArrowAstropy", universe=butler.dimensions)
        detected = DatasetType(
            "detected", ("instrument", "visit", "detector"), "ArrowAstropy", universe=butler.dimensions
        )
        objects = DatasetType("object", ("skymap", "tract"), "ArrowAstropy", universe=butler.dimensions)
        bias = DatasetType(
            "bias", ("instrument", "detector"), "ArrowAstropy", universe=butler.dimensions, isCalibration=True
        )
        for dataset_type in (source, detected, objects, bias):
            butler.registry.registerDatasetType(dataset_type)
        for run in (*RUNS, "Cam/calib/run", "u/other/shared", "u/other/lost"):
            butler.collections.register(run)
        for visit in VISITS:
            butler.put(table(visit), source, instrument="Cam", visit=visit, run=RUNS[0])
            butler.put(table(visit * 10), detected, instrument="Cam", visit=visit, detector=1, run=RUNS[1])
        # The same data ID in a later run: the earlier one wins.
        butler.put(table(9000), source, instrument="Cam", visit=101, run=RUNS[2])
        for tract in (1, 2):
            butler.put(table(tract), objects, skymap="sky", tract=tract, run=RUNS[2])
        butler.put(table(5), objects, skymap="sky", tract=1, run="u/other/shared")
        lost = butler.put(table(6), objects, skymap="sky", tract=2, run="u/other/lost")
        Path(butler.getURI(lost).ospath).unlink()
        butler.collections.register("dp2", CollectionType.CHAINED)
        butler.collections.redefine_chain("dp2", RUNS)
        butler.collections.register("Cam/calib", CollectionType.CALIBRATION)
        first = butler.put(table(700), bias, instrument="Cam", detector=1, run="Cam/calib/run")
        butler.registry.certify("Cam/calib", [first], Timespan(None, night(102).begin))
        butler.collections.register("Cam/calib/run2")
        second = butler.put(table(701), bias, instrument="Cam", detector=1, run="Cam/calib/run2")
        butler.registry.certify("Cam/calib", [second], Timespan(night(102).begin, None))


@pytest.fixture(scope="session")
def small_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("small")
    build(directory)
    return directory


@pytest.fixture(scope="session")
def small_platform(small_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform with the small repository: leave it as it was found."""
    with Platform(tmp_path_factory.mktemp("platform"), repository=small_repository) as platform:
        yield platform


@pytest.fixture
def own_small_platform(
    small_repository: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Platform]:
    """A platform for one test, which may stop and break it; this process is its kernel."""
    with Platform(tmp_path_factory.mktemp("platform"), repository=small_repository) as platform:
        _enter(platform, monkeypatch, tmp_path)
        yield platform


@pytest.fixture
def kernel(small_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    """This process as a kernel on the small platform, with no satellite yet."""
    _enter(small_platform, monkeypatch, tmp_path)
    return small_platform


def _enter(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in FOREIGN_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in platform.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))
    monkeypatch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setenv("JUPYTERHUB_USER", "me")


@pytest.fixture
def butler(kernel: Platform) -> Iterator[SatelliteButler]:
    """A Butler on the release's chain, without a satellite yet."""
    with open_butler("dp2", collections="dp2") as butler:
        yield butler


@pytest.fixture
def own_run(kernel: Platform) -> Iterator[SatelliteButler]:
    """A Butler that searches the user's own run before the release, and writes there."""
    with open_butler("dp2", collections=["u/me/mine", "dp2"], run="u/me/mine") as butler:
        yield butler
