"""Many datasets, in a registry of their own, to try the sidebar, queries and references at scale.

The added visits have every science detector with its true region, on a dithered grid over the southern
sky, far from the demonstration's own fields.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from astropy.time import Time, TimeDelta
from lsst.daf.butler import Butler, Config, DimensionRecord, Timespan
from lsst.daf.butler.registry import CollectionType
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from .camera import INSTRUMENT, PHYSICAL_FILTERS, PIXEL_SIZE, SENSOR_PITCH, Pointing, camera
from .geometry import Projection
from .platform import LABEL

__all__ = ["RUN", "scaled_registry"]

RUN = "LSSTCam/runs/DRP/DP2/v30_0_8/scale"
"""The run of all added datasets: the last child of the official chain."""

_DATASET_TYPES = ("visit_image", "difference_image")
_FIRST_NIGHT = date(2026, 1, 10)
_VISITS_A_NIGHT = 100
_BATCH = 200
_GOLDEN_ANGLE = 180 * (3 - math.sqrt(5))
_SCIENCE = tuple(detector for detector in camera() if detector.purpose == "SCIENCE")
# Version 7, so that they sort as upstream's own do; the time they pretend to is the first night's.
_FIRST_ID = UUID("019ba4e0-0000-7000-8000-000000000000").int


def scaled_registry(
    repository: Path,
    count: int,
    *,
    files: bool = False,
    rebuild: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Make a copy of the official registry with many more datasets, once for each number.

    Parameters
    ----------
    repository : `pathlib.Path`
        The demonstration repository. It is not changed; the copy is kept beside it.
    count : `int`
        How many datasets to add.
    files : `bool`, optional
        Whether the added datasets have files. All of one type share the file of a dataset of the
        demonstration, so that they can be referenced and read, though what is read is always the same.
    rebuild : `bool`, optional
        Make it again even if it is there.
    progress : callable, optional
        Told in a sentence what is being done.

    Returns
    -------
    registry : `pathlib.Path`
        SQLite file for `python_butler.demo.platform.Platform`.
    """
    tell = progress or (lambda sentence: None)
    kind = "-files" if files else ""
    registry = repository.with_name(f"{repository.name}-{count}{kind}.sqlite3")
    if registry.exists() and not rebuild:
        return registry
    _remove_stale(repository)
    begin = time.monotonic()
    tell(f"Adding {count:,} datasets {'that share files' if files else 'without files'}; this is done once.")
    with tempfile.TemporaryDirectory(dir=repository.parent, prefix=".scale-") as temporary:
        building = Path(temporary) / registry.name
        shutil.copyfile(repository / "repo" / "gen3.sqlite3", building)
        config = Config(str(repository / "repo" / "butler.yaml"))
        config["registry", "db"] = f"sqlite:///{building}"
        config.dumpToUri(str(Path(temporary) / "butler.yaml"))
        visits = math.ceil(count / (len(_SCIENCE) * len(_DATASET_TYPES)))
        with Butler.from_config(temporary, writeable=True) as butler:
            _add_visits(butler, visits, tell)
            _register_run(butler, visits)
        _add_datasets(building, visits, count)
        if files:
            _add_files(building)
        building.replace(registry)
    tell(f"Added {count:,} datasets in {time.monotonic() - begin:.0f} s.")
    return registry


def _remove_stale(repository: Path) -> None:
    """Remove what belongs to earlier builds of the repository, since it is large."""
    for registry in repository.parent.glob("*-*.sqlite3"):
        if not registry.name.startswith(f"{repository.name}-"):
            registry.unlink(missing_ok=True)


