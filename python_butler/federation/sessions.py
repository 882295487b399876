"""What each thread has open of a satellite: upstream's Butlers serve one thread at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.pool import QueuePool

from ..saving.claim import Claims

__all__ = ["Session", "Sessions", "Threads", "writing_alone"]

PATIENCE = 300.0
"""Seconds for which a thread waits for others that write, as upstream's SQLite connections do."""


@dataclass(eq=False)
class Session:
    """What one thread has open of a satellite; it goes when the thread ends."""

    thread: int = field(default_factory=threading.get_ident)
    database: str = ""
    """Identity of the database that is open."""
    reader: DirectButler | None = None
    seen: Hashable = None
    """What tells which changes the reader knows of."""
    writer: DirectButler | None = None
    written: object = None
    """What tells which changes by this process the writer knows of."""
    transactions: int = 0
    claims: Claims = field(default_factory=Claims)
    """What the transaction writes."""
    afterwards: list[Callable[[], object]] = field(default_factory=list)
    """What is to be done when the transaction has ended."""

    def end(self) -> None:
        """Give back what the transaction claimed, and do what was to be done afterwards."""
        self.claims.release()
        while self.afterwards:
            self.afterwards.pop()()


class Threads:
    """The threads that have a satellite open."""

    def __init__(self) -> None:
        self._sessions: WeakSet[Session] = WeakSet()
        self._lock = threading.Lock()

    @property
    def several(self) -> bool:
        """Whether there is more than one."""
        if len(self._sessions) < 2:
            return False
        with self._lock:
            return len({session.thread for session in self._sessions}) > 1

    def add(self, session: Session) -> None:
        """Note a session, for as long as it is there.

        Parameters
        ----------
        session : `Session`
            The session.
        """
        with self._lock:
            self._sessions.add(session)


class Sessions:
    """Butlers on one satellite, a reader and a writer for each thread.

    They are clones of two that nobody uses, and share connections with them: that costs a thread a
    millisecond, and nothing has to be closed when it ends.

    Parameters
    ----------
    threads : `Threads`
        Where sessions are noted.
    """

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self._local = threading.local()
        self._roots: dict[bool, tuple[str, DirectButler, ExitStack]] = {}
        self._lock = threading.RLock()
        _all.add(self)

    @property
    def mine(self) -> Session:
        """The session of this thread."""
        try:
            session: Session = self._local.session
        except AttributeError:
            session = self._local.session = Session()
            self._threads.add(session)
        return session

    def clone(
        self,
        database: Callable[[], str],
        open_root: Callable[[ExitStack], DirectButler | None],
        *,
        writeable: bool,
    ) -> tuple[str, DirectButler, bool] | None:
        """Make a Butler for this thread.

        Parameters
        ----------
        database : callable
            Tells the identity of the database that is there.
        open_root : callable
            Opens the satellite, for a clone to be made of it: now, and whenever another database has
            come into its place. Closes it on the stack that it is given.
        writeable : `bool`
            Whether it is opened for writing.

        Returns
        -------
        opened : `tuple` or `None`
            Identity of the database, a Butler, and whether the satellite was opened now, so that the
            Butler is up to date. `None` if there is no satellite.
        """
        with self._lock:
            there = database()
            known = self._roots.get(writeable)
            if known is not None and known[0] != there:
                self._roots.pop(writeable)[2].close()
                known = None
            is_new = known is None
            if known is None:
                with ExitStack() as stack:
                    root = open_root(stack)
                    if root is None:
                        return None
                    _allow_any_number_of_connections(root)
                    # Opening may have created it.
                    known = self._roots[writeable] = (database(), root, stack.pop_all())
            return known[0], known[1].clone(), is_new

    def spare_writer(self, database: str) -> DirectButler | None:
        """Make a Butler for another thread, whose session this is not.

        Parameters
        ----------
        database : `str`
            Identity of the database that it shall write to.

        Returns
        -------
        writer : `lsst.daf.butler.direct_butler.DirectButler` or `None`
            Up to date; `None` if this database is not open for writing. It can be used even after `close`.
        """
        with self._lock:
            known = self._roots.get(True)
            if known is None or known[0] != database:
                return None
            writer = known[1].clone()
        writer.registry.refresh()
        return writer

    def close(self) -> None:
        """Close everything, in all threads."""
        with self._lock:
            roots, self._roots = self._roots, {}
            self._local = threading.local()
        for _, _, stack in roots.values():
            stack.close()

    def start_anew(self) -> None:
        """In a forked process: leave what is open to the parent, and open anew when it is needed."""
        # Kept, since a database connection must be neither used nor closed by two processes.
        _inherited.append((self._roots, self._local, getattr(self._local, "session", None)))
        self._roots, self._local, self._lock = {}, threading.local(), threading.RLock()


_all: WeakSet[Sessions] = WeakSet()
_inherited: list[object] = []


def _start_anew() -> None:
    # A thread of the parent process may have one.
    _write_locks.clear()
    for sessions in list(_all):
        sessions.start_anew()


os.register_at_fork(after_in_child=_start_anew)


def _allow_any_number_of_connections(butler: DirectButler) -> None:
    # The pool would make the sixteenth thread wait for another to end its query. There is no public way to
    # say this when a Butler is opened.
    pool = butler._registry._db._engine.pool
    if isinstance(pool, QueuePool):
        pool._max_overflow = -1


_write_locks: dict[Path, threading.RLock] = {}


@contextmanager
def writing_alone(root: Path) -> Iterator[None]:
    """Let the threads of this process write a satellite one after the other.

    They would have to anyway, but the database lets those who wait ask again and again, in no order.
    After a long time the database decides.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    """
    lock = _write_locks.setdefault(root, threading.RLock())
    acquired = lock.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if acquired:
            lock.release()
