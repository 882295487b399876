"""Pipelines on official data, with results in the satellite: prepare, start and collect, in a directory.

`prepare` gives a `Run`, `open` finds one again. Stands on `federation`; `backend`, `cli` and notebooks come
in. Importing this is cheap: no lsst package is loaded until something is asked of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..late import late
from ..zipfaults import mend

if TYPE_CHECKING:
    from .run import Run, open, prepare
    from .tracing import made_from, provenance

__all__ = ["Run", "made_from", "open", "prepare", "provenance"]

# Whoever runs a pipeline reads quantum graphs, in every process that takes part.
mend()

__getattr__, __dir__ = late(
    __name__,
    {
        "Run": ".run",
        "made_from": ".tracing",
        "open": ".run",
        "prepare": ".run",
        "provenance": ".tracing",
    },
)
