"""What the routes ask for, with everything that may block in threads of its own."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from .jobs.changes import Changes
from .jobs.queue import JobQueue
from .models import (
    BackendStatus,
    CollectionPage,
    DatasetCount,
    DatasetDetails,
    DatasetTypeList,
    Repository,
    RepositoryKind,
    RepositoryList,
    VersionList,
)
from .queries.models import DatasetSearch
from .streaming import RowStream, Sink
from .streams import Streams
from .workers import Workers, unless_left

if TYPE_CHECKING:
    from .library import Library
    from .repository import BrowsedRepository
    from .runs.overview import Runs

__all__ = ["Service"]

_T = TypeVar("_T")

_PACKAGES = ("lsst-daf-butler", "lsst-images", "lsst-resources", "astropy", "fastapi", "pydantic", "uvicorn")


class Service:
    """Answers to the routes. Make it in any thread, use it in one event loop."""

    def __init__(self) -> None:
        self._workers = Workers()
        self._streams = Streams()
        self._counting: defaultdict[tuple[RepositoryKind, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        self.jobs = JobQueue(self.library, self._streams.slot)
        """Long work on personal repositories."""
        self.changes = Changes(
            self.jobs, self.versions, self._files, lambda: self.ask_runs(lambda runs: runs.word())
        )
        """What a page is told of at once."""

    def start(self) -> None:
        """Begin to load the lsst packages; requests that come meanwhile wait."""
        self._workers.start()

    def cancel(self) -> None:
        """End all queries and interrupt all jobs."""
        self.jobs.end()
        self._streams.cancel()

    async def status(self) -> BackendStatus:
        """Tell which versions run here; answers at once.

        Returns
        -------
        status : `BackendStatus`
            The versions.
        """
        return BackendStatus(
            version=_version("python-butler") or "unknown",
            python=platform.python_version(),
            packages={name: version for name in _PACKAGES if (version := _version(name))},
            pid=os.getpid(),
        )

    async def repositories(self) -> RepositoryList:
        """List all repositories, not waiting long for any of them.

        Returns
        -------
        repositories : `RepositoryList`
            The list.
        """
        library = await self.library()
        describers = await self._workers.run(library.all)
        return RepositoryList(
            repositories=list(
                await asyncio.gather(*(self._workers.in_time(describe) for describe in describers))
            )
        )

    async def repository(self, kind: RepositoryKind, label: str) -> Repository:
        """Check one repository now.

        Parameters
        ----------
        kind, label
            Which.

        Returns
        -------
        repository : `Repository`
            Its state.
        """
        library = await self.library()
        return await self._workers.check(partial(library.repository, kind, label))

    async def collections(
        self,
        kind: RepositoryKind,
        label: str,
        parent: str | None,
        folder: str | None,
        offset: int,
        limit: int,
    ) -> CollectionPage:
        """List a stretch of one level of the tree.

        Parameters
        ----------
        kind, label
            Which repository.
        parent : `str` or `None`
            A chain, or `None` for the top level.
        folder : `str` or `None`
            At the top level, the folder to look into; `None` not to group.
        offset, limit : `int`
            Where to begin, and most entries to give.

        Returns
        -------
        page : `CollectionPage`
            The entries.
        """
        library = await self.library()
        listing = partial(library.collections, kind, label, parent, folder, offset, limit)
        return await self._workers.run(listing, kind)

    async def dataset_types(self, kind: RepositoryKind, label: str, collection: str) -> DatasetTypeList:
        """List the dataset types present in a collection.

        Parameters
        ----------
        kind, label
            Which repository.
        collection : `str`
            Which collection.

        Returns
        -------
        dataset_types : `DatasetTypeList`
            The list.
        """
        library = await self.library()
        return await self._workers.run(partial(library.dataset_types, kind, label, collection), kind)

    async def count(
        self, kind: RepositoryKind, label: str, search: DatasetSearch, left: Callable[[], Awaitable[None]]
    ) -> DatasetCount:
        """Count datasets, one count at a time per repository.

        Parameters
        ----------
        kind, label
            Which repository.
        search : `DatasetSearch`
            What to count.
        left : callable
            Returns when the client has gone away: the count is given up.

        Returns
        -------
        count : `DatasetCount`
            The count.
        """
        library = await self.library()
        return await unless_left(self._count(library, kind, label, search), left)

    async def _count(
        self, library: Library, kind: RepositoryKind, label: str, search: DatasetSearch
    ) -> DatasetCount:
        known = partial(library.known_count, kind, label, search)
        if (count := await self._workers.run(known, kind)) is not None:
            return count
        async with self._counting[kind, label]:
            if (count := await self._workers.run(known, kind)) is not None:
                return count
            listing = await self._workers.run(partial(library.plan, kind, label, search), kind)
            counting = partial(library.count, kind, label, listing)
            return await self._streams.answer(kind, label, counting, exclusive=listing.repeats)

    async def answer(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, Sink], _T],
        left: Callable[[], Awaitable[None]],
    ) -> _T:
        """Have a question answered that takes a streaming query, which gives way to the user's own listings.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Takes the repository and what to tell how to end the query; no events are put. Called again if a
            listing came in between.
        left : callable
            Returns when the client has gone away: the question is given up.

        Returns
        -------
        answer
            What `work` returns.
        """
        library = await self.library()
        asking = partial(library.ask_long, kind, label, work)
        return await unless_left(self._streams.answer(kind, label, asking, exclusive=True), left)

    async def datasets(
        self, kind: RepositoryKind, label: str, search: DatasetSearch, limit: int, cursor: str | None
    ) -> RowStream:
        """List one page of datasets.

        Parameters
        ----------
        kind, label
            Which repository.
        search : `DatasetSearch`
            What to list.
        limit : `int`
            Most datasets.
        cursor : `str` or `None`
            Where the page before ended.

        Returns
        -------
        stream : `RowStream`
            The page, not begun yet.
        """
        library = await self.library()
        listing = await self._workers.run(partial(library.plan, kind, label, search), kind)
        return self._streams.open(kind, label, partial(library.produce, kind, label, listing, limit, cursor))

    async def dataset(self, kind: RepositoryKind, label: str, dataset_id: UUID) -> DatasetDetails:
        """Describe one dataset.

        Parameters
        ----------
        kind, label
            Which repository.
        dataset_id : `uuid.UUID`
            Which dataset.

        Returns
        -------
        details : `DatasetDetails`
            The description.
        """
        library = await self.library()
        return await self._workers.run(partial(library.dataset, kind, label, dataset_id), kind)

    async def versions(self) -> VersionList:
        """Give the versions of the personal repositories.

        Returns
        -------
        versions : `VersionList`
            A word for each.
        """
        library = await self.library()
        return await self._workers.run(library.versions)

    async def ask_runs(self, work: Callable[[Runs], _T]) -> _T:
        """Have a question about runs of pipelines answered in a thread.

        Parameters
        ----------
        work : callable
            Takes what knows them.

        Returns
        -------
        answer
            What `work` returns.
        """
        library = await self.library()
        return await self._workers.run(partial(work, library.runs))

    async def library(self) -> Library:
        """Give what needs the lsst packages, once they are loaded.

        Returns
        -------
        library : `Library`
            To be used in threads.
        """
        return await self._workers.library()

    async def ask(self, kind: RepositoryKind, label: str, work: Callable[[BrowsedRepository], _T]) -> _T:
        """Have a short question about one repository answered in a thread.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Takes the repository; what it needs of the lsst packages it imports itself.

        Returns
        -------
        answer
            What `work` returns.
        """
        library = await self.library()
        return await self._workers.run(partial(library.ask, kind, label, work), kind)

    async def ask_both(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, BrowsedRepository | None], _T],
    ) -> _T:
        """Have a short question about one repository answered that the other of its label knows more of.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Takes the repository, and the official one of a personal or the personal one of an official, if
            there is one.

        Returns
        -------
        answer
            What `work` returns.
        """
        library = await self.library()
        return await self._workers.run(partial(library.ask_both, kind, label, work), kind)

    async def ask_watched(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, BrowsedRepository | None], _T],
        left: Callable[[], Awaitable[None]],
        give_up: Callable[[], None],
    ) -> _T:
        """Have a question answered that takes time and memory, for as long as its client waits.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Takes the repository, and the official one of a personal or the personal one of an official, if
            there is one.
        left : callable
            Returns when the client has gone away.
        give_up : callable
            Makes `work` end soon.

        Returns
        -------
        answer
            What `work` returns.
        """
        library = await self.library()
        return await self._workers.watched(partial(library.ask_both, kind, label, work), left, give_up)

    async def stream(
        self,
        kind: RepositoryKind,
        label: str,
        work: Callable[[BrowsedRepository, Sink], str | None],
        *,
        polite: bool = False,
        exclusive: bool = True,
    ) -> RowStream:
        """Have a long query on one repository run in a thread, as the one query of an official server.

        Parameters
        ----------
        kind, label
            Which repository.
        work : callable
            Takes the repository and where to put events; returns the cursor of the next page.
        polite : `bool`, optional
            Whether it lets queries that run already finish, instead of ending them.
        exclusive : `bool`, optional
            Whether it is a query that an official server runs few of at a time, and so has to be the one.

        Returns
        -------
        stream : `RowStream`
            Not begun yet.
        """
        library = await self.library()
        asking = partial(library.ask_long, kind, label, work)
        return self._streams.open(kind, label, asking, polite=polite, exclusive=exclusive)

    async def _files(self) -> object:
        library = await self.library()
        return await self._workers.run(library.files)


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        # The science pipelines' own installation keeps no such metadata.
        module = sys.modules.get(package.replace("-", "."))
        return str(getattr(module, "__version__", ""))
