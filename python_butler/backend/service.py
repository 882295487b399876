"""What the routes ask for, with everything that may block in threads of its own.

This is where the lsst packages are loaded: in a thread, as soon as the socket listens, while requests wait.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import os
import platform
import sys
import weakref
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import anyio
import anyio.to_thread

from ..errors import BackendUnavailableError
from ..settings import CONNECT_TIMEOUT
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
from .streaming import RowStream, Sink, Slot

if TYPE_CHECKING:
    from .library import Library
    from .listing import Listing

__all__ = ["Service"]

_T = TypeVar("_T")
_Key = tuple[RepositoryKind, str]

_LOG = logging.getLogger(__name__)
_PACKAGES = ("lsst-daf-butler", "lsst-images", "lsst-resources", "astropy", "fastapi", "pydantic", "uvicorn")


class Service:
    """Answers to the routes. Make it in any thread, use it in one event loop."""

    def __init__(self) -> None:
        # Few threads, and of our own: what blocks here must not keep others from theirs. A server that
        # hangs must not keep anybody from personal data, nor from looking whether it is back.
        self._threads = anyio.CapacityLimiter(4)
        self._asking = {kind: anyio.CapacityLimiter(4) for kind in RepositoryKind}
        self._streaming = anyio.CapacityLimiter(4)
        self._checking = anyio.CapacityLimiter(16)
        self._library: Library | None = None
        self._loading = asyncio.Lock()
        self._slots: defaultdict[_Key, Slot] = defaultdict(Slot)
        self._counting: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._streams: weakref.WeakSet[RowStream] = weakref.WeakSet()
        self._early: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load the lsst packages; requests that come meanwhile wait."""
        self._early = asyncio.create_task(self._load_early())

    def cancel(self) -> None:
        """End all queries."""
        for stream in list(self._streams):
            stream.cancel()

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
        library = await self._ready()
        describers = await self._run(library.all)
        return RepositoryList(
            repositories=list(await asyncio.gather(*(self._in_time(describe) for describe in describers)))
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
        library = await self._ready()
        check = partial(library.repository, kind, label)
        return await anyio.to_thread.run_sync(check, limiter=self._checking)

    async def collections(
        self, kind: RepositoryKind, label: str, parent: str | None, limit: int
    ) -> CollectionPage:
        """List the collections at one level of the tree.

        Parameters
        ----------
        kind, label
            Which repository.
        parent : `str` or `None`
            A chain, or `None` for the top level.
        limit : `int`
            Most collections to give.

        Returns
        -------
        page : `CollectionPage`
            The collections.
        """
        library = await self._ready()
        return await self._run(partial(library.collections, kind, label, parent, limit), kind)

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
        library = await self._ready()
        return await self._run(partial(library.dataset_types, kind, label, collection), kind)

    async def count(
        self,
        kind: RepositoryKind,
        label: str,
        collection: str,
        dataset_type: str,
        left: Callable[[], Awaitable[None]],
    ) -> DatasetCount:
        """Count datasets, one count at a time per repository.

        Parameters
        ----------
        kind, label
            Which repository.
        collection, dataset_type : `str`
            What to count.
        left : callable
            Returns when the client has gone away: the count is given up.

        Returns
        -------
        count : `DatasetCount`
            The count.
        """
        library = await self._ready()
        watching = asyncio.ensure_future(left())
        counting = asyncio.ensure_future(self._count(library, (kind, label), collection, dataset_type))
        try:
            await asyncio.wait((watching, counting), return_when=asyncio.FIRST_COMPLETED)
            if not counting.done():
                counting.cancel()
                raise BackendUnavailableError("The count was given up: nobody waits for it.")
            return counting.result()
        finally:
            watching.cancel()
            counting.cancel()

    async def _count(self, library: Library, key: _Key, collection: str, dataset_type: str) -> DatasetCount:
        known = partial(library.known_count, *key, collection, dataset_type)
        if (count := await self._run(known, key[0])) is not None:
            return count
        async with self._counting[key]:
            if (count := await self._run(known, key[0])) is not None:
                return count
            listing = await self._run(partial(library.plan, *key, collection, dataset_type), key[0])
            while (count := await self._count_listing(library, key, listing)) is None:
                pass
            return count

    async def _count_listing(self, library: Library, key: _Key, listing: Listing) -> DatasetCount | None:
        """Count; give `None` if a listing of the user's came in between."""
        outcome: list[DatasetCount | Exception] = []

        def work(sink: Sink) -> None:
            try:
                outcome.append(library.count(*key, listing, sink))
            except Exception as error:
                outcome.append(error)

        # Where counting is a streaming query, it lets the user's own listings go first.
        slot = self._slots[key] if listing.repeats and key[0] is RepositoryKind.OFFICIAL else None
        stream = RowStream(work, self._streaming, slot, polite=True)
        self._streams.add(stream)
        async for _ in stream.lines():
            pass
        if stream.superseded:
            return None
        if not outcome:
            raise BackendUnavailableError("The count was given up.")
        (result,) = outcome
        if isinstance(result, Exception):
            raise result
        return result

    async def datasets(
        self,
        kind: RepositoryKind,
        label: str,
        collection: str,
        dataset_type: str,
        limit: int,
        cursor: str | None,
    ) -> RowStream:
        """List one page of datasets.

        Parameters
        ----------
        kind, label
            Which repository.
        collection, dataset_type : `str`
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
        library = await self._ready()
        listing = await self._run(partial(library.plan, kind, label, collection, dataset_type), kind)
        stream = RowStream(
            partial(library.produce, kind, label, listing, limit, cursor),
            self._streaming,
            self._slots[kind, label] if kind is RepositoryKind.OFFICIAL else None,
        )
        self._streams.add(stream)
        return stream

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
        library = await self._ready()
        return await self._run(partial(library.dataset, kind, label, dataset_id), kind)

    async def versions(self) -> VersionList:
        """Give the versions of the personal repositories.

        Returns
        -------
        versions : `VersionList`
            A word for each.
        """
        library = await self._ready()
        return await self._run(library.versions)

    async def _run(self, work: Callable[[], _T], kind: RepositoryKind | None = None) -> _T:
        limiter = self._threads if kind is None else self._asking[kind]
        return await anyio.to_thread.run_sync(work, limiter=limiter)

    async def _in_time(self, describe: Callable[[bool], Repository]) -> Repository:
        with anyio.move_on_after(CONNECT_TIMEOUT):
            return await anyio.to_thread.run_sync(
                describe, False, limiter=self._checking, abandon_on_cancel=True
            )
        return await self._run(partial(describe, True))

    async def _load_early(self) -> None:
        # Whoever asks is told what is wrong; it may be put right by then.
        with suppress(BackendUnavailableError):
            await self._ready()

    async def _ready(self) -> Library:
        async with self._loading:
            if self._library is None:
                try:
                    self._library = await self._run(_load)
                except Exception as error:
                    _LOG.exception("The science packages cannot be loaded")
                    raise BackendUnavailableError(
                        f"The science packages cannot be loaded in the backend's Python ({sys.prefix}).",
                        "Choose an environment that has lsst.daf.butler; the log says what failed.",
                    ) from error
            return self._library


def _load() -> Library:
    from .library import Library

    return Library()


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        # The science pipelines' own installation keeps no such metadata.
        module = sys.modules.get(package.replace("-", "."))
        return str(getattr(module, "__version__", ""))
