"""What a repository says of its collections, remembered for a while to save requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable
from threading import Lock

from lsst.daf.butler import Butler, CollectionInfo, MissingCollectionError

__all__ = ["CollectionMemory"]


class CollectionMemory:
    """Collections of one repository by name, with their summaries.

    Parameters
    ----------
    stamp : callable
        Gives a value that changes when what is remembered is to be forgotten.
    missing_seconds : `float`, optional
        For how long names that were missing are taken to be so even then.
    """

    def __init__(self, stamp: Callable[[], Hashable], *, missing_seconds: float = 0.0) -> None:
        self._stamp = stamp
        self._missing_seconds = missing_seconds
        self._missing: dict[str, float] = {}
        """For each missing name, when it was looked for: each costs a request of its own."""
        self._seen: Hashable = None
        self._known: dict[str, CollectionInfo | None] = {}
        self._lock = Lock()

    def find(self, butler: Butler, names: Iterable[str]) -> dict[str, CollectionInfo]:
        """Look collections up by name.

        Parameters
        ----------
        butler : `lsst.daf.butler.Butler`
            The repository.
        names : iterable of `str`
            Names, without wildcards.

        Returns
        -------
        found : `dict` [`str`, `lsst.daf.butler.CollectionInfo`]
            Those that exist, with documentation and summary, in the order given.
        """
        known = self._current()
        names = list(dict.fromkeys(names))
        if unknown := [name for name in names if name not in known]:
            found = self._ask(butler, unknown)
            with self._lock:
                known.update(found)
                self._missing |= {name: time.monotonic() for name, info in found.items() if info is None}
        return {name: info for name in names if (info := known.get(name)) is not None}

    def recall(self, names: Iterable[str]) -> set[str]:
        """Tell which collections are remembered to exist; the repository is not asked.

        Parameters
        ----------
        names : iterable of `str`
            Names, without wildcards.

        Returns
        -------
        known : `set` [`str`]
            Those of them that existed when they were last looked up.
        """
        return {name for name in names if self._known.get(name) is not None}

    def forget(self) -> None:
        """Ask again from now on."""
        with self._lock:
            self._known = {}
            self._missing = {}

    def _current(self) -> dict[str, CollectionInfo | None]:
        stamp = self._stamp()
        with self._lock:
            if stamp != self._seen:
                since = time.monotonic() - self._missing_seconds
                self._missing = {name: at for name, at in self._missing.items() if at > since}
                self._seen, self._known = stamp, dict.fromkeys(self._missing)
            return self._known

    def _ask(self, butler: Butler, names: list[str]) -> dict[str, CollectionInfo | None]:
        try:
            # The children of chains come with the same request: they are needed next.
            infos = butler.collections.query_info(
                names, flatten_chains=True, include_chains=True, include_summary=True, include_doc=True
            )
        except MissingCollectionError:
            if len(names) == 1:
                return {names[0]: None}
            # One missing name fails the whole request, without saying which it was.
            found: dict[str, CollectionInfo | None] = {}
            for name in names:
                if name not in found:
                    found.update(self._ask(butler, [name]))
            return found
        return dict.fromkeys(names) | {info.name: info for info in infos}
