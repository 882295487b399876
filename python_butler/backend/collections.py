"""The tree of collections, with few questions to the repository however many collections there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import cast

from lsst.daf.butler import Butler, CollectionInfo, MissingCollectionError
from lsst.daf.butler import CollectionType as ButlerCollectionType

from . import models
from .folders import Folder, folder_below, gather
from .models import Collection, CollectionFolder, CollectionPage, CollectionPath, CollectionStep
from .repository import BrowsedRepository
from .versions import ABSENT

__all__ = [
    "all_collections",
    "convert_collection",
    "find_path",
    "flatten",
    "list_collections",
    "outdated_collections",
]

_Entry = CollectionInfo | Folder


def list_collections(
    repository: BrowsedRepository, parent: str | None, folder: str | None, offset: int, limit: int
) -> CollectionPage:
    """List a stretch of one level of the tree.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    parent : `str` or `None`
        A chain, or `None` for the top level.
    folder : `str` or `None`
        At the top level, the folder to look into; empty for what is in none; `None` not to group.
    offset, limit : `int`
        Where to begin, and most entries to give.

    Returns
    -------
    page : `CollectionPage`
        Below a chain its children in search order; at the top the collections that are in no chain: the
        default collection, chains, then folders, then the others by name.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such parent.
    """
    level = _level(repository, parent, folder)
    return CollectionPage(
        entries=[
            CollectionFolder(path=entry.path, count=entry.count)
            if isinstance(entry, Folder)
            else convert_collection(entry)
            for entry in level[offset : offset + limit]
        ],
        offset=offset,
        total=len(level),
    )


def find_path(repository: BrowsedRepository, collection: str, *, grouped: bool) -> CollectionPath:
    """Find the way from the top level of the tree to a collection.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        Name of a collection.
    grouped : `bool`
        Whether the top level is grouped into folders.

    Returns
    -------
    path : `CollectionPath`
        What has to be opened; the last step is the collection itself. Of several ways through chains the
        one with the fewest steps, in search order.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such collection.
    """
    everything = {info.name: info for info in all_collections(repository)}
    if collection not in everything:
        raise MissingCollectionError(f"There is no collection {collection!r} in {repository.label}.")
    top = [info.name for info in _top(repository)]
    parents: dict[str, list[str]] = {}
    for info in everything.values():
        for child in info.children:
            parents.setdefault(child, []).append(info.name)
    ways = _ways_up(collection, parents)
    first = next(way for way in ways if way[0] in set(top))
    steps: list[CollectionStep] = []
    if grouped:
        folder = ""
        while (inner := folder_below(top, first[0], folder)) is not None:
            steps.append(_step(repository, None, folder, inner.path))
            folder = inner.path
        steps.append(_step(repository, None, folder, first[0]))
    else:
        steps.append(_step(repository, None, None, first[0]))
    for parent, child in pairwise(first):
        steps.append(_step(repository, parent, None, child))
    return CollectionPath(collection=convert_collection(everything[collection]), steps=steps)


def flatten(repository: BrowsedRepository, collection: str) -> Sequence[CollectionInfo]:
    """Find what is searched when a collection is: itself, or all that its chain leads to.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    collection : `str`
        Name of a collection of any type.

    Returns
    -------
    collections : sequence of `lsst.daf.butler.CollectionInfo`
        No chains, in search order, each with the names of the dataset types in it.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such collection.
    """

    def ask() -> Sequence[CollectionInfo]:
        return repository.butler().collections.query_info(
            [collection], flatten_chains=True, include_chains=False, include_summary=True
        )

    return repository.memory.get(("flat", collection), ask, version=repository.version())


def all_collections(repository: BrowsedRepository, butler: Butler | None = None) -> Sequence[CollectionInfo]:
    """Find all collections, with their documentation and the children of chains.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    butler : `lsst.daf.butler.Butler`, optional
        Asks, if one has to ask; the repository's own if not given.

    Returns
    -------
    collections : sequence of `lsst.daf.butler.CollectionInfo`
        In no order.
    """
    version = repository.version()
    if version == ABSENT:
        return []

    def ask() -> Sequence[CollectionInfo]:
        return repository.collections(butler or repository.butler())

    return repository.memory.get("collections", ask, version=version)


def outdated_collections(repository: BrowsedRepository) -> Sequence[CollectionInfo]:
    """Give what was known of all collections, if that is so long ago that `all_collections` asks again.

    A server takes seconds to list a hundred thousand of them.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.

    Returns
    -------
    collections : sequence of `lsst.daf.butler.CollectionInfo`
        In no order; none if what is known is still good, or nothing is.
    """
    known = repository.memory.outdated("collections", version=repository.version())
    return cast(Sequence[CollectionInfo], known or ())


def convert_collection(info: CollectionInfo) -> Collection:
    """Describe a collection to the browser.

    Parameters
    ----------
    info : `lsst.daf.butler.CollectionInfo`
        What the butler says of it.

    Returns
    -------
    collection : `Collection`
        The description.
    """
    return Collection(
        name=info.name,
        type=models.CollectionType(info.type.name),
        doc=info.doc,
        children=list(info.children) if info.type is ButlerCollectionType.CHAINED else None,
    )


def _level(repository: BrowsedRepository, parent: str | None, folder: str | None) -> Sequence[_Entry]:
    def ask() -> Sequence[_Entry]:
        if parent is not None:
            return _children(repository.butler(), parent)
        return _top(repository) if folder is None else _folder(repository, folder)

    return repository.memory.get(("level", parent, folder), ask, version=repository.version())


def _top(repository: BrowsedRepository) -> Sequence[CollectionInfo]:
    def ask() -> Sequence[CollectionInfo]:
        everything = all_collections(repository)
        inside = {child for info in everything for child in info.children}
        top = [info for info in everything if info.name not in inside or info.name == repository.label]
        return sorted(top, key=lambda info: _rank(info, repository.label))

    return repository.memory.get("top", ask, version=repository.version())


def _folder(repository: BrowsedRepository, folder: str) -> Sequence[_Entry]:
    top = {info.name: info for info in _top(repository)}
    entries = gather(list(top), folder)
    folders = [entry for entry in entries if isinstance(entry, Folder)]
    others = (top[entry] for entry in entries if isinstance(entry, str))
    ranked = sorted(others, key=lambda info: _rank(info, repository.label))
    # Chains are what one most often wants; the default one leads.
    chains = [info for info in ranked if _rank(info, repository.label)[:2] != (True, True)]
    return [*chains, *folders, *ranked[len(chains) :]]


def _rank(info: CollectionInfo, default: str) -> tuple[bool, bool, str]:
    return (info.name != default, info.type is not ButlerCollectionType.CHAINED, info.name)


def _children(butler: Butler, parent: str) -> Sequence[CollectionInfo]:
    (info,) = butler.collections.query_info([parent])
    if not info.children:
        return []
    infos = butler.collections.query_info(list(info.children), include_doc=True)
    known = {child.name: child for child in infos}
    return [known[name] for name in info.children if name in known]


def _ways_up(collection: str, parents: dict[str, list[str]]) -> Iterable[list[str]]:
    """Ways from outer chains to a collection, shorter ones first."""
    ways = [[collection]]
    seen = {collection}
    while ways:
        yield from ways
        longer: list[list[str]] = []
        for way in ways:
            for parent in parents.get(way[0], ()):
                if parent not in seen:
                    seen.add(parent)
                    longer.append([parent, *way])
        ways = longer


def _step(
    repository: BrowsedRepository, parent: str | None, folder: str | None, entry: str
) -> CollectionStep:
    level = _level(repository, parent, folder)
    names = (each.path if isinstance(each, Folder) else each.name for each in level)
    offset = next((index for index, name in enumerate(names) if name == entry), None)
    if offset is None:
        raise MissingCollectionError(f"There is no collection {entry!r} in {repository.label} any more.")
    return CollectionStep(parent=parent, folder=folder, entry=entry, offset=offset)
