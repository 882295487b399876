"""Previews are made in few threads of their own, and given up when nobody waits for them any more.

Knows no lsst package: what does is imported in the thread.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import Request

from ..models import RepositoryKind
from ..service import Service

if TYPE_CHECKING:
    from ..repository import BrowsedRepository
    from .opening import OpenedDataset

__all__ = ["leaving", "make_preview"]


async def make_preview[T](
    service: Service,
    request: Request,
    kind: RepositoryKind,
    label: str,
    dataset_id: UUID,
    work: Callable[[OpenedDataset], T],
) -> T:
    """Have something made of one dataset, for as long as the client waits.

    Parameters
    ----------
    service : `Service`
        Has the threads.
    request : `fastapi.Request`
        The request; its client leaving ends the work at its next read.
    kind, label
        Which repository.
    dataset_id : `uuid.UUID`
        Which dataset.
    work : callable
        Takes the `OpenedDataset`, in a thread; what it needs of large packages it imports itself.

    Returns
    -------
    made
        What `work` returns.

    Raises
    ------
    python_butler.errors.PythonButlerError
        What `work` raises; anything that reading the file raises is told as a file that cannot be read.
    """
    cancelled = threading.Event()

    def run(repository: BrowsedRepository, _: BrowsedRepository | None) -> T:
        from .opening import opened_dataset

        with opened_dataset(repository, dataset_id, cancelled) as opened:
            return work(opened)

    return await service.ask_watched(kind, label, run, leaving(request), cancelled.set)


def leaving(request: Request) -> Callable[[], Awaitable[None]]:
    """Make what waits until a client has gone away.

    Parameters
    ----------
    request : `fastapi.Request`
        Its request, whose body has been read.

    Returns
    -------
    left : callable
        Returns when the client has gone away.
    """

    async def left() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return left
