"""A satellite in one file, and back."""

from __future__ import annotations

import errno
import io
import itertools
import os
import shutil
import subprocess
import tarfile
import threading
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType

from python_butler.errors import InvalidRequestError, NoSpaceError, SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.layout import read_marker
from python_butler.satellite.moving import partial
from python_butler.satellite.moving.archive import ArchiveWriter, Index
from python_butler.satellite.moving.restore import verify
from python_butler.satellite.moving.unpacking import ArchiveReader
from python_butler.satellite.progress import Progress
from python_butler.satellite.repair import Kind
from python_butler.satellite.spool import Spool

from .conftest import FIRST, RUN, TYPE, new_ref, state_of, table


@pytest.mark.parametrize("name", ["backup.tar", "backup.tar.gz"])
def test_what_is_restored_is_what_was_backed_up(satellite: Satellite, tmp_path: Path, name: str) -> None:
    expected = state_of(satellite)
    report = satellite.backup(tmp_path / name)
    assert report.elsewhere == 1
    assert report.missing == ()
    assert verify(tmp_path / name).problems == ()
    restored = Satellite.restore(tmp_path / name, root=tmp_path / "another place" / "mine")
    assert restored is not None
    assert restored.root == tmp_path / "another place" / "mine"
    assert state_of(restored) == expected
    assert state_of(satellite) == expected


def test_what_waited_is_committed_where_it_was_restored(small: Satellite, tmp_path: Path) -> None:
    small.backup(tmp_path / "backup.tar")
    restored = Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "new")
    assert restored is not None
    shutil.rmtree(small.root)
    spool = Spool(restored)
    assert spool.commit(wait=60).committed == 4
    spool.open_batch(spool.batches()[0].id).commit()
    with restored.reader() as reader:
        for number in (5, 101, 202):
            ref = reader.find_dataset(TYPE, htm7=FIRST + number, collections=RUN)
            assert list(reader.get(ref)["a"]) == [number, number + 1]
    assert restored.check(min_age=0).findings == []


def test_a_satellite_whose_database_and_files_are_elsewhere_is_restored_in_one_directory(
    small: Satellite, postgres: str, object_storage: str, tmp_path: Path
) -> None:
    expected = state_of(small)
    small.migrate(registry=postgres, storage=object_storage)
    # What waited was committed for that.
    expected = state_of(small)
    small.backup(tmp_path / "backup.tar")
    restored = Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "new")
    assert restored is not None
    assert (restored.root / "gen3.sqlite3").exists()
    assert (restored.root / "files").is_dir()
    assert state_of(restored) == expected


def test_standard_tools_can_look_into_it(small: Satellite, tmp_path: Path) -> None:
    small.backup(tmp_path / "backup.tar")
    subprocess.run(["tar", "-xf", "backup.tar"], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"],
        cwd=tmp_path / "dp2",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert len(state_of(Satellite.open("dp2", tmp_path / "dp2")).contents) == 24


def test_it_is_one_state_however_much_others_write_and_remove(small: Satellite, tmp_path: Path) -> None:
    done = threading.Event()
    contents = {}

    def work() -> None:
        for turn in itertools.count():
            if done.is_set():
                break
            with small.writer() as writer:
                writer.collections.register("u/me/busy")
                refs = []
                # The same data IDs, and so the same paths, get other content each time.
                for pixel in (1000, 1001, 1002, 2000 + turn):
                    ref = new_ref(writer, pixel, "u/me/busy")
                    contents[ref.id] = pixel + 10_000 * turn
                    refs.append(writer.put(table(contents[ref.id]), ref))
                writer.pruneDatasets(refs[:3], disassociate=True, unstore=True, purge=True)

    with ThreadPoolExecutor() as pool:
        worker = pool.submit(work)
        try:
            for turn in range(5):
                file = tmp_path / f"{turn}.tar"
                assert small.backup(file).missing == ()
                assert verify(file).problems == ()
        finally:
            done.set()
        worker.result()
    assert len(contents) > 4
    restored = Satellite.restore(file, root=tmp_path / "new")
    assert restored is not None
    with restored.reader() as reader:
        for ref in reader.query_datasets(TYPE, "*", find_first=False, limit=None):
            number = contents.get(ref.id, int(ref.dataId["htm7"]) - FIRST)
            assert list(reader.get(ref)["a"]) == [number, number + 1]
    assert {found.kind for found in restored.check(min_age=0).findings} <= {Kind.BATCH, Kind.WAITING}


def test_what_is_removed_while_it_is_copied_is_not_restored(small: Satellite, tmp_path: Path) -> None:
    with small.reader() as reader:
        victims = reader.query_datasets(TYPE, RUN)[:2]
        paths = [Path(reader.getURI(ref).ospath) for ref in victims]
    removed = threading.Event()

    def remove(progress: Progress) -> None:
        # The first of them may be in the file already.
        if progress.what == "backing up" and progress.done == 12 and not removed.is_set():
            removed.set()
            with small.writer() as writer:
                writer.pruneDatasets(victims, disassociate=True, unstore=True, purge=True)

    report = small.backup(tmp_path / "backup.tar", progress=remove)
    assert removed.is_set()
    assert report.datasets == 22
    assert report.missing == ()
    restored = Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "new")
    assert restored is not None
    assert not [path for path in paths if (restored.root / path.relative_to(small.root)).exists()]
    assert state_of(restored) == state_of(small)


