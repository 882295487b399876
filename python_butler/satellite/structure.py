"""The collections in which datasets were found, made again in a satellite around what it references."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lsst.daf.butler import (
    CollectionInfo,
    CollectionType,
    DataCoordinate,
    DatasetRef,
    DatasetType,
    Timespan,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.utils.iteration import chunk_iterable

from .presence import official_here
from .registering import register_collection
from .storage import writing_alone

__all__ = ["Structure", "merged_children"]

_UPLOAD_ROWS = 500
"""Data IDs in one query. Of more, upstream makes a table, which SQLite compares row by row with all of a
collection: 1,000 data IDs and 100,000 datasets then take seconds."""


@dataclass(frozen=True)
class _Association:
    """A dataset in a collection."""

    dataset_id: UUID
    data_id: DataCoordinate
    collection: str
    timespan: Timespan | None
    """Validity range; `None` of a tag."""

    def excludes(self, other: _Association) -> bool:
        """Whether a collection cannot have both."""
        if (self.collection, self.data_id) != (other.collection, other.data_id):
            return False
        if self.timespan is None or other.timespan is None:
            return True
        return self.timespan.overlaps(other.timespan)


class Structure:
    """Tags, validity ranges and chains, restricted to some datasets.

    Parameters
    ----------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    collections : mapping [`str`, `lsst.daf.butler.CollectionInfo`]
        Collections to make again, with their summaries: the ones that were searched, and all that is in
        them.
    """

    def __init__(self, official: RemoteButler, collections: Mapping[str, CollectionInfo]) -> None:
        self._official = official
        self._collections = collections
        self._refs: dict[UUID, DatasetRef] = {}
        self._associations: list[tuple[DatasetType, CollectionType, list[_Association]]] = []
        self._notes: list[str] = []

    def ask(self, refs: Iterable[DatasetRef]) -> None:
        """Ask the official repository, before the satellite is opened for writing, which locks it.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are in the satellite.
        """
        by_type: dict[DatasetType, list[DatasetRef]] = defaultdict(list)
        for ref in refs:
            by_type[ref.datasetType].append(ref)
        for dataset_type, members in by_type.items():
            for kind in (CollectionType.TAGGED, CollectionType.CALIBRATION):
                names = [
                    info.name
                    for info in self._collections.values()
                    if info.type is kind and dataset_type.name in (info.dataset_types or ())
                ]
                if not names:
                    continue
                self._refs |= {ref.id: ref for ref in members}
                data_ids = dict.fromkeys(ref.dataId for ref in members)
                found = _associations(self._official, dataset_type, names, data_ids, kind)
                wanted = [each for each in found if each.dataset_id in self._refs]
                self._associations.append((dataset_type, kind, wanted))

    @property
    def something(self) -> bool:
        """Whether there may be anything to be brought."""
        return bool(self._collections)

    def rebuild(self, writer: DirectButler) -> list[str]:
        """Bring what the satellite lacks; nothing that is there is lost.

        Where a tag or a validity range went over from one official dataset to another, the satellite
        follows. Where its user put a dataset of their own, that stays.

        Parameters
        ----------
        writer : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite, for writing.

        Returns
        -------
        notes : `list` [`str`]
            What could not be done, and what was replaced, as sentences.
        """
        with writing_alone(writer), writer.transaction():
            here = {i.name: i for i in writer.collections.query_info("*", include_chains=True)}
            for dataset_type, kind, wanted in self._associations:
                if wanted:
                    self._associate(writer, here, dataset_type, kind, wanted)
            self._chain(writer)
        return self._notes

    def _associate(
        self,
        writer: DirectButler,
        here: dict[str, CollectionInfo],
        dataset_type: DatasetType,
        kind: CollectionType,
        wanted: Sequence[_Association],
    ) -> None:
        names = sorted({e.collection for e in wanted if e.collection in here})
        data_ids = {each.data_id for each in wanted}
        present = set(_associations(writer, dataset_type, names, data_ids, kind))
        by_place: dict[tuple[str, DataCoordinate], list[_Association]] = defaultdict(list)
        for each in present:
            by_place[each.collection, each.data_id].append(each)
        lacking = [each for each in wanted if each not in present]
        in_the_way = {
            each: others
            for each in lacking
            if (others := [o for o in by_place[each.collection, each.data_id] if o.excludes(each)])
        }
        official = official_here(writer, {o.dataset_id for others in in_the_way.values() for o in others})
        groups: dict[tuple[str, Timespan | None], list[_Association]] = defaultdict(list)
        for each in lacking:
            groups[each.collection, each.timespan].append(each)
        for (name, timespan), members in groups.items():
            if not self._register(writer, here, name):
                continue
            followed = [m for m in members if m in in_the_way]
            kept = [m for m in followed if any(o.dataset_id not in official for o in in_the_way[m])]
            followed = [m for m in followed if m not in kept]
            _clear(writer, dataset_type, name, timespan, followed, in_the_way)
            refs = [self._refs[m.dataset_id] for m in members if m not in kept]
            if timespan is None:
                writer.registry.associate(name, refs)
            else:
                writer.registry.certify(name, refs, timespan)
            when = "" if timespan is None else f" for {timespan}"
            if followed:
                self._notes.append(
                    f"{name} has other {dataset_type.name}{when} officially than it had before: "
                    f"{len(followed)} were replaced in your satellite."
                )
            if kept:
                self._notes.append(
                    f"{name} has {dataset_type.name} of your own{when} in your satellite where it has others "
                    f"officially: {len(kept)} were left as they are."
                )

    def _register(self, writer: DirectButler, here: dict[str, CollectionInfo], name: str) -> bool:
        official = self._collections[name]
        if name not in here:
            register_collection(writer, name, official.type, official.doc or None)
            here[name] = writer.collections.get_info(name)
        if here[name].type is not official.type:
            self._notes.append(
                f"{name} is a {here[name].type.name} collection in your satellite, officially "
                f"{official.type.name}; it was left as it is."
            )
            return False
        return True

    def _chain(self, writer: DirectButler) -> None:
        here = {info.name: info for info in writer.collections.query_info("*", include_chains=True)}
        for name in self._inner_first():
            official = self._collections[name].children
            existing = here[name].children if name in here else ()
            children = merged_children([child for child in official if child in here], existing)
            if not children or not self._register(writer, here, name):
                continue
            if tuple(children) != tuple(existing):
                writer.collections.redefine_chain(name, children)

    def _inner_first(self) -> Iterator[str]:
        """Chains, each after those that are in it."""
        done: set[str] = set()

        def visit(name: str) -> Iterator[str]:
            info = self._collections.get(name)
            if info is None or name in done or info.type is not CollectionType.CHAINED:
                return
            done.add(name)
            for child in info.children:
                yield from visit(child)
            yield name

        for name in self._collections:
            yield from visit(name)


def merged_children(official: Sequence[str], existing: Sequence[str]) -> list[str]:
    """Order of a chain's children: the official one, with others where they were.

    Parameters
    ----------
    official : sequence of `str`
        Official children, in their order.
    existing : sequence of `str`
        The chain's children so far.

    Returns
    -------
    children : `list` [`str`]
        All of them. One that is not official stays before the official one that it was before.
    """
    children = list(official)
    for place, name in reversed(list(enumerate(existing))):
        if name not in children:
            following = next((other for other in existing[place + 1 :] if other in children), None)
            children.insert(len(children) if following is None else children.index(following), name)
    return children


def _clear(
    writer: DirectButler,
    dataset_type: DatasetType,
    name: str,
    timespan: Timespan | None,
    followed: Collection[_Association],
    in_the_way: Mapping[_Association, Sequence[_Association]],
) -> None:
    """Make room for what official collections have instead of what is here."""
    if not followed:
        return
    if timespan is not None:
        writer.registry.decertify(name, dataset_type, timespan, dataIds=[m.data_id for m in followed])
        return
    others = [writer.registry.getDataset(o.dataset_id) for m in followed for o in in_the_way[m]]
    writer.registry.disassociate(name, [other for other in others if other is not None])


def _associations(
    butler: RemoteButler | DirectButler,
    dataset_type: DatasetType,
    collections: Sequence[str],
    data_ids: Iterable[DataCoordinate],
    kind: CollectionType,
) -> Iterator[_Association]:
    """Which datasets of these data IDs are in collections of one kind."""
    if not collections:
        return
    name = dataset_type.name
    dimensions = dataset_type.dimensions
    for chunk in chunk_iterable(data_ids, _UPLOAD_ROWS):
        with butler.query() as query:
            results = (
                query.join_data_coordinates(chunk)
                .join_dataset_search(dataset_type, collections)
                .general(
                    dimensions,
                    dataset_fields={name: {"dataset_id", "collection", "timespan"}},
                    find_first=False,
                )
            )
            for row in results:
                values = tuple(row[dimension] for dimension in dimensions.required)
                yield _Association(
                    row[f"{name}.dataset_id"],
                    DataCoordinate.from_required_values(dimensions, values),
                    row[f"{name}.collection"],
                    # What has no validity range is said to be valid at any time.
                    row[f"{name}.timespan"] if kind is CollectionType.CALIBRATION else None,
                )
