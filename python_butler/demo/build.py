"""Building the demonstration's repository: registry, files and collections.

Room: demo. Files are written by several processes straight to their place in the datastore and ingested
with one call at the end, which takes a fraction of the time of as many puts.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from lsst.daf.butler import Butler, CollectionType, Config, Timespan
from lsst.images import Box

from .calibrations import Calibration, calibration_image, calibrations
from .camera import INSTRUMENT
from .catalogues import (
    Objects,
    object_table,
    select_objects,
    source_table,
    visit_detector_table,
    visit_table,
)
from .coadds import coadd, coadd_box
from .contents import CALIBRATION, CHAIN, COLLECTION_DOCUMENTATION, RUNS, TAGGED
from .differences import (
    Seen,
    dia_object_forced_source_table,
    dia_object_table,
    dia_source_table,
    object_forced_source_table,
    ss_object_table,
    ss_source_table,
)
from .files import Inventory, Target, write_image, write_table
from .geometry import BANDS, SKYMAP, Patch
from .images import observe
from .measure import Measurements
from .provenance import TASKS, log_records, packages, task_metadata
from .registry import insert_records
from .survey import PATCHES, TRACT, visits

__all__ = ["build"]

_GOOD_SEEING = 0.8
"""Arcseconds."""

_COLLEAGUE_CHAIN = "u/hypatia/ecdfs-variables"
_COLLEAGUE_RUNS = (f"{_COLLEAGUE_CHAIN}/v1", f"{_COLLEAGUE_CHAIN}/v2", "u/tycho/psf-test")


def _coadd_task(patch: Patch, band: str, target: Target) -> Measurements:
    coadded = coadd(patch, band)
    write_image(coadded.image, target)
    return coadded.objects


def _visit_task(number: int, window: int, image: Target, difference: Target, cutout: Target | None) -> Seen:
    visit = visits()[number]
    exposed = visit.exposed[window]
    observed = observe(visit, exposed)
    write_image(observed.visit_image, image)
    write_image(observed.difference_image, difference)
    if cutout is not None:
        centre = exposed.box.y.start + 256, exposed.box.x.start + 256
        write_image(
            observed.visit_image[Box.from_shape((128, 128), start=[value - 64 for value in centre])], cutout
        )
    return Seen(visit, exposed, observed.sources, observed.forced, observed.differences, observed.changes)


def _calibration_task(calibration: Calibration, target: Target) -> None:
    write_image(calibration_image(calibration), target)


def _make_butler(directory: Path) -> Butler:
    config = Config()
    # Relative, so that the finished directory can be moved.
    config["datastore", "root"] = "<butlerRoot>/../bucket/dp2"
    (directory / "bucket" / "dp2").mkdir(parents=True)
    repo = directory / "repo"
    Butler.makeRepo(str(repo), config=config, forceConfigRoot=False)
    return Butler.from_config(str(repo), writeable=True)


def _register_collections(butler: Butler) -> None:
    calibration_runs = {calibration.run for calibration in calibrations()}
    for run in (*RUNS.values(), *sorted(calibration_runs), *_COLLEAGUE_RUNS):
        butler.collections.register(run, doc=COLLECTION_DOCUMENTATION.get(run))
    for name, type in (
        (CALIBRATION, CollectionType.CALIBRATION),
        (TAGGED, CollectionType.TAGGED),
        (CHAIN, CollectionType.CHAINED),
    ):
        butler.collections.register(name, type, doc=COLLECTION_DOCUMENTATION[name])
    butler.collections.redefine_chain(CHAIN, [*reversed(RUNS.values()), CALIBRATION])
    doc = "Candidate variable stars around the Extended Chandra Deep Field South."
    butler.collections.register(_COLLEAGUE_CHAIN, CollectionType.CHAINED, doc=doc)
    butler.collections.redefine_chain(_COLLEAGUE_CHAIN, [_COLLEAGUE_RUNS[1], _COLLEAGUE_RUNS[0]])


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


def _coadd_run(band: str) -> str:
    return RUNS["coadds r" if band == "r" else "coadds"]


class _Builder:
    """One build in progress."""

    def __init__(self, butler: Butler, say: Callable[[str], None]) -> None:
        self.inventory = Inventory(butler)
        self.inventory.register_types()
        self.butler = butler
        self.say = say

    def images(self) -> tuple[dict[tuple[Patch, str], Measurements], list[Seen]]:
        """Write all images, in several processes, and return what was measured on them.

        This process writes logs and metadata meanwhile.
        """
        # A fresh interpreter for each worker: forking a process that may have threads is not safe.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, 4), mp_context=context) as pool:
            try:
                coadds = {key: self._submit_coadd(pool, *key) for key in _coadds()}
                windows = [
                    self._submit_visit(pool, number, window)
                    for number, visit in enumerate(visits())
                    for window in range(len(visit.exposed))
                ]
                rest = [self._submit_calibration(pool, calibration) for calibration in calibrations()]
                self._provenance()
                self._report("coadds", list(coadds.values()))
                self._report("visit and difference images", windows)
                self._report("calibrations", rest)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return {key: future.result() for key, future in coadds.items()}, [
            future.result() for future in windows
        ]

    def _report(self, what: str, futures: list[Future[Any]]) -> None:
        for number, future in enumerate(futures, start=1):
            future.result()
            if number % 20 == 0 or number == len(futures):
                self.say(f"{what}: {number} of {len(futures)}")

    def _submit_coadd(self, pool: ProcessPoolExecutor, patch: Patch, band: str) -> Future[Measurements]:
        target = self.inventory.add(
            "deep_coadd", _coadd_run(band), skymap=SKYMAP, tract=TRACT, patch=patch.id, band=band
        )
        return pool.submit(_coadd_task, patch, band, target)

    def _submit_visit(self, pool: ProcessPoolExecutor, number: int, window: int) -> Future[Seen]:
        visit = visits()[number]
        detector = visit.exposed[window].detector.id
        data_id: dict[str, int | str] = {"instrument": INSTRUMENT, "visit": visit.id, "detector": detector}
        image = self.inventory.add("visit_image", RUNS["visits"], **data_id)
        difference = self.inventory.add("difference_image", RUNS["differences"], **data_id)
        # A colleague has put cutouts of one visit under the official dataset type.
        mine = (visit.id, detector) in {(2025120200439, 10), (2025120200439, 13)}
        cutout = self.inventory.add("visit_image", "u/tycho/psf-test", **data_id) if mine else None
        return pool.submit(_visit_task, number, window, image, difference, cutout)

    def _submit_calibration(self, pool: ProcessPoolExecutor, calibration: Calibration) -> Future[None]:
        target = self.inventory.add(
            calibration.kind, calibration.run, instrument=INSTRUMENT, **calibration.data_id
        )
        return pool.submit(_calibration_task, calibration, target)

    def catalogues(self, coadds: dict[tuple[Patch, str], Measurements], everything: list[Seen]) -> None:
        """Write all catalogues."""
        add = self.inventory.add
        tract: dict[str, int | str] = {"skymap": SKYMAP, "tract": TRACT}
        objects = select_objects(coadds)
        write_table(object_table(objects, coadds), add("object", RUNS["objects"], **tract))
        for visit in visits():
            measured = {seen.exposed.detector.id: seen.sources for seen in everything if seen.visit == visit}
            target = add("source", RUNS["visits"], instrument=INSTRUMENT, visit=visit.id)
            write_table(source_table(visit, measured), target)
        self.say(f"catalogues: {len(objects.index)} objects, sources of {len(visits())} visits")
        self._forced(objects, everything)
        dia_sources = dia_source_table(everything)
        dia_objects = dia_object_table(dia_sources)
        write_table(dia_sources, add("dia_source", RUNS["dia"], **tract))
        write_table(dia_objects, add("dia_object", RUNS["dia"], **tract))
        write_table(ss_source_table(dia_sources), add("ss_source", RUNS["solar system"]))
        write_table(ss_object_table(dia_sources), add("ss_object", RUNS["solar system"]))
        self.say(f"catalogues: {len(dia_objects)} difference-image objects, {len(dia_sources)} sources")
        for name, table in (("visit_table", visit_table()), ("visit_detector_table", visit_detector_table())):
            write_table(table, add(name, RUNS["visit tables"], instrument=INSTRUMENT))
        candidates = dia_objects["diaObjectId", "ra", "dec", "nDiaSources"]
        for run, least in zip(_COLLEAGUE_RUNS, (2, 8), strict=False):
            chosen = candidates[np.asarray(candidates["nDiaSources"]) >= least]
            write_table(chosen, add("variable_candidates", run, **tract))

    def _forced(self, objects: Objects, everything: list[Seen]) -> None:
        for patch in PATCHES:
            data_id: dict[str, int | str] = {"skymap": SKYMAP, "tract": TRACT, "patch": patch.id}
            for name, run, table in (
                ("object_forced_source", "forced", object_forced_source_table(objects, patch.id, everything)),
                (
                    "dia_object_forced_source",
                    "dia forced",
                    dia_object_forced_source_table(patch.id, everything),
                ),
            ):
                if len(table):
                    write_table(table, self.inventory.add(name, RUNS[run], **data_id))

    def _provenance(self) -> None:
        """Write logs and metadata of all tasks, and the versions of their software."""
        for task in TASKS:
            for data_id, run in self._quanta(task.dimensions, task.run):
                target = self.inventory.add(f"{task.label}_log", run, **data_id)
                Path(target.path).write_text(log_records(task, run, data_id).to_json_data())
                target = self.inventory.add(f"{task.label}_metadata", run, **data_id)
                Path(target.path).write_text(task_metadata(task, run, data_id).model_dump_json())
        for run in RUNS.values():
            Path(self.inventory.add("packages", run).path).write_bytes(packages().toBytes("yaml"))
        self.say("logs and metadata written")

    def _quanta(self, dimensions: tuple[str, ...], run: str) -> Iterator[tuple[dict[str, int | str], str]]:
        """Data IDs of a task's quanta, each with the run in which it was executed."""
        tract: dict[str, int | str] = {"skymap": SKYMAP, "tract": TRACT}
        if "band" in dimensions:
            for patch, band in sorted(_coadds(), key=lambda item: (item[0].id, item[1])):
                yield (
                    {"band": band, **tract, "patch": patch.id},
                    _coadd_run(band) if run == "coadds" else RUNS[run],
                )
        elif "patch" in dimensions:
            for patch in PATCHES:
                yield tract | {"patch": patch.id}, RUNS[run]
        elif "tract" in dimensions:
            yield tract, RUNS[run]
        elif dimensions == ("instrument",):
            yield {"instrument": INSTRUMENT}, RUNS[run]
        else:
            observation = dimensions[1]
            for visit in visits():
                late = run == "isr" and visit.day_obs > 20250930
                data_id: dict[str, int | str] = {"instrument": INSTRUMENT, observation: visit.id}
                for exposed in visit.exposed if "detector" in dimensions else visit.exposed[:1]:
                    detector: dict[str, int | str] = (
                        {"detector": exposed.detector.id} if "detector" in dimensions else {}
                    )
                    yield data_id | detector, RUNS["isr late" if late else run]

    def collections(self) -> None:
        """Certify the calibrations and tag the best images; all datasets must have been ingested."""
        refs = {kind: self.inventory.refs(kind) for kind in ("bias", "dark", "flat")}
        by_kind = itertools.groupby(calibrations(), key=lambda calibration: calibration.kind)
        for kind, group in by_kind:
            periods: dict[Timespan, list[Any]] = {}
            for calibration, ref in zip(group, refs[kind], strict=True):
                periods.setdefault(calibration.timespan, []).append(ref)
            for timespan, certified in periods.items():
                self.butler.registry.certify(CALIBRATION, certified, timespan)
        seeing = {visit.id: visit.sigma * 0.2 * 2.3548 for visit in visits()}
        best = [
            ref
            for ref in self.inventory.refs("visit_image")
            if ref.run == RUNS["visits"] and seeing[int(ref.dataId["visit"])] < _GOOD_SEEING
        ]
        self.butler.registry.associate(TAGGED, best)


def build(directory: Path, progress: Callable[[str], None]) -> None:
    """Build the repository into a directory that does not exist yet.

    Parameters
    ----------
    directory : `pathlib.Path`
        Gets ``repo/`` and ``bucket/dp2/``.
    progress : `~collections.abc.Callable`
        Called with a line of text at each step.
    """
    start = time.monotonic()

    def say(line: str) -> None:
        progress(f"[{time.monotonic() - start:3.0f} s] {line}")

    say("registry: instrument, sky map, visits and detectors")
    butler = _make_butler(directory)
    insert_records(butler)
    _register_collections(butler)
    builder = _Builder(butler, say)
    coadds, everything = builder.images()
    builder.catalogues(coadds, everything)
    builder.inventory.ingest()
    builder.collections()
    say(f"done: {len(builder.inventory.datasets)} datasets")
