"""The sidebar: a real JupyterLab in a real browser, measured on the page itself.

What is measured is in ``ui-tests/benchmarks/*.bench.ts``; each file is run once and hands over a line of
JSON for each figure.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from . import longlists
from .figures import Reading, Setting, figure
from .scene import SCALE, Scene

_ROOT = Path(__file__).parent.parent


def _measured(bench: str, name: str, *, goal: float, unit: str, rounds: int = 5) -> Setting:
    """Register a figure whose rounds are made in the browser."""

    def read(scene: Scene) -> Iterator[Reading]:
        measured, trouble = _run(bench, scene)
        if name not in measured:
            raise RuntimeError(f"The browser's run failed:\n{trouble}")
        values = iter(measured[name])
        yield Reading(lambda: next(values))

    register: Callable[[Callable[[Scene], Iterator[Reading]]], Setting]
    register = figure("sidebar", name, goal=goal, unit=unit, rounds=rounds, warm_up=False)
    return register(read)


# From the click on the icon to rows on the screen, remembered ones: the backend does not answer.
_measured("browse", "first paint after the click", goal=300, unit="ms")
# From a key to the results on the screen, all collections loaded; the slowest key of each word.
_measured("browse", "filter as you type, 100,000 collections", goal=100, unit="ms")
# Everything that the page could do nothing else for, from the click on a dataset type to the last row.
_measured("datasets", "longest hold of the page, 20,000 rows", goal=50, unit="ms", rounds=1)
_measured("datasets", "longest hold of the page, 1,600,000 datasets", goal=50, unit="ms", rounds=1)
_measured("datasets", "rows in the page, 1,600,000 datasets", goal=400, unit="rows", rounds=1)
# After the whole list was scrolled through, against the first 100,000: no more are ever held.
_measured("datasets", "growth of memory, 1,600,000 datasets", goal=5, unit="MB")
_measured("sky", "20,000 footprints drawn anew", goal=1000, unit="ms")
_measured("sky", "longest hold of the page, 20,000 footprints", goal=50, unit="ms", rounds=1)
# Opened, scaled, coloured, zoomed and pulled about, with its mask.
_measured("images", "longest hold of the page, an image", goal=50, unit="ms", rounds=1)
# The same in time that a processor worked, whatever else the machine does.
_measured("images", "longest work of the page, an image", goal=50, unit="ms")
# Before anybody clicks on anything; not compressed.
_measured("start", "code loaded with the page", goal=500, unit="kB", rounds=1)


@cache
def _run(bench: str, scene: Scene) -> tuple[dict[str, list[float]], str]:
    """Run one file in the browser and give what it measured and what it said: it is not tried twice.

    Parameters
    ----------
    bench : `str`
        The file's name without ``.bench.ts``.
    scene : `Scene`
        Has a place for the platform.
    """
    output = scene.directory / f"{bench}.figures"
    environment = {
        **os.environ,
        "BENCHMARKS_OUTPUT": str(output),
        "BENCHMARKS_DIRECTORY": str(_prepared(scene)),
        "BENCHMARKS_SCALE": str(SCALE),
        "CHROMIUM": os.environ.get("CHROMIUM") or _chromium(),
    }
    config = "ui-tests/benchmarks/playwright.config.ts"
    command = ["jlpm", "playwright", "test", "--config", config, f"{bench}.bench.ts"]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True)
    # What was measured before something failed is as good as ever.
    lines = [json.loads(line) for line in output.read_text().splitlines()] if output.exists() else []
    return {line["name"]: line["values"] for line in lines}, f"{done.stdout}\n{done.stderr}"


@cache
def _prepared(scene: Scene) -> Path:
    """Make the directory of a platform whose personal repository has very long lists."""
    directory = scene.directory / "sidebar"
    longlists.make_repository(directory / "butler" / "dp2")
    return directory


def _chromium() -> str:
    found = subprocess.run(
        [_ROOT / "ui-tests" / "find-chromium"], check=True, stdout=subprocess.PIPE, text=True
    )
    return found.stdout.strip()
