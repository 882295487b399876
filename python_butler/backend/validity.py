"""For which times calibrations are valid."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from astropy.time import Time
from lsst.daf.butler import CollectionType, DatasetAssociation, Timespan

from .dataset_types import find_dataset_type
from .models import CalibrationValidity
from .repository import BrowsedRepository

__all__ = ["find_validity"]

_MOST = 20_000
"""Calibrations looked at: more would take long, and tell little more."""


def find_validity(repository: BrowsedRepository, collection: str, dataset_type: str) -> CalibrationValidity:
    """Find the times for which the calibrations of one type are valid.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        A calibration collection.
    dataset_type : `str`
        Name of a dataset type.

    Returns
    -------
    validity : `CalibrationValidity`
        From the earliest begin to the latest end; there may be gaps between.
    """

    def ask() -> CalibrationValidity:
        found = repository.butler().registry.queryDatasetAssociations(
            find_dataset_type(repository, dataset_type),
            [collection],
            collectionTypes={CollectionType.CALIBRATION},
            flattenChains=False,
        )
        return _summary(islice(found, _MOST + 1))

    return repository.memory.get(("validity", collection, dataset_type), ask, version=repository.version())


def _summary(associations: Iterable[DatasetAssociation]) -> CalibrationValidity:
    spans: set[Timespan] = set()
    count = 0
    for association in associations:
        count += 1
        if association.timespan is not None:
            spans.add(association.timespan)
    begins = [span.begin for span in spans if isinstance(span.begin, Time)]
    ends = [span.end for span in spans if isinstance(span.end, Time)]
    return CalibrationValidity(
        # A range without an end reaches further than any that has one.
        begin=_told(min(begins)) if begins and len(begins) == len(spans) else None,
        end=_told(max(ends)) if ends and len(ends) == len(spans) else None,
        ranges=len(spans),
        exact=count <= _MOST,
    )


def _told(time: Time) -> str:
    return str(Time(time.tai, format="isot", precision=3).value)
