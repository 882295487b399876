"""A personal repository as the backend sees it: read only, re-opened when it changes under our feet."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from lsst.daf.butler import Butler, CollectionInfo, DatasetRef, MissingCollectionError
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.exc import SQLAlchemyError

from ..datastore.path import split_reference
from ..errors import OfficialServerError, SatelliteError
from ..satellite.collections import all_collections
from ..satellite.configuration import REFERENCES_TABLE
from ..satellite.layout import MARKER, read_marker
from ..satellite.storage import opening_failed, storage_of
from ..settings import satellite_directory
from .interrupting import Interrupter
from .memory import Memory
from .models import Repository, RepositoryKind, RepositoryState, StoredFile
from .reports import report
from .repository import QueryWatcher
from .versions import ABSENT, VersionWatch

__all__ = ["PersonalRepository"]

_LOG = logging.getLogger(__name__)

_CONFIGURATION = "butler.yaml"
_REMEMBERED = 3600.0
"""Seconds for which answers are remembered while the repository's version stays the same."""


class PersonalRepository:
    """The satellite of one official repository.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    directory : `pathlib.Path`, optional
        The satellite's directory, if it does not lie at the usual place.
    """

    kind = RepositoryKind.PERSONAL

    def __init__(self, label: str, directory: Path | None = None) -> None:
        self.label = label
        self.directory: Path = directory or satellite_directory(label)
        self.memory = Memory(_REMEMBERED)
        self._watch: VersionWatch | None = None
        self._lock = threading.Lock()
        self._opened: tuple[str, DirectButler, Interrupter] | None = None

    @property
    def exists(self) -> bool:
        """Whether the satellite has been created."""
        return (self.directory / _CONFIGURATION).exists()

    def describe(self) -> Repository:
        """Check now whether the repository can be read.

        Returns
        -------
        repository : `Repository`
            Its state, with the reason when it cannot be read.
        """
        try:
            if not self.exists:
                return self._description(RepositoryState.ABSENT)
            return self._description(RepositoryState.CONNECTED, defaults=self._defaults())
        except Exception as error:
            return self._description(RepositoryState.ERROR, error)

    def unanswered(self) -> Repository:
        """Tell that the repository's storage did not answer in time.

        Returns
        -------
        repository : `Repository`
            In trouble.
        """
        slow = SatelliteError(
            f"The personal repository {self.directory} did not answer in time.",
            "Retry; its disk or database may be slow.",
        )
        return self._description(RepositoryState.ERROR, slow)

    def _description(
        self, state: RepositoryState, failure: Exception | None = None, defaults: Sequence[str] = ()
    ) -> Repository:
        absent = state is RepositoryState.ABSENT
        return Repository(
            kind=self.kind,
            label=self.label,
            state=state,
            error=None if failure is None else report(failure),
            location=str(self.directory),
            default_collections=list(defaults),
            writeable=absent or (failure is None and os.access(self.directory, os.W_OK)),
        )

    def _defaults(self) -> list[str]:
        try:
            self.butler().collections.query_info(self.label)
        except MissingCollectionError:
            return []
        return [self.label]

    def version(self) -> str:
        """Give a word that changes whenever the contents do.

        Returns
        -------
        version : `str`
            ``absent`` if the satellite has not been created.
        """
        if not self.exists:
            return ABSENT
        storage = storage_of(self.directory)
        if storage.database_path is None or storage.locks != "posix":
            # Its word has the database before the first dash, ours before the first dot.
            return storage.version().replace("-", ".", 1)
        with self._lock:
            if self._watch is None or self._watch.path != storage.database_path:
                self._watch = VersionWatch(storage.database_path)
            watch = self._watch
        return watch.word()

    def butler(self) -> Butler:
        """Give a clone for the calling thread, which sees everything committed so far.

        Returns
        -------
        butler : `lsst.daf.butler.Butler`
            The butler, read only.

        Raises
        ------
        SatelliteError
            If the satellite has not been created, or cannot be opened.
        """
        return self._current()[0].clone()

    @contextmanager
    def query(self, watcher: QueryWatcher) -> Iterator[Butler]:
        """Give a clone for one long query.

        Parameters
        ----------
        watcher : `QueryWatcher`
            Told how to end the query.

        Yields
        ------
        butler : `lsst.daf.butler.Butler`
            The butler, read only, for the calling thread.
        """
        butler, interrupter = self._current()
        with interrupter.watched(watcher):
            yield butler.clone()

    def collections(self, butler: Butler) -> Sequence[CollectionInfo]:
        """Read all collections.

        Parameters
        ----------
        butler : `lsst.daf.butler.Butler`
            What `butler` or `query` gave.

        Returns
        -------
        collections : sequence of `lsst.daf.butler.CollectionInfo`
            With documentation and the children of chains, in no order.
        """
        return all_collections(cast(DirectButler, butler))

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
        recorded = butler.get_dataset(ref.id, datastore_records=True)
        tables = {} if recorded is None else recorded._datastore_records or {}
        files = [
            StoredFile(
                name=split_reference(info.path)[3] if table == REFERENCES_TABLE else _relative(info.path),
                size=info.file_size if info.file_size >= 0 else None,
                component=info.component,
                formatter=info.formatter,
                checksum=info.checksum,
                place=RepositoryKind.OFFICIAL if table == REFERENCES_TABLE else RepositoryKind.PERSONAL,
            )
            for table, infos in tables.items()
            for info in infos
            if isinstance(info, StoredFileInfo)
        ]
        try:
            stored = butler.stored(ref)
        except OfficialServerError as error:
            # A reference whose server cannot be asked now; the last that was known of it stands.
            _LOG.info("Not asked for the file of %s: %s", ref.id, error)
            stored = bool(files)
        return files, stored

    def _current(self) -> tuple[DirectButler, Interrupter]:
        if not self.exists:
            raise SatelliteError(
                f"There is no personal repository for {self.label} yet.", "The first put creates it."
            )
        version = self.version()
        with self._lock:
            if self._opened is None or _generation(self._opened[0]) != _generation(version):
                butler = self._open()
                self._opened = (version, butler, Interrupter(butler))
            elif self._opened[0] != version:
                # What the butler keeps of collections and dataset types is as old as its last look.
                self._opened[1]._registry.refresh()
                self._opened = (version, *self._opened[1:])
            return self._opened[1], self._opened[2]

    def _open(self) -> DirectButler:
        if (self.directory / MARKER).exists():
            # Before the database is touched: it may not be of a format that this version understands.
            read_marker(self.directory)
        try:
            butler = Butler.from_config(f"{self.directory.as_uri()}/", writeable=False)
        except SatelliteError:
            raise
        except (OSError, RuntimeError, ImportError) as error:
            raise SatelliteError(
                f"The personal repository {self.directory} cannot be opened.",
                "Check that its directory is complete and readable.",
            ) from error
        except SQLAlchemyError as error:
            storage = storage_of(self.directory)
            if storage.is_sqlite:
                raise
            raise opening_failed(storage, error) from error
        return cast(DirectButler, butler)


def _generation(version: str) -> str:
    """Which file it is, without the count of its changes."""
    return version.partition(".")[0]


def _relative(path: str) -> str:
    """Show a path below the datastore's root as it is, and no more than the name of any other."""
    split = urlsplit(path)
    if split.scheme or path.startswith("/"):
        return split.path.rpartition("/")[2]
    return split.path
