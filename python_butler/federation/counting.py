"""Counting what several threads do: upstream's counters would lose some of it."""

from __future__ import annotations

from threading import Lock
from typing import override

from lsst.daf.butler import ButlerMetrics
from pydantic import PrivateAttr

__all__ = ["Counting"]


class Counting(ButlerMetrics):
    """Metrics that pass on what they are told, one thread at a time.

    Parameters
    ----------
    metrics : `lsst.daf.butler.ButlerMetrics`
        Metrics that count it.
    """

    _metrics: ButlerMetrics = PrivateAttr()
    _lock: Lock = PrivateAttr(default_factory=Lock)

    def __init__(self, metrics: ButlerMetrics) -> None:
        super().__init__()
        self._metrics = metrics

    @override
    def increment_get(self, duration: float) -> None:
        with self._lock:
            self._metrics.increment_get(duration)

    @override
    def increment_put(self, duration: float) -> None:
        with self._lock:
            self._metrics.increment_put(duration)

    @override
    def increment_ingest(self, duration: float, n_datasets: int) -> None:
        with self._lock:
            self._metrics.increment_ingest(duration, n_datasets)
