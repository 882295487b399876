"""What all clones of one Butler share: the two repositories, and what is remembered about them."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import Lock, RLock

from lsst.daf.butler.remote_butler import RemoteButler

from ..official import disconnect
from ..satellite import Satellite
from .compared import Compared
from .cursors import OpenQueries
from .memory import CollectionMemory
from .reach import Reach
from .sessions import Threads

__all__ = ["Shared", "Side"]

MEMORY_SECONDS = 60.0
"""For how long official collections are taken to be as they were."""

_MISSING_MEMORIES = 10
"""How many times as long the names of collections are taken to be none of the official ones."""


class Side(StrEnum):
    """Which repository."""

    OFFICIAL = "official"
    PERSONAL = "personal"


@dataclass
class RecordNotes:
    """Notes of the ledger of dimension records, see there."""

    lock: RLock = field(default_factory=RLock)
    database: str = ""
    """Identity of the satellite's database that they are about."""
    compared: dict[str, Compared] = field(default_factory=dict)
    current: dict[str, str] = field(default_factory=dict)
    """For each element, version of the satellite up to which it was compared."""
    official_counts: dict[Hashable, tuple[Hashable, int]] = field(default_factory=dict)


class Shared:
    """What all clones of one Butler share; safe to use from several threads.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository, without default collections or data ID.
    root : `pathlib.Path`
        Directory of the satellite; it need not exist.
    memory_seconds : `float`, optional
        For how long official collections are taken to be as they were.
    """

    def __init__(
        self, label: str, official: RemoteButler, root: Path, *, memory_seconds: float = MEMORY_SECONDS
    ) -> None:
        self.label = label
        self.official = official
        self.root = root
        self._memory_seconds = memory_seconds
        self.open_queries = OpenQueries()
        self.records = RecordNotes()
        self.reach = Reach(official, lambda: self.satellite is not None)
        self.threads = Threads()
        self.bringing = Lock()
        """Held by the thread that brings dimension records to the satellite."""
        self.written: object = None
        """Another one after each write to the satellite by this process."""
        self._missing_types: dict[str, Hashable] = {}
        self._users = 0
        self._lock = Lock()
        self.collections = {
            Side.OFFICIAL: CollectionMemory(
                self.official_stamp, missing_seconds=_MISSING_MEMORIES * memory_seconds
            ),
            Side.PERSONAL: CollectionMemory(self.satellite_version),
        }

    def misses(self, dataset_type: str) -> bool:
        """Whether the official repository did not know a dataset type a moment ago."""
        return self._missing_types.get(dataset_type) == self.official_stamp()

    def miss(self, dataset_type: str) -> None:
        """Note that the official repository does not know a dataset type."""
        self._missing_types[dataset_type] = self.official_stamp()

    def forget_official(self) -> None:
        """Ask the server anew for everything that it has answered."""
        self.collections[Side.OFFICIAL].forget()
        self._missing_types.clear()
        with self.official._cache.access() as cache:
            cache.dataset_types.clear()

    def enter(self) -> None:
        """Note that one more Butler uses the connection."""
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        """Note that one Butler less uses the connection; the last one closes it."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            disconnect(self.official)

    @property
    def satellite(self) -> Satellite | None:
        """The satellite, if it has been created."""
        return Satellite.open(self.label, self.root) if Satellite.exists(self.label, self.root) else None

    def satellite_version(self) -> str:
        """Word that changes with the content of the satellite."""
        return Satellite(self.label, self.root).version()

    def official_stamp(self) -> Hashable:
        """Value that changes when what is remembered of the official repository is out of date."""
        return int(time.monotonic() / self._memory_seconds) if self._memory_seconds else time.monotonic()
