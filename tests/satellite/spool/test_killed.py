"""A process is killed at each of its steps: what was acknowledged stays, nothing is half there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.satellite.place import Place
from python_butler.satellite.provenance import notes_of
from python_butler.satellite.spool import Spool
from tests.effort import ALL_STEPS
from tests.processes import Forked

from .conftest import dataset_type, reference, same, table

# The child does nothing but what is tested, and no other thread works for it.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

DATASETS = 2

type Work = Callable[[Place, list[DatasetRef], Callable[[int], None]], None]


def spooled(place: Place, refs: list[DatasetRef], acknowledge: Callable[[int], None]) -> None:
    """Save some datasets and commit them."""
    spool = Spool(place)
    with place.reader() as reader:
        for number, ref in enumerate(refs):
            spool.store(reader, table(number), ref, notes={"number": number})
            acknowledge(number)
    spool.commit().check()


def batched(place: Place, refs: list[DatasetRef], acknowledge: Callable[[int], None]) -> None:
    """Commit some datasets together."""
    batch = Spool(place).begin("killed")
    with place.reader() as reader:
        for number, ref in enumerate(refs):
            batch.put(reader, table(number), ref)
    batch.commit()
    acknowledge(len(refs))


def discarded(place: Place, refs: list[DatasetRef], acknowledge: Callable[[int], None]) -> None:
    """Gather some datasets and discard them."""
    batch = Spool(place).begin("killed")
    with place.reader() as reader:
        for number, ref in enumerate(refs):
            batch.put(reader, table(number), ref)
    batch.discard()


def test_whatever_is_acknowledged_survives_a_kill_at_any_step(place: Place, tmp_path: Path) -> None:
    for step, survivor, refs, told in killed_at_each_step(place, tmp_path, spooled):
        with survivor.reader() as reader:
            spool = Spool(survivor, reader.dimensions)
            waiting = spool.acknowledged()
            for number in range(told):
                ref = waiting.get(refs[number].id) or refs[number]
                assert same(reader.get(ref), number), step
            spool.commit().check()
            assert spool.waiting() == 0, step
            there = found(reader)
            assert set(refs[:told]) <= there, step
            # One more may be there: killed after it was published, before it was told.
            assert len(there) <= told + 1, step
            assert all(same(reader.get(ref), refs.index(ref)) for ref in there), step
            assert notes_of(reader, [ref.id for ref in refs]).keys() == {ref.id for ref in there}, step
            for ref in set(refs) - there:
                spool.store(reader, table(77), ref)


def test_a_batch_is_there_as_a_whole_or_can_be_committed_or_discarded(place: Place, tmp_path: Path) -> None:
    for step, survivor, refs, told in killed_at_each_step(place, tmp_path, batched):
        with survivor.reader() as reader:
            spool = Spool(survivor, reader.dimensions)
            there = found(reader)
            assert there in (set(), set(refs)), step
            assert not told or there, step
            for info in spool.batches():
                batch = spool.open_batch(info.id)
                if step % 2:
                    there = set(refs[: batch.commit()])
                elif there:
                    with pytest.raises(RuntimeError, match="committed already"):
                        batch.discard()
                else:
                    batch.discard()
            assert found(reader) == there, step
            assert all(same(reader.get(ref), refs.index(ref)) for ref in there), step
            assert_nothing_left(spool, survivor, there, step)


def test_discarding_can_be_done_again(place: Place, tmp_path: Path) -> None:
    for step, survivor, _, _ in killed_at_each_step(place, tmp_path, discarded):
        spool = Spool(survivor)
        for info in spool.batches():
            spool.open_batch(info.id).discard()
        assert_nothing_left(spool, survivor, set(), step)


def assert_nothing_left(spool: Spool, place: Place, there: set[DatasetRef], step: int) -> None:
    """There is no batch, and of each dataset one file."""
    assert spool.batches() == []
    files = list((place.root / "files").rglob("*.parq"))
    # One may have been written just before the batch would have known of it.
    assert len(there) <= len(files) <= len(there) + 1, step


def killed_at_each_step(
    place: Place, tmp_path: Path, work: Work
) -> Iterator[tuple[int, Place, list[DatasetRef], int]]:
    """Do some work in a copy of the satellite, killed before its first change of a file, its second, …"""
    with place.reader() as reader:
        refs = [reference(reader.dimensions, number) for number in range(DATASETS)]
    # Most changes are made more than once: those left out are met at another dataset.
    for step in count(step=1 if ALL_STEPS else 3):
        survivor = Place(place.label, tmp_path / f"{work.__name__}-{step}")
        shutil.copytree(place.root, survivor.root)
        readable, writeable = os.pipe()
        with Forked(partial(work_and_die, step, work, survivor, refs, writeable)) as child:
            os.close(writeable)
            code = child.wait()
        with os.fdopen(readable, "rb") as stream:
            told = len(stream.read())
        assert code in (0, 9)
        yield step, survivor, refs, told
        shutil.rmtree(survivor.root)
        if not code:
            assert step > 10
            return


def work_and_die(step: int, work: Work, place: Place, refs: list[DatasetRef], pipe: int) -> None:
    """Do some work, as far as it goes."""
    die_at(step, place.root)
    work(place, refs, partial(tell, pipe))


def tell(pipe: int, number: int) -> None:
    """Say that a dataset was acknowledged."""
    os.write(pipe, b".")


def die_at(step: int, root: Path) -> None:
    """Leave this process, without any tidying up, before one of its changes to a directory."""
    steps = 0
    sync = os.fsync

    def take() -> None:
        nonlocal steps
        if steps == step:
            os._exit(9)
        steps += 1

    def hook(event: str, args: tuple[object, ...]) -> None:
        changes = event in ("os.link", "os.rename", "os.remove", "os.mkdir", "os.truncate")
        if event == "open":
            flags = args[2]
            changes = isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
        if changes and str(args[0]).startswith(str(root)):
            take()

    def counted_sync(descriptor: int) -> None:
        take()
        sync(descriptor)

    sys.addaudithook(hook)
    os.fsync = counted_sync


def found(reader: DirectButler) -> set[DatasetRef]:
    """What the registry has."""
    # A version that nothing came of is gone with the batch that it was begun for.
    runs = reader.collections.query("*", collection_types=CollectionType.RUN)
    return set(reader.query_datasets(dataset_type(reader.dimensions), runs, explain=False)) if runs else set()