def test_a_damaged_satellite_is_backed_up_and_told_of(small: Satellite, tmp_path: Path) -> None:
    victim = next((small.root / "files" / "u").rglob("*.parq"))
    victim.unlink()
    report = small.backup(tmp_path / "backup.tar")
    assert report.missing == (victim.relative_to(small.root).as_posix(),)
    assert len(verify(tmp_path / "backup.tar").problems) == 1
    restored = Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "new")
    assert restored is not None
    assert restored.info().own_datasets == 24


def test_a_file_that_is_there_is_not_overwritten_unless_that_is_said(
    small: Satellite, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar"
    file.write_text("mine")
    with pytest.raises(InvalidRequestError, match="already"):
        small.backup(file)
    assert file.read_text() == "mine"
    small.backup(file, overwrite=True)
    assert verify(file).index is not None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "butler"]


def test_a_file_that_appears_meanwhile_is_not_overwritten(small: Satellite, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    with pytest.raises(InvalidRequestError, match="already"):
        small.backup(file, progress=lambda progress: file.write_text("mine") and None)
    assert file.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "butler"]


@pytest.mark.parametrize("where", ["dp2/backup.tar", "dp2", "nowhere/backup.tar"])
def test_a_place_where_no_backup_can_be_is_refused(small: Satellite, where: str) -> None:
    with pytest.raises((InvalidRequestError, SatelliteError)):
        small.backup(small.root.parent / where)
    assert not list(small.root.parent.rglob("*.partial*"))


def test_a_backup_that_is_stopped_leaves_nothing(small: Satellite, tmp_path: Path) -> None:
    cancel = threading.Event()
    report = small.backup(tmp_path / "backup.tar", progress=lambda progress: cancel.set(), cancel=cancel)
    assert report.cancelled
    assert [path.name for path in tmp_path.iterdir()] == ["butler"]


def test_what_a_killed_backup_left_is_used_again(small: Satellite, tmp_path: Path) -> None:
    (tmp_path / "backup.tar.partial").write_bytes(b"half" * 1000)
    (tmp_path / "backup.tar.partial-database").write_bytes(b"half" * 1000)
    small.backup(tmp_path / "backup.tar")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "butler"]
    assert verify(tmp_path / "backup.tar").index is not None


def test_two_backups_to_one_file_do_not_mix(small: Satellite, tmp_path: Path) -> None:
    refused = []

    def again(progress: Progress) -> None:
        if not refused:
            with pytest.raises(SatelliteError, match="Another process") as caught:
                small.backup(tmp_path / "backup.tar")
            refused.append(caught)

    small.backup(tmp_path / "backup.tar", progress=again)
    assert refused
    assert verify(tmp_path / "backup.tar").index is not None


def test_what_does_not_fit_is_told_before(
    small: Satellite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    small.backup(tmp_path / "backup.tar")
    # A disk as full as this cannot be had here.
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 1_000))
    with pytest.raises(NoSpaceError, match=r"1\.00 kB left"):
        small.backup(tmp_path / "another.tar")
    with pytest.raises(NoSpaceError, match=r"1\.00 kB left"):
        Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "butler"]


