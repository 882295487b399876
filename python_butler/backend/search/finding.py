"""Searches what the repository says of its collections and dataset types: the quickest found come first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lsst.daf.butler import CollectionInfo
from lsst.daf.butler import CollectionType as ButlerCollectionType
from lsst.daf.butler import DatasetType as ButlerDatasetType

from ..collections import all_collections, convert_collection, flatten, outdated_collections
from ..dataset_types import convert, known_dataset_types
from ..models import Collection
from ..repository import BrowsedRepository
from ..streaming import Cancelled, Sink
from ..versions import ABSENT
from .models import CollectionMatch, DatasetMatch, DatasetTypeMatch, FoundEvent, Match, SummaryEvent
from .wording import Wording

__all__ = ["find"]

_BATCH = 100
"""Matches in one line."""
_MOST_SUMMARIES = 2_000
"""Collections of which all summaries are asked for, to tell where a dataset type is."""


def find(repository: BrowsedRepository, text: str, request: str, limit: int, sink: Sink) -> None:
    """Search one repository and put what is found.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    text : `str`
        What was typed; see `Wording`.
    request : `str`
        Put into every event, so that a late one is known as such.
    limit : `int`
        Most matches to put.
    sink : `Sink`
        Where to put them.
    """
    wording = Wording.of(text)
    total = 0
    batch: list[Match] = []

    def flush() -> None:
        if batch:
            sink.event(FoundEvent(request=request, matches=list(batch)))
            batch.clear()

    if repository.version() != ABSENT:
        for matches in _steps(repository, wording, sink):
            for match in matches:
                if sink.cancelled.is_set():
                    raise Cancelled
                total += 1
                if total <= limit:
                    batch.append(match)
                if len(batch) >= _BATCH:
                    flush()
            # What is known is shown while the next is being looked for.
            flush()
    sink.event(SummaryEvent(request=request, total=total, capped=total > limit))


def _steps(repository: BrowsedRepository, wording: Wording, sink: Sink) -> Iterator[Iterator[Match]]:
    # What was known a while ago comes at once; what has come since follows when the server has told.
    before = [info for info in outdated_collections(repository) if wording.matches(info.name)]
    yield _by_name(repository, before)
    told = {info.name for info in before}
    # A connection of its own, so that a busy server is told of, and leaving ends the wait.
    with repository.query(sink) as butler:
        if wording.identifier is not None:
            yield _datasets(repository, wording)
        infos = all_collections(repository, butler)
        matching = [info for info in infos if wording.matches(info.name)]
        yield _by_name(repository, [info for info in matching if info.name not in told])
        types = known_dataset_types(repository, butler)
        yield _dataset_types(repository, [one for one in types.values() if wording.matches(one.name)], infos)
        found = told | {info.name for info in matching}
        yield (
            CollectionMatch(collection=convert_collection(info), by="documentation")
            for info in sorted(infos, key=lambda info: info.name)
            if info.name not in found and wording.occurs_in(info.name, info.doc)
        )


def _by_name(repository: BrowsedRepository, infos: Sequence[CollectionInfo]) -> Iterator[Match]:
    for info in sorted(infos, key=lambda info: _rank(info, repository.label)):
        yield CollectionMatch(collection=convert_collection(info), by="name")


def _rank(info: CollectionInfo, default: str) -> tuple[bool, bool, int, str]:
    return (
        info.name != default,
        info.type is not ButlerCollectionType.CHAINED,
        info.name.count("/"),
        info.name,
    )


def _datasets(repository: BrowsedRepository, wording: Wording) -> Iterator[Match]:
    if wording.identifier is None:
        return
    butler = repository.butler()
    ref = butler.get_dataset(wording.identifier)
    if ref is None:
        return
    (run,) = butler.collections.query_info([ref.run], include_doc=True)
    yield DatasetMatch(
        id=ref.id,
        dataset_type=convert(ref.datasetType),
        data_id={key: _plain(value) for key, value in ref.dataId.required.items()},
        collection=convert_collection(run),
    )


def _plain(value: int | str) -> int | str:
    return int(value) if isinstance(value, int) else str(value)


def _dataset_types(
    repository: BrowsedRepository, types: Sequence[ButlerDatasetType], infos: Sequence[CollectionInfo]
) -> Iterator[Match]:
    places = _places(repository, {one.name for one in types}, infos) if types else {}
    # Those that there are some of come first.
    for one in sorted(types, key=lambda one: (one.name not in places, len(one.name), one.name)):
        yield DatasetTypeMatch(dataset_type=convert(one), collection=places.get(one.name))


def _places(
    repository: BrowsedRepository, names: set[str], infos: Sequence[CollectionInfo]
) -> dict[str, Collection]:
    """Where datasets of these types are, as far as that is cheap to tell."""
    by_name = {info.name: info for info in infos}
    places: dict[str, Collection] = {}
    default = by_name.get(repository.label)
    if default is not None:
        for info in flatten(repository, default.name):
            for name in names & set(info.dataset_types or ()):
                places[name] = convert_collection(default)
    rest = names - set(places)
    if rest and len(infos) <= _MOST_SUMMARIES:
        for info in _summaries(repository):
            for name in rest & set(info.dataset_types or ()) - set(places):
                places[name] = convert_collection(by_name.get(info.name, info))
    return places


def _summaries(repository: BrowsedRepository) -> Sequence[CollectionInfo]:
    def ask() -> Sequence[CollectionInfo]:
        found = repository.butler().collections.query_info("*", include_summary=True)
        # A tagged or calibration collection says more than the run that something was made in.
        return sorted(found, key=lambda info: (info.type is ButlerCollectionType.RUN, info.name))

    return repository.memory.get("summaries", ask, version=repository.version())
