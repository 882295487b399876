"""Cutting a list of collections to search into runs that are on one side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .collections import SatelliteCollections
from .shared import Side

__all__ = ["Segment", "segments_of"]


@dataclass(frozen=True)
class Segment:
    """Collections on one side that are searched one after another, without the other side between."""

    side: Side
    names: tuple[str, ...]


def segments_of(
    collections: SatelliteCollections, names: Iterable[str], dataset_type_name: str
) -> list[Segment]:
    """Cut the collections of a search where it has to change sides.

    Parameters
    ----------
    collections : `SatelliteCollections`
        Collections of both repositories.
    names : iterable of `str`
        Collections to search, in order, without wildcards.
    dataset_type_name : `str`
        Dataset type that is looked for: collections whose summary lacks it are left out.

    Returns
    -------
    segments : `list` [`Segment`]
        In search order; neighbours are on different sides.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If a collection exists nowhere.
    """
    segments: list[Segment] = []
    for name, located in collections.flatten(names).items():
        types = located.info.dataset_types
        if types is not None and dataset_type_name not in types:
            continue
        if segments and segments[-1].side is located.home:
            segments[-1] = Segment(located.home, (*segments[-1].names, name))
        else:
            segments.append(Segment(located.home, (name,)))
    return segments
