"""What the two kinds of repositories have in common, for the rooms that browse them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from lsst.daf.butler import Butler, CollectionInfo, DatasetRef

from .memory import Memory
from .models import Repository, RepositoryKind, StoredFile

__all__ = ["BrowsedRepository", "QueryWatcher"]


class QueryWatcher(Protocol):
    """Who is told about a long query, and can end it."""

    def busy(self, retry_in: float) -> None:
        """Learn that the server asked to come back later."""

    def on_cancel(self, canceller: Callable[[], None]) -> None:
        """Learn what ends the running query."""


class BrowsedRepository(Protocol):
    """A repository as the backend sees it; everything here may block and is called in threads."""

    kind: RepositoryKind
    label: str
    memory: Memory

    def describe(self) -> Repository:
        """Check now whether it can be read; trouble is part of the answer, never raised."""

    def unanswered(self) -> Repository:
        """Tell, without asking, that there was no answer in time."""

    def version(self) -> str:
        """Give a word that changes with the contents, as far as that can be known."""

    def butler(self) -> Butler:
        """Give a butler for short questions, for the calling thread only."""

    def query(self, watcher: QueryWatcher) -> AbstractContextManager[Butler]:
        """Give a butler for one long query that can be cancelled."""

    def collections(self, butler: Butler) -> Sequence[CollectionInfo]:
        """Ask one of its butlers for all collections, with documentation and the children of chains."""

    def files(self, butler: Butler, ref: DatasetRef) -> tuple[list[StoredFile], bool]:
        """Give the files of a dataset as recorded, and whether they are there."""
