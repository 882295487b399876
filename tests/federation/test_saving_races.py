"""Many processes and threads save at once: each save gets its own dataset, and none is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from python_butler.demo.platform import Platform
from python_butler.federation import SatelliteButler
from python_butler.federation import open as open_butler

from .conftest import table

PROCESSES = 4
SAVES = 6

WRITER = """
import json, sys
import astropy.table
from python_butler.federation import open as open_butler

number, saves = int(sys.argv[1]), int(sys.argv[2])
saved = []
with open_butler("dp2", collections="dp2") as butler:
    print("ready", flush=True)
    sys.stdin.readline()
    for turn in range(saves):
        value = number * 1000 + turn
        table = astropy.table.Table({"id": [value]})
        # One that all of them save, and one that half of them do.
        for patch in (0, number % 2):
            data_id = {"skymap": "sky", "tract": 1 + patch, "patch": patch}
            ref = butler.save(table, "race", data_id)
            saved.append([str(ref.id), ref.run, value])
print(json.dumps(saved))
"""


def test_processes_that_save_the_same_at_once_lose_nothing(kernel: Platform) -> None:
    command = [sys.executable, "-c", WRITER]
    running = [
        subprocess.Popen(
            [*command, str(number), str(SAVES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        for number in range(PROCESSES)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [process.communicate(timeout=240)[0] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert [process.returncode for process in running] == [0] * PROCESSES
    saved = [each for output in outputs for each in json.loads(output)]
    assert len(saved) == PROCESSES * SAVES * 2
    assert len({id for id, _, _ in saved}) == len(saved)
    with open_butler("dp2", collections="dp2") as butler:
        versions = butler.versions("race")
        refs = {str(ref.id): ref for v in versions for ref in _all(butler, v.run)}
        assert refs.keys() == {id for id, _, _ in saved}
        assert len({(ref.run, ref.dataId) for ref in refs.values()}) == len(saved)
        for id, run, value in saved:
            assert refs[id].run == run
            assert butler.get(refs[id])["id"][0] == value
        # Nothing waits for a person, and nothing was left in the spool.
        spool = butler._sides.shared.root / "spool"
        assert not list((spool / "aside").iterdir())
        assert not list(spool.glob("*.slip"))
        assert butler.collections.get_info("u/me/race").children[0] == versions[0].run


def test_threads_that_share_a_butler_save_at_once(butler: SatelliteButler) -> None:
    together = threading.Barrier(8, timeout=60)

    def work(number: int) -> list[tuple[object, int]]:
        together.wait()
        saved = []
        for turn in range(3):
            value = number * 100 + turn
            ref = butler.save(table(value), "race", skymap="sky", tract=1)
            assert butler.get(ref)["id"][0] == value
            saved.append((ref.id, value))
        return saved

    with ThreadPoolExecutor(8) as pool:
        saved = [each for result in pool.map(work, range(8)) for each in result]
    refs = {ref.id: ref for v in butler.versions("race") for ref in _all(butler, v.run)}
    assert refs.keys() == {id for id, _ in saved}
    assert len({ref.run for ref in refs.values()}) == 24


def _all(butler: SatelliteButler, run: str) -> list:
    return butler.query_datasets("race", collections=run, find_first=False, limit=None, explain=False)
