"""Which repository answers a query, or which part of it: the rules, free of any I/O of their own.

A query names dataset searches, dimensions and conditions. A repository answers it alone, exactly, if it
has all datasets that are searched and all dimension records that are joined to them. Otherwise the
query is cut into parts, each answered by one repository, whose rows are merged:

1. A search is cut into segments, runs of collections on one side.
2. A part takes one segment of each search. If all are on one side, and the other side has no records
   that would add rows, that side answers the part.
3. Otherwise one side is the base: searches on the other side are replaced there by their data IDs,
   and the datasets themselves are looked up by data ID afterwards.
4. What neither side can answer exactly is refused, and the error says what stands in the way.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lsst.daf.butler import CollectionType, DimensionElement, InvalidQueryError
from lsst.daf.butler.queries.result_specs import (
    DatasetRefResultSpec,
    DimensionRecordResultSpec,
    GeneralResultSpec,
    ResultSpec,
)
from lsst.daf.butler.queries.tree import (
    ColumnSet,
    DatasetSearch,
    Predicate,
    QueryTree,
    make_identity_query_tree,
)

from ..errors import InvalidRequestError
from .collections import SatelliteCollections
from .records import RecordLedger, tables_of
from .segments import Segment, segments_of
from .shared import Side
from .sides import Sides

__all__ = ["InexactQueryError", "Part", "Planner", "SemiJoin"]


class InexactQueryError(InvalidRequestError, InvalidQueryError):
    """A query that cannot be answered exactly over both repositories together."""


@dataclass(frozen=True)
class SemiJoin:
    """A search on the other side, of which only the data IDs are joined into a part."""

    dataset_type: str
    side: Side
    tree: QueryTree
    search: DatasetSearch


@dataclass(frozen=True)
class Part:
    """One query to one repository."""

    side: Side
    tree: QueryTree
    semi_joins: tuple[SemiJoin, ...] = ()
    """Searches on the other side; what rows tell of their datasets is looked up there by data ID."""
    messages: tuple[str, ...] = field(default=())
    """If set, the part has no rows, and this is why."""


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
    """

    def __init__(self, sides: Sides, collections: SatelliteCollections, ledger: RecordLedger) -> None:
        self._sides = sides
        self._collections = collections
        self._ledger = ledger

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
        InexactQueryError
            If the query cannot be answered exactly.
        """
        if self._sides.personal is None:
            return [Part(Side.OFFICIAL, tree)]
        if self._sides.offline:
            return [Part(Side.PERSONAL, tree)]
        if tree.any_dataset is not None:
            return [self._plan_any_dataset(tree, tree.any_dataset)]
        if not tree.datasets:
            return self._plan_records(tree, spec)
        segments = {
            name: segments_of(self._collections, search.collections, name)
            for name, search in tree.datasets.items()
        }
        if any(not found for found in segments.values()):
            return [self._plan_doomed(tree, segments)]
        return self._plan_datasets(tree, spec, segments)

    # No datasets

    def _plan_records(self, tree: QueryTree, spec: ResultSpec | None) -> list[Part]:
        elements = tables_of(tree.dimensions)
        private = self._ledger.private(elements)
        if not private:
            return [Part(Side.OFFICIAL, tree)]
        if not self._ledger.lacking(elements):
            return [Part(Side.PERSONAL, tree)]
        if _is_one_table(tree, spec) or self._ledger.separate(tree.dimensions):
            # No row joins a record of one side with one that only the other side has.
            return [Part(Side.OFFICIAL, tree), Part(Side.PERSONAL, tree)]
        raise self._inexact(f"each repository has records of {_names(private)} that the other one lacks")

    def _plan_any_dataset(self, tree: QueryTree, search: DatasetSearch) -> Part:
        homes = {located.home for located in self._collections.flatten(search.collections).values()}
        if len(homes) == 1:
            return Part(homes.pop(), tree)
        raise self._inexact("a search for any dataset type has to stay in one repository")

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
        elements = tables_of(tree.dimensions)
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
            if private := self._ledger.private(beyond):
                raise self._inexact(
                    f"official datasets are joined with records of {_names(private)} that only the "
                    "satellite has"
                )
            return Part(Side.OFFICIAL, self._restricted(tree, chosen))
        if not names[Side.OFFICIAL]:
            beyond = elements - _covered(tree, names[Side.PERSONAL])
            if not self._ledger.lacking(beyond):
                return Part(Side.PERSONAL, self._restricted(tree, chosen))
        reasons = []
        for base, other in ((Side.OFFICIAL, Side.PERSONAL), (Side.PERSONAL, Side.OFFICIAL)):
            reason = self._obstacle(tree, spec, chosen, elements, base, names[other])
            if reason is None:
                return self._hybrid(tree, chosen, base, names[other])
            reasons.append(reason)
        raise self._inexact("; ".join(dict.fromkeys(reasons)))

    def _obstacle(
        self,
        tree: QueryTree,
        spec: ResultSpec | None,
        chosen: Mapping[str, Segment],
        elements: frozenset[DimensionElement],
        base: Side,
        away: list[str],
    ) -> str | None:
        """Why one side cannot be the base of a part, if so."""
        if base is Side.OFFICIAL:
            if private := self._ledger.private(elements):
                return f"records of {_names(private)} are in the satellite only"
        elif lacking := self._ledger.lacking(elements):
            return f"records of {_names(lacking)} are in the official repository only"
        if used := _used_fields(tree, spec) & set(away):
            return f"fields of {', '.join(sorted(used))} are used, whose datasets are in the other repository"
        for name in away:
            located = self._collections.locate(chosen[name].names)
            if any(found.info.type is CollectionType.CALIBRATION for found in located.values()):
                return f"validity ranges of {name} are in the other repository"
        return None

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
            SemiJoin(name, chosen[name].side, _search_alone(restricted, name), restricted.datasets[name])
            for name in away
        )
        return Part(base, restricted.model_copy(update={"datasets": kept}), semi_joins)

    # Details

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

    def _inexact(self, reason: str) -> InexactQueryError:
        return InexactQueryError(
            f"This query cannot be answered exactly over {self._sides.shared.label} and your satellite "
            f"together: {reason}.",
            "Search official and personal collections one after the other.",
        )


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


def _used_fields(tree: QueryTree, spec: ResultSpec | None) -> set[str]:
    """Dataset types whose own fields a query filters by, or sorts by without returning them."""
    columns = ColumnSet(tree.dimensions)
    if spec is not None and not isinstance(spec, GeneralResultSpec):
        for term in spec.order_by:
            term.gather_required_columns(columns)
    sorted_by = {str(name) for name, fields in columns.dataset_fields.items() if fields}
    if isinstance(spec, DatasetRefResultSpec):
        sorted_by.discard(spec.dataset_type_name)
    columns = ColumnSet(tree.dimensions)
    tree.predicate.gather_required_columns(columns)
    return sorted_by | {str(name) for name, fields in columns.dataset_fields.items() if fields}


def _search_alone(tree: QueryTree, name: str) -> QueryTree:
    """One search of a query, with those conditions that concern it alone."""
    search = tree.datasets[name]
    alone = make_identity_query_tree(tree.dimensions.universe).join_dataset(name, search)
    for operands in tree.predicate.operands:
        clause = Predicate.model_construct(operands=(operands,))
        columns = ColumnSet(tree.dimensions.universe.empty)
        clause.gather_required_columns(columns)
        if columns.dimensions <= search.dimensions and set(columns.dataset_fields) <= {name}:
            alone = alone.where(clause)
    return alone.model_copy(update={"validateGovernorConstraints": False})


def _names(elements: Iterable[DimensionElement]) -> str:
    return ", ".join(sorted(element.name for element in elements))
