"""Taking turns at an SQLite database by files, where the file system has no locks that SQLite could use.

As many as want may read, and one may write, until the writer commits: then it is alone. This is what
SQLite does with its own locks. Who is dead gives up its turn: see `FileLock`, which tells.

In the directory ``<database>.locks``: ``writer`` is the lock of who writes; ``commit`` says that it changes
the database now; each ``reader-…`` is the lock of somebody who reads.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from ..spool.lock import FileLock
from .patience import patience
from .probing import turns_directory

__all__ = ["Turns", "raw_connection"]

_PAUSE = 0.005
_LONGEST_PAUSE = 0.1
_READER = "reader-"


class Turns:
    """Who may read or write one database, now.

    Parameters
    ----------
    database : `pathlib.Path`
        The database file.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self.directory = turns_directory(database)
        self._commit = self.directory / "commit"
        self._writer = self.directory / "writer"

    def read(self) -> FileLock | None:
        """Wait until nobody changes the database, and keep it so.

        Returns
        -------
        turn : `FileLock` or `None`
            To be released when done. `None` where nothing can be written: then nobody takes notice.

        Raises
        ------
        sqlite3.OperationalError
            If somebody changes it for too long.
        """
        for left in _patiently():
            mine = FileLock(self.directory / f"{_READER}{uuid4().hex}")
            try:
                self.directory.mkdir(exist_ok=True)
                mine.acquire()
            except OSError:
                return None
            # In this order: who mends says so first, and then becomes the writer. Listed anew, since
            # network file systems remember for long that a file was not there.
            if not self.is_half_written() and self._commit.name not in self._names():
                return mine
            mine.release()
            self._mend(left)
        raise _locked()

    def write(self) -> FileLock:
        """Wait until nobody else writes. Others may read.

        Returns
        -------
        turn : `FileLock`
            To be released when done.

        Raises
        ------
        sqlite3.OperationalError
            If somebody else writes for too long.
        OSError
            If nothing can be written here.
        """
        self.directory.mkdir(exist_ok=True)
        lock = self._become_writer(patience())
        if lock is None:
            raise _locked()
        return lock

    def be_alone(self, turn: FileLock) -> None:
        """Wait until nobody reads, so that the database may be changed: `end` ends it.

        Parameters
        ----------
        turn : `FileLock`
            What `write` gave.

        Raises
        ------
        sqlite3.OperationalError
            If somebody reads for too long, or somebody else took the turn for lack of a sign of life.
        """
        self._commit.touch()
        for _ in _patiently():
            readers = [name for name in self._names() if name.startswith(_READER)]
            if not any(FileLock(self.directory / name).held() for name in readers):
                if turn.mine():
                    return
                break
        if turn.mine():
            self._commit.unlink(missing_ok=True)
        raise _locked()

    def end(self, turn: FileLock) -> None:
        """Let others read and write again.

        Parameters
        ----------
        turn : `FileLock`
            What `write` gave.
        """
        if turn.mine():
            self._commit.unlink(missing_ok=True)
        turn.release()

    def mend(self) -> bool:
        """Undo what a dead process left half written, unless somebody alive is writing.

        Returns
        -------
        clean : `bool`
            Whether nothing is half written now.
        """
        return self._mend(0.0)

    def is_abandoned(self) -> bool:
        """Tell whether a dead process left something half written; nothing is changed.

        Returns
        -------
        abandoned : `bool`
            Whether there is a journal, and nobody who is, or may be, alive has the writer's lock.
        """
        owner = FileLock(self._writer).owner()
        return self._has_journal() and (owner is None or owner.alive() is False)

    def leftovers(self) -> list[Path]:
        """Find files of processes that are known to be dead; nothing is changed.

        Returns
        -------
        files : `list` [`pathlib.Path`]
            Files that nobody will remove before somebody else reads or writes. None is in the way of
            anybody: whoever comes next removes them.
        """
        locks = [name for name in self._names() if name == self._writer.name or name.startswith(_READER)]
        found = []
        alive = False
        for name in locks:
            owner = FileLock(self.directory / name).owner()
            if owner is not None and owner.alive() is False:
                found.append(self.directory / name)
            elif name == self._writer.name:
                alive = True
        if self._commit.exists() and not alive:
            found.append(self._commit)
        return found

    def _mend(self, wait: float) -> bool:
        lock = self._become_writer(min(wait, _LONGEST_PAUSE))
        if lock is not None:
            lock.release()
        return lock is not None

    def _become_writer(self, wait: float) -> FileLock | None:
        """Get the writer's lock, and let SQLite undo what a dead writer left before anybody reads."""
        if self.is_half_written():
            self._commit.touch()
        lock = FileLock(self._writer)
        if not lock.acquire(wait):
            return None
        try:
            if self._has_journal():
                with contextlib.closing(raw_connection(self._database, writeable=True)) as connection:
                    # Those who read now do so since the dead writer had not changed anything; nor does this.
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("ROLLBACK")
            self._commit.unlink(missing_ok=True)
        except BaseException:
            lock.release()
            raise
        return lock

    def is_half_written(self) -> bool:
        """Tell whether a process ended while it changed the database, which is not undone yet.

        Returns
        -------
        half_written : `bool`
            Whether there is a journal of nobody who is alive; one of a writer's is not needed for reading.
        """
        return self._has_journal() and not FileLock(self._writer).held()

    def _has_journal(self) -> bool:
        """Whether there is a journal that SQLite would take up; it leaves one alone that was only begun."""
        try:
            with self._database.with_name(f"{self._database.name}-journal").open("rb") as journal:
                return journal.read(1) not in (b"", b"\0")
        except FileNotFoundError:
            return False

    def _names(self) -> list[str]:
        try:
            return [path.name for path in self.directory.iterdir()]
        except FileNotFoundError:
            return []


def raw_connection(
    database: Path, *, writeable: bool, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open an SQLite database without any lock: for who has a turn.

    Parameters
    ----------
    database : `pathlib.Path`
        The file.
    writeable : `bool`
        Whether to write. A connection for reading must not outlive its turn: it takes for granted that
        nothing changes.
    factory : `type`, optional
        Class of the connection.

    Returns
    -------
    connection : `sqlite3.Connection`
        Without transactions that nobody begins.
    """
    # SQLite's locking by dot-files is no good: with it, it never finds a journal that a dead process left,
    # and serves what is half written. Without locks it does find it; and it must not look for one
    # when somebody alive is writing, as it does not look in what is said not to change.
    how = "mode=rwc&vfs=unix-none" if writeable else "mode=ro&immutable=1"
    return sqlite3.connect(
        f"{database.absolute().as_uri()}?{how}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        factory=factory,
    )


def _patiently() -> Iterator[float]:
    """Seconds that are left, again and again with pauses that grow; at least once."""
    deadline, pause = time.monotonic() + patience(), _PAUSE
    yield patience()
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)
        yield left


def _locked() -> sqlite3.OperationalError:
    # As SQLite says it, so that whoever knows what to do about it does.
    return sqlite3.OperationalError("database is locked")
