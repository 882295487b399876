"""Which repository answers a query, or which part of it: the rules, free of any I/O of their own.

A query names dataset searches, dimensions and conditions. A repository answers it alone, exactly, if it
has all datasets that are searched and all dimension records that are joined to them. Otherwise the
query is cut into parts, each answered by one repository, whose rows are merged:

1. A search is cut into segments, runs of collections on one side.
2. A part takes one segment of each search. If all are on one side, and the other side has no records
   that would add rows, that side answers the part.
3. Otherwise one side is the base: searches on the other side are replaced there by their data IDs,
   and the datasets themselves are looked up by data ID afterwards.
4. What neither side can answer exactly is gathered: what it needs of both repositories is brought to one
   place, and answered there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from lsst.daf.butler import CollectionType, DataCoordinate, DataIdValue, DimensionElement
from lsst.daf.butler.queries.result_specs import DimensionRecordResultSpec, ResultSpec
from lsst.daf.butler.queries.tree import DatasetSearch, QueryTree

from .arguments import collection_terms
from .collections import SatelliteCollections
from .inexact import ConflictingRepositoriesError
from .ledger import RecordLedger
from .segments import Segment, segments_of
from .shared import Side
from .sides import Sides
from .trees import completed, nested_trees, pinned, search_alone, tables_needed, tables_of, used_fields

__all__ = ["Part", "Planner", "SemiJoin", "whole"]


@dataclass(frozen=True)
class SemiJoin:
    """A search on the other side, of which only the data IDs are joined into a part."""

    dataset_type: str
    side: Side
    tree: QueryTree
    search: DatasetSearch


@dataclass(frozen=True)
class Part:
    """One query to one repository, or to what is gathered of both."""

    side: Side | None
    """`None` if what the query needs of both repositories has to be gathered."""
    tree: QueryTree
    semi_joins: tuple[SemiJoin, ...] = ()
    """Searches on the other side; what rows tell of their datasets is looked up there by data ID."""
    messages: tuple[str, ...] = ()
    """If set, the part has no rows, and this is why."""
    swapped: Callable[[], Part | None] | None = None
    """Works out the same part with the roles of the two sides exchanged; `None` if that is not exact."""


class Planner:
    """Decides which repository answers what.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    collections : `SatelliteCollections`
        Their collections.
    ledger : `RecordLedger`
        Which dimension records only one of them has.
    default_data_id : `lsst.daf.butler.DataCoordinate`
        Values that complete the conditions of queries.
    """

    def __init__(
        self,
        sides: Sides,
        collections: SatelliteCollections,
        ledger: RecordLedger,
        default_data_id: DataCoordinate,
    ) -> None:
        self._sides = sides
        self._collections = collections
        self._ledger = ledger
        self._default_data_id = default_data_id

    def plan(self, tree: QueryTree, spec: ResultSpec | None) -> list[Part]:
        """Cut a query into parts.

        Parameters
        ----------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query.
        spec : `lsst.daf.butler.queries.result_specs.ResultSpec` or `None`
            What its rows are; `None` if only their existence matters.

        Returns
        -------
        parts : `list` [`Part`]
            Parts, the first rows of which win if the search is for the first dataset only.

        Raises
        ------
        ConflictingRepositoriesError
            If the repositories define a dataset type differently.
        lsst.daf.butler.InvalidQueryError
            If a condition needs, say, an instrument, and the query leaves it open.
        """
        if not self._sides.personal_exists:
            for _, search in tree.iter_all_dataset_searches():
                collection_terms(search.collections)  # what is no name, the server hangs up on
            return [Part(Side.OFFICIAL, tree)]
        if self._sides.offline:
            for _, search in tree.iter_all_dataset_searches():
                self._collections.expand(search.collections)  # says what cannot be had now
            return [Part(Side.PERSONAL, tree)]
        parts = self._parts(tree, spec)
        if len(parts) > 1 or parts[0].semi_joins or parts[0].messages:
            # Each part is checked where it is answered, but there may be none that is.
            completed(tree, self._default_data_id)
        sides = {part.side for part in parts}
        for nested in nested_trees(tree):
            sides |= {part.side if not part.semi_joins else None for part in self.plan(nested, None)}
        gathered = sum(part.side is None for part in parts)
        if gathered > 1 or (nested_trees(tree) and len(sides) > 1):
            return [Part(None, tree)]
        return parts

    def _parts(self, tree: QueryTree, spec: ResultSpec | None) -> list[Part]:
        if tree.any_dataset is not None:
            return [self._plan_any_dataset(tree, tree.any_dataset)]
        if not tree.datasets:
            return self._plan_records(tree, spec)
        segments = {
            name: segments_of(self._collections, search.collections, name)
            for name, search in tree.datasets.items()
        }
        for name, found in segments.items():
            if {segment.side for segment in found} == set(Side):
                self._check_definitions(name)
        if any(not found for found in segments.values()):
            return [self._plan_doomed(tree, segments)]
        return self._plan_datasets(tree, spec, segments)

    # No datasets

    def _plan_records(self, tree: QueryTree, spec: ResultSpec | None) -> list[Part]:
        elements = tables_needed(tree, spec)
        values = self._fixed(tree)
        if not self._ledger.private(elements, values):
            return [Part(Side.OFFICIAL, tree)]
        if not self._ledger.lacking(elements, values):
            return [Part(Side.PERSONAL, tree)]
        if _is_one_table(tree, spec) or self._ledger.separate(tree.dimensions, values):
            # No row joins a record of one side with one that only the other side has.
            return [Part(Side.OFFICIAL, tree), Part(Side.PERSONAL, tree)]
        return [Part(None, tree)]

    def _plan_any_dataset(self, tree: QueryTree, search: DatasetSearch) -> Part:
        homes = {located.home for located in self._collections.flatten(search.collections).values()}
        if homes == {Side.OFFICIAL} and not self._ledger.private(
            tables_needed(tree, None), self._fixed(tree)
        ):
            return Part(Side.OFFICIAL, tree)
        return Part(None, tree)

    # Datasets

    def _plan_doomed(self, tree: QueryTree, segments: Mapping[str, list[Segment]]) -> Part:
        """There is a search that finds nothing: let a side say so that knows all of it, or say it here."""
        for side in Side:
            if all(
                self._wholly_on(side, search.collections) and self._sides.dataset_type(side, name) is not None
                for name, search in tree.datasets.items()
            ):
                return Part(side, tree)
        messages = []
        for name in (name for name, found in segments.items() if not found):
            collections = tree.datasets[name].collections
            messages.append(f"Search for dataset type {name!r} in {list(collections)} is doomed to fail.")
            for collection in self._collections.flatten(collections):
                messages.append(f"No datasets of type {name!r} in collection {collection!r}.")
        return Part(Side.OFFICIAL, tree, messages=tuple(messages))

    def _plan_datasets(
        self, tree: QueryTree, spec: ResultSpec | None, segments: Mapping[str, list[Segment]]
    ) -> list[Part]:
        if any(self._loses_calibrations(tree, spec, name, found) for name, found in segments.items()):
            return [Part(None, tree)]
        elements = tables_needed(tree, spec)
        first = spec.find_first_dataset if spec is not None else None
        choices: list[list[tuple[str, Segment]]] = []
        # The search for the first dataset varies slowest: its earlier segments win.
        for name in sorted(segments, key=lambda name: name != first):
            found = segments[name]
            if name != first:
                found = _by_side(found)
            choices.append([(name, segment) for segment in found])
        return [self._plan_part(tree, spec, dict(choice), elements) for choice in itertools.product(*choices)]

    def _plan_part(
        self,
        tree: QueryTree,
        spec: ResultSpec | None,
        chosen: Mapping[str, Segment],
        elements: frozenset[DimensionElement],
    ) -> Part:
        names = {side: [n for n, segment in chosen.items() if segment.side is side] for side in Side}
        if not names[Side.PERSONAL]:
            beyond = elements - _covered(tree, names[Side.OFFICIAL])
            side = None if self._ledger.private(beyond, self._fixed(tree)) else Side.OFFICIAL
            return Part(side, self._restricted(tree, chosen))
        if not names[Side.OFFICIAL]:
            beyond = elements - _covered(tree, names[Side.PERSONAL])
            if not self._ledger.lacking(beyond, self._fixed(tree)):
                return Part(Side.PERSONAL, self._restricted(tree, chosen))

        def based_on(base: Side, other: Side) -> Part | None:
            if self._can_be_base(base, tree, spec, chosen, elements, names[other]):
                return self._hybrid(tree, chosen, base, names[other])
            return None

        # What is personal is usually less.
        part = based_on(Side.OFFICIAL, Side.PERSONAL)
        if part is not None:
            swapped = partial(based_on, Side.PERSONAL, Side.OFFICIAL)
            return replace(part, swapped=swapped) if part.semi_joins else part
        return based_on(Side.PERSONAL, Side.OFFICIAL) or Part(None, self._restricted(tree, chosen))

    def _can_be_base(
        self,
        base: Side,
        tree: QueryTree,
        spec: ResultSpec | None,
        chosen: Mapping[str, Segment],
        elements: frozenset[DimensionElement],
        away: list[str],
    ) -> bool:
        """Whether one side gives exact rows if it gets the data IDs of the searches on the other."""
        if nested_trees(tree) or used_fields(tree, spec) & set(away):
            return False
        for name in away:
            located = self._collections.locate(chosen[name].names)
            # Data IDs that are uploaded have no validity ranges.
            if any(found.info.type is CollectionType.CALIBRATION for found in located.values()):
                return False
        if base is Side.OFFICIAL:
            return not self._ledger.private(elements, self._fixed(tree))
        return not self._ledger.lacking(elements, self._fixed(tree))

    def _hybrid(
        self,
        tree: QueryTree,
        chosen: Mapping[str, Segment],
        base: Side,
        away: list[str],
    ) -> Part:
        restricted = self._restricted(tree, chosen)
        kept = {name: search for name, search in restricted.datasets.items() if name not in away}
        semi_joins = tuple(
            SemiJoin(name, chosen[name].side, search_alone(restricted, name), restricted.datasets[name])
            for name in away
        )
        return Part(base, restricted.model_copy(update={"datasets": kept}), semi_joins)

    # Details

    def _loses_calibrations(
        self, tree: QueryTree, spec: ResultSpec | None, name: str, segments: list[Segment]
    ) -> bool:
        """Whether one side would give fewer calibrations of a data ID than both together.

        Upstream takes datasets of one collection to differ in their data IDs, which those of a
        calibration collection need not, when it drops dimensions from rows.
        """
        if spec is None or len(segments) < 2 or spec.dimensions == tree.dimensions:
            return False
        if name not in spec.get_result_columns().dataset_fields or spec.find_first_dataset == name:
            return False
        located = self._collections.locate(n for segment in segments for n in segment.names)
        return any(found.info.type is CollectionType.CALIBRATION for found in located.values())

    def _fixed(self, tree: QueryTree) -> dict[str, DataIdValue]:
        """Dimensions that have one value in all rows of a query."""
        unchecked = tree.model_copy(update={"validateGovernorConstraints": False})
        return pinned(completed(unchecked, self._default_data_id))

    def _wholly_on(self, side: Side, names: Iterable[str]) -> bool:
        """Whether names mean the same on one side as over both."""
        return all(located.home is side for located in self._collections.expand(names).values())

    def _restricted(self, tree: QueryTree, chosen: Mapping[str, Segment]) -> QueryTree:
        """The query with each search confined to one segment; untouched where that says the same."""
        searches = {}
        for name, search in tree.datasets.items():
            if self._wholly_on(chosen[name].side, search.collections):
                searches[name] = search
            else:
                searches[name] = search.model_copy(update={"collections": chosen[name].names})
        return tree.model_copy(update={"datasets": searches})

    def _check_definitions(self, name: str) -> None:
        official = self._sides.dataset_type(Side.OFFICIAL, name)
        personal = self._sides.dataset_type(Side.PERSONAL, name)
        if official is not None and personal is not None and official != personal:
            raise ConflictingRepositoriesError.of_dataset_types(self._sides.shared.label, official, personal)


def whole(parts: list[Part]) -> Part | None:
    """The only part, if one place answers all of a query by itself.

    Parameters
    ----------
    parts : `list` [`Part`]
        Parts of a query.

    Returns
    -------
    part : `Part` or `None`
        `None` if rows have to be merged or joined.
    """
    if len(parts) == 1 and not (parts[0].semi_joins or parts[0].messages):
        return parts[0]
    return None


def _is_one_table(tree: QueryTree, spec: ResultSpec | None) -> bool:
    """Whether each row of a query without datasets is a record of one table, with what it refers to.

    Visits are; pairs of a visit and a detector are not, since any visit goes with any detector.
    """
    required = tree.dimensions.required
    if isinstance(spec, DimensionRecordResultSpec) and spec.element.minimal_group.required == required:
        return True
    dimensions = tree.dimensions.universe.dimensions
    return any(dimensions[name].minimal_group.required == required for name in tree.dimensions.names)


def _by_side(segments: list[Segment]) -> list[Segment]:
    names: dict[Side, tuple[str, ...]] = {}
    for segment in segments:
        names[segment.side] = names.get(segment.side, ()) + segment.names
    return [Segment(side, found) for side, found in names.items()]


def _covered(tree: QueryTree, dataset_types: Iterable[str]) -> set[DimensionElement]:
    """Elements whose records are surely where the datasets are, whose data IDs they belong to."""
    covered: set[DimensionElement] = set()
    for name in dataset_types:
        covered |= tables_of(tree.datasets[name].dimensions)
    return covered
