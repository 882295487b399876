"""The two repositories as one Butler sees them: sessions of its own, and a default data ID."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext

from lsst.daf.butler import (
    Butler,
    ButlerMetrics,
    CollectionInfo,
    DataCoordinate,
    DatasetRef,
    DatasetType,
    DimensionUniverse,
    MissingDatasetTypeError,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import RegistryDefaults
from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import OfflineError, QueryFailedError, SatelliteError
from ..satellite import Satellite
from ..satellite.place import Place
from ..satellite.storage import storage_of
from ..satellite.usage.room import whole_or_not
from ..saving.claim import held
from ..saving.reads import ReadTracker
from .counting import Counting
from .memory import CollectionMemory
from .official import OfficialSide
from .safety import ReadOnlyError
from .scratch import ScratchPool
from .sessions import Session, Sessions, writing_alone
from .shared import Shared, Side
from .spooled import Spooled

__all__ = ["Sides"]


class Sides:
    """The two repositories as one Butler sees them: with its default data ID and its own sessions.

    Safe to use from several threads, each of which has its own session and its own transactions.

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
        self.reads = ReadTracker()
        self.writeable = writeable
        self._metrics = Counting(metrics)
        shared.enter()
        self._official: RemoteButler = shared.official
        self._defaults: RegistryDefaults | None = None
        self._sessions = Sessions(shared.threads)
        self._closed = False
        self.spooled = Spooled(self)
        self.scratches = ScratchPool(self.universe, self._gathering_stamp)

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
        self._official = OfficialSide.of(
            self.shared.official, self.shared.label, self._defaults, self._metrics, self.reads
        )

    @property
    def personal(self) -> DirectButler | None:
        """The satellite for reading, up to date; `None` if it has not been created.

        Within a transaction this is the writer, which alone sees what is not committed yet.
        """
        self._check_open()
        session = self._sessions.mine
        if session.transactions:
            return self.writer
        seen = self._current(session)
        if session.reader is None:
            opened = self._sessions.clone(self._database, self._open_reader, writeable=False)
            if opened is None:
                return None
            session.database, session.reader, is_new = opened
            if not is_new:
                session.reader.registry.refresh()
        elif seen != session.seen:
            session.reader.registry.refresh()
        session.seen = seen
        return self._tuned(session.reader)

    @property
    def reader(self) -> DirectButler:
        """The satellite for reading what is looked up in the database each time; it must be there.

        What upstream remembers, such as the children of chains, may be out of date; nothing is
        committed and nobody is waited for.
        """
        session = self._sessions.mine
        self._current(session)
        reader = session.reader if session.reader is not None and not session.transactions else self.personal
        assert reader is not None, "it was created"
        return reader

    @property
    def personal_exists(self) -> bool:
        """Whether there is a satellite; it is not opened."""
        return self.personal_is_open or self.shared.satellite is not None

    @property
    def personal_is_open(self) -> bool:
        """Whether the satellite was opened before, so that using it again costs little."""
        session = self._sessions.mine
        return session.reader is not None or session.transactions > 0

    @property
    def writer(self) -> DirectButler:
        """The satellite for writing, created if need be. It holds no lock between two writes."""
        self._check_open()
        if not self.writeable:
            raise ReadOnlyError("Butler is read-only.")
        session = self._sessions.mine
        if session.writer is not None and session.transactions:
            return self._tuned(session.writer)
        self.shared.open_queries.let_go()
        self._current(session)
        written = self.shared.written
        if session.writer is None:
            opened = self._sessions.clone(self._database, self._open_writer, writeable=True)
            assert opened is not None, "created if need be"
            session.database, session.writer, is_new = opened
            session.written = written if is_new else object()
        if session.written is not written:
            # Another thread has changed what this one remembers.
            session.writer.registry.refresh()
            session.written = written
        return self._tuned(session.writer)

    def spare_writer(self, database: str) -> DirectButler | None:
        """A Butler for a thread that commits what is spooled, see `Sessions.spare_writer`."""
        return self._sessions.spare_writer(database)

    @contextmanager
    def writing(self) -> Iterator[DirectButler]:
        """Write, while no other thread of this process does.

        Yields
        ------
        writer : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite for writing.
        """
        if not self.in_transaction:
            # Whoever writes now may wait for these.
            self.shared.open_queries.let_go()
        try:
            with writing_alone(self.shared.root) if self._is_locked_whole() else nullcontext():
                yield self.writer
        finally:
            self.changed()

    def _is_locked_whole(self) -> bool:
        try:
            return storage_of(self.shared.root).is_sqlite
        except SatelliteError:
            # It is still to be made.
            return True

    @property
    def offline(self) -> bool:
        """Whether the official server cannot be reached, so that only the satellite is used."""
        return self.shared.reach.lost

    @property
    def in_transaction(self) -> bool:
        """Whether this thread may have written what is not committed yet."""
        return self._sessions.mine.transactions > 0

    @contextmanager
    def transaction(self, *, savepoint: bool = False) -> Iterator[None]:
        """Write all or nothing.

        Parameters
        ----------
        savepoint : `bool`, optional
            Whether an inner transaction can be undone without the outer one.
        """
        session = self._sessions.mine
        with self.writing() as writer, ExitStack() as stack:
            if not self.in_transaction:
                stack.callback(session.end)
            place = Place(self.shared.label, self.shared.root)
            stack.enter_context(whole_or_not(place, writer))
            if savepoint:
                stack.enter_context(writer.registry.transaction(savepoint=True))
            else:
                stack.enter_context(writer.transaction())
            session.transactions += 1
            try:
                yield
            finally:
                session.transactions -= 1

    @contextmanager
    def claiming(self, refs: Iterable[DatasetRef]) -> Iterator[None]:
        """Keep everybody from spooling datasets until they are written; in a transaction, until that ends.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            The datasets that are about to be written.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If one of them is in the spool, or being written by somebody else.
        """
        with ExitStack() as stack:
            if self.in_transaction:
                self._sessions.mine.claims.claim(self.shared.root, refs)
            else:
                stack.enter_context(held(self.shared.root, refs))
            yield

    def when_written(self, action: Callable[[], object]) -> None:
        """Do something since this thread has written; in a transaction, once more when that ends.

        Parameters
        ----------
        action : callable
            What is to be done: until the transaction ends, others find what was there before.
        """
        action()
        if self.in_transaction:
            self._sessions.mine.afterwards.append(action)

    def changed(self) -> None:
        """Note that this thread has written the satellite."""
        session = self._sessions.mine
        known = session.written is self.shared.written
        self.shared.written = written = object()
        if known:
            session.written = written
        self.shared.collections[Side.PERSONAL].forget()

    def refresh(self) -> None:
        """Forget everything that is remembered about both repositories."""
        self._sessions.mine.written = object()
        self.changed()
        self.shared.reach.retry()
        self.shared.forget_official()

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
            reached if there is a satellite: without one, the server itself says what is wrong.
        """
        if side is Side.PERSONAL:
            return self.personal
        return None if self.offline and self.personal_exists else self.official

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
        # Not even a look at the satellite, which it takes long to open, if there is nothing to look for.
        butler = self.butler(side) if names else None
        if butler is None:
            return {}
        if side is Side.PERSONAL and self.in_transaction:
            return CollectionMemory(lambda: None).find(butler, names)
        return self.unless_lost(lambda: self.shared.collections[side].find(butler, names)) or {}

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
            return self.unless_lost(lambda: butler.get_dataset_type(name))
        except MissingDatasetTypeError:
            if side is Side.OFFICIAL:
                self.shared.miss(name)
            return None

    def unless_lost[T](self, ask: Callable[[], T]) -> T | None:
        """Go on without the official server if there is a satellite to go on with.

        Parameters
        ----------
        ask : callable
            Asks one side.

        Returns
        -------
        answer : object or `None`
            `None` if the server turned out to be out of reach.
        """
        try:
            return ask()
        except OfflineError as error:
            if self.personal is None or isinstance(error, QueryFailedError):
                raise
            self.shared.reach.lose(error)
            return None

    def count_into(self, metrics: ButlerMetrics) -> None:
        """Count usage somewhere else.

        Parameters
        ----------
        metrics : `lsst.daf.butler.ButlerMetrics`
            Where both sides count from now on.
        """
        self._metrics = Counting(metrics)
        if self._official is not self.shared.official:
            self._official._metrics = self._metrics

    def close(self) -> None:
        """Close the sessions of this Butler; what clones share stays open."""
        if self._closed:
            return
        self._closed = True
        self._sessions.close()
        self.scratches.close()
        self.shared.leave()

    def _current(self, session: Session) -> Hashable:
        """What tells whether the satellite has changed; what is open of one that was replaced is left."""
        # Read in this order: what is written in between is seen once more, and not never.
        written, version = self.shared.written, self.shared.satellite_version()
        if _database_of(version) != session.database:
            session.reader = session.writer = None
        return written, version

    def _database(self) -> str:
        return _database_of(self.shared.satellite_version())

    def _open_reader(self, stack: ExitStack) -> DirectButler | None:
        satellite = self.shared.satellite
        return None if satellite is None else self._own(stack, satellite.reader())

    def _open_writer(self, stack: ExitStack) -> DirectButler:
        satellite = Satellite.create(
            self.shared.label, self.shared.root, universe=self.shared.official.dimensions
        )
        return self._own(stack, stack.enter_context(satellite.writer()))

    def _gathering_stamp(self) -> Hashable | None:
        if self.in_transaction:
            return None
        return self.shared.written, self.shared.satellite_version(), self.shared.official_stamp()

    def _own(self, stack: ExitStack, butler: DirectButler) -> DirectButler:
        stack.callback(butler.close)
        if butler.dimensions is not self.universe:
            raise SatelliteError(
                f"The satellite in {self.shared.root} has other dimensions than {self.shared.label}: it was "
                f"made for version {butler.dimensions.version}, the server has {self.universe.version}.",
                "Move it away; a new one is created by the next put.",
            )
        return butler

    def _tuned(self, butler: DirectButler) -> DirectButler:
        butler._metrics = self._metrics
        if self._defaults is not None and butler.registry.defaults is not self._defaults:
            butler.registry.defaults = self._defaults
        return butler

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("Attempted to use a Butler instance which has been closed.")


def _database_of(version: str) -> str:
    """The part of a satellite's version that tells the database from another one."""
    return version.partition("-")[0]
