"""`Ahead`: official files are on disk before a worker asks for them, as far ahead as there is room."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lsst.daf.butler import DatasetRef

from ...datastore.file_cache import FileCache
from ...datastore.path import ReferencePath
from ...datastore.prefetching import WORKERS, fetch_file
from ...errors import PythonButlerError, TokenError
from .blame import Blame
from .trouble import PASSING

__all__ = ["Ahead", "File"]

_LOG = logging.getLogger(__name__)

_BYTES = 4_000_000_000
"""Fetched for quanta that have not ended yet, at most."""

_SHARE = 4
"""Part of the cache that is used: another reader must not push out what is about to be needed."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
"""Seconds between two attempts while the server is in trouble."""


@dataclass(frozen=True)
class File:
    """An official file that a quantum reads.

    Attributes
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        Dataset, or the component if that is a file of its own.
    path : `python_butler.datastore.path.ReferencePath`
        Where it is.
    size : `int`
        Bytes; negative if not known.
    """

    ref: DatasetRef
    path: ReferencePath
    size: int

    @property
    def key(self) -> _Key:
        """What tells whether two are the same."""
        return self.ref.id, self.path.component


type _Key = tuple[UUID, str | None]


class Ahead:
    """Fetches the files of quanta into the cache in the order in which they will be needed.

    Threads of its own do it; as a context manager it ends them. A file that is gone, for which there is no
    room, or that alone fails while others come, is left to the quantum that reads it. While the server is
    in trouble it is asked again and again, until that took too long.

    Parameters
    ----------
    files : `~collections.abc.Mapping` [`uuid.UUID`, `~collections.abc.Sequence` [`File`]]
        Files of each quantum.
    order : `~collections.abc.Sequence` [`uuid.UUID`]
        The quanta, in the order in which they will probably be executed.
    cache : `python_butler.datastore.file_cache.FileCache`
        Where files go.
    arrived : callable
        Called from any thread when there may be more quanta whose files are there, or `trouble` changed.
    blame : `python_butler.processing.execution.blame.Blame`
        Tells a file that fails from a server in trouble.
    patience : `float`
        Seconds for which the server may be in trouble.
    """

    def __init__(
        self,
        files: Mapping[UUID, Sequence[File]],
        order: Sequence[UUID],
        cache: FileCache,
        arrived: Callable[[], None],
        blame: Blame,
        patience: float,
    ) -> None:
        self._cache = cache
        self._arrived = arrived
        self._blame = blame
        self._patience = patience
        limit = cache.limit
        self._room = _BYTES if limit is None else min(_BYTES, limit // _SHARE)
        self._files = {quantum: tuple(files.get(quantum, ())) for quantum in order}
        self._waiting = deque(quantum for quantum in order if self._files[quantum])
        self._missing = Counter({quantum: len(self._files[quantum]) for quantum in order})
        self._jobs: deque[File] = deque()
        # Who waits for a file that is being fetched, or will be: many quanta read the same calibration.
        self._coming: dict[_Key, set[UUID]] = {}
        self._held: dict[UUID, int] = {}
        self._lacking: set[UUID] = set()
        self._changed = threading.Condition()
        self._stopped = False
        self._failing_since: float | None = None
        self._trouble: PythonButlerError | None = None
        self._given_up: PythonButlerError | None = None
        # What is not kept on disk is not at hand for another process: there, workers read by themselves.
        self._threads = [
            threading.Thread(target=self._work, name=f"ahead-{i}", daemon=True)
            for i in range(WORKERS if cache.enabled and self._waiting else 0)
        ]
        if not self._threads:
            self._missing.clear()

    def __enter__(self) -> Ahead:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        # A thread in the middle of a download may take long, and harms nobody: it is not waited for.

    def ready(self, quantum: UUID) -> bool:
        """Tell whether all is done that can be done for a quantum in advance.

        Parameters
        ----------
        quantum : `uuid.UUID`
            The quantum.
        """
        return self._missing[quantum] <= 0

    def lacks(self, quantum: UUID) -> bool:
        """Tell whether a quantum reads a file that alone could not be fetched, while others could.

        Parameters
        ----------
        quantum : `uuid.UUID`
            The quantum.
        """
        return quantum in self._lacking

    def ended(self, quantum: UUID) -> None:
        """Note that a quantum needs its files no longer.

        Parameters
        ----------
        quantum : `uuid.UUID`
            One that ended, or will not be executed.
        """
        with self._changed:
            self._held.pop(quantum, None)
            self._missing[quantum] = 0
            self._changed.notify_all()

    @property
    def trouble(self) -> PythonButlerError | None:
        """What is wrong with the server at present, while it is asked again."""
        return self._trouble

    @property
    def given_up(self) -> PythonButlerError | None:
        """What was wrong with the server for too long."""
        return self._given_up

    def _work(self) -> None:
        pause = _FIRST_PAUSE
        while (file := self._next()) is not None:
            began = time.monotonic()
            try:
                fetch_file(file.ref, file.path, file.size, self._cache)
            except tuple(PASSING.values()) as error:
                # Nothing is wrong with a file for want of a token.
                if not isinstance(error, TokenError) and self._blame.note_failure(file.key):
                    _LOG.info("A file could not be fetched in advance, while others could: %s", error)
                    self._note_arrival(file, lacking=True)
                    continue
                self._note_trouble(error)
                self._put_back(file, pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            except Exception as error:
                # Whoever reads it tells what is wrong, in the log of the quantum.
                _LOG.info("A file could not be fetched in advance: %s", error)
            else:
                self._blame.note_success(began)
            pause = _FIRST_PAUSE
            self._note_arrival(file)

    def _next(self) -> File | None:
        """The next file that is not there yet; `None` when there will be no more to do."""
        with self._changed:
            while not self._stopped and self._given_up is None:
                if self._jobs:
                    file = self._jobs.popleft()
                    if self._coming[file.key] & self._held.keys():
                        return file
                    del self._coming[file.key]
                elif self._waiting and self._has_room():
                    self._begin(self._waiting.popleft())
                else:
                    self._changed.wait()
            return None

    def _note_arrival(self, file: File, *, lacking: bool = False) -> None:
        with self._changed:
            self._failing_since = self._trouble = None
            for quantum in self._coming.pop(file.key):
                self._missing[quantum] -= 1
                if lacking:
                    self._lacking.add(quantum)
        self._arrived()

    def _has_room(self) -> bool:
        # However big: without one there would be none.
        return not self._held or sum(self._held.values()) < self._room

    def _begin(self, quantum: UUID) -> None:
        if self._missing[quantum] <= 0:
            return
        # The same file may come under several names.
        files = {file.key: file for file in self._files[quantum]}
        wanted = [
            file
            for file in files.values()
            if not self._cache.known_to_cache(file.ref, file.path.getExtension())
        ]
        self._held[quantum] = sum(max(file.size, 0) for file in files.values())
        self._missing[quantum] = len(wanted)
        for file in wanted:
            if file.key not in self._coming:
                self._coming[file.key] = set()
                self._jobs.append(file)
            self._coming[file.key].add(quantum)
        self._changed.notify_all()
        if not wanted:
            self._arrived()

    def _note_trouble(self, error: PythonButlerError) -> None:
        now = time.monotonic()
        with self._changed:
            self._trouble = error
            if self._failing_since is None:
                self._failing_since = now
            if now - self._failing_since > self._patience:
                self._given_up = error
            self._changed.notify_all()
        self._arrived()

    def _put_back(self, file: File, pause: float) -> None:
        """Have a file fetched again, but not at once, and after those that were not tried yet."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, pause)
            self._jobs.append(file)
            self._changed.notify_all()