@dataclass(frozen=True)
class _ScaleVisit:
    """One added visit, by its number from 0."""

    number: int

    @property
    def night(self) -> date:
        return _FIRST_NIGHT + timedelta(days=self.number // _VISITS_A_NIGHT)

    @property
    def day_obs(self) -> int:
        return int(self.night.strftime("%Y%m%d"))

    @property
    def sequence(self) -> int:
        return self.number % _VISITS_A_NIGHT + 1

    @property
    def id(self) -> int:
        return self.day_obs * 100_000 + self.sequence

    @property
    def physical_filter(self) -> str:
        filters = tuple(PHYSICAL_FILTERS.values())
        return filters[self.number // 10 % len(filters)]

    @property
    def timespan(self) -> Timespan:
        # 0 h of Greenwich on the next day is in the middle of a Chilean night.
        begin = Time(str(self.night), format="iso", scale="tai") + TimeDelta(
            86_400 + 45 * self.sequence, format="sec", scale="tai"
        )
        return Timespan(begin, begin + TimeDelta(30, format="sec", scale="tai"))

    @property
    def pointing(self) -> Pointing:
        ra = self.number * _GOLDEN_ANGLE % 360
        # The demonstration's own sky is at 53 degrees: 300 degrees are left on its other side.
        return Pointing(83 + ra * 300 / 360, -5 - 60 * (self.number * 0.7548776662 % 1), 0.0)


def _add_visits(butler: Butler, count: int, tell: Callable[[str], None]) -> None:
    """Insert the dimension records of visits and of their detectors, through upstream's own interface."""
    universe = butler.dimensions
    visit_record = universe["visit"].RecordClass
    region_record = universe["visit_detector_region"].RecordClass
    nights = sorted({_ScaleVisit(number).day_obs for number in range(count)})
    butler.registry.insertDimensionData(
        "day_obs", *({"instrument": INSTRUMENT, "id": night} for night in nights), skip_existing=True
    )
    for first in range(0, count, _BATCH):
        visits: list[DimensionRecord] = []
        regions: list[DimensionRecord] = []
        for number in range(first, min(first + _BATCH, count)):
            visit = _ScaleVisit(number)
            polygons = list(_detector_polygons(visit.pointing))
            visits.append(
                visit_record(
                    instrument=INSTRUMENT,
                    id=visit.id,
                    name=f"MC_O_{visit.day_obs}_{visit.sequence:06d}",
                    day_obs=visit.day_obs,
                    seq_num=visit.sequence,
                    physical_filter=visit.physical_filter,
                    exposure_time=30.0,
                    observation_reason="field_survey_science",
                    science_program="BLOCK-407",
                    target_name="lowdust",
                    region=_hull(polygons),
                    timespan=visit.timespan,
                )
            )
            regions += (
                region_record(instrument=INSTRUMENT, visit=visit.id, detector=detector.id, region=polygon)
                for detector, polygon in zip(_SCIENCE, polygons, strict=True)
            )
        butler.registry.insertDimensionData("visit", *visits)
        butler.registry.insertDimensionData("visit_detector_region", *regions)
        if first and first % (5 * _BATCH) == 0:
            tell(f"{first:,} of {count:,} visits have their regions.")


def _detector_polygons(pointing: Pointing) -> Iterator[ConvexPolygon]:
    """Regions of all science detectors, projected together since one by one takes ten times as long."""
    half = SENSOR_PITCH / 2
    x = np.array([[d.x - half, d.x + half, d.x + half, d.x - half] for d in _SCIENCE]) / PIXEL_SIZE
    y = np.array([[d.y - half, d.y - half, d.y + half, d.y + half] for d in _SCIENCE]) / PIXEL_SIZE
    projection = Projection(pointing.ra, pointing.dec, 0.0, 0.0, pointing.rotation)
    ra, dec = projection.pixel_to_sky(x.ravel(), y.ravel())
    corners = [
        UnitVector3d(LonLat.fromDegrees(*position))
        for position in zip(ra.tolist(), dec.tolist(), strict=True)
    ]
    for first in range(0, len(corners), 4):
        yield ConvexPolygon(corners[first : first + 4])


def _hull(polygons: list[ConvexPolygon]) -> ConvexPolygon:
    return ConvexPolygon([vertex for polygon in polygons for vertex in polygon.getVertices()])


def _register_run(butler: Butler, visits: int) -> None:
    """Put one dataset of each type into the run, so that its summary says what there is."""
    butler.collections.register(RUN, CollectionType.RUN)
    butler.collections.extend_chain(LABEL, [RUN])
    for name in _DATASET_TYPES:
        data_id = {"instrument": INSTRUMENT, "visit": _ScaleVisit(visits - 1).id, "detector": _SCIENCE[-1].id}
        butler.registry.insertDatasets(name, [data_id], run=RUN)


def _add_datasets(registry: Path, visits: int, count: int) -> None:
    """Insert the rows themselves: upstream's interface takes a minute for every 300,000."""
    # The tables' names that are pasted in are upstream's own, from the registry.
    with sqlite3.connect(registry) as database:
        (run_id,) = database.execute("SELECT collection_id FROM collection WHERE name = ?", (RUN,)).fetchone()
        model = {
            name: (type_id, tags)
            for name, type_id, tags in database.execute(
                "SELECT name, id, tag_association_table FROM dataset_type"
            )
        }
        tables = {tags for name, (_, tags) in model.items() if name in _DATASET_TYPES}
        (now,) = database.execute(
            "SELECT max(ingest_date) FROM dataset WHERE run_id = ?", (run_id,)
        ).fetchone()
        for table in tables:
            database.execute(f"DELETE FROM {table} WHERE collection_id = ?", (run_id,))  # noqa: S608
        database.execute("DELETE FROM dataset WHERE run_id = ?", (run_id,))
        for first in range(0, visits, _BATCH):
            rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in tables}
            datasets = []
            for number in range(first, min(first + _BATCH, visits)):
                visit = _ScaleVisit(number).id
                for index, (name, detector) in enumerate(
                    (name, detector.id) for name in _DATASET_TYPES for detector in _SCIENCE
                ):
                    serial = number * len(_DATASET_TYPES) * len(_SCIENCE) + index
                    if serial >= count:
                        break
                    dataset_id = f"{_FIRST_ID + serial:032x}"
                    type_id, table = model[name]
                    datasets.append((dataset_id, type_id, now, run_id))
                    rows[table].append((type_id, dataset_id, run_id, INSTRUMENT, visit, detector))
            database.executemany(
                "INSERT INTO dataset (id, dataset_type_id, ingest_date, run_id) VALUES (?, ?, ?, ?)", datasets
            )
            for table, values in rows.items():
                database.executemany(
                    f"INSERT INTO {table} (dataset_type_id, dataset_id, collection_id, instrument, visit,"  # noqa: S608
                    " detector) VALUES (?, ?, ?, ?, ?, ?)",
                    values,
                )
    database.close()


def _add_files(registry: Path) -> None:
    """Give every added dataset the datastore's rows of another dataset of its type."""
    with sqlite3.connect(registry) as database:
        (run_id,) = database.execute("SELECT collection_id FROM collection WHERE name = ?", (RUN,)).fetchone()
        for name in _DATASET_TYPES:
            (type_id,) = database.execute("SELECT id FROM dataset_type WHERE name = ?", (name,)).fetchone()
            (shared,) = database.execute(
                "SELECT min(dataset.id) FROM dataset JOIN file_datastore_records ON id = dataset_id"
                " WHERE dataset_type_id = ? AND run_id != ?",
                (type_id, run_id),
            ).fetchone()
            database.execute(
                "INSERT INTO dataset_location (datastore_name, dataset_id)"
                " SELECT datastore_name, dataset.id FROM dataset, dataset_location"
                " WHERE dataset_location.dataset_id = ? AND dataset_type_id = ? AND run_id = ?",
                (shared, type_id, run_id),
            )
            database.execute(
                "INSERT INTO file_datastore_records"
                " SELECT dataset.id, path, formatter, storage_class, component, checksum, file_size"
                " FROM dataset, file_datastore_records AS shared"
                " WHERE shared.dataset_id = ? AND dataset_type_id = ? AND run_id = ?",
                (shared, type_id, run_id),
            )
    database.close()
