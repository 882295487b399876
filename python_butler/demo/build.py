"""Building the demonstration's repository: registry, files and collections.

Room: demo. Files are written by several processes straight to their place in the datastore and ingested
with one call at the end, which takes a fraction of the time of as many puts.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet
from astropy.table import Table
from lsst.daf.butler import (
    Butler,
    CollectionType,
    Config,
    DatasetIdGenEnum,
    DatasetRef,
    DatasetType,
    FileDataset,
    SerializedDatasetRef,
)
from lsst.daf.butler.formatters.parquet import astropy_to_arrow, compute_row_group_size
from lsst.images.fits import FitsCompressionAlgorithm, FitsCompressionOptions
from lsst.images.fits import FitsDitherAlgorithm, FitsQuantizationOptions
from lsst.images.serialization import ButlerInfo, write_archive

from .catalogues import object_table, select_objects, source_table, visit_table
from .geometry import BANDS, INSTRUMENT, SKYMAP, Patch
from .images import coadd, coadd_box, observe
from .measure import Measurements
from .registry import insert_records
from .survey import PATCHES, TRACT, visits

__all__ = ["CHAIN", "build"]

CHAIN = "dp2"
_DP2 = "LSSTCam/runs/DRP/DP2/v30_0_8"

RUNS = {
    "visits": f"{_DP2}/stage2/20260128T070215Z",
    "visit tables": f"{_DP2}/stage2/20260131T174508Z",
    "coadds": f"{_DP2}/stage3/20260211T031930Z",
    "objects": f"{_DP2}/stage3/20260219T110147Z",
}

_VISIT_DETECTOR = ("instrument", "visit", "detector")

# Dataset type: dimensions, storage class.
DATASET_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "deep_coadd": (("band", "skymap", "tract", "patch"), "CellCoadd"),
    "visit_image": (_VISIT_DETECTOR, "VisitImage"),
    "difference_image": (_VISIT_DETECTOR, "DifferenceImage"),
    "object": (("skymap", "tract"), "ArrowAstropy"),
    "source": (("instrument", "visit"), "ArrowAstropy"),
    "visit_table": (("instrument",), "ArrowAstropy"),
}

_NOISY = FitsCompressionOptions(
    algorithm=FitsCompressionAlgorithm.RICE_1,
    # Steps of a quarter of the noise add a fortieth to it and halve the size of the files.
    quantization=FitsQuantizationOptions(dither=FitsDitherAlgorithm.SUBTRACTIVE_DITHER_2, level=4.0),
)
_COMPRESSION = {"image": _NOISY, "variance": _NOISY}


@dataclass(frozen=True)
class Target:
    """Where a dataset is to be written, in a form that other processes can be given."""

    ref: SerializedDatasetRef
    path: str

    @property
    def seed(self) -> int:
        """Seed of the dithering, between 1 and 10,000."""
        return 1 + self.ref.id.int % 9_999


@dataclass
class Inventory:
    """Everything that is to be ingested."""

    butler: Butler
    types: dict[str, DatasetType]
    datasets: list[FileDataset] = field(default_factory=list)

    def add(self, name: str, run: str, **data_id: int | str) -> Target:
        """Take up one dataset and say where its file belongs.

        Parameters
        ----------
        name : `str`
            Name of a registered dataset type.
        run : `str`
            Name of a run.
        **data_id
            Values of the required dimensions.

        Returns
        -------
        target : `Target`
            Identifier and path of the file, whose directory exists.
        """
        coordinate = self.butler.registry.expandDataId(data_id)
        ref = DatasetRef(
            self.types[name], coordinate, run=run, id_generation_mode=DatasetIdGenEnum.DATAID_TYPE_RUN
        )
        path = Path(self.butler.getURI(ref, predict=True).ospath.partition("#")[0])
        path.parent.mkdir(parents=True, exist_ok=True)
        self.datasets.append(FileDataset(str(path), ref))
        return Target(ref.to_simple(), str(path))


def write_image(image: Any, target: Target) -> None:
    """Write one of the types of `lsst.images` where the datastore will find it."""
    write_archive(
        image,
        target.path,
        butler_info=ButlerInfo(dataset=target.ref),
        compression_options=_COMPRESSION,
        compression_seed=target.seed,
    )


def write_table(table: Table, target: Target) -> None:
    """Write a table as the Butler's own formatter does."""
    arrow = astropy_to_arrow(table)
    pyarrow.parquet.write_table(arrow, target.path, row_group_size=compute_row_group_size(arrow.schema))


