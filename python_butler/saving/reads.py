"""Which datasets were read lately: the inputs of what is saved next, unless they are given."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Hashable
from itertools import takewhile

from lsst.daf.butler import DatasetRef

__all__ = ["ReadTracker"]

_REMEMBERED = 10_000
"""Reads that are remembered."""


class ReadTracker:
    """Remembers which datasets one Butler read, and what was saved since; safe to use from threads.

    The inputs of something that is saved are taken to be the datasets that its thread read since it last
    saved under the same name. So each turn of a loop over tracts has its own inputs, and two products
    made of one table both have it. If the thread read nothing, what all threads read counts.
    """

    def __init__(self) -> None:
        self._reads: deque[tuple[int, int, DatasetRef]] = deque(maxlen=_REMEMBERED)
        self._saved: dict[Hashable, int] = {}
        self._count = 0
        self._lock = threading.Lock()

    def read(self, ref: DatasetRef) -> None:
        """Note that a dataset was read.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset, or a component of it.
        """
        if ref.isComponent():
            ref = ref.makeCompositeRef()
        with self._lock:
            self._count += 1
            self._reads.append((self._count, threading.get_ident(), ref))

    def since(self, name: str) -> list[DatasetRef]:
        """Datasets that were read since something was last saved under a name.

        Parameters
        ----------
        name : `str`
            The name.

        Returns
        -------
        refs : `list` [`lsst.daf.butler.DatasetRef`]
            Each once, in the order in which they were read first.
        """
        me = threading.get_ident()
        with self._lock:
            last = self._saved.get((name, me), 0)
            # The last ones first: of the many that are remembered few are new.
            reads = list(takewhile(lambda read: read[0] > last, reversed(self._reads)))[::-1]
        mine = [read for read in reads if read[1] == me]
        return list({ref.id: ref for _, _, ref in mine or reads}.values())

    def saved(self, name: str) -> None:
        """Note that something was saved.

        Parameters
        ----------
        name : `str`
            Under which name.
        """
        with self._lock:
            self._saved[name, threading.get_ident()] = self._count
