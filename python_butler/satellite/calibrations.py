"""Certified calibrations for a new satellite, by reference, for a range of dates."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lsst.daf.butler import CollectionType, DatasetRef, Timespan
from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import InvalidRequestError
from ..official import connect, disconnect
from .notebook import shows_progress
from .progress import ProgressWish
from .references import reference
from .report import ReferenceReport
from .selecting import Request

if TYPE_CHECKING:
    from .place import Place

__all__ = ["certified", "reference_calibrations"]


@shows_progress
def reference_calibrations(
    satellite: Place,
    collection: str,
    timespan: Timespan | None,
    *,
    progress: ProgressWish = None,
    cancel: threading.Event | None = None,
) -> ReferenceReport:
    """Reference calibrations, and certify them as they are officially.

    Parameters
    ----------
    satellite : `Place`
        Where to.
    collection : `str`
        Official calibration collection, or a chain of such.
    timespan : `lsst.daf.butler.Timespan` or `None`
        Only calibrations that are valid at some time in it; `None` for all.
    progress : callable or `False`, optional
        Told how far it is.
    cancel : `threading.Event`, optional
        Set to stop.

    Returns
    -------
    report : `ReferenceReport`
        What became of them.

    Raises
    ------
    InvalidRequestError
        If nothing can be certified in the collection.
    lsst.daf.butler.MissingCollectionError
        If the collection does not exist.
    OfficialServerError
        If the server, the token or the network is in trouble.
    """
    official = connect(satellite.label)
    try:
        refs = certified(official, collection, timespan)
    finally:
        disconnect(official)
    if not refs:
        return ReferenceReport()
    request = Request(refs, collections=[collection])
    return reference(satellite, request, progress=progress or None, cancel=cancel)


def certified(official: RemoteButler, collection: str, timespan: Timespan | None) -> list[DatasetRef]:
    """Find the calibrations that are valid at some time.

    Parameters
    ----------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    collection : `str`
        Calibration collection, or a chain of such.
    timespan : `lsst.daf.butler.Timespan` or `None`
        The time; `None` for any.

    Returns
    -------
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        Each once, however many validity ranges it has.

    Raises
    ------
    InvalidRequestError
        If nothing can be certified in the collection.
    """
    infos = official.collections.query_info(collection, flatten_chains=True, include_summary=True)
    names = [info.name for info in infos if info.type is CollectionType.CALIBRATION]
    if not names:
        raise InvalidRequestError(
            f"{collection} is no calibration collection, and has none in it.",
            "Name one in which calibrations are certified for ranges of dates.",
        )
    types = {name for info in infos if info.name in names for name in info.dataset_types or ()}
    found: dict[object, DatasetRef] = {}
    for dataset_type in sorted(types):
        refs = official.query_datasets(
            dataset_type,
            names,
            find_first=False,
            where=f"{dataset_type}.timespan OVERLAPS :valid" if timespan is not None else "",
            bind={"valid": timespan} if timespan is not None else None,
            limit=None,
            explain=False,
        )
        found.update((ref.id, ref) for ref in refs)
    return list(found.values())
