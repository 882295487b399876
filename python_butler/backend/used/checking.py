"""Looks after many datasets with few questions."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import batched
from uuid import UUID

from lsst.daf.butler import Butler, CollectionType, DataCoordinate, DatasetRef, MissingCollectionError
from lsst.daf.butler import DatasetType as ButlerDatasetType

from ...errors import OfficialServerError
from ..collections import flatten
from ..models import Dataset
from ..repository import BrowsedRepository
from .models import UsedDataset, UsedList, UsedQuestion, UsedState

__all__ = ["check"]

_LOG = logging.getLogger(__name__)
_BATCH = 100
"""Data IDs in one query."""

_Key = tuple[str, tuple[int | str, ...]]


def check(repository: BrowsedRepository, question: UsedQuestion) -> UsedList:
    """Find out what became of datasets.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where they are.
    question : `UsedQuestion`
        Which, and where they were found.

    Returns
    -------
    used : `UsedList`
        What became of them.
    """
    butler = repository.butler()
    ids = list(dict.fromkeys(question.ids))
    known = {ref.id: ref for ref in butler.get_many_datasets(ids)}
    there = _stored(butler, list(known.values()))
    found = _found(repository, butler, question.collection, known.values())
    return UsedList(datasets=[_told(id, known.get(id), there, found) for id in ids])


def _told(id: UUID, ref: DatasetRef | None, there: set[UUID], found: dict[_Key, DatasetRef]) -> UsedDataset:
    if ref is None:
        state, newer = UsedState.UNKNOWN, None
    else:
        newer = found.get(_key(ref))
        if newer is not None and newer.id == id:
            newer = None
        state = UsedState.STALE if newer is not None else UsedState.CURRENT
        if id not in there:
            state = UsedState.GONE
    return UsedDataset(
        id=id,
        state=state,
        dataset_type=None if ref is None else ref.datasetType.name,
        data_id={} if ref is None else dict(ref.dataId.required),
        run=None if ref is None else ref.run,
        newer=None
        if newer is None
        else Dataset(id=newer.id, data_id=dict(newer.dataId.required), run=newer.run),
    )


def _stored(butler: Butler, refs: Sequence[DatasetRef]) -> set[UUID]:
    """Give those whose files are there."""
    if not refs:
        return set()
    try:
        return {ref.id for ref, there in butler.stored_many(refs).items() if there}
    except OfficialServerError:
        raise
    except Exception as error:
        # The files are in another service: its trouble does not make a dataset gone.
        _LOG.warning("Could not look for the files of %d datasets", len(refs), exc_info=error)
        return {ref.id for ref in refs}


def _found(
    repository: BrowsedRepository, butler: Butler, collection: str, refs: Iterable[DatasetRef]
) -> dict[_Key, DatasetRef]:
    """Search the collection for the data IDs of datasets, as ``get`` would."""
    try:
        infos = flatten(repository, collection)
    except MissingCollectionError:
        return {}
    # Upstream compares visits only if it knows of which instrument.
    groups: defaultdict[tuple[ButlerDatasetType, DataCoordinate], list[DatasetRef]] = defaultdict(list)
    for ref in refs:
        groups[ref.datasetType, ref.dataId.subset(ref.dimensions.governors)].append(ref)
    found: dict[_Key, DatasetRef] = {}
    for (dataset_type, _), members in groups.items():
        holding = [info for info in infos if dataset_type.name in (info.dataset_types or ())]
        # Calibrations of one data ID differ in when they are valid: none of them is the newer one.
        if holding and all(info.type is not CollectionType.CALIBRATION for info in holding):
            for batch in batched(sorted(members, key=_key), _BATCH):
                found.update((_key(ref), ref) for ref in _search(butler, dataset_type, collection, batch))
    return found


def _search(
    butler: Butler, dataset_type: ButlerDatasetType, collection: str, refs: Sequence[DatasetRef]
) -> Iterator[DatasetRef]:
    dimensions = dataset_type.dimensions
    wanted = {_key(ref) for ref in refs}
    with butler.query() as query:
        x = query.expression_factory
        results = query.datasets(dataset_type, collection, find_first=True)
        # A list for each dimension, which finds a few too many. One term for each data ID would be exact, but
        # upstream rewrites such expressions, and takes twice as long for every term more.
        for name in dimensions.required:
            values = {ref.dataId[name] for ref in refs}
            dimension = getattr(x, name)
            results = results.where(
                dimension == values.pop() if len(values) == 1 else dimension.in_iterable(values)
            )
        yield from (ref for ref in results if _key(ref) in wanted)


def _key(ref: DatasetRef) -> _Key:
    return ref.datasetType.name, ref.dataId.required_values
