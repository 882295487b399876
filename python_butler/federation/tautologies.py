"""Warning of conditions that compare a value with itself."""

from __future__ import annotations

import warnings
from pathlib import Path

import lsst.daf.butler
from lsst.daf.butler.queries.tree import QueryTree

from ..satellite.tautologies import ADVICE, tautologies

__all__ = ["MeaninglessConditionWarning", "warn_of_tautologies"]

_ON_THE_WAY = (str(Path(__file__).parents[1]), str(Path(lsst.daf.butler.__file__).parent))
"""Code between here and the line of the user's that asks."""


class MeaninglessConditionWarning(UserWarning):
    """A condition of a query compares a value with itself, and selects nothing."""


def warn_of_tautologies(tree: QueryTree) -> None:
    """Warn of conditions that compare a value with itself.

    Parameters
    ----------
    tree : `lsst.daf.butler.queries.tree.QueryTree`
        A query as it was asked.
    """
    for value in tautologies(tree):
        warnings.warn(
            f"A condition compares {value} with itself, so that it says nothing of the data. {ADVICE}",
            MeaninglessConditionWarning,
            skip_file_prefixes=_ON_THE_WAY,
        )
