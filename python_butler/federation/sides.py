"""The two repositories as one Butler sees them: sessions of its own, and a default data ID."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    CollectionInfo,
    DataCoordinate,
    DatasetType,
    DimensionUniverse,
    MissingDatasetTypeError,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import OfflineError, SatelliteError
from ..satellite import Satellite
from .memory import CollectionMemory
from .shared import Shared, Side

__all__ = ["Sides"]


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
        self._file = ""
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
        version = self._current_version()
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
            self._current_version()
        if self._writer is None:
            satellite = Satellite.create(
                self.shared.label, self.shared.root, universe=self.shared.official.dimensions
            )
            self._writer = self._own(self._stack.enter_context(satellite.writer()))
            self._file = _file_of(self.shared.satellite_version())
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

    def _current_version(self) -> str:
        """Version of the satellite; sessions of one that was moved away or replaced are ended."""
        version = self.shared.satellite_version()
        file = _file_of(version)
        if file != self._file:
            self._stack.close()
            self._reader = self._writer = None
            self._file = file
        return version

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
        if butler.dimensions is not self.universe:
            version = butler.dimensions.version
            butler.close()
            raise SatelliteError(
                f"The satellite in {self.shared.root} has other dimensions than {self.shared.label}: it was "
                f"made for version {version}, the server has {self.universe.version}.",
                "Move it away; a new one is created by the next put.",
            )
        self._stack.callback(butler.close)
        butler._metrics = self.metrics
        if self._defaults is not None:
            butler.registry.defaults = self._defaults
        return butler

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Attempted to use a Butler instance which has been closed.")


def _file_of(version: str) -> str:
    """The part of a satellite's version that tells the database file from another one."""
    return version.partition("-")[0]
