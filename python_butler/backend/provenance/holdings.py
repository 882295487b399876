"""Which collections hold a dataset: its run, tags, calibrations with their validity, and chains of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import astropy.time
from lsst.daf.butler import Butler, CollectionInfo, CollectionType, DatasetRef, Timespan

from ...errors import GoneError
from ..models import CollectionType as WireCollectionType
from ..repository import BrowsedRepository
from ..streaming import Sink
from .models import HoldingCollection, HoldingsEvent, Validity

__all__ = ["list_holdings"]

_SEARCHED = 500
"""Tags and calibrations that are searched at once."""
_ROUNDS = 20
"""Chains of chains that are followed."""


def list_holdings(repository: BrowsedRepository, dataset_id: UUID, sink: Sink) -> None:
    """Find the collections that hold a dataset.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    dataset_id : `uuid.UUID`
        The dataset.
    sink : `Sink`
        Gets the run and its chains at once, then tags and calibrations with theirs.

    Raises
    ------
    GoneError
        If there is no such dataset.
    """
    with repository.query(sink) as butler:
        ref = butler.get_dataset(dataset_id)
        if ref is None:
            raise GoneError(
                f"{repository.label} has no dataset {dataset_id}.",
                "Reload the list; it may have been removed.",
            )
        told: set[str] = set()
        _tell(butler, [_holding(ref.run, CollectionType.RUN)], told, sink)
        candidates = _candidates(repository, butler, ref)
        for start in range(0, len(candidates), _SEARCHED):
            _tell(butler, _associated(butler, ref, candidates[start : start + _SEARCHED]), told, sink)


def _tell(butler: Butler, found: Sequence[HoldingCollection], told: set[str], sink: Sink) -> None:
    new = [collection for collection in found if collection.name not in told]
    told.update(collection.name for collection in new)
    for _ in range(_ROUNDS):
        if not new:
            return
        sink.event(HoldingsEvent(collections=list(new)))
        chains = _parents(butler, [collection.name for collection in new]) - told
        told.update(chains)
        new = [_holding(name, CollectionType.CHAINED) for name in sorted(chains)]


def _parents(butler: Butler, names: Iterable[str]) -> set[str]:
    infos = butler.collections.query_info(list(names), include_parents=True, include_chains=True)
    return {parent for info in infos for parent in info.parents or ()}


def _candidates(repository: BrowsedRepository, butler: Butler, ref: DatasetRef) -> Sequence[CollectionInfo]:
    """Give the tags and calibrations whose summary names the dataset type."""
    name = ref.datasetType.name

    def ask() -> Sequence[CollectionInfo]:
        infos = butler.collections.query_info(
            "*",
            {CollectionType.TAGGED, CollectionType.CALIBRATION},
            include_summary=True,
            summary_datasets=[name],
        )
        found = {
            info.name: info for info in infos if info.dataset_types is None or name in info.dataset_types
        }
        return [found[key] for key in sorted(found)]

    # It takes the server long if there are many, and the next dataset that is looked at is of the same type.
    return repository.memory.get(("associating", name), ask, version=repository.version())


def _associated(
    butler: Butler, ref: DatasetRef, candidates: Sequence[CollectionInfo]
) -> list[HoldingCollection]:
    name = ref.datasetType.name
    types = {info.name: info.type for info in candidates}
    validity: dict[str, list[Validity]] = {}
    with butler.query() as query:
        rows = (
            query.join_dataset_search(name, list(types))
            .where(ref.dataId)
            .general(
                ref.datasetType.dimensions,
                dataset_fields={name: {"dataset_id", "collection", "timespan"}},
                find_first=False,
            )
        )
        for row in rows:
            if row[f"{name}.dataset_id"] == ref.id:
                found = validity.setdefault(row[f"{name}.collection"], [])
                timespan = row[f"{name}.timespan"]
                if timespan is not None and types[row[f"{name}.collection"]] is CollectionType.CALIBRATION:
                    found.append(_validity(timespan))
    return [
        HoldingCollection(
            name=collection,
            type=WireCollectionType(types[collection].name),
            validity=sorted(spans, key=lambda span: span.begin or ""),
        )
        for collection, spans in sorted(validity.items())
    ]


def _holding(name: str, kind: CollectionType) -> HoldingCollection:
    return HoldingCollection(name=name, type=WireCollectionType(kind.name))


def _validity(timespan: Timespan) -> Validity:
    return Validity(begin=_time(timespan.begin), end=_time(timespan.end))


def _time(moment: object) -> str | None:
    if isinstance(moment, astropy.time.Time):
        return str(astropy.time.Time(moment.tai, precision=0).isot)
    return None
