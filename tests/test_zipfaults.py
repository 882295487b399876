"""Zip files are read at random in every process that opens a satellite, whatever Python's release has."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from python_butler import zipfaults
from tests.processes import PATIENCE, starting_by


def check(path: Path, answers: multiprocessing.Queue[bool]) -> None:
    """Read as graphs are read."""
    with zipfile.ZipFile(path) as archive, archive.open("first") as first, archive.open("second") as second:
        well = True
        for position in range(90_000, 0, -10_000):
            second.seek(position)
            second.read(10)
            first.seek(position)
            well &= first.read(10) == b"%010d" % (position // 10)
    answers.put(well)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two members that say at each position what it is."""
    path = tmp_path / "some.zip"
    content = b"".join(b"%010d" % number for number in range(10_000))
    with zipfile.ZipFile(path, "w") as written:
        written.writestr("first", content)
        written.writestr("second", content)
    return path


def test_the_fault_is_found_where_it_is_and_worked_around() -> None:
    program = (
        "from python_butler import zipfaults\n"
        "import sys, zipfile\n"
        "before = zipfile._SharedFile.seek\n"
        "faulty = zipfaults.is_faulty()\n"
        "zipfaults.mend()\n"
        "assert not zipfaults.is_faulty()\n"
        "assert (zipfile._SharedFile.seek is not before) == faulty\n"
        "print(faulty, 'lsst' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    faulty, lsst = done.stdout.split()
    assert lsst == "False"
    if sys.version_info[:3] in ((3, 12, 1), (3, 13, 0)):
        assert faulty == "True"


@pytest.mark.parametrize("module", ["python_butler.datastore", "python_butler.processing"])
def test_whoever_opens_a_satellite_or_a_run_is_free_of_it(module: str) -> None:
    program = f"import {module}; from python_butler import zipfaults; assert not zipfaults.is_faulty()"
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_that_others_start_are_free_of_it(method: str, archive: Path) -> None:
    zipfaults.mend()
    context = starting_by(method)
    answers: multiprocessing.Queue[bool] = context.Queue()
    process = context.Process(target=_worker, args=(archive, answers), daemon=True)
    process.start()
    try:
        assert answers.get(timeout=PATIENCE)
        process.join(PATIENCE)
    finally:
        process.kill()


def _worker(path: Path, answers: multiprocessing.Queue[bool]) -> None:
    # As any worker that executes quanta: what it is given belongs to the room.
    import python_butler.processing  # noqa: F401

    check(path, answers)


def test_stock_pipetask_reads_large_graphs_through_our_door() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "python_butler.processing.pipetask", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "run-qbb" in done.stdout
