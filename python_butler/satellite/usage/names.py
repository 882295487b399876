"""Which runs are versions of one name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

__all__ = ["VersionRun", "version_runs"]

_VERSION = re.compile(r"(?P<name>.+)/v(?P<number>[1-9][0-9]*)")


@dataclass(frozen=True)
class VersionRun:
    """A run that holds a version.

    Attributes
    ----------
    run : `str`
        The run, ``u/<user>/<name>/v3``.
    name : `str`
        The chain that it belongs to, ``u/<user>/<name>``.
    number : `int`
        Which version, from 1 on.
    """

    run: str
    name: str
    number: int


def version_runs(runs: Iterable[str], chains: Collection[str]) -> dict[str, VersionRun]:
    """Tell which runs are versions of one name.

    Parameters
    ----------
    runs : iterable of `str`
        Names of runs.
    chains : collection of `str`
        Names of all chains; a run that is only called like a version is none.

    Returns
    -------
    versions : `dict` [`str`, `VersionRun`]
        Those that are, by their names.
    """
    found: dict[str, VersionRun] = {}
    for run in runs:
        match = _VERSION.fullmatch(run)
        if match is not None and match["name"] in chains:
            found[run] = VersionRun(run, match["name"], int(match["number"]))
    return found