def test_a_disk_that_gets_full_leaves_nothing(
    small: Satellite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    # A disk that gets full just then cannot be had here.
    monkeypatch.setattr(partial.os, "fsync", full)
    with pytest.raises(NoSpaceError, match="the disk is full"):
        small.backup(tmp_path / "backup.tar")
    assert [path.name for path in tmp_path.iterdir()] == ["butler"]


@pytest.fixture
def file(small: Satellite, tmp_path: Path) -> Path:
    """A backup."""
    small.backup(tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_backup_that_was_cut_short_is_refused(file: Path, part: float) -> None:
    content = file.read_bytes()
    # The end of a tar file is padded.
    file.write_bytes(content[: int(len(content.rstrip(b"\0")) * part)])
    _refused(file)


@pytest.mark.parametrize(
    "name", ["gen3.sqlite3", "satellite.json", "backup.json", ".parq", "SHA256SUMS", ".slip"]
)
def test_a_backup_that_was_altered_is_refused(file: Path, name: str) -> None:
    with tarfile.open(file) as tar:
        member = next(each for each in tar if each.name.endswith(name))
    content = bytearray(file.read_bytes())
    content[member.offset_data + member.size // 2] ^= 1
    file.write_bytes(content)
    _refused(file)


def _refused(file: Path) -> None:
    with pytest.raises(SatelliteError, match="backup"):
        verify(file)
    with pytest.raises(SatelliteError, match="backup"):
        Satellite.restore(file, "dp2", file.parent / "new")
    assert sorted(path.name for path in file.parent.iterdir()) == ["backup.tar", "butler"]


@pytest.mark.parametrize("content", [b"", b"no tar file" * 1000])
def test_another_file_is_no_backup(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(SatelliteError, match="backup"):
        verify(tmp_path / "file")
    with pytest.raises(SatelliteError, match="backup"):
        Satellite.restore(tmp_path / "file", root=tmp_path / "new")
    with pytest.raises(SatelliteError, match="cannot be read"):
        Satellite.restore(tmp_path / "none", root=tmp_path / "new")


@pytest.mark.parametrize("name", ["dp2/../../outside", "/outside", "dp3/outside"])
def test_nothing_is_written_outside_of_the_new_directory(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "file.tar", "w") as tar:
        for each in ("dp2/satellite.json", name):
            content = b'{"format": 2, "label": "dp2"}'
            info = tarfile.TarInfo(each)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(SatelliteError, match="which no backup does"):
        Satellite.restore(tmp_path / "file.tar", "dp2", tmp_path / "new" / "dp2")
    assert not list(tmp_path.rglob("outside"))


def test_a_directory_that_holds_something_is_left_alone(file: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "notes.txt").write_text("mine")
    with pytest.raises(SatelliteError, match="holds something"):
        Satellite.restore(file, root=tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["notes.txt"]
    (tmp_path / "new" / "notes.txt").unlink()
    assert Satellite.restore(file, root=tmp_path / "new") is not None


def test_the_backup_of_another_release_is_refused_if_one_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="of dp2, not of dp1"):
        Satellite.restore(file, "dp1", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_is_restored_is_a_satellite_of_its_own(small: Satellite, tmp_path: Path) -> None:
    small.backup(tmp_path / "file.tar")
    ids = {read_marker(small.root).id}
    for name in ("first", "second"):
        assert Satellite.restore(tmp_path / "file.tar", root=tmp_path / name) is not None
        ids.add(read_marker(tmp_path / name).id)
    assert len(ids) == 3
    assert all(ids)


def test_without_a_directory_it_goes_where_satellites_are(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "home"))
    restored = Satellite.restore(file)
    assert restored is not None
    assert restored.root == tmp_path / "home" / "dp2"
    assert Satellite.open("dp2").info().own_datasets == 24


def test_restoring_can_be_stopped(file: Path, tmp_path: Path) -> None:
    cancel = threading.Event()
    root = tmp_path / "new"
    assert Satellite.restore(file, root=root, progress=lambda _: cancel.set(), cancel=cancel) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "butler"]
    assert verify(file, progress=lambda _: cancel.set(), cancel=cancel).cancelled


def test_odd_names_are_in_the_checksums_as_sha256sum_has_them(tmp_path: Path) -> None:
    names = ["files/a b", "files/back\\slash", "files/new\nline", "files/ü"]
    with (tmp_path / "x.tar").open("wb") as stream:
        archive = ArchiveWriter(stream, "x")
        for name in names:
            archive.add_bytes(name, name.encode())
        archive.finish(Index(label="x", made=datetime.now(UTC), version="1", files=4, bytes=1, datasets=0))
    found = {}
    with ArchiveReader(tmp_path / "x.tar") as reader:
        reader.read(lambda member: found.update({member.name: member.source.read().decode()}))
    assert found == {name: name for name in names}
    subprocess.run(["tar", "-xf", "x.tar"], cwd=tmp_path, check=True, timeout=60)
    done = subprocess.run(
        ["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "x", check=False, timeout=60
    )
    assert done.returncode == 0


def test_a_satellite_that_was_moved_is_restored_so_that_it_can_be_written(
    small: Satellite, tmp_path: Path
) -> None:
    small.migrate(root=tmp_path / "new")
    small.backup(tmp_path / "backup.tar")
    restored = Satellite.restore(tmp_path / "backup.tar", root=tmp_path / "again")
    assert restored is not None
    with restored.writer() as writer:
        writer.collections.register("u/me/tag", CollectionType.TAGGED)
