"""Whether something fits is asked before, and what did not fit is told and leaves nothing behind."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy
from astropy.table import QTable, Table
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionUniverse, FileDataset

from python_butler.errors import LittleRoomWarning, NoSpaceError
from python_butler.satellite import Satellite
from python_butler.satellite.usage.room import (
    bytes_of,
    check_room,
    full_disk_explained,
    is_full,
    whole_or_not,
)

MEGABYTE = 1_000_000


def _satellite(root: Path) -> Satellite:
    satellite = Satellite.create("dp2", root / "dp2", universe=DimensionUniverse())
    with satellite.writer() as writer:
        for name, storage_class in (("image", "NumpyArray"), ("tiny", "StructuredDataDict")):
            writer.registry.registerDatasetType(
                DatasetType(name, (), storage_class, universe=writer.dimensions)
            )
        writer.collections.register("u/me/a")
    return satellite


@pytest.fixture
def small(tmp_path: Path) -> Satellite:
    return _satellite(tmp_path)


def _files(satellite: Satellite) -> set[Path]:
    return {path for path in (satellite.root / "files").rglob("*") if path.is_file()}


def _datasets(satellite: Satellite) -> int:
    with satellite.reader() as reader:
        return len(reader.query_all_datasets("*", find_first=False))


def test_what_surely_does_not_fit_is_refused_and_an_estimate_warns(
    small_disk: Callable[[int], Path],
) -> None:
    satellite = _satellite(small_disk(20 * MEGABYTE))
    check_room(satellite, MEGABYTE, sure=True)
    with pytest.raises(NoSpaceError, match=r"no room for 50\.0 MB") as caught:
        check_room(satellite, 50 * MEGABYTE, sure=True)
    assert "satellite usage dp2" in caught.value.next_step
    assert "satellite prune dp2" in caught.value.next_step
    with pytest.warns(LittleRoomWarning, match=r"about 50\.0 MB"):
        check_room(satellite, 50 * MEGABYTE)


def test_an_unknown_size_is_no_reason_to_warn_while_there_is_room(small: Satellite) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_room(small, None)
        check_room(Satellite("dp2", small.root.parent / "not" / "there"), 1)


@pytest.mark.parametrize(
    ("obj", "count"),
    [
        (np.zeros((10, 10)), 800),
        (pd.DataFrame({"a": np.zeros(100)}), 800 + 132),
        (pa.table({"a": np.zeros(100)}), 800),
        (Table({"a": np.zeros(100), "b": np.zeros(100, "i4")}), 1200),
        (QTable({"a": np.zeros(100)}), 800),
        ({"a": np.zeros(100), "b": "text"}, 804),
        (SimpleNamespace(image=SimpleNamespace(array=np.zeros(100)), mask=np.zeros(100, "i4")), 1200),
        (b"12345", 5),
        (object(), None),
        ({}, None),
    ],
)
def test_sizes_are_estimated_from_arrays(obj: object, count: int | None) -> None:
    assert bytes_of(obj) == count


def _raised(work: Callable[[], object]) -> BaseException:
    with pytest.raises(Exception, match=r"\S") as caught:
        work()
    return caught.value


def test_a_full_disk_is_recognised_behind_other_errors() -> None:
    def wrap() -> None:
        try:
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        except OSError as error:
            raise RuntimeError("Failed to serialize dataset") from error

    def go_on() -> None:
        try:
            raise OSError(errno.ENOSPC, "full")
        except OSError:
            raise ValueError("something else, after that was dealt with") from None

    assert is_full(_raised(wrap))
    assert not is_full(_raised(go_on))
    assert not is_full(OSError(errno.EACCES, "no"))


def test_a_database_that_cannot_write_is_full_only_if_the_disk_is(
    small: Satellite, small_disk: Callable[[int], Path]
) -> None:
    failure = sqlite3.OperationalError("disk I/O error")
    failure.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    assert not is_full(failure, small)
    disk = small_disk(MEGABYTE)
    with pytest.raises(OSError, match="No space left"):
        (disk / "big").write_bytes(bytes(2 * MEGABYTE))
    assert is_full(failure, Satellite("dp2", disk))
    assert [path.name for path in disk.iterdir()] == ["big"]


def test_other_errors_pass(small: Satellite) -> None:
    with pytest.raises(KeyError), full_disk_explained(small):
        raise KeyError("a")


def test_a_dataset_that_does_not_fit_leaves_neither_a_file_nor_a_row(
    small_disk: Callable[[int], Path],
) -> None:
    satellite = _satellite(small_disk(8 * MEGABYTE))
    with (
        pytest.raises(NoSpaceError, match="Nothing of it is there") as caught,
        satellite.writer() as writer,
        whole_or_not(satellite, writer),
    ):
        writer.put(np.zeros(3 * MEGABYTE), "image", run="u/me/a")
    assert "are free in" in caught.value.message
    assert not _files(satellite)
    assert _datasets(satellite) == 0
    with satellite.writer() as writer, whole_or_not(satellite, writer):
        writer.put(np.zeros(10), "image", run="u/me/a")
    assert _datasets(satellite) == 1


def _fill(disk: Path) -> None:
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_a_database_that_finds_no_room_when_the_transaction_ends_leaves_no_file(
    small_disk: Callable[[int], Path],
) -> None:
    disk = small_disk(8 * MEGABYTE)
    satellite = _satellite(disk)

    def write() -> None:
        with satellite.writer() as writer, whole_or_not(satellite, writer), writer.transaction():
            for i in range(60):
                writer.collections.register(f"u/me/{i}")
                writer.put({"a": i}, "tiny", run=f"u/me/{i}")
            assert len(_files(satellite)) == 60
            _fill(disk)

    error = _raised(write)
    assert isinstance(error, NoSpaceError)
    assert isinstance(error.__cause__, sqlalchemy.exc.OperationalError)
    assert not _files(satellite)
    (disk / "filler").unlink()
    assert _datasets(satellite) == 0


def test_a_database_that_may_not_grow_leaves_no_file(small: Satellite) -> None:
    refs = []

    def write() -> None:
        with small.writer() as writer:
            engine = writer._registry._db._engine
            sqlalchemy.event.listen(
                engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 1")
            )
            engine.dispose()
            for i in range(2_000):
                run = f"u/me/run-{i:04}-{'x' * 60}"
                with whole_or_not(small, writer):
                    writer.collections.register(run)
                    refs.append(writer.put({"a": i}, "tiny", run=run))

    assert isinstance(_raised(write), NoSpaceError)
    assert refs
    assert len(_files(small)) == len(refs)
    with small.reader() as reader:
        assert [reader.get(ref) for ref in refs] == [{"a": i} for i in range(len(refs))]


def test_files_that_were_to_be_moved_in_go_back_where_they_were(small: Satellite, tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("{a: 1}")
    with small.reader() as reader:
        dataset_type = reader.get_dataset_type("tiny")
        ref = DatasetRef(dataset_type, DataCoordinate.make_empty(reader.dimensions), run="u/me/a")

    def write() -> None:
        with small.writer() as writer, whole_or_not(small, writer):
            writer.ingest(FileDataset(str(source), [ref]), transfer="move")
            assert _files(small)
            raise OSError(errno.ENOSPC, "full")

    assert isinstance(_raised(write), NoSpaceError)
    assert source.read_text() == "{a: 1}"
    assert not _files(small)
