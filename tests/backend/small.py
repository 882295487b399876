"""A small repository with everything that makes listing hard, laid out as the demonstration's is."""

from __future__ import annotations

import shutil
from pathlib import Path

import astropy.time
from lsst.daf.butler import Butler, CollectionType, DatasetType, Timespan
from lsst.daf.butler.direct_butler import DirectButler

BIG_RUN = "LSSTCam/runs/big"
BIG = 21_000
DETECTORS = 5


def build(directory: Path) -> Path:
    """Write ``repo/`` and ``bucket/dp2/`` below a directory, and return it."""
    root = directory / "repo"
    Butler.makeRepo(str(root))
    with Butler.from_config(str(root), writeable=True) as butler:
        fill(butler)
    # The server's files are in an object store; here are only those that were put.
    bucket = directory / "bucket" / "dp2"
    bucket.mkdir(parents=True)
    for run in root.glob("*/"):
        shutil.copytree(run, bucket / run.name)
    return directory


def fill(butler: Butler) -> None:
    assert isinstance(butler, DirectButler)
    _add_dimensions(butler)
    _add_images(butler)
    _add_coadds(butler)
    _add_calibrations(butler)
    _add_objects(butler)
    butler.collections.register("dp2", CollectionType.CHAINED, doc="Everything")
    butler.collections.redefine_chain(
        "dp2", ["LSSTCam/runs/b", "LSSTCam/runs/a", "LSSTCam/calib", "LSSTCam/calib/gen"]
    )
    butler.collections.register("u/someone/best", CollectionType.TAGGED, doc="Chosen by hand")
    butler.registry.associate(
        "u/someone/best", butler.query_datasets("visit_image", "LSSTCam/runs/a", limit=3)
    )
    butler.collections.register("an/empty/chain", CollectionType.CHAINED)
    butler.registry.registerRun("u/someone/nothing")


def register(butler: Butler, name: str, dimensions: list[str], *, calibration: bool = False) -> None:
    group = butler.dimensions.conform(dimensions)
    butler.registry.registerDatasetType(
        DatasetType(name, group, "StructuredDataDict", isCalibration=calibration)
    )


def _add_dimensions(butler: DirectButler) -> None:
    insert = butler.registry.insertDimensionData
    # "Another" sorts before "LSSTCam", "lower" after it: lists run over values of a text dimension.
    for instrument in ("Another", "LSSTCam", "lower"):
        insert(
            "instrument",
            {"name": instrument, "class_name": "x", "visit_max": 10**9, "detector_max": 999},
        )
        insert(
            "detector",
            *({"instrument": instrument, "id": n, "full_name": f"R{n:02}"} for n in range(DETECTORS)),
        )
        insert(
            "physical_filter",
            *({"instrument": instrument, "name": f"{b}_03", "band": b} for b in "gri"),
        )
        insert("day_obs", {"instrument": instrument, "id": 20251202})
    begin = astropy.time.Time("2025-12-03T01:00:00", scale="tai")
    insert(
        "visit",
        *(
            {
                "instrument": "LSSTCam",
                "id": 2025120200000 + n,
                "name": f"v{n}",
                "physical_filter": "r_03",
                "day_obs": 20251202,
                "exposure_time": 30.0,
                "timespan": Timespan(begin, begin + 30 * astropy.units.s),
            }
            for n in range(BIG // DETECTORS)
        ),
    )
    insert(
        "skymap",
        {"name": "lsst_cells_v2", "hash": b"h", "tract_max": 9, "patch_nx_max": 4, "patch_ny_max": 4},
    )
    insert("tract", *({"skymap": "lsst_cells_v2", "id": n} for n in range(3)))
    insert(
        "patch",
        *(
            {"skymap": "lsst_cells_v2", "tract": t, "id": p, "cell_x": p % 4, "cell_y": p // 4}
            for t in range(3)
            for p in range(16)
        ),
    )


def _add_images(butler: DirectButler) -> None:
    register(butler, "visit_image", ["instrument", "visit", "detector"])
    for run, visits in (
        (BIG_RUN, range(BIG // DETECTORS)),
        ("LSSTCam/runs/a", range(20)),
        ("LSSTCam/runs/b", range(15, 30)),
    ):
        butler.registry.registerRun(run)
        butler.registry.insertDatasets(
            "visit_image",
            (
                {"instrument": "LSSTCam", "visit": 2025120200000 + v, "detector": d}
                for v in visits
                for d in range(DETECTORS)
            ),
            run=run,
        )


def _add_coadds(butler: DirectButler) -> None:
    register(butler, "deep_coadd", ["band", "skymap", "tract", "patch"])
    butler.registry.insertDatasets(
        "deep_coadd",
        (
            {"band": b, "skymap": "lsst_cells_v2", "tract": t, "patch": p}
            for b in "gri"
            for t in range(3)
            for p in range(16)
        ),
        run="LSSTCam/runs/a",
    )


def _add_calibrations(butler: DirectButler) -> None:
    register(butler, "flat", ["instrument", "detector", "physical_filter"], calibration=True)
    data_ids = [
        {"instrument": i, "detector": d, "physical_filter": f"{b}_03"}
        for i in ("Another", "LSSTCam", "lower")
        for d in range(DETECTORS)
        for b in "gri"
    ]
    butler.collections.register("LSSTCam/calib", CollectionType.CALIBRATION)
    for run, periods in (
        ("LSSTCam/calib/gen", (("01", "02"), ("03", "04"))),
        ("LSSTCam/calib/later", (("02", "03"),)),
    ):
        butler.registry.registerRun(run)
        refs = butler.registry.insertDatasets("flat", data_ids, run=run)
        for begin, end in periods:
            span = Timespan(*(astropy.time.Time(f"2025-{month}-01", scale="tai") for month in (begin, end)))
            butler.registry.certify("LSSTCam/calib", refs, span)


def _add_objects(butler: DirectButler) -> None:
    register(butler, "object", ["skymap", "tract"])
    register(butler, "packages", [])
    for tract in range(3):
        butler.put({"tract": tract}, "object", skymap="lsst_cells_v2", tract=tract, run="LSSTCam/runs/a")
    butler.put({"lsst": "v30"}, "packages", run="LSSTCam/runs/a")
    # In no collection that a newcomer looks into.
    register(butler, "stray", [])
    butler.registry.insertDatasets("stray", [{}], run=BIG_RUN)
