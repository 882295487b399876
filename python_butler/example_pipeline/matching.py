"""Which sources are the same object, and their averages. Arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

__all__ = ["average", "group_positions", "scatter"]

type Floats = npt.NDArray[np.float64]
type Integers = npt.NDArray[np.int64]


def group_positions(sky: SkyCoord, radius: float) -> Integers:
    """Group positions that are near to each other: friends, and friends of friends.

    Parameters
    ----------
    sky : `astropy.coordinates.SkyCoord`
        Positions, shape ``(n,)``.
    radius : `float`
        Arcseconds within which two positions are friends.

    Returns
    -------
    group : `numpy.ndarray`
        Number of each position's group, shape ``(n,)``. It does not depend on the order of positions which
        of them are together.
    """
    if len(sky) == 0:
        return np.zeros(0, dtype=np.int64)
    # Chords of the unit sphere, on which there are neither poles nor a seam at 0 hours.
    chord = 2 * np.sin(np.radians(radius / 3600) / 2)
    pairs = KDTree(sky.cartesian.xyz.value.T).query_pairs(chord, output_type="ndarray")
    friends = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(sky), len(sky)))
    return np.asarray(connected_components(friends, directed=False)[1], dtype=np.int64)


def average(values: Floats, errors: Floats, group: Integers, groups: int) -> tuple[Floats, Floats]:
    """Averages of groups with inverse variance as weights.

    Parameters
    ----------
    values, errors : `numpy.ndarray`
        Shape ``(n,)``.
    group : `numpy.ndarray`
        Number of each value's group, shape ``(n,)``.
    groups : `int`
        How many groups there are.

    Returns
    -------
    mean, error : `numpy.ndarray`
        Shape ``(groups,)``; NaN for a group without values.
    """
    weight = errors**-2.0
    total = np.bincount(group, weight, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.bincount(group, weight * values, groups) / total
        return mean, np.where(total > 0, 1 / np.sqrt(total), np.nan)


def scatter(values: Floats, mean: Floats, group: Integers, groups: int) -> Floats:
    """Standard deviation of each group's values around a mean.

    Parameters
    ----------
    values : `numpy.ndarray`
        Shape ``(n,)``.
    mean : `numpy.ndarray`
        Of each group, shape ``(groups,)``.
    group, groups
        As for `average`.

    Returns
    -------
    deviation : `numpy.ndarray`
        Shape ``(groups,)``; NaN for a group with fewer than two values.
    """
    count = np.bincount(group, minlength=groups)
    squares = np.bincount(group, (values - mean[group]) ** 2, groups)
    return np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
