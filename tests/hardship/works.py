"""What is killed, or meets a full disk: generators that yield each dataset when it is acknowledged.

They run in processes of `nursery`. Only `save` needs a server: the satellite has its own dimensions, and
its datasets are told apart by a pixel number, which needs no records.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsst.daf.butler import CollectionType, DatasetRef, DatasetType, DimensionUniverse, FileDataset
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.errors import InvalidRequestError
from python_butler.satellite import Satellite
from python_butler.satellite.layout import DATABASE, FILES
from python_butler.satellite.spool import Batch, Spool
from python_butler.satellite.storage import storage_of
from python_butler.saving.pace import Pace

RUN = "u/me/run"
STARS, NOTES = "stars", "notes"
STORAGE = {STARS: "ArrowAstropy", NOTES: "StructuredDataDict"}
EACH = 100
"""Numbers that one piece of work may use."""

_FIRST_PIXEL = 131072


@dataclass(frozen=True)
class Dataset:
    """One dataset by its name and number, which tell its content."""

    id: str
    type: str
    number: int
    run: str = RUN


def content(name: str, number: int) -> Any:
    """What a dataset holds."""
    from astropy.table import Table

    if name == STARS:
        return Table({"id": [number, number + 1], "flux": [1.5 * number, 2.5]})
    return {"number": number, "text": "a note" * (number % 5)}


def create(root: Path) -> Satellite:
    """Make a satellite that knows the dataset types and the run."""
    satellite = Satellite.create("dp2", root, universe=DimensionUniverse())
    with satellite.writer() as writer:
        for name in STORAGE:
            writer.registry.registerDatasetType(dataset_type(name, writer.dimensions))
        writer.collections.register(RUN)
    return satellite


def dataset_type(name: str, universe: DimensionUniverse) -> DatasetType:
    """One of the dataset types."""
    return DatasetType(name, ("htm7",), STORAGE[name], universe=universe)


def new_ref(butler: DirectButler, name: str, number: int, run: str = RUN) -> DatasetRef:
    """Name a new dataset."""
    data_id = butler.registry.expandDataId(htm7=_FIRST_PIXEL + number)
    return DatasetRef(dataset_type(name, butler.dimensions), data_id, run)


def number_of(ref: DatasetRef) -> int:
    """The number of a dataset, from its data ID."""
    return int(ref.dataId["htm7"]) - _FIRST_PIXEL


def _datasets(first: int, count: int) -> Iterator[tuple[str, int]]:
    """Names and numbers, of either type in turn."""
    for number in range(first, first + count):
        yield (STARS, NOTES)[number % 2], number


def put(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Put datasets as upstream does."""
    with satellite.writer() as writer:
        for name, number in _datasets(first, 10):
            ref = writer.put(content(name, number), new_ref(writer, name, number))
            yield Dataset(str(ref.id), name, number)


