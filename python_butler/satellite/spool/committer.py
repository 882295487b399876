"""Commits what was spooled a short while after the last save of a burst: no process runs for it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from lsst.daf.butler.direct_butler import DirectButler

from ..place import Place
from .spool import Spool

__all__ = ["commit_soon"]

CALM = 0.3
"""Seconds without a save after which a burst is over."""

LONGEST = 2.0
"""Seconds after which a burst that goes on is committed nevertheless."""

PATIENCE = 30.0
"""Seconds for which it is tried again while others are committing."""

AT_EXIT = 3.0
"""Seconds for which the end of the interpreter may be held up; what waits then is committed by others."""

_LOG = logging.getLogger(__name__)

type Spare = Callable[[str], DirectButler | None]
"""Gives a Butler that writes to a database of some identity, if one is open already."""


class _Committer:
    """Places where something waits, and the thread that lives as long as there are any."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Path, tuple[Place, Spare | None, float, float]] = {}
        self._thread: threading.Thread | None = None
        self._ending = False

    def soon(self, place: Place, spare: Spare | None) -> None:
        now = time.monotonic()
        with self._changed:
            _, known, first, due = self._due.get(place.root, (place, spare, now, now))
            due = max(due, min(now + CALM, first + LONGEST))
            self._due[place.root] = (place, spare or known, first, due)
            if self._thread is None and not self._ending:
                thread = threading.Thread(target=self._work, name="python-butler-commit", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    # The interpreter is ending: `end` does it.
                    return
                self._thread = thread

    def end(self) -> None:
        deadline = time.monotonic() + AT_EXIT
        with self._changed:
            self._ending = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join(AT_EXIT)
        for place, _, _, _ in list(self._due.values()):
            left = deadline - time.monotonic()
            if left > 0:
                _commit(place, left)

    def _work(self) -> None:
        with _Writers() as writers:
            self._commit_what_is_due(writers)

    def _commit_what_is_due(self, writers: _Writers) -> None:
        while True:
            with self._changed:
                if not self._due or self._ending:
                    self._thread = None
                    return
                key, (place, spare, first, due) = min(self._due.items(), key=lambda item: item[1][3])
                left = due - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                del self._due[key]
            now = time.monotonic()
            if _commit(place, open_writer=partial(writers.of, place, spare)) and now < first + PATIENCE:
                with self._changed:
                    self._due.setdefault(key, (place, spare, first, now + CALM))


class _Writers:
    """Butlers that stay open for as long as a burst goes on: opening one takes longer than a commit."""

    def __init__(self) -> None:
        self._opened: dict[Path, tuple[str, ExitStack, DirectButler]] = {}

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *_: object) -> None:
        for _database, stack, _writer in self._opened.values():
            stack.close()

    def of(self, place: Place, spare: Spare | None) -> DirectButler:
        # Another database may have taken the place of the one that was opened.
        database = place.version().partition("-")[0]
        opened = self._opened.get(place.root)
        if opened is not None:
            known, stack, writer = opened
            if known == database:
                return writer
            stack.close()
        stack = ExitStack()
        ready = spare(database) if spare is not None else None
        writer = stack.enter_context(place.writer()) if ready is None else ready
        self._opened[place.root] = (database, stack, writer)
        return writer


def _commit(
    place: Place, seconds: float | None = None, open_writer: Callable[[], DirectButler] | None = None
) -> bool:
    """Commit; say whether somebody else was doing so, who may not have seen all."""
    try:
        report = Spool(place).commit(wait=seconds or 0.0, budget=seconds, writer=open_writer)
    except Exception:
        # Nobody is there to be told; whoever reads or writes next tries again.
        _LOG.debug("Saved datasets wait in %s.", place.root, exc_info=True)
        return False
    for problem in report.problems:
        _LOG.warning("%s was saved, but cannot be put into the registry: %s.", problem.what, problem.reason)
    return report.busy


_committer = _Committer()


def commit_soon(place: Place, spare: Spare | None = None) -> None:
    """Have what waits in a satellite's spool committed by this process before long, or when it ends.

    Parameters
    ----------
    place : `python_butler.satellite.place.Place`
        The satellite.
    spare : callable, optional
        Told the identity of the satellite's database, gives a Butler that this process has open for
        writing and that nobody else uses, or `None`: opening one takes longer than a commit.
    """
    _committer.soon(place, spare)


def _after_fork() -> None:
    global _committer
    _committer = _Committer()


os.register_at_fork(after_in_child=_after_fork)
atexit.register(lambda: _committer.end())
