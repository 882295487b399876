"""Which names only files have that were never finished, by whom they are made, and what they tell."""

from __future__ import annotations

import re
from uuid import UUID

from ..presence import PINNED

__all__ = ["BUILDING", "is_dataset_file", "is_unfinished", "pinned_dataset"]

BUILDING = re.compile(r"building-[0-9a-f]{32}(\.yaml|\.json|\.md)?")
"""What is made for a satellite that is being created, or beside one of its files that is being replaced."""

_WRITTEN = re.compile(r"[a-z0-9_]{16}(?P<name>.+)\.tmp(?P<extension>\.[^/]+)?")
"""Upstream's ``TemporaryForIngest``: what a formatter writes, before it gets its name."""

_COPIED = re.compile(r"(?P<name>.+)\.transfer-tmp")
"""Upstream's ``FileResourcePath.transfer_from``: a copy, before it gets its name."""

_MOVED = re.compile(r"[a-z0-9_]{16}(\.[A-Za-z0-9]+)*")
"""Upstream's ``ResourcePath.temporary_uri``: a copy that replaces a file, or comes from another disk."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_dataset_file(path: str, runs: set[str], types: set[str]) -> bool:
    """Tell whether a file lies where upstream puts datasets, and is called as they are.

    Parameters
    ----------
    path : `str`
        Its path below the root of the datastore.
    runs, types : `set` [`str`]
        Names of all runs and dataset types.

    Returns
    -------
    plausible : `bool`
        Whether its directory is one of a run and a dataset type, and its name begins with that of
        the type: so upstream's templates make them, unless somebody configured others.
    """
    *directories, name = path.split("/")
    for length in range(len(directories) - 1, 0, -1):
        kind = directories[length].partition(".")[0]
        if kind in types and name.startswith(kind):
            return "/".join(directories[:length]) in runs
    return False


def is_unfinished(path: str, types: set[str]) -> bool:
    """Tell whether a file in the datastore has a name that only unfinished ones have.

    Parameters
    ----------
    path : `str`
        Its path below the root of the datastore.
    types : `set` [`str`]
        Names of all dataset types.

    Returns
    -------
    unfinished : `bool`
        Whether it has. The name of a finished one begins with that of its dataset type, which is that of
        a directory above it.
    """
    *directories, name = path.split("/")
    kinds = {directory.partition(".")[0] for directory in directories} & types
    if not kinds:
        return False
    for form in (_WRITTEN, _COPIED):
        if (match := form.fullmatch(name)) and any(match["name"].startswith(kind) for kind in kinds):
            return True
    return _MOVED.fullmatch(name) is not None and not any(name.startswith(kind) for kind in kinds)


def pinned_dataset(path: str) -> UUID | None:
    """Tell of which official dataset a file is the copy, by its name.

    Parameters
    ----------
    path : `str`
        Its path below the root of the datastore.

    Returns
    -------
    dataset_id : `uuid.UUID` or `None`
        `None` if it is not called as pinned copies are.
    """
    directory, _, name = path.rpartition("/")
    if directory.partition("/")[0] != PINNED or not (match := _ID.match(name)):
        return None
    return UUID(match[0])
