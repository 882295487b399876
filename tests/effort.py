"""How much the tests try: little in every run, so that it ends in time, and everything when it is wished."""

from __future__ import annotations

import os

__all__ = ["ALL_SPLITS", "ALL_STEPS", "kills"]

ALL_SPLITS = bool(os.environ.get("PYTHON_BUTLER_TEST_ALL_SPLITS"))
"""Whether changes are put to every way of splitting the datasets."""

ALL_STEPS = bool(os.environ.get("PYTHON_BUTLER_TEST_ALL_STEPS"))
"""Whether every step of a piece of work fails once, and not only some of them."""


def kills(few: int) -> int:
    """How often a process is killed, ``few`` times unless another number is wished."""
    return int(os.environ.get("PYTHON_BUTLER_TEST_KILLS", few))
