"""Collections grouped by the slashes in their names, one level at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Folder", "folder_below", "gather"]


@dataclass(frozen=True)
class Folder:
    """Two or more collections whose names begin alike."""

    path: str
    """What they begin with, up to the last slash that they share."""

    count: int
    """How many they are."""


def gather(names: Sequence[str], folder: str) -> list[str | Folder]:
    """Find what is directly in a folder.

    Parameters
    ----------
    names : sequence of `str`
        Names of collections, in any order.
    folder : `str`
        Path of a folder with its last slash; empty for the uppermost level.

    Returns
    -------
    entries : `list` [`str` or `Folder`]
        Folders by name, then the names that share no further part with another.
    """
    groups: dict[str, list[str]] = {}
    alone: list[str] = []
    for name in names:
        if not name.startswith(folder):
            continue
        part, slash, _ = name[len(folder) :].partition("/")
        if slash:
            groups.setdefault(part, []).append(name)
        else:
            alone.append(name)
    folders: list[Folder] = []
    for group in groups.values():
        if len(group) == 1:
            # A folder for one would only be another row to open.
            alone += group
        else:
            folders.append(Folder(_shared_path(group), len(group)))
    return [*sorted(folders, key=lambda each: each.path), *sorted(alone)]


def folder_below(names: Sequence[str], name: str, folder: str) -> Folder | None:
    """Find the folder, directly in another one, that holds a collection.

    Parameters
    ----------
    names : sequence of `str`
        As for `gather`.
    name : `str`
        One of the names, which begins with the folder.
    folder : `str`
        As for `gather`.

    Returns
    -------
    folder : `Folder` or `None`
        `None` if the collection is itself in the outer folder.
    """
    part, slash, _ = name[len(folder) :].partition("/")
    if not slash:
        return None
    group = [other for other in names if other.startswith(f"{folder}{part}/")]
    return Folder(_shared_path(group), len(group)) if len(group) > 1 else None


def _shared_path(names: Sequence[str]) -> str:
    """What two or more names begin with; the first and the last in order differ earliest."""
    first, last = min(names), max(names)
    length = next(
        (index for index, (one, other) in enumerate(zip(first, last, strict=False)) if one != other),
        min(len(first), len(last)),
    )
    return first[: first.rindex("/", 0, length) + 1]
