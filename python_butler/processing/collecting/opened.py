"""`Opened`: a satellite for as long as one run is collected into it."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Self

from lsst.daf.butler.direct_butler import DirectButler

from ...satellite import Satellite

__all__ = ["Opened"]


class Opened:
    """Butlers for reading and for writing, each opened when it is first needed; a context manager.

    Opening one takes as long as saving a hundred datasets. Neither locks anything outside of transactions.

    Parameters
    ----------
    satellite : `python_butler.satellite.Satellite`
        The satellite.
    """

    def __init__(self, satellite: Satellite) -> None:
        self.satellite = satellite
        self._stack = ExitStack()

    @cached_property
    def reader(self) -> DirectButler:
        """Butler that only reads."""
        reader = self.satellite.reader()
        self._stack.callback(reader.close)
        return reader

    @cached_property
    def writer(self) -> DirectButler:
        """Butler that writes."""
        return self._stack.enter_context(self.satellite.writer())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
