"""What is written durably is there wholly or not at all; waits for a disk go on at the same time."""

from __future__ import annotations

import os
import threading
from functools import partial
from pathlib import Path

import pytest

from python_butler.satellite import durable
from python_butler.satellite.durable import at_once, atomic_write, make_directory, remove, sync, write_new


def test_a_file_that_cannot_be_replaced_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"old")

    def fail(descriptor: int) -> None:
        raise OSError(5, "the disk is broken")

    # No disk can be made to fail here.
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_replaces_none(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_new(path, b"first")
    with pytest.raises(FileExistsError):
        write_new(path, b"second")
    assert path.read_bytes() == b"first"


def test_directories_tell_which_others_have_new_names(tmp_path: Path) -> None:
    assert make_directory(tmp_path / "a" / "b", tmp_path) == [tmp_path, tmp_path / "a"]
    assert make_directory(tmp_path / "a" / "b", tmp_path) == []


def test_all_is_done_also_when_something_fails(tmp_path: Path) -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number % 10 == 3:
            raise OSError(number, "failed")
        done.append(number)

    with pytest.raises(OSError, match="failed"):
        at_once([partial(work, number) for number in range(100)])
    assert len(done) == 90


def test_slow_tasks_wait_together() -> None:
    waiting = threading.Barrier(3, timeout=60)
    at_once([waiting.wait for _ in range(3)])


@pytest.mark.parametrize("last_wait", [0.0, 1.0])
def test_a_slow_disk_is_waited_for_in_threads_and_a_quick_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last_wait: float
) -> None:
    slow = last_wait > 0
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        write_new(path, b"content")
    together = threading.Barrier(4 if slow else 1, timeout=60)
    waited: list[int] = []

    def wait(descriptor: int) -> None:
        waited.append(threading.get_ident())
        together.wait()

    # What disks do cannot be chosen here.
    monkeypatch.setattr(os, "fsync", wait)
    monkeypatch.setattr(durable, "_last_wait", last_wait)
    monkeypatch.setattr(durable, "_QUICK", 0.5 if slow else 60.0)
    sync(paths, [tmp_path])
    assert len(waited) == 4
    assert len(set(waited)) == (4 if slow else 1)


def test_what_is_gone_already_is_removed(tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    remove([tmp_path / "there", tmp_path / "gone"])
    assert list(tmp_path.iterdir()) == []
