"""Collections of both repositories as one list, and changes to the personal ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import partial
from typing import Any, NamedTuple, cast, override

from lsst.daf.butler import (
    ButlerCollections,
    CollectionInfo,
    CollectionType,
    DatasetType,
    MissingCollectionError,
)
from lsst.daf.butler.registry import CollectionExpressionError
from lsst.daf.butler.registry.wildcards import CollectionWildcard
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder
from lsst.daf.butler.utils import has_globs
from lsst.utils.iteration import ensure_iterable

from ..errors import OfficialRunError, OfflineError
from ..satellite.registering import register_collection
from ..settings import OWN_PREFIXES, user_name
from .arguments import collection_name, collection_terms
from .shared import Side
from .sides import Sides

__all__ = ["Located", "SatelliteCollections"]


class Located(NamedTuple):
    """A collection, and where it is read."""

    info: CollectionInfo
    home: Side
    """Official if it exists there: a satellite's copy of an official collection is partial."""


class _UnreachableCollectionError(OfflineError, MissingCollectionError):
    """A collection that may exist officially, for code that goes on without those that do not."""


class SatelliteCollections(ButlerCollections):
    """Collections of an official repository and its satellite.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    defaults : `lsst.daf.butler.remote_butler._defaults.DefaultsHolder`
        Holds the default collections.
    """

    def __init__(self, sides: Sides, defaults: DefaultsHolder) -> None:
        self._sides = sides
        self._defaults = defaults

    @property
    @override
    def defaults(self) -> Sequence[str]:
        return self._defaults.get().collections

    # Reading

    def locate(self, names: Iterable[str]) -> dict[str, Located]:
        """Find collections by name, wherever they are.

        Parameters
        ----------
        names : iterable of `str`
            Names, without wildcards.

        Returns
        -------
        found : `dict` [`str`, `Located`]
            All of them, with their summaries, in the order given.

        Raises
        ------
        lsst.daf.butler.MissingCollectionError
            If one of them exists nowhere.
        """
        names = collection_terms(names)
        official = self._sides.collections(Side.OFFICIAL, names)
        personal = self._sides.collections(Side.PERSONAL, [n for n in names if n not in official])
        found: dict[str, Located] = {}
        for name in names:
            if (info := official.get(name)) is not None:
                found[name] = Located(info, Side.OFFICIAL)
            elif (info := personal.get(name)) is not None:
                found[name] = Located(info, Side.PERSONAL)
            elif self._sides.offline:
                raise _UnreachableCollectionError(
                    *self._sides.shared.reach.unavailable(f"Collection {name!r}").args
                )
            else:
                raise MissingCollectionError(f"No collection with name '{name}' found.")
        return found

    def flatten(self, names: Iterable[str]) -> dict[str, Located]:
        """Replace chains by what is in them, in search order.

        Parameters
        ----------
        names : iterable of `str`
            Names, without wildcards.

        Returns
        -------
        found : `dict` [`str`, `Located`]
            Collections that are no chains, each once, at its first place.

        Raises
        ------
        lsst.daf.butler.MissingCollectionError
            If one of them exists nowhere.
        """
        return {
            name: located
            for name, located in self.expand(names).items()
            if located.info.type is not CollectionType.CHAINED
        }

    def expand(self, names: Iterable[str]) -> dict[str, Located]:
        """Add to collections all that is in them.

        Parameters
        ----------
        names : iterable of `str`
            Names, without wildcards.

        Returns
        -------
        found : `dict` [`str`, `Located`]
            Collections in search order, chains before what is in them.

        Raises
        ------
        lsst.daf.butler.MissingCollectionError
            If one of them exists nowhere.
        """
        return self._walk(names, set())

    @override
    def query(
        self,
        expression: str | Iterable[str],
        collection_types: Set[CollectionType] | CollectionType | None = None,
        flatten_chains: bool = False,
        include_chains: bool | None = None,
    ) -> Sequence[str]:
        try:
            terms = _terms(expression)
        except TypeError as error:
            raise CollectionExpressionError(
                f"Invalid collection expression {expression!r}: {error}"
            ) from None
        return [info.name for info in self._infos(terms, collection_types, flatten_chains, include_chains)]

    @override
    def query_info(
        self,
        expression: str | Iterable[str],
        collection_types: Set[CollectionType] | CollectionType | None = None,
        flatten_chains: bool = False,
        include_chains: bool | None = None,
        include_parents: bool = False,
        include_summary: bool = False,
        include_doc: bool = False,
        summary_datasets: Iterable[DatasetType] | Iterable[str] | None = None,
    ) -> Sequence[CollectionInfo]:
        wanted = None if summary_datasets is None else frozenset(map(_name_of, summary_datasets))
        if include_summary:
            # The first datasets of a run decide what is in it.
            self._sides.spooled.settle()
        return [
            self._dressed(info, include_parents, include_summary, include_doc, wanted)
            for info in self._infos(
                _terms(expression), collection_types, flatten_chains, include_chains, include_summary
            )
        ]

    @override
    def get_info(
        self, name: str, include_parents: bool = False, include_summary: bool = False
    ) -> CollectionInfo:
        if has_globs(collection_name(name)):
            raise MissingCollectionError(f"No collection with name '{name}' found: patterns are for `query`.")
        (info,) = self.query_info(
            name, include_parents=include_parents, include_summary=include_summary, include_doc=True
        )
        return info

    # Writing

    @override
    def extend_chain(self, parent_collection_name: str, child_collection_names: str | Iterable[str]) -> None:
        children = self._prepare_chain(parent_collection_name, child_collection_names)
        with self._sides.writing() as writer:
            writer.collections.extend_chain(parent_collection_name, children)

    @override
    def prepend_chain(self, parent_collection_name: str, child_collection_names: str | Iterable[str]) -> None:
        children = self._prepare_chain(parent_collection_name, child_collection_names)
        with self._sides.writing() as writer:
            writer.collections.prepend_chain(parent_collection_name, children)

    @override
    def redefine_chain(
        self, parent_collection_name: str, child_collection_names: str | Iterable[str]
    ) -> None:
        children = self._prepare_chain(parent_collection_name, child_collection_names)
        with self._sides.writing() as writer:
            writer.collections.redefine_chain(parent_collection_name, children)

    @override
    def remove_from_chain(
        self, parent_collection_name: str, child_collection_names: str | Iterable[str]
    ) -> None:
        children = self._prepare_chain(parent_collection_name, child_collection_names)
        with self._sides.writing() as writer:
            writer.collections.remove_from_chain(parent_collection_name, children)

    @override
    def register(self, name: str, type: CollectionType = CollectionType.RUN, doc: str | None = None) -> bool:
        collection_name(name)
        official = self._sides.collections(Side.OFFICIAL, [name]).get(name)
        if official is not None and official.type is type:
            return False
        self.check_writeable(name)
        with self._sides.writing() as writer:
            return register_collection(writer, name, type, doc)

    @override
    def x_remove(self, name: str) -> None:
        self.check_writeable(name)
        self._sides.spooled.settle()
        with self._sides.writing() as writer:
            writer.collections.x_remove(name)

    def check_writeable(self, name: str) -> None:
        """Refuse to change what is official.

        Parameters
        ----------
        name : `str`
            Name of a collection; it need not exist.

        Raises
        ------
        OfficialRunError
            If it exists in the official repository. The message proposes another name.
        OfflineError
            If that cannot be told without the server, since the name is not that of a user or a group.
        """
        label = self._sides.shared.label
        mine = f"u/{user_name()}/{collection_name(name).rstrip('/').rsplit('/', 1)[-1]}"
        if self._sides.collections(Side.OFFICIAL, [name]):
            raise OfficialRunError(
                f"Collection {name!r} belongs to the official repository {label}, which cannot be written.",
                f"Use one of your own, for example {mine!r}.",
            )
        if self._sides.offline and not name.startswith(OWN_PREFIXES):
            # What is written to an official collection is found by nobody when the server is back.
            raise OfflineError(
                f"The {label} server cannot be reached to tell whether collection {name!r} is official.",
                f"Use a name that is surely yours, for example {mine!r}, or wait until the server is back.",
            )

    def _prepare_chain(self, parent: str, children: str | Iterable[str]) -> list[str]:
        """Make names of official children known to the satellite, which demands that they exist."""
        self.check_writeable(parent)
        names = list(map(collection_name, ensure_iterable(children)))
        for name, located in self.locate(names).items():
            if located.home is Side.OFFICIAL:
                with self._sides.writing() as writer:
                    register_collection(writer, name, located.info.type, located.info.doc or None)
        return names

    # Details of reading

    def _infos(
        self,
        terms: Iterable[str | re.Pattern[str]],
        collection_types: Set[CollectionType] | CollectionType | None,
        flatten_chains: bool,
        include_chains: bool | None,
        include_summary: bool = False,
    ) -> list[CollectionInfo]:
        """Collections as they are found; `_dressed` makes of them what was asked for."""
        if collection_types is None:
            types = frozenset(CollectionType.all())
        else:
            types = frozenset(ensure_iterable(collection_types))
        if include_chains is None:
            include_chains = not flatten_chains
        found: dict[str, CollectionInfo] = {}
        for term in terms:
            if isinstance(term, re.Pattern):
                everything = self._matching("*", include_summary)
                matching = {name: info for name, info in everything.items() if term.fullmatch(name)}
            elif has_globs(term):
                matching = self._matching(term, include_summary)
            else:
                matching = {name: located.info for name, located in self.locate([term]).items()}
            if flatten_chains:
                matching = {name: located.info for name, located in self.expand(matching).items()}
            found.update({name: info for name, info in matching.items() if name not in found})
        return [
            info
            for info in found.values()
            if info.type in types and (include_chains or info.type is not CollectionType.CHAINED)
        ]

    def _walk(self, names: Iterable[str], done: set[str]) -> dict[str, Located]:
        """Collections and all that is in them, chains before their children."""
        names = [name for name in names if name not in done]
        located = self.locate(names)
        found: dict[str, Located] = {}
        for name in names:
            if name in done:
                continue
            done.add(name)
            found[name] = located[name]
            if located[name].info.type is CollectionType.CHAINED:
                found |= self._walk(located[name].info.children, done)
        return found

    def _matching(self, pattern: str, include_summary: bool) -> dict[str, CollectionInfo]:
        found: dict[str, CollectionInfo] = {}
        for side in Side:
            butler = self._sides.butler(side)
            if butler is None:
                continue
            ask = partial(butler.collections.query_info, pattern, include_chains=True, include_doc=True)
            infos = self._sides.unless_lost(partial(ask, include_summary=include_summary))
            # The official side comes first and is never replaced.
            found |= {info.name: info for info in infos or () if info.name not in found}
        return found

    def _dressed(
        self,
        info: CollectionInfo,
        include_parents: bool,
        include_summary: bool,
        include_doc: bool,
        wanted: frozenset[str] | None,
    ) -> CollectionInfo:
        """Leave out what was not asked for, as upstream does, and add the parents of both sides."""
        types = info.dataset_types
        if include_summary and (types is None or info.type is CollectionType.CHAINED):
            # The children of a personal chain may be official, of which the satellite knows nothing.
            found = self.flatten([info.name]).values()
            types = frozenset[str]().union(*(located.info.dataset_types or () for located in found))
        if types is not None and wanted is not None:
            types &= wanted
        return info.model_copy(
            update={
                "parents": self._parents(info.name) if include_parents else None,
                "dataset_types": types if include_summary else None,
                "doc": info.doc if include_doc else "",
            }
        )

    def _parents(self, name: str) -> frozenset[str]:
        parents: set[str] = set()
        for side in Side:
            butler = self._sides.butler(side)
            if butler is not None and self._sides.collections(side, [name]):
                ask = partial(butler.collections.get_info, name, include_parents=True)
                info = self._sides.unless_lost(ask)
                parents |= (info and info.parents) or set()
        return frozenset(parents)


def _terms(expression: Any) -> Sequence[str | re.Pattern[str]]:
    if isinstance(expression, Iterator):
        expression = list(expression)
    terms = list(ensure_iterable(expression))
    if any(isinstance(term, re.Pattern) for term in terms):
        # Upstream's own warning: they are on their way out.
        CollectionWildcard.from_expression(expression)
        return terms
    return collection_terms(expression)


def _name_of(dataset_type: DatasetType | str) -> str:
    return cast(str, getattr(dataset_type, "name", dataset_type))
