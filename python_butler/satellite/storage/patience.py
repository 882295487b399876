"""How long the transactions of this thread wait for others that write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["USUAL", "patience", "patient_for"]

USUAL = 300.0
"""Seconds that upstream's connections wait."""

_wanted = threading.local()


def patience() -> float:
    """Tell how long a transaction that begins now waits.

    Returns
    -------
    seconds : `float`
        `USUAL` unless `patient_for` says otherwise.
    """
    return float(getattr(_wanted, "seconds", USUAL))


@contextmanager
def patient_for(seconds: float) -> Iterator[None]:
    """Let transactions of this thread wait for another time.

    Parameters
    ----------
    seconds : `float`
        For how long.
    """
    before = patience()
    _wanted.seconds = seconds
    try:
        yield
    finally:
        _wanted.seconds = before
