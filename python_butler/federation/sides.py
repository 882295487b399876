"""The two repositories behind one Butler, and what is remembered about them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from threading import Lock

from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    CollectionInfo,
    DataCoordinate,
    DataIdValue,
    DatasetType,
    DimensionElement,
    DimensionUniverse,
    MissingDatasetTypeError,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import OfflineError, SatelliteError
from ..official import OfficialConnection
from ..satellite import Satellite
from .cursors import OpenQueries
from .memory import CollectionMemory
from .reach import Reach

__all__ = ["Shared", "Side", "Sides"]

MEMORY_SECONDS = 60.0
"""For how long official collections are taken to be as they were."""


class Side(StrEnum):
    """Which repository."""

    OFFICIAL = "official"
    PERSONAL = "personal"


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
        # Notes of the ledger of dimension records, see there.
        self.common_records: dict[DimensionElement, set[tuple[DataIdValue, ...]]] = {}
        self.private_elements: dict[DimensionElement, tuple[str, bool]] = {}
        self.reach = Reach(label, official)
        self._missing_types: dict[str, Hashable] = {}
        self._users = 0
        self._lock = Lock()
        self.collections = {
            Side.OFFICIAL: CollectionMemory(self._official_stamp),
            Side.PERSONAL: CollectionMemory(self.satellite_version),
        }

    def misses(self, dataset_type: str) -> bool:
        """Whether the official repository did not know a dataset type a moment ago."""
        return self._missing_types.get(dataset_type) == self._official_stamp()

    def miss(self, dataset_type: str) -> None:
        """Note that the official repository does not know a dataset type."""
        self._missing_types[dataset_type] = self._official_stamp()

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
        connection = self.official._connection
        if last and isinstance(connection, OfficialConnection):
            connection.close()

    @property
    def satellite(self) -> Satellite | None:
        """The satellite, if it has been created."""
        return Satellite.open(self.label, self.root) if Satellite.exists(self.label, self.root) else None

    def satellite_version(self) -> str:
        """Word that changes with the content of the satellite."""
        return Satellite(self.label, self.root).version()

    def _official_stamp(self) -> Hashable:
        return int(time.monotonic() / self._memory_seconds) if self._memory_seconds else time.monotonic()


class Sides:
    """The two repositories as one Butler sees them: with its default data ID and its own sessions.

    Parameters
    ----------
    shared : `Shared`
        What clones share.
    writeable : `bool`
        Whether the satellite may be written.
    metrics : `lsst.daf.butler.ButlerMetrics`
        Where both sides count.
    """

    def __init__(self, shared: Shared, *, writeable: bool, metrics: ButlerMetrics) -> None:
        self.shared = shared
        self.writeable = writeable
        self.metrics = metrics
        shared.enter()
        self._official = shared.official
        self._defaults: RegistryDefaults | None = None
        self._reader: DirectButler | None = None
        self._reader_version = ""
        self._writer: DirectButler | None = None
        self._transactions = 0
        self._stack = ExitStack()
        self._closed = False

    @property
    def official(self) -> RemoteButler:
        """The official repository, with the default data ID."""
        self._check_open()
        return self._official

    @property
    def universe(self) -> DimensionUniverse:
        """Dimensions of both repositories."""
        return self.shared.official.dimensions

    def use_default_data_id(self, data_id: DataCoordinate) -> None:
        """Complete data IDs with these values on both sides.

        Parameters
        ----------
        data_id : `lsst.daf.butler.DataCoordinate`
            Values of governor dimensions.
        """
        self._defaults = RegistryDefaults.from_data_id(data_id)
        base = self.shared.official
        # Not a clone, which would lose the cache of files.
        self._official = RemoteButler(
            connection=base._connection,
            cache=base._cache,
            defaults=self._defaults,
            use_disabled_datastore_cache=base._use_disabled_datastore_cache,
            metrics=self.metrics,
        )
        for butler in (self._reader, self._writer):
            if butler is not None:
                butler.registry.defaults = self._defaults

    @property
    def personal(self) -> DirectButler | None:
        """The satellite for reading, up to date; `None` if it has not been created.

        Within a transaction this is the writer, which alone sees what is not committed yet.
        """
        self._check_open()
        if self._transactions:
            return self.writer
        version = self.shared.satellite_version()
        if self._reader is None:
            satellite = self.shared.satellite
            if satellite is None:
                return None
            self._reader = self._own(satellite.reader())
        elif version != self._reader_version:
            self._reader.registry.refresh()
        self._reader_version = version
        return self._reader

    @property
    def writer(self) -> DirectButler:
        """The satellite for writing, created if need be. It holds no lock between two writes."""
        self._check_open()
        if not self.writeable:
            raise TypeError("Butler is read-only.")
        if not self._transactions:
            self.shared.open_queries.let_go()
        if self._writer is None:
            satellite = Satellite.create(
                self.shared.label, self.shared.root, universe=self.shared.official.dimensions
            )
            butler = self._own(self._stack.enter_context(satellite.writer()))
            if butler.dimensions is not self.universe:
                raise SatelliteError(
                    f"The satellite in {satellite.root} has other dimensions than {self.shared.label}: it "
                    f"was made for version {butler.dimensions.version}, the server has "
                    f"{self.universe.version}.",
                    "Move it away; a new one is created by the next put.",
                )
            self._writer = butler
        return self._writer

    @property
    def offline(self) -> bool:
        """Whether the official server cannot be reached, so that only the satellite is used."""
        return self.shared.reach.lost

    @property
    def in_transaction(self) -> bool:
        """Whether there may be writes that are not committed yet."""
        return self._transactions > 0

    @contextmanager
    def transaction(self, *, savepoint: bool = False) -> Iterator[None]:
        """Write all or nothing.

        Parameters
        ----------
        savepoint : `bool`, optional
            Whether an inner transaction can be undone without the outer one.
        """
        with ExitStack() as stack:
            if savepoint:
                stack.enter_context(self.writer.registry.transaction(savepoint=True))
            else:
                stack.enter_context(self.writer.transaction())
            self._transactions += 1
            try:
                yield
            finally:
                self._transactions -= 1
                self.changed()

    def changed(self) -> None:
        """Note that the satellite was written."""
        self._reader_version = ""
        self.shared.collections[Side.PERSONAL].forget()

    def refresh(self) -> None:
        """Forget everything that is remembered about both repositories."""
        self.changed()
        self.shared.reach.retry()
        self.shared.forget_official()
        if self._writer is not None:
            self._writer.registry.refresh()

    def butler(self, side: Side) -> Butler | None:
        """The repository on one side.

        Parameters
        ----------
        side : `Side`
            Which.

        Returns
        -------
        butler : `lsst.daf.butler.Butler` or `None`
            `None` for a satellite that has not been created, and for a server that cannot be
            reached.
        """
        if side is Side.PERSONAL:
            return self.personal
        return None if self.offline else self.official

    def collections(self, side: Side, names: list[str]) -> dict[str, CollectionInfo]:
        """Collections that exist on one side.

        Parameters
        ----------
        side : `Side`
            Which.
        names : `list` [`str`]
            Names, without wildcards.

        Returns
        -------
        found : `dict` [`str`, `lsst.daf.butler.CollectionInfo`]
            Those that exist there.
        """
        butler = self.butler(side)
        if butler is None:
            return {}
        if self._transactions and side is Side.PERSONAL:
            return CollectionMemory(lambda: None).find(butler, names)
        return self._unless_lost(lambda: self.shared.collections[side].find(butler, names)) or {}

    def dataset_type(self, side: Side, name: str) -> DatasetType | None:
        """Dataset type as one side defines it.

        Parameters
        ----------
        side : `Side`
            Which.
        name : `str`
            Name of the dataset type or of a component.

        Returns
        -------
        dataset_type : `lsst.daf.butler.DatasetType` or `None`
            `None` if the side does not know it.
        """
        butler = self.butler(side)
        if butler is None:
            return None
        if side is Side.OFFICIAL and self.shared.misses(name):
            return None
        try:
            return self._unless_lost(lambda: butler.get_dataset_type(name))
        except MissingDatasetTypeError:
            if side is Side.OFFICIAL:
                self.shared.miss(name)
            return None

    def count_into(self, metrics: ButlerMetrics) -> None:
        """Count usage somewhere else.

        Parameters
        ----------
        metrics : `lsst.daf.butler.ButlerMetrics`
            Where both sides count from now on.
        """
        self.metrics = metrics
        for butler in (self._official, self._reader, self._writer):
            if butler is not None and butler is not self.shared.official:
                butler._metrics = metrics

    def close(self) -> None:
        """Close the sessions of this Butler; what clones share stays open."""
        if self._closed:
            return
        self._closed = True
        self._stack.close()
        self._reader = self._writer = None
        self.shared.leave()

    def _unless_lost[T](self, ask: Callable[[], T]) -> T | None:
        """Go on without the official server if there is a satellite to go on with."""
        try:
            return ask()
        except OfflineError as error:
            if self.personal is None:
                raise
            self.shared.reach.lose(error)
            return None

    def _own(self, butler: DirectButler) -> DirectButler:
        self._stack.callback(butler.close)
        butler._metrics = self.metrics
        if self._defaults is not None:
            butler.registry.defaults = self._defaults
        return butler

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Attempted to use a Butler instance which has been closed.")
