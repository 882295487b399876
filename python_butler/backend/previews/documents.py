"""From a Python object to a tree of values that is small enough to look at."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import Any

from pydantic import BaseModel

from ...credentials import scrub
from ...errors import InvalidRequestError
from .models import DocumentNode, DocumentPreview

__all__ = ["document", "is_document"]

_CHILDREN = 100
"""Values of one container that are given at a time."""
_NODES = 1_500
"""Values in one answer."""
_DEPTH = 6
"""Levels in one answer."""
_TEXT = 1_000
"""Characters of one value."""


def is_document(thing: object) -> bool:
    """Tell whether something has values in it that can be shown one by one.

    Parameters
    ----------
    thing : object
        Anything.

    Returns
    -------
    is_document : `bool`
        Whether `document` makes more of it than one value.
    """
    return _items(thing) is not None


def document(thing: object, path: Sequence[str] = (), offset: int = 0) -> DocumentPreview:
    """Show a thing and the values in it.

    Parameters
    ----------
    thing : object
        The whole.
    path : sequence of `str`, optional
        Keys that lead to the value to begin with.
    offset : `int`, optional
        How many of its values to skip.

    Returns
    -------
    preview : `DocumentPreview`
        The value and, as far as there is room, those in it.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If there is no such value.
    """
    value = thing
    for key in path:
        value = _step(value, key)
    left = [_NODES]
    root = _node(path[-1] if path else "", value, _DEPTH, offset, left)
    return DocumentPreview(type=_name(thing), path=list(path), offset=offset, root=root)


def _step(value: object, key: str) -> object:
    for name, child in _items(value) or ():
        if name == key:
            return child
    raise InvalidRequestError(f"There is no value {key!r} here any more.", "Load the preview again.")


def _node(key: str, value: object, depth: int, offset: int, left: list[int]) -> DocumentNode:
    left[0] -= 1
    items = _items(value)
    if items is None:
        return DocumentNode(key=key, type=_name(value), text=_text(value))
    size = _size(value)
    children: list[DocumentNode] = []
    if depth > 0:
        # All values of one level before those in them: what is near matters most.
        shown = list(islice(items, offset, offset + min(_CHILDREN, max(0, left[0]))))
        children = [_node(name, child, depth - 1, 0, left) for name, child in shown]
    return DocumentNode(key=key, type=_name(value), size=size, children=children)


def _items(value: object) -> Iterator[tuple[str, object]] | None:
    """Give names and values in a container, or `None` for a single value."""
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return iter((fields | (value.model_extra or {})).items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return iter([(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)])
    if isinstance(value, Mapping):
        return ((str(key), child) for key, child in value.items())
    if isinstance(value, str | bytes | bytearray):
        return None
    if isinstance(value, Sequence | Set):
        return ((str(index), child) for index, child in enumerate(value))
    return None


def _size(value: Any) -> int:
    if isinstance(value, BaseModel):
        return len(type(value).model_fields) + len(value.model_extra or {})
    return len(dataclasses.fields(value)) if dataclasses.is_dataclass(value) else len(value)


def _name(value: object) -> str:
    kind = type(value)
    if value is None:
        return "null"
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    text = scrub(value if isinstance(value, str) else repr(value))
    return text if len(text) <= _TEXT else f"{text[:_TEXT]} …"
