"""The frame: what it costs that pages travel through a backend process and the Jupyter server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlencode

from .figures import Pair, Reading, figure
from .scene import Scene

PAGE = 20_000
_DATASET_TYPE = "visit_image"
_ORDER = ("instrument", "visit", "detector")


def _page_path(limit: int) -> str:
    from python_butler.demo.scale import RUN

    query = urlencode({"collection": RUN, "dataset_type": _DATASET_TYPE, "limit": limit})
    return f"python-butler/api/repositories/official/dp2/datasets?{query}"


def _read_page(scene: Scene, limit: int) -> int:
    """Rows of one page as the panel reads it; raises if the page does not end well."""
    rows = 0
    ended = False
    for line in scene.jupyter.get(_page_path(limit)).splitlines():
        event = json.loads(line)
        if event["event"] == "rows":
            rows += len(event["rows"])
        elif event["event"] == "error":
            raise RuntimeError(event["error"]["message"])
        elif event["event"] == "end":
            ended = True
    if not ended or rows != limit:
        raise RuntimeError(f"The page has {rows} rows instead of {limit}.")
    return rows


@figure("frame", "longest hold of the event loop, page of 20,000", goal=20, unit="ms")
def longest_hold(scene: Scene) -> Iterator[Reading]:
    """Longest time that one callback kept the Jupyter server's loop while it relayed a page."""

    def take() -> float:
        scene.jupyter.get("benchmarks/hold")
        _read_page(scene, PAGE)
        held = scene.jupyter.get_json("benchmarks/hold")
        return float(held["milliseconds"])

    yield Reading(take)


@figure("frame", "page of 20,000 through the panel / RemoteButler", goal=1.5)
def page_through_the_panel(scene: Scene) -> Iterator[Pair]:
    """The same rows, through relay and backend as the panel gets them, and in a notebook."""
    from lsst.daf.butler import Butler

    from python_butler.demo.scale import RUN

    assert scene.platform
    with Butler.from_config("dp2", collections=RUN) as remote:

        def upstream() -> None:
            refs = remote.query_datasets(_DATASET_TYPE, limit=PAGE, order_by=_ORDER)
            if len(refs) != PAGE:
                raise RuntimeError(f"RemoteButler gave {len(refs)} datasets instead of {PAGE}.")

        yield Pair(ours=lambda: _read_page(scene, PAGE), upstream=upstream)


@figure("frame", "import python_butler / import lsst.daf.butler", goal=0.1, rounds=7)
def import_time(_scene: Scene) -> Iterator[Pair]:
    """Whole processes, less nothing: the interpreter's own start counts on both sides."""

    def importing(module: str) -> None:
        subprocess.run([sys.executable, "-P", "-c", f"import {module}"], check=True)

    yield Pair(ours=lambda: importing("python_butler"), upstream=lambda: importing("lsst.daf.butler"))
