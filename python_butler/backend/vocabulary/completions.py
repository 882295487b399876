"""What a word begun may become: names of collections and dataset types, values of dimensions and fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lsst.daf.butler import Butler, Dimension

from ...errors import InvalidRequestError
from ..collections import all_collections, flatten
from ..dataset_types import known_dataset_types
from ..models import DataIdValue
from ..repository import BrowsedRepository, QueryWatcher
from ..versions import ABSENT
from .models import Completion, CompletionList

__all__ = ["complete_collection", "complete_dataset_type", "complete_value"]

_DIGITS = 18
"""Digits of the largest whole number that a dimension may have."""

_RECORDS = 1_000
"""Most records that are looked at for the different values of a field."""


def complete_collection(repository: BrowsedRepository, prefix: str, limit: int) -> CompletionList:
    """Find collections.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    prefix : `str`
        How the name begins, or what is in it.
    limit : `int`
        Most names to give.

    Returns
    -------
    completions : `CompletionList`
        Names of collections with their types.
    """
    version = repository.version()
    if version == ABSENT:
        return CompletionList(items=[], capped=False)

    def ask() -> list[tuple[str, str]]:
        return sorted((info.name, info.type.name) for info in all_collections(repository))

    return _choose(repository.memory.get("collection names", ask, version=version), prefix, limit)


def complete_dataset_type(
    repository: BrowsedRepository, prefix: str, collections: Sequence[str], limit: int
) -> CompletionList:
    """Find dataset types, or with a dot in the prefix the components of one.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    prefix : `str`
        How the name begins, or what is in it.
    collections : sequence of `str`
        Only those present in one of these; all that are registered if there are none.
    limit : `int`
        Most names to give.

    Returns
    -------
    completions : `CompletionList`
        Names of dataset types with storage class and dimensions.

    Raises
    ------
    lsst.daf.butler.MissingCollectionError
        If there is no such collection.
    """
    if repository.version() == ABSENT:
        return CompletionList(items=[], capped=False)
    known = known_dataset_types(repository)
    parent, dot, _ = prefix.partition(".")
    if dot:
        definition = known.get(parent)
        components = definition.storageClass.allComponents() if definition else {}
        names = sorted((f"{parent}.{name}", part.name) for name, part in components.items())
        return _choose(names, prefix, limit)
    present: Iterable[str] = (
        {
            name
            for one in collections
            for info in flatten(repository, one)
            for name in info.dataset_types or ()
        }
        if collections
        else known
    )
    completions = _choose(
        [(name, known[name].storageClass_name) for name in sorted(present) if name in known], prefix, limit
    )
    items = [
        item.model_copy(update={"dimensions": list(known[str(item.value)].dimensions.required)})
        for item in completions.items
    ]
    return completions.model_copy(update={"items": items})


def complete_value(
    repository: BrowsedRepository,
    watcher: QueryWatcher,
    column: str,
    prefix: str,
    data_id: Mapping[str, str],
    limit: int,
) -> CompletionList:
    """Find values of a dimension, or of a field such as ``visit.target_name``.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    watcher : `QueryWatcher`
        Told how to end the query.
    column : `str`
        Name of a dimension, or of an element and a field of it.
    prefix : `str`
        How the value begins; of texts also what is in it.
    data_id : mapping
        Values of other dimensions; those that the column does not depend on are passed over.
    limit : `int`
        Most values to give.

    Returns
    -------
    completions : `CompletionList`
        Different values in order.

    Raises
    ------
    InvalidRequestError
        If there is no such column, or its values are no numbers or texts.
    """
    version = repository.version()
    if version == ABSENT:
        return CompletionList(items=[], capped=False)

    def ask() -> CompletionList:
        with repository.query(watcher) as butler:
            wanted = _Column(butler, column)
            known = [
                _Column(butler, name).equals(value)
                for name, value in data_id.items()
                if name in wanted.related and name != wanted.name
            ]
            known += [
                _Column(butler, name).any_of_all()
                for name in wanted.governors
                if name not in data_id and name != wanted.name
            ]
            # Different values of a field are found by looking at some records.
            most = limit + 1 if wanted.is_key else _RECORDS
            values = list(wanted.values([wanted.begins(prefix), *known], most))
        different = {value: str(value) for value in values if value is not None}
        texts = (
            sorted((text, value) for value, text in different.items())
            if wanted.is_text
            else [(text, value) for value, text in different.items()]
        )
        items = [Completion(value=value) for _, value in _ranked(texts, prefix)]
        return CompletionList(items=items[:limit], capped=len(items) > limit or len(values) == most)

    question = ("values", column, prefix, tuple(sorted(data_id.items())), limit)
    return repository.memory.get(question, ask, version=version)


class _Condition(NamedTuple):
    """Part of a where-expression."""

    text: str
    bind: Mapping[str, DataIdValue]


class _Column:
    """A dimension's key or a field of an element, whose values are numbers or texts."""

    def __init__(self, butler: Butler, column: str) -> None:
        name, _, field = column.partition(".")
        if name not in butler.dimensions.elements.names:
            raise InvalidRequestError(f"There is no dimension {name!r}.", "Choose one of the repository's.")
        element = butler.dimensions.elements[name]
        kinds: dict[str, str] = {one.name: one.type for one in element.schema.remainder}
        kind = kinds.get(field, "")
        if not field and isinstance(element, Dimension):
            kind = element.primary_key.type
        if kind not in ("int", "string"):
            raise InvalidRequestError(
                f"Values of {column!r} cannot be completed.", "Only those of whole numbers and texts can."
            )
        self._butler = butler
        self._column = column
        self._field = field
        self.name = name
        self.is_key = not field
        self.is_text = kind == "string"
        self.related = set(element.minimal_group.names)
        """Dimensions that its values depend on."""
        self.governors = set(element.minimal_group.governors)
        """Those of them, such as the instrument, that upstream wants every query to constrain."""

    def begins(self, prefix: str) -> _Condition | None:
        """Express that a value begins so, or, if it is a text, contains it."""
        if not prefix:
            return None
        if self.is_text:
            # What has a meaning in patterns stands for any character here; what matches is looked at again.
            pattern = "".join("?" if character in "*?[]\\" else character for character in prefix)
            return _Condition(f"GLOB({self._column}, :pattern)", {"pattern": f"*{pattern}*"})
        if not (prefix.isascii() and prefix.isdigit()):
            raise InvalidRequestError(f"{prefix!r} is no number.", f"Values of {self._column} are numbers.")
        start = int(prefix)
        lengths = range(max(_DIGITS + 1 - len(prefix), 1) if start else 1)
        # Ranges in a list, not comparisons: upstream needs exponential time to bring many of these in order.
        ranges = ", ".join(f"{start * 10**more}..{(start + 1) * 10**more - 1}" for more in lengths)
        return _Condition(f"{self._column} IN ({ranges})", {})

    def equals(self, value: str) -> _Condition | None:
        """Express that it has a value."""
        name = f"value_of_{self.name}"
        if self.is_text:
            return _Condition(f"{self._column} = :{name}", {name: value})
        number = int(value) if value.isascii() and value.isdigit() else None
        return None if number is None else _Condition(f"{self._column} = {number}", {})

    def any_of_all(self) -> _Condition | None:
        """Express that it has one of the values it may have."""
        with self._butler.query() as query:
            values = [data_id[self.name] for data_id in query.data_ids([self.name])]
        # Upstream sees that a dimension is constrained by equations, not by a list.
        bind = {f"value_{number}_of_{self.name}": value for number, value in enumerate(values)}
        return _Condition(" OR ".join(f"{self._column} = :{name}" for name in bind), bind) if bind else None

    def values(self, conditions: Iterable[_Condition | None], limit: int) -> Iterator[DataIdValue | None]:
        """Give values for which all conditions hold, those of a dimension in order."""
        with self._butler.query() as query:
            for condition in conditions:
                if condition is not None:
                    query = query.where(condition.text, bind=condition.bind)
            if self.is_key:
                for data_id in query.data_ids([self.name]).order_by(self.name).limit(limit):
                    yield data_id[self.name]
            else:
                for record in query.dimension_records(self.name).limit(limit):
                    yield getattr(record, self._field)


def _choose(names: Sequence[tuple[str, str]], prefix: str, limit: int) -> CompletionList:
    """Those of some sorted names that begin so, then those that contain it."""
    notes = dict(names)
    found = [name for name, _ in _ranked([(name, name) for name in notes], prefix)]
    return CompletionList(
        items=[Completion(value=name, note=notes[name]) for name in found[:limit]], capped=len(found) > limit
    )


def _ranked[T](names: Iterable[tuple[str, T]], prefix: str) -> list[tuple[str, T]]:
    wanted = prefix.casefold()
    # Python's sort keeps the order of what ranks the same.
    matching = [one for one in names if wanted in one[0].casefold()]
    return sorted(matching, key=lambda one: not one[0].casefold().startswith(wanted))
