"""Taking query trees apart: conditions, searches and queries within queries."""

from __future__ import annotations

from collections.abc import Collection
from typing import override

from lsst.daf.butler import DataCoordinate, DataIdValue, Dimension, DimensionElement, DimensionGroup
from lsst.daf.butler.queries.predicate_constraints_summary import PredicateConstraintsSummary
from lsst.daf.butler.queries.result_specs import DatasetRefResultSpec, GeneralResultSpec, ResultSpec
from lsst.daf.butler.queries.tree import (
    ColumnExpression,
    ColumnSet,
    Predicate,
    QueryTree,
    make_identity_query_tree,
)
from lsst.daf.butler.queries.visitors import PredicateVisitFlags, SimplePredicateVisitor

__all__ = [
    "completed",
    "conditions_within",
    "nested_trees",
    "pinned",
    "search_alone",
    "tables_needed",
    "tables_of",
    "used_fields",
]


def tables_of(dimensions: DimensionGroup) -> frozenset[DimensionElement]:
    """Elements whose records a query over some dimensions reads from tables.

    Parameters
    ----------
    dimensions : `lsst.daf.butler.DimensionGroup`
        Dimensions of the query.

    Returns
    -------
    elements : `frozenset` [`lsst.daf.butler.DimensionElement`]
        Without those that are computed (pixelizations); ``band``, which has no table of its own, is
        replaced by the element whose table lists its values.
    """
    universe = dimensions.universe
    elements = set()
    for name in dimensions.elements:
        element = universe[name]
        if element in universe.skypix_dimensions:
            continue
        element = getattr(element, "implied_union_target", None) or element
        if element.has_own_table:
            elements.add(element)
    return frozenset(elements)


def tables_needed(tree: QueryTree, spec: ResultSpec | None) -> frozenset[DimensionElement]:
    """Elements whose records decide which rows a query has, or are returned by it.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.
    spec : `lsst.daf.butler.queries.result_specs.ResultSpec` or `None`
        What its rows are.

    Returns
    -------
    elements : `frozenset` [`lsst.daf.butler.DimensionElement`]
        Those of `tables_of` that upstream joins: not the regions of a visit's detectors, which are
        many, unless something asks for them.
    """
    elements = tables_of(tree.dimensions)
    if getattr(spec, "include_dimension_records", False):
        return elements
    columns = ColumnSet(tree.dimensions)
    tree.predicate.gather_required_columns(columns)
    if spec is not None:
        columns.update(spec.get_result_columns())
        for term in spec.order_by:
            term.gather_required_columns(columns)
    overlaps = len(tree.dimensions.spatial) > 1
    return frozenset(
        element
        for element in elements
        if isinstance(element, Dimension)
        or element.defines_relationships
        or columns.dimension_fields.get(element.name)
        or (overlaps and element.spatial is not None)
    )


def conditions_within(
    predicate: Predicate, dimensions: DimensionGroup, dataset_types: Collection[str] = ()
) -> Predicate:
    """Those conditions of a query that concern some of its dimensions and datasets alone.

    Parameters
    ----------
    predicate : `lsst.daf.butler.queries.tree.Predicate`
        All conditions.
    dimensions : `lsst.daf.butler.DimensionGroup`
        Dimensions.
    dataset_types : collection of `str`, optional
        Names of dataset types, the fields of which may be used.

    Returns
    -------
    within : `lsst.daf.butler.queries.tree.Predicate`
        What every row that fulfils all conditions fulfils, and what can be told without the rest.
    """
    within = Predicate.from_bool(True)
    for operands in predicate.operands:
        clause = Predicate.model_construct(operands=(operands,))
        columns = ColumnSet(dimensions.universe.empty)
        clause.gather_required_columns(columns)
        if (
            columns.dimensions <= dimensions
            and set(columns.dataset_fields) <= set(dataset_types)
            and not _nested(clause)
        ):
            within = within.logical_and(clause)
    return within


def search_alone(tree: QueryTree, name: str) -> QueryTree:
    """One search of a query, with those conditions that concern it alone.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.
    name : `str`
        Dataset type of one of its searches.

    Returns
    -------
    alone : `lsst.daf.butler.queries.tree.QueryTree`
        A query that finds at least all datasets that take part in a row of the whole.
    """
    search = tree.datasets[name]
    alone = make_identity_query_tree(tree.dimensions.universe).join_dataset(name, search)
    alone = alone.where(conditions_within(tree.predicate, search.dimensions, {name}))
    return alone.model_copy(update={"validateGovernorConstraints": False})


def nested_trees(tree: QueryTree) -> list[QueryTree]:
    """Queries whose results a query uses in its conditions.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.

    Returns
    -------
    nested : `list` [`lsst.daf.butler.queries.tree.QueryTree`]
        Queries, without those within them.
    """
    return _nested(tree.predicate)


def completed(tree: QueryTree, default_data_id: DataCoordinate) -> QueryTree:
    """Add to the conditions of a query what a default data ID says, as upstream's drivers do.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.
    default_data_id : `lsst.daf.butler.DataCoordinate`
        Values of governor dimensions.

    Returns
    -------
    completed : `lsst.daf.butler.queries.tree.QueryTree`
        The query with these conditions.

    Raises
    ------
    lsst.daf.butler.InvalidQueryError
        If a condition needs, say, an instrument, and the query leaves it open.
    """
    summary = PredicateConstraintsSummary(tree.predicate)
    summary.apply_default_data_id(default_data_id, tree.dimensions, tree.validateGovernorConstraints)
    return tree.model_copy(update={"predicate": summary.predicate})


def pinned(tree: QueryTree) -> dict[str, DataIdValue]:
    """Dimensions for which the conditions of a query allow one value.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.

    Returns
    -------
    values : `dict` [`str`, `int` or `str`]
        The values.
    """
    return PredicateConstraintsSummary(tree.predicate).constraint_data_id


def used_fields(tree: QueryTree, spec: ResultSpec | None) -> set[str]:
    """Dataset types whose own fields a query filters by, or sorts by without returning them.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query.
    spec : `lsst.daf.butler.queries.result_specs.ResultSpec` or `None`
        What its rows are.

    Returns
    -------
    names : `set` [`str`]
        Names of dataset types.
    """
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


def _nested(predicate: Predicate) -> list[QueryTree]:
    visitor = _NestedTrees()
    predicate.visit(visitor)
    return visitor.found


class _NestedTrees(SimplePredicateVisitor):
    """Collects the queries that conditions refer to; changes nothing."""

    def __init__(self) -> None:
        self.found: list[QueryTree] = []

    @override
    def visit_in_query_tree(
        self,
        member: ColumnExpression,
        column: ColumnExpression,
        query_tree: QueryTree,
        flags: PredicateVisitFlags,
    ) -> Predicate | None:
        self.found.append(query_tree)
        return None
