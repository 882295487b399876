"""What was asked of a repository before, for a while; failures are never remembered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

__all__ = ["Memory"]

_T = TypeVar("_T")


class Memory:
    """Answers by question, each for a limited time and for one version of the repository.

    Parameters
    ----------
    seconds : `float`
        How long an answer is good.
    size : `int`, optional
        Most answers to keep; the oldest go first.

    Notes
    -----
    Two threads with the same question ask it once: the second waits for the first.
    """

    def __init__(self, seconds: float, size: int = 1_000) -> None:
        self._seconds = seconds
        self._size = size
        self._lock = threading.Lock()
        self._asking: dict[Hashable, threading.Lock] = {}
        self._answers: dict[Hashable, tuple[str, float, object]] = {}

    def get(self, question: Hashable, ask: Callable[[], _T], *, version: str = "") -> _T:
        """Give the remembered answer, or ask.

        Parameters
        ----------
        question : hashable
            What is asked.
        ask : callable
            Finds the answer; whatever it raises is raised here and not remembered.
        version : `str`, optional
            Version of the repository: an answer for another one is not good.

        Returns
        -------
        answer
            What ``ask`` returned, now or before.
        """
        with self._lock:
            asking = self._asking.setdefault(question, threading.Lock())
        try:
            with asking:
                known = self._known(question, version)
                if known is not None:
                    return cast(_T, known[0])
                answer = ask()
                self._keep(question, version, answer)
                return answer
        finally:
            with self._lock:
                self._asking.pop(question, None)

    def peek(self, question: Hashable, *, version: str = "") -> object | None:
        """Give the remembered answer, if there is a good one.

        Parameters
        ----------
        question : hashable
            What is asked.
        version : `str`, optional
            Version of the repository.

        Returns
        -------
        answer : `object` or `None`
            The answer.
        """
        known = self._known(question, version)
        return None if known is None else known[0]

    def outdated(self, question: Hashable, *, version: str = "") -> object | None:
        """Give an answer whose time is over, if there is one: it may be told while one asks anew.

        Parameters
        ----------
        question : hashable
            What is asked.
        version : `str`, optional
            Version of the repository.

        Returns
        -------
        answer : `object` or `None`
            The answer; `None` also if there is one that is still good.
        """
        with self._lock:
            kept = self._answers.get(question)
        if kept is None or kept[0] != version or kept[1] >= time.monotonic():
            return None
        return kept[2]

    def forget(self) -> None:
        """Forget everything."""
        with self._lock:
            self._answers.clear()

    def _known(self, question: Hashable, version: str) -> tuple[object] | None:
        with self._lock:
            kept = self._answers.get(question)
        if kept is None or kept[0] != version or kept[1] < time.monotonic():
            return None
        return (kept[2],)

    def _keep(self, question: Hashable, version: str, answer: object) -> None:
        with self._lock:
            self._answers.pop(question, None)
            while len(self._answers) >= self._size:
                del self._answers[next(iter(self._answers))]
            self._answers[question] = (version, time.monotonic() + self._seconds, answer)
