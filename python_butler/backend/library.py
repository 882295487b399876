"""Everything that needs the lsst packages, as plain functions that block; `service` calls it in threads.

Importing this module takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from ..errors import InvalidRequestError, OfficialServerError
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
from .repositories import Repositories
from .repository import BrowsedRepository
from .streaming import Sink

__all__ = ["Library"]


class Library:
    """The repositories known here and what can be asked of them."""

    def __init__(self) -> None:
        self._repositories = Repositories()

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

    def collections(self, kind: RepositoryKind, label: str, parent: str | None, limit: int) -> CollectionPage:
        """List the collections at one level; see `list_collections`."""
        with self._using(kind, label) as repository:
            return list_collections(repository, None if parent is None else _one(parent), limit)

    def dataset_types(self, kind: RepositoryKind, label: str, collection: str) -> DatasetTypeList:
        """List the dataset types of a collection; see `list_dataset_types`."""
        with self._using(kind, label) as repository:
            return DatasetTypeList(dataset_types=list_dataset_types(repository, _one(collection)))

    def plan(self, kind: RepositoryKind, label: str, collection: str, dataset_type: str) -> Listing:
        """Find out how datasets are listed; see `listing.plan`."""
        with self._using(kind, label) as repository:
            return plan(repository, _one(collection), _one(dataset_type))

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

    def known_count(
        self, kind: RepositoryKind, label: str, collection: str, dataset_type: str
    ) -> DatasetCount | None:
        """Give a count that is remembered.

        Returns
        -------
        count : `DatasetCount` or `None`
            The count, or `None` if one must count.
        """
        with self._using(kind, label) as repository:
            known = repository.memory.peek(("count", collection, dataset_type), version=repository.version())
            return known if isinstance(known, DatasetCount) else None

    def count(self, kind: RepositoryKind, label: str, listing: Listing, sink: Sink) -> DatasetCount:
        """Count and remember it; see `listing.count`."""
        with self._using(kind, label) as repository:
            return repository.memory.get(
                ("count", listing.collection, listing.dataset_type.name),
                lambda: count(repository, listing, sink),
                version=repository.version(),
            )

    def dataset(self, kind: RepositoryKind, label: str, dataset_id: UUID) -> DatasetDetails:
        """Describe one dataset; see `describe_dataset`."""
        with self._using(kind, label) as repository:
            return describe_dataset(repository, dataset_id)

    def versions(self) -> VersionList:
        """Give the versions of the personal repositories.

        Returns
        -------
        versions : `VersionList`
            A word for each; for one that cannot be read, a word that says so.
        """
        return VersionList(versions={one.label: _version(one) for one in self._repositories.personal()})

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


def _one(name: str) -> str:
    """Refuse patterns, which upstream would expand to any number of things."""
    if any(character in name for character in "*?["):
        raise InvalidRequestError(f"{name!r} is a pattern, not a name.", "Ask for one by its name.")
    return name
