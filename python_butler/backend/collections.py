"""The tree of collections, with few questions to the repository however many collections there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsst.daf.butler import Butler, CollectionInfo, MissingCollectionError
from lsst.daf.butler import CollectionType as ButlerCollectionType

from . import models
from .models import Collection, CollectionPage
from .repository import BrowsedRepository
from .versions import ABSENT

__all__ = ["flatten", "list_collections"]

_CHUNK = 500
"""Collections whose documentation is asked for at once."""


def list_collections(repository: BrowsedRepository, parent: str | None, limit: int) -> CollectionPage:
    """List the collections at one level of the tree.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    parent : `str` or `None`
        A chain, or `None` for the top level.
    limit : `int`
        Most collections to give.

    Returns
    -------
    page : `CollectionPage`
        Below a chain its children in search order; at the top the collections that are in no chain: the
        default collection, chains, then the others by name.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such parent.
    """
    version = repository.version()
    if version == ABSENT and parent is None:
        return CollectionPage(collections=[], total=0, capped=False)

    def ask() -> CollectionPage:
        butler = repository.butler()
        level = _top(repository, butler, version) if parent is None else _children(butler, parent)
        shown = level[:limit]
        return CollectionPage(
            collections=[_convert(info) for info in _documented(butler, shown)],
            total=len(level),
            capped=len(level) > limit,
        )

    return repository.memory.get(("collections", parent, limit), ask, version=version)


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


def _top(repository: BrowsedRepository, butler: Butler, version: str) -> Sequence[CollectionInfo]:
    def ask() -> Sequence[CollectionInfo]:
        # Asking for each collection's parents would cost a query each; the chains tell all of them.
        everything = butler.collections.query_info("*")
        inside = {child for info in everything for child in info.children}
        top = [info for info in everything if info.name not in inside or info.name == repository.label]
        return sorted(top, key=lambda info: _rank(info, repository.label))

    return repository.memory.get("top", ask, version=version)


def _rank(info: CollectionInfo, default: str) -> tuple[bool, bool, str]:
    return (info.name != default, info.type is not ButlerCollectionType.CHAINED, info.name)


def _children(butler: Butler, parent: str) -> Sequence[CollectionInfo]:
    (info,) = butler.collections.query_info([parent])
    if not info.children:
        return []
    known = {child.name: child for child in butler.collections.query_info(list(info.children))}
    return [known[name] for name in info.children if name in known]


def _documented(butler: Butler, infos: Sequence[CollectionInfo]) -> Iterable[CollectionInfo]:
    for start in range(0, len(infos), _CHUNK):
        chunk = infos[start : start + _CHUNK]
        try:
            answer = butler.collections.query_info([info.name for info in chunk], include_doc=True)
        except MissingCollectionError:
            # One was removed meanwhile: better all of them without their documentation than none.
            yield from chunk
            continue
        documented = {info.name: info for info in answer}
        yield from (documented.get(info.name, info) for info in chunk)


def _convert(info: CollectionInfo) -> Collection:
    return Collection(
        name=info.name,
        type=models.CollectionType(info.type.name),
        doc=info.doc,
        children=list(info.children) if info.type is ButlerCollectionType.CHAINED else None,
    )
