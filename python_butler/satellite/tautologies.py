"""Conditions that compare a value with itself: a person who writes one means something else."""

from __future__ import annotations

from typing import override

from lsst.daf.butler.queries.tree import ColumnExpression, ComparisonOperator, Predicate, QueryTree
from lsst.daf.butler.queries.visitors import PredicateVisitFlags, SimplePredicateVisitor

__all__ = ["ADVICE", "tautologies"]

ADVICE = (
    'A value that is bound to the name of a dimension replaces the dimension, too, as in "band = :band": '
    'bind it to another name, as in "band = :my_band".'
)
"""What to do about them."""


def tautologies(tree: QueryTree) -> list[ColumnExpression]:
    """Find values that are compared with themselves.

    Upstream replaces the name of a dimension by a value that is bound to the same name: ``band = :band``
    becomes ``'r' = 'r'``, which holds for all bands.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query as it was asked.

    Returns
    -------
    values : `list` [`lsst.daf.butler.queries.tree.ColumnExpression`]
        One for each such condition.
    """
    found = _Tautologies()
    tree.predicate.visit(found)
    return found.values


class _Tautologies(SimplePredicateVisitor):
    """Collects values that are compared with themselves."""

    def __init__(self) -> None:
        self.values: list[ColumnExpression] = []

    @override
    def visit_comparison(
        self,
        a: ColumnExpression,
        operator: ComparisonOperator,
        b: ColumnExpression,
        flags: PredicateVisitFlags,
    ) -> Predicate | None:
        if a.is_literal and a == b:
            self.values.append(a)
        return None

    @override
    def visit_in_container(
        self,
        member: ColumnExpression,
        container: tuple[ColumnExpression, ...],
        flags: PredicateVisitFlags,
    ) -> Predicate | None:
        if member.is_literal and member in container:
            self.values.append(member)
        return None
