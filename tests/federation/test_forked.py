"""A Butler in forked processes, as `multiprocessing` makes them: each has its own connections."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from python_butler.federation import SatelliteButler

CODE = """
    import os
    import traceback
    from astropy.table import Table
    import python_butler

    CHILDREN, EACH = 4, 6
    butler = python_butler.open("dp2", collections="dp2")
    official = butler.query_datasets("source")
    butler.save(Table({"n": [-1]}), "numbers", htm7=131072)
    assert len(butler.get(official[0]))

    def work(first):
        for number in range(first, first + EACH):
            ref = butler.save(Table({"n": [number]}), "numbers", htm7=131073 + number)
            assert butler.get(ref)["n"][0] == number
            assert butler.query_datasets("source") == official
            assert len(butler.get(official[number % len(official)]))

    children = []
    for child in range(CHILDREN):
        pid = os.fork()
        if pid == 0:
            try:
                work(child * EACH)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        children.append(pid)
    work(CHILDREN * EACH)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * CHILDREN
    saved = butler.query_datasets("numbers", "u/me/numbers", find_first=False)
    found = {int(butler.get(ref)["n"][0]) for ref in saved}
    assert found == set(range(-1, (CHILDREN + 1) * EACH)), found
    butler.close()
    print("fine")
"""


def test_forked_processes_read_and_save_beside_their_parent(own_run: SatelliteButler, tmp_path: Path) -> None:
    # In a process that has no other threads, so that it may fork.
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", textwrap.dedent(CODE)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout == "fine\n", done.stderr
