"""Conditions that compare a value with itself: a person who writes one means something else."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import override

import lsst.daf.butler
from lsst.daf.butler.queries.tree import ColumnExpression, ComparisonOperator, Predicate, QueryTree
from lsst.daf.butler.queries.visitors import PredicateVisitFlags, SimplePredicateVisitor

__all__ = ["MeaninglessConditionWarning", "warn_of_tautologies"]

_ON_THE_WAY = (str(Path(__file__).parents[1]), str(Path(lsst.daf.butler.__file__).parent))
"""Code between here and the line of the user's that asks."""


class MeaninglessConditionWarning(UserWarning):
    """A condition of a query compares a value with itself, and selects nothing."""


def warn_of_tautologies(tree: QueryTree) -> None:
    """Warn of conditions that compare a value with itself.

    Upstream replaces the name of a dimension by a value that is bound to the same name: ``band = :band``
    becomes ``'r' = 'r'``, which holds for all bands.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query as it was asked.
    """
    found = _Tautologies()
    tree.predicate.visit(found)
    for value in found.values:
        warnings.warn(
            f"A condition compares {value} with itself, so that it says nothing of the data. A value that is "
            'bound to the name of a dimension replaces the dimension, too, as in "band = :band": bind it to '
            'another name, as in "band = :my_band".',
            MeaninglessConditionWarning,
            skip_file_prefixes=_ON_THE_WAY,
        )


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
