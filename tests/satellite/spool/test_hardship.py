"""Whatever is in the way of a save or a commit is told, and costs no acknowledged dataset."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetRef
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError

from python_butler.errors import SatelliteError
from python_butler.satellite.moving.mark import LOCK, Move, Stage, Where, write_move
from python_butler.satellite.place import Place
from python_butler.satellite.spool import FileLock, Spool
from python_butler.satellite.spool.slip import SPOOLED, SUFFIX
from python_butler.satellite.storage import storage_of
from tests.processes import PATIENCE, Forked, running

from .conftest import RUN, reference, same, table

CLAIM = """
import sys
from pathlib import Path
from lsst.daf.butler.registry import ConflictingDefinitionError
from tests.satellite.spool.conftest import reference, table
from python_butler.satellite.place import Place
from python_butler.satellite.spool import Spool
place = Place("dp2", Path(sys.argv[1]))
spool = Spool(place)
won = []
with place.reader() as reader:
    for number in range(40):
        try:
            ref = spool.store(reader, table(number), reference(reader.dimensions, number))
            won.append(str(ref.id))
        except ConflictingDefinitionError:
            pass
        if number % 7 == 0:
            spool.commit()
print(*won)
"""
NOBODY = 65534

# The children do little, and no other thread works for them.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def test_a_dataset_belongs_to_one_of_the_processes_that_save_it(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    command = [sys.executable, "-c", CLAIM, str(place.root)]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(running(command, stdout=subprocess.PIPE, cwd=ROOT)) for _ in range(3)
        ]
        won = [process.communicate(timeout=PATIENCE)[0].split() for process in processes]
        assert [process.returncode for process in processes] == [0] * 3
    assert sum(map(len, won)) == 40
    spool.commit(wait=60).check()
    found = {ref.id: ref for ref in reader.query_datasets("stars", RUN)}
    assert {str(id) for id in found} == {id for ids in won for id in ids}
    for ref in found.values():
        assert same(reader.get(ref), reference_number(ref))


def test_threads_save_at_the_same_time(spool: Spool, place: Place, reader: DirectButler) -> None:
    def save(first: int) -> None:
        with place.reader() as mine:
            for number in range(first, first + 5):
                spool.store(mine, table(number), reference(mine.dimensions, number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(0, 40, 5)))
    assert spool.waiting() == 40
    assert spool.commit().committed == 40
    assert len(list(reader.query_datasets("stars", RUN))) == 40


def test_a_slip_of_a_newer_version_is_left_to_it(
    spool: Spool, place: Place, reader: DirectButler, caplog: pytest.LogCaptureFixture
) -> None:
    refs = [reference(reader.dimensions, number) for number in range(2)]
    for number, ref in enumerate(refs):
        spool.store(reader, table(number), ref)
    path = slip_of(place, refs[0])
    original = path.read_text()
    newer = json.loads(original) | {"format": 99, "files": "somewhere else"}
    path.write_text(json.dumps(newer))
    with caplog.at_level(logging.WARNING):
        assert set(spool.acknowledged()) == {refs[1].id}
    assert "newer version" in caplog.text
    report = spool.commit()
    assert (report.committed, report.left) == (1, 1)
    with pytest.raises(SatelliteError, match="newer version of python-butler"):
        report.check()
    assert json.loads(path.read_text()) == newer
    with pytest.raises(ConflictingDefinitionError):
        spool.store(reader, table(5), reference(reader.dimensions, 0))
    path.write_text(original)
    spool.commit().check()
    assert same(reader.get(refs[0]), 0)


@pytest.mark.parametrize("place", ["here", "elsewhere"], indirect=True)
def test_a_missing_file_does_not_keep_other_datasets_waiting(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    refs = [reference(reader.dimensions, number) for number in range(5)]
    for number, ref in enumerate(refs):
        spool.store(reader, table(number), ref)
    storage_of(place).files.join(f"{SPOOLED}/{refs[3].id}.parq").remove()
    report = spool.commit()
    assert (report.committed, report.left) == (4, 0)
    (problem,) = report.problems
    assert problem.set_aside
    assert "file is missing" in problem.reason
    assert [path.name for path in (spool_directory(place) / "aside").iterdir()] == [problem.name]
    assert spool.commit().problems == ()
    assert set(reader.query_datasets("stars", RUN)) == {*refs} - {refs[3]}


@pytest.mark.parametrize("place", ["here", "elsewhere"], indirect=True)
def test_a_dataset_that_was_put_by_other_means_is_not_replaced(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    refs = [reference(reader.dimensions, number) for number in range(3)]
    for number, ref in enumerate(refs):
        spool.store(reader, table(number), ref)
    with place.writer() as writer:
        other = writer.put(table(9), reference(writer.dimensions, 1))
    report = spool.commit()
    assert report.committed == 2
    assert str(other.id) in report.problems[0].reason
    assert same(reader.get(other), 9)
    # Its file is kept for whoever wants it.
    assert storage_of(place).files.join(f"{SPOOLED}/{refs[1].id}.parq").exists()


def test_nothing_is_committed_that_a_transaction_could_take_back(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    ref = reference(reader.dimensions, 1)
    spool.store(reader, table(1), ref)
    batch = spool.begin()
    batch.put(reader, table(2), reference(reader.dimensions, 2))
    with place.writer() as writer:
        with writer.transaction():
            assert "transaction" in spool.commit(writer=writer).trouble
            with pytest.raises(SatelliteError, match="transaction"):
                batch.commit(writer=writer)
        assert same(reader.get(spool.acknowledged()[ref.id]), 1)
        spool.commit(writer=writer).check()
        assert batch.commit(writer=writer) == 1


def test_a_batch_whose_last_line_is_not_complete_can_be_continued(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    batch = spool.begin()
    batch.put(reader, table(1), reference(reader.dimensions, 1))
    (path,) = (spool_directory(place) / "batches").iterdir()
    path.write_bytes(path.read_bytes() + b'{"half')
    taken_up = spool.open_batch(batch.id)
    taken_up.put(reader, table(2), reference(reader.dimensions, 2))
    assert [info.datasets for info in spool.batches()] == [2]
    assert taken_up.commit() == 2


def test_a_run_that_was_removed_can_come_back(spool: Spool, place: Place, reader: DirectButler) -> None:
    ref = reference(reader.dimensions, 1)
    spool.store(reader, table(1), ref)
    with place.writer() as writer:
        writer.collections.x_remove(RUN)
    report = spool.commit()
    assert (report.committed, report.left) == (0, 1)
    assert not report.problems[0].set_aside
    assert RUN in report.problems[0].reason
    with place.writer() as writer:
        writer.collections.register(RUN)
    spool.commit().check()
    assert same(reader.get(ref), 1)


def test_a_dataset_that_was_removed_is_not_confused_with_its_successor(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    for number in range(6):
        ref = reference(reader.dimensions, 1)
        spool.store(reader, table(number), ref)
        assert same(reader.get(spool.acknowledged()[ref.id]), number)
        spool.commit().check()
        with place.writer() as writer:
            writer.pruneDatasets([ref], disassociate=True, unstore=True, purge=True)


def test_nothing_is_saved_while_the_satellite_is_moved(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    spool.store(reader, table(1), reference(reader.dimensions, 1))
    here = Where()
    move = Move(
        id="1",
        stage=Stage.COPYING,
        root=place.root,
        old=here,
        new=here,
        began=datetime.now(UTC),
        host="here",
        process=1,
    )
    with FileLock(place.root / LOCK), place.writer() as writer:
        write_move(place.root, move)
        with pytest.raises(SatelliteError, match="being moved"):
            spool.store(reader, table(2), reference(reader.dimensions, 2))
        report = spool.commit()
        assert (report.committed, report.left) == (0, 1)
        assert "being moved" in report.trouble
        assert spool.commit(moving=True, writer=writer).committed == 1
    assert len(list((place.root / "files").rglob("*.parq"))) == 1


def test_a_time_that_lies_in_the_future_is_no_trouble(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    ref = reference(reader.dimensions, 1)
    spool.store(reader, table(1), ref)
    batch = spool.begin("of tomorrow")
    batch.put(reader, table(2), reference(reader.dimensions, 2))
    tomorrow = time.time() + 86400
    for path in place.root.rglob("*"):
        os.utime(path, (tomorrow, tomorrow))
    assert same(reader.get(spool.acknowledged()[ref.id]), 1)
    assert [info.datasets for info in spool.batches()] == [1]
    spool.commit().check()
    assert batch.commit() == 1


@pytest.mark.parametrize("shared", [0o2775, 0o700])
def test_access_follows_the_directory_not_the_umask_of_who_writes(
    spool: Spool, place: Place, reader: DirectButler, shared: int
) -> None:
    for path in (place.root, place.root / "files"):
        path.chmod(shared)

    def store(number: int, umask: int) -> None:
        os.umask(umask)
        with place.reader() as mine:
            Spool(place).store(mine, table(number), reference(mine.dimensions, number))

    for number, umask in enumerate((0o077, 0o000)):
        with Forked(partial(store, number, umask)) as child:
            assert child.wait() == 0
    spool.commit().check()
    made = [*spool_directory(place).rglob("*"), *(place.root / "files").rglob("*")]
    assert made
    for path in made:
        expected = shared & (0o777 if path.is_dir() else 0o666)
        assert stat.S_IMODE(path.stat().st_mode) & 0o777 == expected, path


def test_what_cannot_be_written_is_read(exposed: Place) -> None:
    spool = Spool(exposed)
    with exposed.reader() as reader:
        ref = reference(reader.dimensions, 1)
        spool.store(reader, table(1), ref)
        for path in (exposed.root, *exposed.root.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        with Forked(partial(look_from_outside, exposed, ref)) as child:
            assert child.wait() == 0


def look_from_outside(place: Place, ref: DatasetRef) -> None:
    """Read, and try to write, without the right to."""
    if not os.geteuid():
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    spool = Spool(place)
    with place.reader() as reader:
        assert same(reader.get(spool.acknowledged()[ref.id]), 1)
        report = spool.commit()
        assert report.left == 1
        assert "cannot be written" in report.trouble
        with pytest.raises(SatelliteError, match="cannot be written"):
            spool.store(reader, table(2), reference(reader.dimensions, 2))


@pytest.fixture
def exposed(place: Place) -> Iterator[Place]:
    """A satellite where other users can look."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o755)
    shutil.copytree(place.root, above / "satellite")
    yield Place(place.label, above / "satellite")
    for path in (above / "satellite", *(above / "satellite").rglob("*")):
        path.chmod(0o700)
    shutil.rmtree(above)


ROOT = Path(__file__).parents[3]


def spool_directory(place: Place) -> Path:
    """Where the slips are."""
    return place.root / "spool"


def slip_of(place: Place, ref: DatasetRef) -> Path:
    """The slip of a dataset."""
    (path,) = [path for path in spool_directory(place).glob(f"*{SUFFIX}") if str(ref.id) in path.read_text()]
    return path


def reference_number(ref: DatasetRef) -> int:
    """The number that `reference` was given."""
    return int(ref.dataId["htm7"]) - 131072
