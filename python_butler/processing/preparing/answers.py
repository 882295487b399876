"""Answers that are given again when the same is asked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from lsst.daf.butler import DataCoordinate

__all__ = ["Answers", "plain"]

_MOST = 100_000


class Answers:
    """Remembers the answers to questions that are asked while one graph is planned."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Any] = {}

    def remembered[T](self, question: Hashable, answer: Callable[[], T]) -> T:
        """Answer a question.

        Parameters
        ----------
        question : hashable
            Equal to all that have the same answer.
        answer : callable
            Finds the answer, if it is not known.

        Returns
        -------
        answer : object
            The answer. It is shared by all who ask.
        """
        try:
            return self._known[question]  # type: ignore[no-any-return]  # of the same question
        except KeyError:
            pass
        except TypeError:
            # What cannot be compared is asked again.
            return answer()
        found = answer()
        if len(self._known) < _MOST:
            self._known[question] = found
        return found


def plain(value: Any) -> Any:
    """Make what is part of a question comparable by what it says.

    Parameters
    ----------
    value : object
        An argument of a call.

    Returns
    -------
    plain : object
        Tuples in place of lists and mappings.
    """
    if isinstance(value, DataCoordinate):
        return (value.dimensions, value.required_values)
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), plain(each)) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, set | frozenset):
        return frozenset(plain(each) for each in value)
    return value
