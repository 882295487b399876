"""An official repository as the backend sees it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from urllib.parse import urlsplit

from lsst.daf.butler import Butler, CollectionInfo, DatasetExistence, DatasetRef, MissingCollectionError
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.remote_butler._remote_butler import RemoteButlerCache

from ..errors import ErrorKind, OfficialServerError, OfflineError, UnknownRepositoryError
from ..official import OfficialConnection, connect, official_url
from ..official.connection import PATIENCE, READ_TIMEOUT
from ..settings import CONNECT_TIMEOUT
from .memory import Memory
from .models import Repository, RepositoryKind, RepositoryState, StoredFile
from .reports import report
from .repository import QueryWatcher

__all__ = ["OfficialRepository"]

_LOG = logging.getLogger(__name__)
_REMEMBERED = 300.0
"""Seconds for which collections, dataset types and counts of an official repository are remembered."""
_PATIENCE = 12.0
"""Seconds for which a short question is asked again when the server is busy."""

_STATES = {
    ErrorKind.TOKEN: RepositoryState.TOKEN,
    ErrorKind.FORBIDDEN: RepositoryState.FORBIDDEN,
    ErrorKind.BUSY: RepositoryState.BUSY,
    ErrorKind.OFFLINE: RepositoryState.OFFLINE,
}


class OfficialRepository:
    """An official repository.

    Parameters
    ----------
    label : `str`
        Its label in the repository index.
    """

    kind = RepositoryKind.OFFICIAL

    def __init__(self, label: str) -> None:
        self.label = label
        self.memory = Memory(_REMEMBERED)
        self._lock = threading.Lock()
        self._url = ""
        self._butler: RemoteButler | None = None
        self._cache = RemoteButlerCache()

    def describe(self) -> Repository:
        """Check now whether the repository can be read.

        Returns
        -------
        repository : `Repository`
            Its state, with the reason when it is not connected.
        """
        try:
            return self._description(defaults=self._check())
        except Exception as error:
            if not isinstance(error, OfficialServerError):
                _LOG.warning("%s cannot be read", self.label, exc_info=error)
            return self._description(error)

    def unanswered(self) -> Repository:
        """Tell that the server did not answer in time.

        Returns
        -------
        repository : `Repository`
            Offline.
        """
        return self._description(
            OfflineError(
                f"The {self.label} server did not answer in time.",
                "Retry; personal data can be used meanwhile.",
            )
        )

    def _description(self, failure: Exception | None = None, defaults: Sequence[str] = ()) -> Repository:
        error = None if failure is None else report(failure)
        state = RepositoryState.CONNECTED
        if error is not None:
            state = _STATES.get(error.kind, RepositoryState.ERROR)
        location = ""
        with contextlib.suppress(UnknownRepositoryError):
            location = urlsplit(official_url(self.label)).netloc.rpartition("@")[2]
        return Repository(
            kind=self.kind,
            label=self.label,
            state=state,
            error=error,
            location=location,
            default_collections=list(defaults),
            writeable=False,
        )

    def _check(self) -> list[str]:
        # Of its own, so that it neither waits for a busy server nor for a slow one.
        with _connected(self.label, self._shared_cache(), patience=0, read_timeout=CONNECT_TIMEOUT) as butler:
            try:
                butler.collections.query_info(self.label)
            except MissingCollectionError:
                return []
            return [self.label]

    def version(self) -> str:
        """Give nothing: an official repository does not tell when it changes.

        Returns
        -------
        version : `str`
            The empty string.
        """
        return ""

    def butler(self) -> Butler:
        """Give the butler for short questions; all threads may share it.

        Returns
        -------
        butler : `lsst.daf.butler.remote_butler.RemoteButler`
            The butler.
        """
        cache = self._shared_cache()
        with self._lock:
            known = self._butler
        if known is not None:
            return known
        # For all, whoever comes first: nothing of their context stays with it.
        made = Context().run(connect, self.label, patience=_PATIENCE, cache=cache)
        with self._lock:
            self._butler = self._butler or made
            return self._butler

    @contextmanager
    def query(self, watcher: QueryWatcher) -> Iterator[Butler]:
        """Give a butler for one long query, on a connection of its own.

        Parameters
        ----------
        watcher : `QueryWatcher`
            Told when the server is busy, and how to end the query.

        Yields
        ------
        butler : `lsst.daf.butler.remote_butler.RemoteButler`
            The butler.
        """
        with _connected(self.label, self._shared_cache(), watcher=watcher) as butler:
            yield butler

    def collections(self, butler: Butler) -> Sequence[CollectionInfo]:
        """Ask for all collections.

        Parameters
        ----------
        butler : `lsst.daf.butler.Butler`
            What `butler` or `query` gave.

        Returns
        -------
        collections : sequence of `lsst.daf.butler.CollectionInfo`
            With documentation and the children of chains, in no order.
        """
        # Asking for each collection's parents would cost a query each; the chains tell all of them.
        return butler.collections.query_info("*", include_doc=True)

    def files(self, butler: Butler, ref: DatasetRef) -> tuple[list[StoredFile], bool]:
        """Give the files of a dataset.

        Parameters
        ----------
        butler : `lsst.daf.butler.Butler`
            What `butler` gave.
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.

        Returns
        -------
        files : `list` [`StoredFile`]
            As the datastore recorded them.
        stored : `bool`
            Whether they are there.
        """
        # Answers with lasting addresses that need the user's token, which are of no use to anybody else.
        source = butler._file_transfer_source
        records = source.get_file_info_for_transfer([ref.id]).get(ref.id, [])
        files = [
            StoredFile(
                name=urlsplit(record.file_info.path).path.rpartition("/")[2],
                size=record.file_info.file_size if record.file_info.file_size >= 0 else None,
                component=record.file_info.component,
                formatter=record.file_info.formatter,
                checksum=record.file_info.checksum,
                place=RepositoryKind.OFFICIAL,
            )
            for record in records
        ]
        return files, bool(files) and self._there(butler, ref)

    def _there(self, butler: Butler, ref: DatasetRef) -> bool:
        try:
            return butler.exists(ref) is DatasetExistence.VERIFIED
        except OfficialServerError:
            raise
        except Exception as error:
            # The object store is another service: its trouble does not make the dataset unknown.
            _LOG.warning("Could not look for the file of dataset %s", ref.id, exc_info=error)
            return True

    def _shared_cache(self) -> RemoteButlerCache:
        """Give what connections share, anew when the label points to another server."""
        url = official_url(self.label)
        with self._lock:
            if url != self._url:
                self._url = url
                self._butler = None
                self._cache = RemoteButlerCache()
                self.memory.forget()
            return self._cache


@contextmanager
def _connected(
    label: str,
    cache: RemoteButlerCache,
    *,
    watcher: QueryWatcher | None = None,
    patience: float = PATIENCE,
    read_timeout: float = READ_TIMEOUT,
) -> Iterator[RemoteButler]:
    butler = connect(
        label,
        cache=cache,
        on_busy=None if watcher is None else watcher.busy,
        patience=patience,
        read_timeout=read_timeout,
    )
    connection = butler._connection
    assert isinstance(connection, OfficialConnection)
    try:
        if watcher is not None:
            watcher.on_cancel(connection.cancel)
        yield butler
    finally:
        connection.close()