def _coadd_task(patch: Patch, band: str, target: Target) -> Measurements:
    coadded = coadd(patch, band)
    write_image(coadded.image, target)
    return coadded.objects


def _visit_task(number: int, window: int, image: Target, difference: Target | None) -> Measurements:
    visit = visits()[number]
    observed = observe(visit, visit.exposed[window])
    write_image(observed.visit_image, image)
    return observed.sources


def _make_butler(directory: Path) -> Butler:
    config = Config()
    config["datastore", "root"] = "<butlerRoot>/../bucket/dp2"
    (directory / "bucket" / "dp2").mkdir(parents=True)
    repo = directory / "repo"
    Butler.makeRepo(str(repo), config=config, forceConfigRoot=False)
    return Butler.from_config(str(repo), writeable=True)


def _register_types(butler: Butler) -> dict[str, DatasetType]:
    types = {}
    for name, (dimensions, storage_class) in DATASET_TYPES.items():
        types[name] = DatasetType(name, dimensions, storage_class, universe=butler.dimensions)
        butler.registry.registerDatasetType(types[name])
    return types


def _timer(progress: Callable[[str], None]) -> Callable[[str], None]:
    start = time.monotonic()
    return lambda line: progress(f"[{time.monotonic() - start:5.1f} s] {line}")


def build(directory: Path, progress: Callable[[str], None]) -> None:
    """Build the repository into a directory that does not exist yet.

    Parameters
    ----------
    directory : `pathlib.Path`
        Gets ``repo/`` and ``bucket/dp2/``.
    progress : `~collections.abc.Callable`
        Called with a line of text at each step.
    """
    say = _timer(progress)
    say("Making the registry: instrument, sky map, visits and detectors")
    butler = _make_butler(directory)
    insert_records(butler)
    inventory = Inventory(butler, _register_types(butler))
    for run in RUNS.values():
        butler.collections.register(run)
    say("Observing the simulated sky")
    # A fresh interpreter for each worker: forking a process that may have threads is not safe.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, 8), mp_context=context) as pool:
        coadds = {
            (patch, band): pool.submit(
                _coadd_task,
                patch,
                band,
                inventory.add(
                    "deep_coadd", RUNS["coadds"], skymap=SKYMAP, tract=TRACT, patch=patch.id, band=band
                ),
            )
            for patch, band in _coadds()
        }
        windows: dict[tuple[int, int], Future[Measurements]] = {}
        for number, visit in enumerate(visits()):
            for window, exposed in enumerate(visit.exposed):
                data_id = {"instrument": INSTRUMENT, "visit": visit.id, "detector": exposed.detector.id}
                image = inventory.add("visit_image", RUNS["visits"], **data_id)
                windows[number, window] = pool.submit(_visit_task, number, window, image, None)
        measured = {key: future.result() for key, future in coadds.items()}
        say(f"Wrote {len(coadds)} coadds")
        seen = {key: future.result() for key, future in windows.items()}
        say(f"Wrote images of {len(windows)} detectors during {len(visits())} visits")
    objects = select_objects(measured)
    write_table(
        object_table(objects, measured), inventory.add("object", RUNS["objects"], skymap=SKYMAP, tract=TRACT)
    )
    for number, visit in enumerate(visits()):
        by_detector = {exposed.detector.id: seen[number, window] for window, exposed in enumerate(visit.exposed)}
        target = inventory.add("source", RUNS["visits"], instrument=INSTRUMENT, visit=visit.id)
        write_table(source_table(visit, by_detector), target)
    write_table(visit_table(), inventory.add("visit_table", RUNS["visit tables"], instrument=INSTRUMENT))
    say(f"Wrote catalogues of {len(objects.index)} objects")
    butler.ingest(*inventory.datasets, transfer=None)
    say(f"Ingested {len(inventory.datasets)} datasets")
    butler.collections.register(CHAIN, CollectionType.CHAINED, doc="Data Preview 2, in miniature.")
    butler.collections.redefine_chain(CHAIN, list(reversed(RUNS.values())))
    say("Done")


def _coadds() -> Iterator[tuple[Patch, str]]:
    """Patches and bands that have a coadd, the largest first so that no worker idles at the end."""
    found = [
        (box.area, patch.id, band, patch)
        for patch in PATCHES
        for band in BANDS
        if (box := coadd_box(patch, band)) is not None
    ]
    for _, _, band, patch in sorted(found, key=lambda item: (-item[0], item[1], item[2])):
        yield patch, band
