"""Copies of files that were read: official ones in the cache of all kernels, and nothing anywhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from python_butler.demo.platform import Platform
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler
from python_butler.settings import file_cache_directory

READ_AND_SAVE = """
import os, signal
from astropy.table import Table
import python_butler
from python_butler.satellite import Satellite
Satellite.create("dp2", storage=os.environ["FILES"])
with python_butler.open("dp2", collections="dp2") as butler, butler.clone() as clone:
    for each in (butler, clone):
        for ref in each.query_datasets("source"):
            assert len(each.get(ref))
            assert len(each.getDeferred(ref).get())
        ref = each.save(Table({"a": [1, 2]}), "numbers")
        assert len(each.get(ref)) == 2
        assert each.get("numbers.rowcount", collections=ref.run) == 2
        each.save({"a": 1}, "words")
        assert each.load("words") == {"a": 1}
    print("done", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_no_copy_outside_of_the_cache(
    kernel: Platform, object_storage: str, tmp_path: Path
) -> None:
    (tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_SAVE],
        env={**os.environ, "FILES": object_storage, "TMPDIR": str(tmp_path / "temporary")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "done\n"), done.stderr
    assert list((tmp_path / "temporary").iterdir()) == []
    # Official files alone: those of the satellite can be written again, with other bytes.
    with open_butler("dp2", collections="dp2") as butler:
        official = {str(ref.id) for ref in butler.query_datasets("source")}
    assert {path.stem for path in file_cache_directory().glob("*.parq")} == official


def first_id(butler: SatelliteButler) -> int:
    return int(butler.get("source", visit=101)["id"][0])


def test_an_official_file_is_fetched_once_for_all_butlers(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        ids = [first_id(butler), first_id(butler.clone())]
    kernel.requests(forget=True)
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        ids.append(first_id(butler))
    assert len(set(ids)) == 1
    assert kernel.requests("store") == []


def test_a_copy_that_was_cut_is_fetched_again(kernel: Platform) -> None:
    with open_butler("dp2", collections="dp2", instrument="Cam") as butler:
        expected = first_id(butler)
        (copy,) = file_cache_directory().glob("*.parq")
        whole = copy.read_bytes()
        copy.write_bytes(whole[:100])
        assert first_id(butler) == expected
        assert copy.read_bytes() == whole
