"""Of which dataset types the satellite has how many, for the marks in the tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from lsst.daf.butler import CollectionType, MissingCollectionError

from ...satellite.usage.amounts import Added, Kind, added_up
from ...satellite.usage.picked import official_in
from ...satellite.usage.tables import Tables
from ..collections import flatten
from ..models import RepositoryKind
from ..versions import ABSENT
from .models import HeldType, HeldTypes

if TYPE_CHECKING:
    from lsst.daf.butler.direct_butler import DirectButler

    from ..repository import BrowsedRepository

__all__ = ["find_held"]


def find_held(repository: BrowsedRepository, other: BrowsedRepository | None, collection: str) -> HeldTypes:
    """Count the official datasets of one collection that the satellite has.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where the collection is looked at: what an official chain leads to, the satellite need not know.
    other : `BrowsedRepository` or `None`
        The other repository of the same label.
    collection : `str`
        Name of a collection of any type.

    Returns
    -------
    held : `HeldTypes`
        One entry for each dataset type of which there are some; none if the satellite, or the
        collection, does not exist. What is in tags and calibration collections is what the satellite knows
        to be in them: references bring those along that they were found in.
    """
    satellite = repository if repository.kind is RepositoryKind.PERSONAL else other
    if satellite is None or satellite.version() == ABSENT:
        return HeldTypes(types=[])
    found = satellite
    return found.memory.get(
        ("held", repository.kind, collection),
        lambda: _held(repository, found, collection),
        version=found.version(),
    )


def _held(repository: BrowsedRepository, satellite: BrowsedRepository, collection: str) -> HeldTypes:
    try:
        infos = flatten(repository, collection)
    except MissingCollectionError:
        return HeldTypes(types=[])
    runs = {info.name for info in infos if info.type is CollectionType.RUN}
    picked = {info.name for info in infos if info.type is not CollectionType.RUN}
    counts: Counter[tuple[str, Kind]] = Counter()
    for each in _added(satellite):
        if each.run in runs and each.kind in (Kind.REFERENCED, Kind.PINNED):
            counts[each.dataset_type, each.kind] += each.datasets
    if picked:
        with satellite.butler() as butler:
            counts += official_in(Tables(cast("DirectButler", butler)), picked, besides=runs)
    return HeldTypes(
        types=[
            HeldType(
                dataset_type=name, referenced=counts[name, Kind.REFERENCED], pinned=counts[name, Kind.PINNED]
            )
            for name in sorted({name for name, _ in counts})
        ]
    )


def _added(satellite: BrowsedRepository) -> Sequence[Added]:
    def ask() -> Sequence[Added]:
        with satellite.butler() as butler:
            direct = cast("DirectButler", butler)
            return added_up(direct, Tables(direct))

    return satellite.memory.get("added", ask, version=satellite.version())
