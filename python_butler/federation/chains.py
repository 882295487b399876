"""`Chains`: the versions of names in the satellite, each a run, under one chain, newest first."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsst.daf.butler.direct_butler import DirectButler

from ..satellite.versions import newest_of, publish, split_run, version_number, versions_in
from ..saving.names import run_of

if TYPE_CHECKING:
    from .saving import SavingButler

__all__ = ["Chains"]


@dataclass
class _Remembered:
    """What was found in a satellite before, and stays true as long as it is the same database."""

    database: str = ""
    runs: set[str] = field(default_factory=set)
    newest: dict[str, tuple[str, str]] = field(default_factory=dict)
    """For chains, the version of the satellite that was looked at, and the newest run."""


class Chains:
    """Begins, reserves and finds the versions of what one Butler saves.

    Parameters
    ----------
    butler : `SavingButler`
        The Butler.
    """

    def __init__(self, butler: SavingButler) -> None:
        self._butler = butler
        self._sides = butler._sides
        self._known = _Remembered()
        self._lock = threading.Lock()

    def ensure_run(self, run: str) -> None:
        """Register a run that the user names.

        Parameters
        ----------
        run : `str`
            A personal run.

        Raises
        ------
        python_butler.errors.OfficialRunError
            If it belongs to the official repository.
        """
        runs = self._remembered().runs
        if run not in runs:
            self._butler.collections.check_writeable(run)
            self._butler.collections.register(run)
            runs.add(run)

    def begin(self, chain: str, after: int) -> str:
        """Begin the next version of a name, unless somebody has.

        Parameters
        ----------
        chain : `str`
            Chain over its versions.
        after : `int`
            Number of the newest version that will not do.

        Returns
        -------
        run : `str`
            Run of the newest version, which is in the chain.

        Raises
        ------
        InvalidRequestError
            If there is a collection in place of the chain that is none.
        """
        self._butler.collections.check_writeable(chain)
        while True:
            with self._butler._changing() as writer, self._sides.transaction():
                newest = newest_of(writer, chain)
                if newest is not None and version_number(newest) > after:
                    return newest
                run = _next(writer, chain, after)
                if writer.collections.register(run) or newest_of(writer, chain) == run:
                    publish(writer, run)
                    return run
            # Somebody has reserved it in this moment.
            after = version_number(run)

    def reserve(self, chain: str, after: int = 0) -> str:
        """Register a run for a version that nobody else uses, and that is not in the chain yet.

        Parameters
        ----------
        chain : `str`
            Chain over the versions.
        after : `int`, optional
            A number that its number is above.

        Returns
        -------
        run : `str`
            The run. See `python_butler.satellite.versions.publish`.
        """
        self._butler.collections.check_writeable(chain)
        while True:
            with self._butler._changing() as writer, self._sides.transaction():
                newest_of(writer, chain)
                run = _next(writer, chain, after)
                if writer.collections.register(run):
                    return run
            after = version_number(run)

    def newest(self, chain: str) -> str | None:
        """Find the newest version, from memory if the satellite has not changed.

        Parameters
        ----------
        chain : `str`
            Chain over the versions.

        Returns
        -------
        run : `str` or `None`
            Its run; `None` if there is none.
        """
        known = self._remembered().newest
        version = self._sides.shared.satellite_version()
        remembered = known.get(chain)
        if remembered is not None and remembered[0] == version and not self._sides.in_transaction:
            return remembered[1]
        reader = self._sides.writer if self._sides.in_transaction else self._sides.reader
        newest = newest_of(reader, chain)
        if newest is not None:
            known[chain] = (version, newest)
        return newest

    def still_newest(self, run: str) -> None:
        """Remember the newest version over the change of the satellite that writing to it made.

        Should somebody else have begun the next one in this moment, a data ID that is in neither may go to
        this one, as if it had been saved before.

        Parameters
        ----------
        run : `str`
            The run that was written to.
        """
        parts = split_run(run)
        newest = self._remembered().newest
        if parts is not None and not self._sides.in_transaction:
            remembered = newest.get(parts[0])
            if remembered is not None and remembered[1] == run:
                newest[parts[0]] = (self._sides.shared.satellite_version(), run)

    def forget(self) -> None:
        """Look everything up again."""
        with self._lock:
            self._known = _Remembered()

    def _remembered(self) -> _Remembered:
        database = self._sides.shared.satellite_version().partition("-")[0]
        with self._lock:
            if self._known.database != database:
                self._known = _Remembered(database)
            return self._known


def _next(writer: DirectButler, chain: str, after: int) -> str:
    # A version that was retired or reserved keeps its number.
    numbers = [version_number(each) for each in versions_in(writer, chain)]
    return run_of(chain, max([after, *numbers]) + 1)
