"""Everything that needs the lsst packages, as plain functions that block; `service` calls it in threads.

Importing this module takes seconds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from ..errors import InvalidRequestError, OfficialServerError, UnknownRepositoryError
from .collections import list_collections
from .dataset_types import list_dataset_types
from .details import describe_dataset
from .listing import Listing, count, plan, produce
from .models import (
    CollectionPage,
    DatasetCount,
    DatasetDetails,
    DatasetTypeList,
    Repository,
    RepositoryKind,
    VersionList,
)
from .queries.models import DatasetSearch
from .repositories import Repositories
from .repository import BrowsedRepository
from .runs.overview import Runs
from .streaming import Sink

__all__ = ["Library"]

_T = TypeVar("_T")


class Library:
    """The repositories known here and what can be asked of them.

    Attributes
    ----------
    runs : `Runs`
        The runs of pipelines that write into the personal ones.
    """

    def __init__(self) -> None:
        self._repositories = Repositories()
        self.runs = Runs()

    def all(self) -> list[Callable[[bool], Repository]]:
        """List the repositories.

        Returns
        -------
        describers : `list` of callables
            One per repository, in order: given `False` it checks its state, given `True` it tells without
            asking anybody that the state could not be found out.
        """
        return [self._describer(repository) for repository in self._repositories.all()]

    def _describer(self, repository: BrowsedRepository) -> Callable[[bool], Repository]:
        def describe(late: bool) -> Repository:
            if late:
                return repository.unanswered()
            return self._repositories.describe(repository, now=False)

        return describe

    def repository(self, kind: RepositoryKind, label: str) -> Repository:
        """Check one repository now, and forget what was remembered of it.

        Parameters
        ----------
        kind, label
            Which.

        Returns
        -------
        description : `Repository`
            Its state.
        """
        return self._repositories.describe(self._repositories.find(kind, label), now=True)

    def collections(
        self,
        kind: RepositoryKind,
        label: str,
        parent: str | None,
        folder: str | None,
        offset: int,
        limit: int,
    ) -> CollectionPage:
        """List a stretch of one level; see `list_collections`."""
        with self._using(kind, label) as repository:
            return list_collections(
                repository, None if parent is None else _one(parent), folder, offset, limit
            )

    def dataset_types(self, kind: RepositoryKind, label: str, collection: str) -> DatasetTypeList:
        """List the dataset types of a collection; see `list_dataset_types`."""
        with self._using(kind, label) as repository:
            return DatasetTypeList(dataset_types=list_dataset_types(repository, _one(collection)))

    def plan(self, kind: RepositoryKind, label: str, search: DatasetSearch) -> Listing:
        """Find out how datasets are listed; see `listing.plan`."""
        with self._using(kind, label) as repository:
            _one(search.collection)
            _one(search.dataset_type)
            return plan(repository, search)

    def produce(
        self,
        kind: RepositoryKind,
        label: str,
        listing: Listing,
        limit: int,
        cursor: str | None,
        sink: Sink,
    ) -> str | None:
        """List one page; see `listing.produce`."""
        with self._using(kind, label) as repository:
            return produce(repository, listing, limit, cursor, sink)

    def known_count(self, kind: RepositoryKind, label: str, search: DatasetSearch) -> DatasetCount | None:
        """Give a count that is remembered.

        Returns
        -------
        count : `DatasetCount` or `None`
            The count, or `None` if one must count.
        """
        with self._using(kind, label) as repository:
            question = ("count", search.model_dump_json())
            known = repository.memory.peek(question, version=repository.version())
            return known if isinstance(known, DatasetCount) else None

    def count(self, kind: RepositoryKind, label: str, listing: Listing, sink: Sink) -> DatasetCount:
        """Count and remember it; see `listing.count`."""
        with self._using(kind, label) as repository:
            return repository.memory.get(
                ("count", listing.search.model_dump_json()),
                lambda: count(repository, listing, sink),
                version=repository.version(),
            )

    def dataset(self, kind: RepositoryKind, label: str, dataset_id: UUID) -> DatasetDetails:
        """Describe one dataset; see `describe_dataset`."""
        with self._using(kind, label) as repository:
            return describe_dataset(repository, dataset_id)

    def ask(self, kind: RepositoryKind, label: str, work: Callable[[BrowsedRepository], _T]) -> _T:
        """Have a question answered about one repository.

        Parameters
        ----------
        kind, label
            Which.
        work : callable
            Takes the repository.

        Returns
        -------
        answer
            What `work` returns.
        """
        with self._using(kind, label) as repository:
            return work(repository)

    def ask_both(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, BrowsedRepository | None], _T],
    ) -> _T:
        """Have a question answered about one repository that the other of its label may know more of.

        Parameters
        ----------
        kind, label
            Which.
        work : callable
            Takes the repository, and the official one of a personal or the personal one of an official, if
            there is one.

        Returns
        -------
        answer
            What `work` returns.
        """
        other_kind = next(other for other in RepositoryKind if other is not kind)
        with self._using(kind, label) as repository:
            try:
                other: BrowsedRepository | None = self._repositories.find(other_kind, label)
            except UnknownRepositoryError:
                other = None
            return work(repository, other)

    def ask_long(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, Sink], _T],
        sink: Sink,
    ) -> _T:
        """Have a long query run on one repository; as `ask`, with where to put events."""
        with self._using(kind, label) as repository:
            return work(repository, sink)

    def versions(self) -> VersionList:
        """Give the versions of the personal repositories.

        Returns
        -------
        versions : `VersionList`
            A word for each; for one that cannot be read, a word that says so.
        """
        return VersionList(versions={one.label: _version(one) for one in self._repositories.personal()})

    def files(self) -> object:
        """Give a word on the files of the personal repositories' databases: cheap, nothing is opened.

        Returns
        -------
        word : `object`
            For comparison: another one tells that there may be another version.
        """
        return [_files_of(one.directory) for one in self._repositories.personal()]

    @contextmanager
    def _using(self, kind: RepositoryKind, label: str) -> Iterator[BrowsedRepository]:
        repository = self._repositories.find(kind, label)
        try:
            yield repository
        except OfficialServerError:
            self._repositories.doubt(repository)
            raise


def _version(repository: BrowsedRepository) -> str:
    try:
        return repository.version()
    except Exception:  # whatever is wrong is told when the repository itself is asked for
        return "unreadable"


def _files_of(directory: Path) -> list[tuple[str, int, int, int]]:
    found = []
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            # The database, what it keeps beside it, and the configuration that says where it is.
            if ".sqlite3" in entry.name or entry.name == "butler.yaml":
                with suppress(OSError):
                    status = entry.stat()
                    found.append((entry.name, status.st_ino, status.st_size, status.st_mtime_ns))
    return sorted(found)


def _one(name: str) -> str:
    """Refuse patterns, which upstream would expand to any number of things."""
    if any(character in name for character in "*?["):
        raise InvalidRequestError(f"{name!r} is a pattern, not a name.", "Ask for one by its name.")
    return name
