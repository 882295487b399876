"""Datasets that are saved but not yet in the registry: readers see them as if they were."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
import stat
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsst.daf.butler import (
    CollectionType,
    DataCoordinate,
    DatasetExistence,
    DatasetRef,
    DatasetType,
    FileDataset,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.daf.butler.registry.sql_registry import SqlRegistry
from lsst.resources import ResourcePath

from python_butler.errors import SatelliteError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.federation import spooled as spooled_module
from python_butler.federation.spooled import NotShownWarning
from python_butler.satellite import Satellite
from python_butler.satellite.layout import DATABASE, FILES
from python_butler.satellite.place import Place
from python_butler.satellite.spool import FileLock, Spool
from python_butler.satellite.spool.desk import ASIDE, DIRECTORY, Desk
from python_butler.satellite.spool.slip import SPOOLED, name_of
from python_butler.satellite.spool.spool import LOCK

from .conftest import table

RUN, EARLIER, LATER = "u/me/mine", "u/me/earlier", "u/me/later"
FIRST = 131072
ENOUGH = 60.0


def pixel(number: int) -> dict[str, int]:
    return {"htm7": FIRST + number}


class Saved:
    """A Butler, and a spool in which datasets can be put beside it, as another process would."""

    def __init__(self, butler: SatelliteButler) -> None:
        self.butler = butler
        shared = butler._sides.shared
        self.place = Place(shared.label, shared.root)
        self.spool = Spool(self.place)
        self.type = DatasetType("stars", ("htm7",), "ArrowAstropy", universe=butler.dimensions)

    def save(self, number: int, run: str = RUN) -> DatasetRef:
        coordinate = DataCoordinate.standardize(pixel(number), universe=self.butler.dimensions)
        ref = DatasetRef(self.type, coordinate, run)
        with self.place.reader() as reader:
            self.spool.store(reader, table(number), ref)
        return ref

    def others_commit(self) -> FileLock:
        """Make it look as if another process were committing, until the lock is released."""
        lock = FileLock(self.place.root / DIRECTORY / LOCK)
        assert lock.acquire(ENOUGH)
        return lock


@pytest.fixture
def saved(own_run: SatelliteButler) -> Saved:
    made = Saved(own_run)
    own_run.registry.registerDatasetType(made.type)
    for run in (EARLIER, LATER):
        own_run.collections.register(run)
    made.save(0)
    assert made.spool.commit(wait=ENOUGH).committed == 1
    return made


@pytest.fixture
def waiting(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> Iterator[Saved]:
    """A dataset waits, since another process is committing and does not come to an end."""
    monkeypatch.setattr(spooled_module, "PATIENCE", 0.05)
    lock = saved.others_commit()
    yield saved
    lock.release()


def first_id(butler: SatelliteButler, dataset: DatasetRef | str, **options: object) -> int:
    return int(butler.get(dataset, **options)["id"][0])  # type: ignore[arg-type]  # whatever get takes


def test_a_dataset_that_waits_is_found_and_read_by_its_data_id(waiting: Saved) -> None:
    butler, ref = waiting.butler, waiting.save(7)
    assert butler.find_dataset("stars", pixel(7)) == ref
    assert butler.find_dataset("stars", pixel(8)) is None
    assert first_id(butler, "stars", dataId=pixel(7)) == 7
    assert butler.get("stars.rowcount", pixel(7)) == 3
    assert list(butler.get("stars", pixel(7), parameters={"columns": ["flux"]}).columns) == ["flux"]
    assert butler.getDeferred("stars", pixel(7)).get()["id"][0] == 7
    assert butler.exists("stars", pixel(7)) is DatasetExistence.VERIFIED
    assert butler.get("stars", pixel(7), storageClass="ArrowNumpy")["id"][0] == 7
    assert waiting.spool.waiting() == 1


def test_a_dataset_that_waits_is_read_by_its_reference(waiting: Saved) -> None:
    butler, ref = waiting.butler, waiting.save(7)
    assert first_id(butler, ref) == 7
    assert butler.getDeferred(ref).get()["id"][0] == 7
    assert butler.get(ref.makeComponentRef("rowcount")) == 3
    assert butler.exists(ref) is DatasetExistence.VERIFIED
    assert butler.exists(ref, full_check=False) is DatasetExistence.KNOWN
    assert butler.stored(ref)
    assert ResourcePath(butler.getURI(ref)).exists()
    assert butler.get_dataset(ref.id) == ref
    expanded = butler.get_dataset(ref.id, dimension_records=True, storage_class="ArrowNumpy")
    assert expanded is not None
    assert expanded.dataId.hasRecords()
    assert expanded.datasetType.storageClass_name == "ArrowNumpy"


def test_datasets_that_wait_are_told_with_all_others(waiting: Saved) -> None:
    butler, ref = waiting.butler, waiting.save(7)
    own = butler.find_dataset("stars", pixel(0))
    official = butler.find_dataset("object", skymap="sky", tract=1)
    assert own is not None
    assert official is not None
    refs = [official, ref, own]
    assert {found.id for found in butler.get_many_datasets(ref.id for ref in refs)} == {r.id for r in refs}
    assert butler.stored_many(refs) == dict.fromkeys(refs, True)
    assert butler._exists_many(refs) == dict.fromkeys(refs, DatasetExistence.VERIFIED)
    assert all(uris.primaryURI for uris in butler.get_many_uris(refs).values())


def test_references_that_are_given_out_hold_after_the_commit(waiting: Saved) -> None:
    butler, ref = waiting.butler, waiting.save(7)
    with_records = butler.find_dataset("stars", pixel(7), datastore_records=True)
    assert with_records is not None
    handle = butler.getDeferred("stars", pixel(7))
    lock = FileLock(waiting.place.root / DIRECTORY / LOCK)
    (waiting.place.root / DIRECTORY / LOCK).unlink()
    assert waiting.spool.commit(wait=ENOUGH).committed == 1
    assert lock.acquire(ENOUGH)
    assert first_id(butler, with_records) == 7
    assert handle.get()["id"][0] == 7
    assert first_id(butler, ref) == 7


def test_what_waits_in_an_earlier_run_comes_first(waiting: Saved) -> None:
    butler = waiting.butler
    new = waiting.save(0, EARLIER)
    old = butler.find_dataset("stars", pixel(0), collections=[RUN])
    assert butler.find_dataset("stars", pixel(0), collections=[EARLIER, RUN]) == new
    assert butler.find_dataset("stars", pixel(0), collections=[RUN, EARLIER]) == old
    butler.collections.register("u/me/chain", CollectionType.CHAINED)
    butler.collections.redefine_chain("u/me/chain", ["dp2", EARLIER, RUN])
    assert butler.find_dataset("stars", pixel(0), collections="u/me/chain") == new
    assert butler.getDeferred("stars", pixel(0), collections="u/me/chain").ref == new


def test_what_waits_in_a_later_run_comes_after_what_is_registered(waiting: Saved) -> None:
    butler = waiting.butler
    later = waiting.save(0, LATER)
    first = butler.find_dataset("stars", pixel(0), collections=[RUN, LATER])
    assert first is not None
    assert first.run == RUN
    assert butler.getDeferred("stars", pixel(0), collections=[RUN, LATER]).ref == first
    assert butler.find_dataset("stars", pixel(0), collections=[EARLIER, LATER]) == later
    assert butler.getDeferred("stars", pixel(0), collections=["dp2", LATER]).ref == later


def test_a_query_commits_first(saved: Saved) -> None:
    refs = {saved.save(number) for number in range(1, 5)}
    assert refs < set(saved.butler.query_datasets("stars"))
    assert saved.spool.waiting() == 0


def test_what_is_in_a_run_is_told_with_what_was_just_saved(saved: Saved) -> None:
    saved.save(7, LATER)
    (info,) = saved.butler.collections.query_info(LATER, include_summary=True)
    assert info.dataset_types == {"stars"}
    saved.save(8, EARLIER)
    assert saved.butler.registry.getCollectionSummary(EARLIER).dataset_types.names == {"stars"}


def test_a_butler_for_reading_commits_too(saved: Saved) -> None:
    with open_butler("dp2", collections=RUN, writeable=False) as reader:
        assert len(reader.query_datasets("stars")) == 1
        ref = saved.save(7)
        assert first_id(reader, ref) == 7
        assert ref in reader.query_datasets("stars")


def test_reading_has_it_committed_before_long(saved: Saved) -> None:
    saved.save(7)
    deadline = time.monotonic() + ENOUGH
    while saved.spool.waiting() and time.monotonic() < deadline:
        assert first_id(saved.butler, "stars", dataId=pixel(7)) == 7
    assert saved.spool.waiting() == 0


def test_a_query_that_cannot_show_everything_says_so_once(waiting: Saved) -> None:
    waiting.save(7)
    waiting.save(8)
    with pytest.warns(NotShownWarning, match=r"^2 datasets .* not shown .* satellite check dp2"):
        assert len(waiting.butler.query_datasets("stars")) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(waiting.butler.query_datasets("stars")) == 1


@pytest.mark.parametrize("writeable", [True, False], ids=["writing", "reading"])
def test_a_query_does_not_wait_for_a_program_that_keeps_the_database_locked(
    saved: Saved, monkeypatch: pytest.MonkeyPatch, writeable: bool
) -> None:
    monkeypatch.setattr(spooled_module, "PATIENCE", 0.05)
    saved.save(7)
    # As any other program does it, which knows nothing of the spool.
    other = sqlite3.connect(saved.place.root / DATABASE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with open_butler("dp2", collections=RUN, writeable=writeable) as butler:
            begin = time.monotonic()
            with pytest.warns(NotShownWarning):
                assert len(butler.query_datasets("stars")) == 1
            assert first_id(butler, "stars", dataId=pixel(7)) == 7
            # Upstream's connections would wait for five minutes.
            assert time.monotonic() < begin + ENOUGH
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert len(saved.butler.query_datasets("stars")) == 2


def test_a_query_within_a_transaction_says_what_it_does_not_show(saved: Saved) -> None:
    with saved.butler.transaction():
        saved.butler.put(table(9), "stars", pixel(9))
        ref = saved.save(7)
        assert first_id(saved.butler, ref) == 7
        with pytest.warns(NotShownWarning, match="transaction"):
            assert len(saved.butler.query_datasets("stars")) == 2
    assert ref in saved.butler.query_datasets("stars")


def test_files_that_have_no_place_yet_are_not_copied(waiting: Saved, tmp_path: Path) -> None:
    ref = waiting.save(7)
    with pytest.raises(SatelliteError, match="no place yet"):
        waiting.butler.retrieveArtifacts([ref], tmp_path)


def test_files_are_copied_from_where_they_belong(saved: Saved, tmp_path: Path) -> None:
    (copied,) = saved.butler.retrieveArtifacts([saved.save(7)], tmp_path)
    assert copied.exists()


def test_a_dataset_that_waits_cannot_be_put_again(waiting: Saved) -> None:
    ref = waiting.save(7)
    with pytest.raises(ConflictingDefinitionError, match="already"):
        waiting.butler.put(table(8), "stars", pixel(7))
    with pytest.raises(ConflictingDefinitionError, match="already"):
        waiting.butler.put(table(8), DatasetRef(ref.datasetType, ref.dataId, RUN))
    assert first_id(waiting.butler, ref) == 7


def test_nobody_spools_what_is_being_put(saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    butler, put = saved.butler, DirectButler.put

    def put_slowly(*arguments: Any, **options: Any) -> DatasetRef:
        with pytest.raises(ConflictingDefinitionError, match="already"):
            saved.save(7)
        return put(*arguments, **options)

    monkeypatch.setattr(DirectButler, "put", put_slowly)
    ref = butler.put(table(8), "stars", pixel(7))
    assert first_id(butler, ref) == 8
    assert not _names_kept(saved)


@pytest.fixture
def elsewhere(saved: Saved, tmp_path: Path) -> Iterator[DirectButler]:
    """Another satellite, which has a dataset of the same run, type and data ID as one that is saved here."""
    satellite = Satellite.create("dp2", tmp_path / "elsewhere", universe=saved.butler.dimensions)
    with satellite.writer() as other:
        other.registry.registerDatasetType(saved.type)
        other.collections.register(RUN)
        other.put(table(8), "stars", pixel(7), run=RUN)
        yield other


def _ingest(saved: Saved, elsewhere: DirectButler, tmp_path: Path) -> None:
    (ref,) = elsewhere.query_datasets("stars", RUN)
    saved.butler.ingest(FileDataset(path=elsewhere.getURI(ref), refs=[ref]), transfer="copy")


def _transfer(saved: Saved, elsewhere: DirectButler, tmp_path: Path) -> None:
    saved.butler.transfer_from(elsewhere, elsewhere.query_datasets("stars", RUN), transfer="copy")


def _import(saved: Saved, elsewhere: DirectButler, tmp_path: Path) -> None:
    with elsewhere.export(directory=str(tmp_path), filename="export.yaml", transfer="copy") as export:
        export.saveDatasets(elsewhere.query_datasets("stars", RUN))
    saved.butler.import_(directory=tmp_path, filename="export.yaml", transfer="copy")


def _ingest_zip(saved: Saved, elsewhere: DirectButler, tmp_path: Path) -> None:
    refs = elsewhere.query_datasets("stars", RUN)
    saved.butler.ingest_zip(elsewhere.retrieve_artifacts_zip(refs, tmp_path), transfer="copy")


@pytest.mark.parametrize("bring_in", [_ingest, _transfer, _import, _ingest_zip])
def test_nobody_spools_what_is_being_brought_in(
    saved: Saved,
    elsewhere: DirectButler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bring_in: Callable[[Saved, DirectButler, Path], None],
) -> None:
    tried: list[DatasetRef] = []
    register = SqlRegistry._importDatasets

    def register_slowly(*arguments: Any, **options: Any) -> Any:
        tried.append(saved.save(11))
        with pytest.raises(ConflictingDefinitionError, match="already"):
            saved.save(7)
        return register(*arguments, **options)

    monkeypatch.setattr(SqlRegistry, "_importDatasets", register_slowly)
    bring_in(saved, elsewhere, tmp_path)
    assert len(tried) == 1, "what is not brought in can be saved"
    assert first_id(saved.butler, "stars", dataId=pixel(7)) == 8
    assert not _names_kept(saved)


@pytest.mark.parametrize("bring_in", [_ingest, _transfer, _import, _ingest_zip])
def test_what_waits_is_not_pushed_aside_by_what_is_brought_in(
    waiting: Saved,
    elsewhere: DirectButler,
    tmp_path: Path,
    bring_in: Callable[[Saved, DirectButler, Path], None],
) -> None:
    ref = waiting.save(7)
    with pytest.raises(ConflictingDefinitionError, match=r"already|in the spool"):
        bring_in(waiting, elsewhere, tmp_path)
    assert first_id(waiting.butler, ref) == 7
    assert waiting.spool.waiting() == 1
    assert not _names_kept(waiting)


def test_what_another_program_pushed_aside_is_told_by_the_next_query(saved: Saved) -> None:
    ref = saved.save(7)
    # As upstream's own Butler does it, which knows nothing of the spool.
    with saved.place.writer() as other:
        other.put(table(8), "stars", pixel(7), run=RUN)
    with pytest.warns(NotShownWarning, match=r"^stars \(htm7=\d+\) in .* another such .* satellite check"):
        assert ref not in saved.butler.query_datasets("stars")
    (slip,) = (saved.place.root / DIRECTORY / ASIDE).iterdir()
    (spooled,) = (saved.place.root / FILES / SPOOLED).iterdir()
    assert str(ref.id) in slip.read_text()
    assert spooled.name.startswith(str(ref.id))


def test_nobody_spools_what_a_transaction_has_put(saved: Saved) -> None:
    butler = saved.butler
    with butler.transaction():
        ref = butler.put(table(8), "stars", pixel(7))
        with pytest.raises(ConflictingDefinitionError, match="already"):
            saved.save(7)
        # What the same transaction takes back it can put again.
        butler.pruneDatasets([ref], purge=True, unstore=True, disassociate=True)
        ref = butler.put(table(9), "stars", pixel(7))
    assert first_id(butler, ref) == 9
    assert not _names_kept(saved)
    with contextlib.suppress(RuntimeError), butler.transaction():
        butler.put(table(10), "stars", pixel(10))
        raise RuntimeError("undone")
    assert first_id(butler, saved.save(10)) == 10


def test_a_killed_put_keeps_no_name(saved: Saved) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    ref = DatasetRef(saved.type, DataCoordinate.standardize(pixel(7), universe=saved.butler.dimensions), RUN)
    name = saved.place.root / DIRECTORY / name_of("stars", ref.dataId, RUN)
    name.symlink_to(f"being-written-by-{os.getpid()}-on-{socket.gethostname()}")
    with pytest.raises(ConflictingDefinitionError, match="being written"):
        saved.butler.put(table(8), ref)
    name.unlink()
    name.symlink_to(f"being-written-by-{ended.pid}-on-{socket.gethostname()}")
    assert first_id(saved.butler, saved.butler.put(table(8), ref)) == 8
    assert not _names_kept(saved)


def _names_kept(saved: Saved) -> list[Path]:
    return [path for path in (saved.place.root / DIRECTORY).iterdir() if path.is_symlink()]


def test_what_was_just_saved_can_be_tagged_and_removed(saved: Saved) -> None:
    butler, ref = saved.butler, saved.save(7)
    butler.registry.registerCollection("u/me/tag")
    butler.registry.associate("u/me/tag", [ref])
    assert butler.query_datasets("stars", collections="u/me/tag") == [ref]
    other = saved.save(8)
    butler.pruneDatasets([other], purge=True, unstore=True)
    assert butler.find_dataset("stars", pixel(8)) is None
    third = saved.save(9, LATER)
    butler.removeRuns([LATER])
    assert butler.get_dataset(third.id) is None
    assert saved.spool.waiting() == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_read_all_the_same(saved: Saved) -> None:
    ref = saved.save(7)
    directories = [saved.place.root, *(path for path in saved.place.root.rglob("*") if path.is_dir())]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in directories}
    try:
        for path in directories:
            path.chmod(0o500)
        with open_butler("dp2", collections=RUN, writeable=False) as reader:
            assert first_id(reader, ref) == 7
            with pytest.warns(NotShownWarning, match="1 dataset that you have saved is not shown by queries"):
                assert len(reader.query_datasets("stars")) == 1
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def test_nothing_that_waits_costs_one_look_at_a_directory(
    saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Desk] = []
    names = Desk.names

    def counted(desk: Desk) -> list[str]:
        looks.append(desk)
        return names(desk)

    monkeypatch.setattr(Desk, "names", counted)
    for read in (
        lambda: saved.butler.get("stars", pixel(0)),
        lambda: saved.butler.find_dataset("stars", pixel(0)),
        lambda: saved.butler.query_datasets("stars"),
    ):
        looks.clear()
        read()
        assert len(looks) == 1
