"""Bringing what a query needs of both repositories to one place, so that it can be answered there.

From each repository comes at least what takes part in a row of the answer: records and datasets are
narrowed down by the conditions that concern them alone, and by the data IDs of searches, and of
uploads, that are known already. Whatever else comes along is true as well, so it adds no wrong row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lsst.daf.butler import (
    CollectionType,
    DataCoordinate,
    DataIdValue,
    DatasetType,
    DimensionElement,
    DimensionGroup,
    DimensionRecord,
    DimensionUniverse,
)
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import DimensionRecordResultSpec, GeneralResultSpec, ResultSpec
from lsst.daf.butler.queries.tree import (
    DatasetSearch,
    Predicate,
    QueryTree,
    make_identity_query_tree,
)
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver
from lsst.utils.iteration import chunk_iterable

from .collections import SatelliteCollections
from .inexact import ConflictingRepositoriesError, InexactQueryError
from .scratch import DatasetRow, Scratch
from .shared import Side
from .sides import Sides
from .trees import completed, conditions_within, nested_trees, pinned, search_alone, tables_needed, tables_of

__all__ = ["MAX_ROWS", "UPLOAD_ROWS", "Gatherer", "KnownDataIds"]

MAX_ROWS = 200_000
"""Official records of one element, or datasets of one type, that are fetched for one query at most."""

UPLOAD_ROWS = 50_000
"""Data IDs in one upload; the server refuses more than 100,000."""


@dataclass(frozen=True)
class KnownDataIds:
    """Data IDs one of which every row of the answer contains."""

    dimensions: DimensionGroup
    rows: frozenset[tuple[DataIdValue, ...]]

    def within(self, dimensions: DimensionGroup) -> KnownDataIds:
        """Those parts of the data IDs that are also parts of others.

        Parameters
        ----------
        dimensions : `lsst.daf.butler.DimensionGroup`
            Dimensions of the others.

        Returns
        -------
        within : `KnownDataIds`
            With the required dimensions that both have.
        """
        own = list(self.dimensions.required)
        common = [name for name in own if name in dimensions.required]
        positions = [own.index(name) for name in common]
        return KnownDataIds(
            dimensions.universe.conform(common),
            frozenset(tuple(row[i] for i in positions) for row in self.rows),
        )


@dataclass
class _Search:
    """One dataset search of a query, and how far it has been followed."""

    dataset_type: DatasetType
    tree: QueryTree
    names: dict[Side, list[str]]
    types: dict[str, CollectionType]
    rows: list[DatasetRow]
    certain: bool = True
    """Whether every row of the answer has a dataset of this search."""

    def on(self, side: Side) -> QueryTree:
        name = self.dataset_type.name
        search = self.tree.datasets[name].model_copy(update={"collections": tuple(self.names[side])})
        return self.tree.model_copy(update={"datasets": {name: search}})

    @property
    def spec(self) -> GeneralResultSpec:
        fields = {"dataset_id", "run", "collection", "ingest_date"}
        if CollectionType.CALIBRATION in self.types.values():
            fields.add("timespan")
        return GeneralResultSpec(
            dimensions=self.dataset_type.dimensions,
            dimension_fields={},
            dataset_fields={self.dataset_type.name: fields},
            find_first=False,
        )


class Gatherer:
    """Brings what a query needs of both repositories into a scratch registry.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    collections : `SatelliteCollections`
        Their collections.
    scratch : `Scratch`
        Where to.
    default_data_id : `lsst.daf.butler.DataCoordinate`
        Values that complete the conditions of the query.
    """

    def __init__(
        self,
        sides: Sides,
        collections: SatelliteCollections,
        scratch: Scratch,
        default_data_id: DataCoordinate,
    ) -> None:
        self._sides = sides
        self._collections = collections
        self._scratch = scratch
        self._default_data_id = default_data_id

    def gather(self, tree: QueryTree, spec: ResultSpec | None, known: Iterable[KnownDataIds] = ()) -> None:
        """Bring what a query needs.

        Parameters
        ----------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query.
        spec : `lsst.daf.butler.queries.result_specs.ResultSpec` or `None`
            What its rows are.
        known : iterable of `KnownDataIds`, optional
            Data IDs that are joined into the query.

        Raises
        ------
        InexactQueryError
            If it is too much.
        ConflictingRepositoriesError
            If the repositories contradict each other.
        """
        for nested in nested_trees(tree):
            self.gather(nested, None)
        tree = completed(tree, self._default_data_id)
        restrictions = list(known)
        searches = self._searches(tree)
        for search in searches:
            if search.names[Side.PERSONAL]:
                with self._driver(Side.PERSONAL) as driver:
                    search.rows += _dataset_rows(driver, search, Side.PERSONAL)
            if search.certain and not search.names[Side.OFFICIAL]:
                restrictions.append(_found(search))
        for search in searches:
            if search.names[Side.OFFICIAL]:
                search.rows += self._official_datasets(search, restrictions)
                if search.certain:
                    restrictions.append(_found(search))
        for element in _with_parents(self._sides.universe, tables_needed(tree, spec)):
            self._bring_records(element, tree.predicate, restrictions)
        for search in searches:
            self._scratch.add_datasets(search.dataset_type, search.rows, search.types)

    # Datasets

    def _searches(self, tree: QueryTree) -> list[_Search]:
        searches = [self._search(name, tree, search) for name, search in tree.datasets.items()]
        if tree.any_dataset is not None:
            located = self._collections.flatten(tree.any_dataset.collections).values()
            names = {name for found in located for name in found.info.dataset_types or ()}
            for name in sorted(names - tree.datasets.keys()):
                if self._dataset_type(name).dimensions == tree.any_dataset.dimensions:
                    joined = tree.join_dataset(name, tree.any_dataset)
                    found = self._search(name, joined, tree.any_dataset)
                    searches.append(dataclasses.replace(found, certain=False))
        return searches

    def _search(self, name: str, tree: QueryTree, search: DatasetSearch) -> _Search:
        dataset_type = self._dataset_type(name)
        self._scratch.add_dataset_type(dataset_type)
        located = self._collections.expand(search.collections)
        self._scratch.add_collections(found.info for found in located.values())
        names: dict[Side, list[str]] = {side: [] for side in Side}
        for collection, found in located.items():
            types = found.info.dataset_types
            if found.info.type is not CollectionType.CHAINED and (types is None or name in types):
                names[found.home].append(collection)
        types_of = {collection: found.info.type for collection, found in located.items()}
        return _Search(dataset_type, search_alone(tree, name), names, types_of, [])

    def _dataset_type(self, name: str) -> DatasetType:
        found = [t for side in Side if (t := self._sides.dataset_type(side, name)) is not None]
        return found[0]

    def _official_datasets(self, search: _Search, known: Sequence[KnownDataIds]) -> Iterator[DatasetRow]:
        tree, spec = search.on(Side.OFFICIAL), search.spec
        what = f"datasets of type {search.dataset_type.name!r}"
        for driver, narrowed in self._narrowed(tree, search.dataset_type.dimensions, known):
            self._check_size(driver, narrowed, spec, what)
            yield from _dataset_rows(driver, search, Side.OFFICIAL, narrowed)

    # Dimension records

    def _bring_records(
        self, element: DimensionElement, predicate: Predicate, known: Sequence[KnownDataIds]
    ) -> None:
        tree = make_identity_query_tree(element.universe).join_dimensions(element.minimal_group)
        if element.governor is not element:
            # All governors come: an unknown instrument is told from one without data.
            tree = tree.where(conditions_within(predicate, element.minimal_group))
        else:
            known = ()
        tree = tree.model_copy(update={"validateGovernorConstraints": False})
        spec = DimensionRecordResultSpec(element=element)
        official: dict[tuple[DataIdValue, ...], DimensionRecord] = {}
        for driver, narrowed in self._narrowed(tree, element.minimal_group, known):
            if not element.is_cached:
                self._check_size(driver, narrowed, spec, f"records of {element.name}")
            for page in driver.execute(spec, narrowed):
                official.update({record.dataId.required_values: record for record in page.rows})
        self._scratch.add_records(element, official.values())
        with self._driver(Side.PERSONAL) as driver:
            self._scratch.add_records(element, self._agreeing(driver, tree, spec, official))

    def _agreeing(
        self,
        driver: QueryDriver,
        tree: QueryTree,
        spec: DimensionRecordResultSpec,
        official: dict[tuple[DataIdValue, ...], DimensionRecord],
    ) -> Iterator[DimensionRecord]:
        for page in driver.execute(spec, tree):
            for record in page.rows:
                other = official.get(record.dataId.required_values)
                if other is not None and other != record:
                    raise ConflictingRepositoriesError.of_records(self._sides.shared.label, other, record)
                yield record

    # Asking

    def _narrowed(
        self, tree: QueryTree, dimensions: DimensionGroup, known: Sequence[KnownDataIds]
    ) -> Iterator[tuple[QueryDriver, QueryTree]]:
        """Official queries that together give what one would give, less what is known not to matter."""
        choices = [k for k in (data_ids.within(dimensions) for data_ids in known) if k.dimensions.required]
        if not choices:
            with self._driver(Side.OFFICIAL) as driver:
                yield driver, tree
            return
        best = min(choices, key=lambda data_ids: (len(data_ids.rows), -len(data_ids.dimensions.required)))
        for chunk in chunk_iterable(sorted(best.rows), UPLOAD_ROWS):
            # A driver sends all that was uploaded with every request: a new one for each upload.
            with self._driver(Side.OFFICIAL) as driver:
                key = driver.upload_data_coordinates(best.dimensions, chunk)
                yield driver, tree.join_data_coordinate_upload(key, best.dimensions)

    @contextmanager
    def _driver(self, side: Side) -> Iterator[QueryDriver]:
        empty = DataCoordinate.make_empty(self._sides.universe)
        if side is Side.PERSONAL:
            personal = self._sides.personal
            assert personal is not None, "otherwise the official repository answers alone"
            with personal._query_driver((), empty) as driver:
                yield driver
        else:
            # Without default data ID: conditions are complete.
            official = self._sides.shared.official
            remote = RemoteQueryDriver(official, official._connection)
            with remote:
                yield remote

    def _check_size(self, driver: QueryDriver, tree: QueryTree, spec: ResultSpec, what: str) -> None:
        count = driver.count(tree, spec, exact=False, discard=True)
        if count <= MAX_ROWS:
            return
        label = self._sides.shared.label
        free = [n for n in reversed(list(spec.dimensions.required)) if n not in pinned(tree)]
        raise InexactQueryError(
            f"This query joins what is in your satellite with {count:,} {what} of {label}, more than can "
            f"be fetched for it ({MAX_ROWS:,}).",
            f'Add a constraint on {" or ".join(free)}, for example "{free[0]} = …".'
            if free
            else "Add a constraint.",
        )


def _dataset_rows(
    driver: QueryDriver, search: _Search, side: Side, tree: QueryTree | None = None
) -> Iterator[DatasetRow]:
    spec = search.spec
    columns = [(str(column.logical_table), column.field) for column in spec.get_result_columns()]
    data_id = [columns.index((name, None)) for name in search.dataset_type.dimensions.required]
    name = search.dataset_type.name
    position: dict[str, int] = {
        str(field): i for i, (table, field) in enumerate(columns) if table == name and field is not None
    }
    for page in driver.execute(spec, tree if tree is not None else search.on(side)):
        for row in page.rows:
            found: dict[str, Any] = {field: row[i] for field, i in position.items()}
            calibration = search.types.get(found["collection"]) is CollectionType.CALIBRATION
            yield DatasetRow(
                tuple(row[i] for i in data_id),
                found["dataset_id"],
                found["run"],
                found["collection"],
                found["ingest_date"],
                found["timespan"] if calibration else None,
            )


def _found(search: _Search) -> KnownDataIds:
    return KnownDataIds(search.dataset_type.dimensions, frozenset(row.data_id for row in search.rows))


def _with_parents(
    universe: DimensionUniverse, elements: Iterable[DimensionElement]
) -> list[DimensionElement]:
    """Elements, and those that their records refer to, in an order in which they can be written."""
    found: set[DimensionElement] = set()
    pending = list(elements)
    while pending:
        element = pending.pop()
        if element not in found:
            found.add(element)
            names = (name for name in element.minimal_group.names if name != element.name)
            pending += [e for n in names for e in tables_of(universe[n].minimal_group)]
    return [element for element in universe.elements if element in found]
