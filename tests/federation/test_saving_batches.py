"""`deferred`: what is gathered is saved together or not at all, even if the process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetNotFoundError, MissingCollectionError

from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError, UnknownVersionError
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

from .conftest import VISITS, table

DATA_IDS = [
    {"instrument": "Cam", "visit": visit, "detector": detector}
    for visit in VISITS
    for detector in (1, 2, 3, 4)
]


def files_below(butler: SatelliteButler) -> set[Path]:
    files = butler._sides.shared.root / "files"
    return {path for path in files.rglob("*") if path.is_file()}


def test_a_batch_is_seen_only_as_a_whole(butler: SatelliteButler) -> None:
    with open_butler("dp2", collections="dp2") as other, butler.deferred() as batch:
        for number, data_id in enumerate(DATA_IDS):
            ref = butler.save(table(number), "many", data_id)
        assert len(batch) == len(DATA_IDS)
        with pytest.raises(UnknownVersionError):
            other.load("many", DATA_IDS[0])
    assert ref.run == "u/me/many/v1"
    with open_butler("dp2", collections="dp2") as other:
        assert [int(other.load("many", data_id)["id"][0]) for data_id in DATA_IDS] == list(range(12))
    assert not butler.batches()
    notes = butler.provenance(ref)
    assert notes["user"] == "me"


def test_a_batch_is_a_version_of_its_own(butler: SatelliteButler) -> None:
    butler.save(table(1), "many", DATA_IDS[0])
    with butler.deferred() as batch:
        batch.save(table(2), "many", DATA_IDS[1])
        # What others save meanwhile is not held up, and not part of it.
        with open_butler("dp2", collections="dp2") as other:
            assert other.save(table(3), "many", DATA_IDS[2]).run == "u/me/many/v1"
        batch.save(table(4), "many", DATA_IDS[1])
    assert [(v.version, v.datasets) for v in butler.versions("many")] == [(3, 1), (2, 1), (1, 2)]
    assert butler.load("many", DATA_IDS[1])["id"][0] == 4


def test_what_was_saved_last_in_a_batch_is_the_newest(butler: SatelliteButler) -> None:
    first, second = DATA_IDS[:2]
    with butler.deferred() as batch:
        for number, data_id in enumerate([first, first, second, second]):
            batch.save(table(number), "many", data_id)
    assert butler.load("many", first)["id"][0] == 1
    assert butler.load("many", second)["id"][0] == 3


def test_threads_save_into_one_version_of_a_batch(butler: SatelliteButler) -> None:
    together = threading.Barrier(8)

    def save(number: int) -> str:
        together.wait(60)
        return str(batch.save(table(number), "many", DATA_IDS[number]).run)

    with butler.deferred() as batch, ThreadPoolExecutor(8) as threads:
        runs = set(threads.map(save, range(8)))
    assert runs == {"u/me/many/v1"}
    assert [(v.version, v.datasets) for v in butler.versions("many")] == [(1, 8)]


def test_a_rule_holds_in_a_batch_too(
    butler: SatelliteButler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("destinations:\n- {dataset_type: 'debug_*', to: memory}\n")
    monkeypatch.setenv("PYTHON_BUTLER_RULES", str(rules))
    with butler.deferred() as batch:
        butler.save(table(1), "debug_one", DATA_IDS[0])
        butler.save(table(2), "many", DATA_IDS[0])
        assert len(batch) == 1
    assert butler.load("debug_one", DATA_IDS[0])["id"][0] == 1
    with open_butler("dp2", collections="dp2") as other:
        assert other.load("many", DATA_IDS[0])["id"][0] == 2


def test_discarding_leaves_nothing_behind(butler: SatelliteButler) -> None:
    butler.save(table(1), "many", DATA_IDS[0])
    butler.versions("many")
    before = files_below(butler)
    with butler.deferred() as batch:
        butler.save(table(2), "many", DATA_IDS[0])
        butler.save(table(2), "other", DATA_IDS[0])
        batch.discard()
        with pytest.raises(InvalidRequestError, match="has ended"):
            batch.save(table(3), "many", DATA_IDS[0])
    assert files_below(butler) == before
    assert not butler.batches()
    assert [v.version for v in butler.versions("many")] == [1]
    with pytest.raises(MissingCollectionError):
        butler.collections.get_info("u/me/many/v2")
    with pytest.raises(UnknownVersionError):
        butler.load("other", DATA_IDS[0])


def test_an_exception_discards_unless_the_batch_is_kept(butler: SatelliteButler) -> None:
    def fails(keep: bool) -> None:
        with butler.deferred("night") as batch:
            butler.save(table(7), "many", DATA_IDS[0])
            if keep:
                batch.keep()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        fails(keep=False)
    assert not butler.batches()
    with pytest.raises(RuntimeError, match="stop"):
        fails(keep=True)
    (left,) = butler.batches()
    assert (left.info.name, left.info.datasets) == ("night", 1)
    assert "night" in repr(butler.batches())
    assert "<td>night</td>" in butler.batches()._repr_html_()


def test_upstreams_put_can_be_gathered_too(own_run: SatelliteButler) -> None:
    with own_run.deferred() as batch:
        first = batch.put(table(1), "object", skymap="sky", tract=1)
        second = batch.put(table(2), "object", skymap="sky", tract=2, run="u/me/second")
        # Not in the registry: only its holder reads it.
        assert own_run.get("object", skymap="sky", tract=1)["id"][0] == 1
    assert (first.run, second.run) == ("u/me/mine", "u/me/second")
    assert own_run.get(first)["id"][0] == 1
    assert own_run.get(second)["id"][0] == 2
    found = own_run.find_dataset("object", skymap="sky", tract=1)
    assert found is not None
    assert found.id == first.id


def test_saving_to_memory_within_a_batch_is_not_part_of_it(butler: SatelliteButler) -> None:
    with butler.deferred() as batch:
        butler.save(table(1), "trial", to="memory")
        assert len(batch) == 0
        batch.discard()
    assert butler.load("trial")["id"][0] == 1


KILLED = """
import os, signal
import astropy.table
from python_butler.federation import open as open_butler

with open_butler("dp2", collections="dp2") as butler, butler.deferred("night"):
    for detector in (1, 2, 3):
        data_id = {"instrument": "Cam", "visit": 101, "detector": detector}
        butler.save(astropy.table.Table({"id": [detector]}), "many", data_id)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_batch_whose_process_was_killed_can_be_committed_or_discarded(kernel: Platform) -> None:
    for _ in range(2):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED], env=dict(os.environ), check=False, timeout=120
        )
        assert killed.returncode == -signal.SIGKILL
    with open_butler("dp2", collections="dp2") as butler:
        with pytest.raises(UnknownVersionError):
            butler.load("many", instrument="Cam", visit=101, detector=1)
        first, second = butler.batches()
        assert [batch.info.alive for batch in (first, second)] == [False, False]
        assert first.info.datasets == 3
        assert first.commit() == 3
        assert [
            int(butler.load("many", instrument="Cam", visit=101, detector=d)["id"][0]) for d in (1, 2, 3)
        ] == [
            1,
            2,
            3,
        ]
        second.discard()
        assert not butler.batches()
        assert [(v.version, v.datasets) for v in butler.versions("many")] == [(1, 3)]
        with pytest.raises(DatasetNotFoundError):
            butler.load("many", instrument="Cam", visit=101, detector=4)
