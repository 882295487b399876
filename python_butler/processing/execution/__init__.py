"""Executing what was prepared: `start`, which can be called again, and `rerun` of one quantum.

A process of its own, the crew, forks workers that execute quanta with upstream's executor and note in the
journal what became of them; official files are fetched ahead of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...late import late

if TYPE_CHECKING:
    from .rerunning import rerun
    from .starting import start

__all__ = ["rerun", "start"]

__getattr__, __dir__ = late(__name__, {"rerun": ".rerunning", "start": ".starting"})
