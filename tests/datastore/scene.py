"""A small official repository and a satellite that references it, for tests that break things."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from pathlib import Path

import astropy.table
import numpy as np
import pytest
from lsst.daf.butler import Butler, CollectionType, Config, DatasetRef, DatasetType
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.tests import MetricsExample, registerMetricsExample

from python_butler.demo.platform import Platform
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite

FOREIGN_VARIABLES = (
    "ACCESS_TOKEN",
    "DAF_BUTLER_CACHE_DIRECTORY",
    "DAF_BUTLER_CACHE_EXPIRATION_MODE",
    "DAF_BUTLER_REPOSITORIES",
    "NUBLADO_RUNTIME_MOUNTS_DIR",
)

SIGNATURES = ("Signature=", "X-Amz-Signature", "AWSAccessKeyId=", "X-Amz-Credential")
"""What signed addresses have, and nothing else."""

VISITS = tuple(range(1, 13))
RUN = "Cam/runs/DRP"
ZIPPED = "Cam/runs/zipped"
ROWS = 200_000
"""Rows of the larger table: more than a megabyte, so that it is read in parts."""


def table(visit: int, rows: int = 3) -> astropy.table.Table:
    """Table whose content tells of which visit it is."""
    generator = np.random.default_rng(visit)
    return astropy.table.Table({"visit": np.full(rows, visit), "flux": generator.normal(size=rows)})


def metric(visit: int) -> MetricsExample:
    """Composite, each component of which is a file of its own."""
    return MetricsExample({"visit": visit}, {"answer": {"a": visit}}, list(range(visit, visit + 5)))


def build(directory: Path) -> Path:
    """Build the official repository as the platform serves it.

    Some datasets are in a zip file, some in a file for each component.
    """
    bucket = directory / "bucket" / "dp2"
    bucket.mkdir(parents=True)
    repo = str(directory / "repo")
    composites = {"default": False, "disassembled": {"StructuredData": True}}
    config = Config({"datastore": {"root": bucket.as_uri(), "composites": composites}})
    Butler.makeRepo(repo, config=config, forceConfigRoot=False)
    with Butler.from_config(repo, writeable=True) as butler:
        _fill(butler, directory)
    return directory


def _fill(butler: Butler, directory: Path) -> None:
    insert = butler.registry.insertDimensionData
    insert("instrument", {"name": "Cam", "class_name": ""})
    insert("physical_filter", {"instrument": "Cam", "name": "r_1", "band": "r"})
    insert("day_obs", {"instrument": "Cam", "id": 20260101})
    insert(
        "visit",
        *[
            {
                "instrument": "Cam",
                "id": visit,
                "name": f"v{visit}",
                "physical_filter": "r_1",
                "day_obs": 20260101,
                "exposure_time": 30.0,
            }
            for visit in VISITS
        ],
    )
    registerMetricsExample(butler)
    for name, storage_class in (
        ("metric", "StructuredData"),
        ("source", "ArrowAstropy"),
        ("large", "ArrowAstropy"),
        ("note", "StructuredDataDict"),
    ):
        butler.registry.registerDatasetType(
            DatasetType(name, ("instrument", "visit"), storage_class, universe=butler.dimensions)
        )
    for run in (RUN, ZIPPED):
        butler.collections.register(run)
    for visit in VISITS:
        where = {"instrument": "Cam", "visit": visit, "run": RUN}
        butler.put(table(visit), "source", **where)
        butler.put({"visit": visit}, "note", **where)
    for visit in VISITS[:2]:
        butler.put(metric(visit), "metric", instrument="Cam", visit=visit, run=RUN)
    butler.put(table(1, ROWS), "large", instrument="Cam", visit=1, run=RUN)
    # Upstream makes a zip file of what is in a repository already.
    notes = [
        butler.put({"visit": -visit}, "note", instrument="Cam", visit=visit, run=ZIPPED)
        for visit in VISITS[:2]
    ]
    zip_file = butler.retrieve_artifacts_zip(notes, destination=str(directory / "zip"))
    butler.pruneDatasets(notes, disassociate=True, unstore=True, purge=True)
    butler.ingest_zip(zip_file, transfer="move")
    butler.collections.register("dp2", CollectionType.CHAINED)
    butler.collections.redefine_chain("dp2", [RUN])


def satellite_with(*dataset_types: str, collections: str = "dp2") -> Satellite:
    """The user's satellite, with references to all datasets of some types.

    Upstream's own transfer takes them, so that only the datastore is tested.
    """
    satellite = Satellite.create("dp2")
    official = connect("dp2")
    try:
        refs = [
            ref for name in dataset_types for ref in official.query_datasets(name, collections=collections)
        ]
        with satellite.writer() as butler:
            butler.transfer_from(
                official, refs, transfer="direct", register_dataset_types=True, transfer_dimensions=True
            )
    finally:
        disconnect(official)
    return satellite


def delete_upstream(repository: Path, refs: Iterable[DatasetRef]) -> None:
    """Remove official datasets with their files, as those who run the repository may."""
    with Butler.from_config(str(repository / "repo"), writeable=True) as official:
        assert isinstance(official, DirectButler)
        official.pruneDatasets(refs, disassociate=True, unstore=True, purge=True)


def secrets_in(error: BaseException, *secrets: str) -> list[str]:
    """What of an exception, of all it came from and of its traceback holds a secret."""
    texts, seen, waiting = ["".join(traceback.format_exception(error))], set[int](), [error]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        texts += [str(each), repr(each), repr(each.args), repr(vars(each)), *getattr(each, "__notes__", [])]
        waiting += [link for link in (each.__cause__, each.__context__) if link is not None]
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return [text for text in texts if any(secret in text for secret in (*SIGNATURES, *secrets))]


def enter(platform: Platform, patch: pytest.MonkeyPatch, root: Path) -> None:
    """Make this process a kernel on the platform, with its satellites below a directory."""
    for name in FOREIGN_VARIABLES:
        patch.delenv(name, raising=False)
    for name, value in platform.environment.items():
        patch.setenv(name, value)
    patch.setenv("PYTHON_BUTLER_ROOT", str(root))
