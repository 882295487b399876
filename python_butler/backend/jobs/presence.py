"""Which of the datasets in a list the satellite has, for the marks beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from uuid import UUID

from ..versions import ABSENT
from .holdings import Holdings
from .models import Presence

if TYPE_CHECKING:
    from lsst.daf.butler.direct_butler import DirectButler

    from ..repository import BrowsedRepository

__all__ = ["find_presence"]


def find_presence(repository: BrowsedRepository, ids: Sequence[UUID]) -> Presence:
    """Look datasets up in a satellite; no server is asked.

    Parameters
    ----------
    repository : `BrowsedRepository`
        The satellite.
    ids : sequence of `uuid.UUID`
        Datasets.

    Returns
    -------
    presence : `Presence`
        Those that are referenced or pinned; none if there is no satellite yet.
    """
    if repository.version() == ABSENT:
        return Presence(referenced=[], pinned=[])
    with repository.butler() as butler:
        holdings = Holdings.of(cast("DirectButler", butler), ids)
    return Presence(referenced=list(holdings.referenced), pinned=list(holdings.pinned))