def spool(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Store datasets in the spool, and commit now and then."""
    waiting = Spool(satellite)
    with satellite.reader() as reader, satellite.writer() as writer:
        for stored in _spooled(waiting, reader, first, 12):
            yield stored
            if stored.number % 5 == 4:
                waiting.commit(writer=writer)
        waiting.commit(wait=10, writer=writer)


def spool_only(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Store datasets in the spool."""
    with satellite.reader() as reader:
        yield from _spooled(Spool(satellite), reader, first, 12)


def spool_two(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Store two datasets in the spool."""
    with satellite.reader() as reader:
        yield from _spooled(Spool(satellite), reader, first, 2)


def spool_commit(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Commit what has been stored before."""
    Spool(satellite).commit(wait=10)
    yield from ()


def deferred(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Gather datasets and commit them together, twice: only then are they acknowledged."""
    for start in (first, first + 8):
        yield from deferred_few(satellite, start, 8)


def deferred_few(satellite: Satellite, first: int, count: int = 2) -> Iterator[Dataset]:
    """Gather two datasets and commit them together."""
    batch, gathered = _gathered(satellite, first, count)
    batch.commit()
    yield from gathered


def leftovers(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Leave what only repairing can bring in order, and some datasets that wait."""
    yield from spool_only(satellite, first)
    _gathered(satellite, first + 25, 8)
    lost = satellite.root / FILES / RUN / STARS
    lost.mkdir(parents=True, exist_ok=True)
    for number in range(10):
        (lost / f"{STARS}_{_FIRST_PIXEL + first + 50 + number}_u_me_run.parq").write_bytes(b"half")
    with satellite.writer() as writer:
        refs = [
            writer.put(content(NOTES, number), new_ref(writer, NOTES, number))
            for number in range(first + 60, first + 70)
        ]
    with sqlite3.connect(satellite.root / DATABASE) as database:
        # As a process leaves them that is killed while it deletes.
        database.execute("PRAGMA foreign_keys = ON")
        marks = [(ref.id.hex,) for ref in refs]
        database.executemany(
            "INSERT INTO dataset_location_trash (datastore_name, dataset_id)"
            " SELECT datastore_name, dataset_id FROM dataset_location WHERE dataset_id = ?",
            marks,
        )
        database.executemany("DELETE FROM dataset_location WHERE dataset_id = ?", marks)
        database.executemany("DELETE FROM dataset WHERE id = ?", marks)
    database.close()


def repair(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Repair everything."""
    satellite.repair(min_age=0, batches="discard")
    yield from ()


def versions(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Write two versions of a name; only the newer one is acknowledged, since nothing may remove it."""
    chain = f"{RUN}{first}"
    runs = f"{chain}/v1", f"{chain}/v2"
    with satellite.writer() as writer:
        for run in runs:
            writer.collections.register(run)
        writer.collections.register(chain, CollectionType.CHAINED)
        writer.collections.redefine_chain(chain, runs[::-1])
    for run in runs:
        batch, gathered = _gathered(satellite, first, 8, run)
        batch.commit()
    yield from gathered


def prune(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Remove what is not in the newest version."""
    satellite.prune(keep_versions=1, progress=False)
    yield from ()


def migrate(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Move the files to another directory, or go on with it."""
    there = satellite.root.with_name(f"files{first}")
    try:
        satellite.migrate(storage=there, remove_old=True, progress=False)
    except InvalidRequestError:
        # It was killed when all was done.
        if storage_of(satellite).local_files != there:
            raise
    yield from ()


def save(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Save datasets as a notebook does that makes many of them."""
    import python_butler

    with python_butler.open("dp2", root=satellite.root) as butler:
        for name, number in _datasets(first, 20):
            ref = butler.save(content(name, number), name, htm7=_FIRST_PIXEL + number)
            yield Dataset(str(ref.id), name, number, ref.run)


def straight_saves(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """The same at a person's pace: each is saved straight into the registry."""
    Pace.begins = _never  # type: ignore[method-assign]  # in this process alone, which ends with the work
    yield from save(satellite, first)


def _never(pace: Pace) -> bool:
    return False


def deferred_saves(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Save datasets in three batches, which acknowledge them when they have been committed."""
    import python_butler

    with python_butler.open("dp2", root=satellite.root) as butler:
        for start in range(first, first + 24, 8):
            with butler.deferred():
                refs = [
                    (butler.save(content(name, number), name, htm7=_FIRST_PIXEL + number), name, number)
                    for name, number in _datasets(start, 8)
                ]
            for ref, name, number in refs:
                yield Dataset(str(ref.id), name, number, ref.run)


def straight_put(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Put two datasets straight into the registry, as a notebook does it."""
    import python_butler

    with python_butler.open("dp2", root=satellite.root) as butler:
        for name, number in _datasets(first, 2):
            ref = butler.put(content(name, number), name, htm7=_FIRST_PIXEL + number, run=RUN)
            yield Dataset(str(ref.id), name, number)


def straight_save(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Save one dataset, in a version of its own: a single save goes straight into the registry."""
    import python_butler

    with python_butler.open("dp2", root=satellite.root) as butler:
        ref = butler.save(content(STARS, first), STARS, htm7=_FIRST_PIXEL + first)
        yield Dataset(str(ref.id), STARS, first, ref.run)


def straight_transaction(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Put two datasets in one transaction, which acknowledges them when it has ended."""
    import python_butler

    refs: list[tuple[DatasetRef, str, int]] = []
    with python_butler.open("dp2", root=satellite.root) as butler:
        with butler.transaction():
            for name, number in _datasets(first, 2):
                data_id = {"htm7": _FIRST_PIXEL + number}
                refs.append((butler.put(content(name, number), name, data_id, run=RUN), name, number))
        for ref, name, number in refs:
            yield Dataset(str(ref.id), name, number)


def straight_ingest(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Ingest copies of two files."""
    import python_butler

    with (
        tempfile.TemporaryDirectory() as directory,
        python_butler.open("dp2", root=satellite.root) as butler,
    ):
        files = []
        for number in (first, first + 1):
            path = Path(directory) / f"{number}.parq"
            content(STARS, number).write(path, format="parquet")
            ref = new_ref(butler._sides.reader, STARS, number)
            files.append(FileDataset(path=str(path), refs=[ref]))
        butler.ingest(*files, transfer="copy")
        for number, file in zip((first, first + 1), files, strict=True):
            yield Dataset(str(file.refs[0].id), STARS, number)


def read(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Read what waits in the spool."""
    with satellite.reader() as reader:
        for ref in Spool(satellite).acknowledged().values():
            reader.get(ref)
            yield Dataset(str(ref.id), ref.datasetType.name, number_of(ref), ref.run)


def removed_spool(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Store a dataset in the spool of a satellite that is removed meanwhile."""
    with satellite.reader() as reader:
        yield from _spooled(Spool(satellite), reader, first, 1)
        shutil.rmtree(satellite.root)
        yield from _spooled(Spool(satellite), reader, first + 1, 1)


def removed_deferred(satellite: Satellite, first: int) -> Iterator[Dataset]:
    """Commit what was gathered in a satellite that is removed meanwhile."""
    batch, gathered = _gathered(satellite, first, 2)
    shutil.rmtree(satellite.root)
    batch.commit()
    yield from gathered


def _spooled(waiting: Spool, reader: DirectButler, first: int, count: int) -> Iterator[Dataset]:
    for name, number in _datasets(first, count):
        ref = waiting.store(reader, content(name, number), new_ref(reader, name, number))
        yield Dataset(str(ref.id), name, number)


def _gathered(satellite: Satellite, first: int, count: int, run: str = RUN) -> tuple[Batch, list[Dataset]]:
    batch = Spool(satellite).begin("gathered")
    with satellite.writer() as writer:
        refs = [
            batch.put(writer, content(name, number), new_ref(writer, name, number, run))
            for name, number in _datasets(first, count)
        ]
    return batch, [Dataset(str(ref.id), ref.datasetType.name, number_of(ref), run) for ref in refs]


type Work = Callable[[Satellite, int], Iterator[Dataset]]

WORKS: dict[str, Work] = {
    work.__name__: work
    for work in (
        put,
        spool,
        spool_only,
        spool_two,
        spool_commit,
        deferred,
        deferred_few,
        leftovers,
        repair,
        versions,
        prune,
        migrate,
        save,
        straight_saves,
        deferred_saves,
        straight_put,
        straight_save,
        straight_transaction,
        straight_ingest,
        read,
        removed_spool,
        removed_deferred,
    )
}
