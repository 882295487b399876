"""Changing how those who use a satellite's SQLite file take turns, without anybody losing what they write.

Whoever still has the database open in the former way would no longer keep clear of the others. Hence it is
refused while anybody is seen to use it. Who cannot be seen, on another machine, is refused later: the
database is replaced by a copy, and SQLite does not write to a file that is no longer where it was opened;
nor does `LockFileDatabase` once the configuration says otherwise.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from ...errors import InvalidRequestError, SatelliteError
from ..configuration import reason, write_locks
from ..durable import sync, sync_directory
from ..place import Place
from ..processes import users_of
from ..storage import storage_of
from ..storage.patience import patient_for
from ..storage.probing import LOCKS, Locks, locks_for
from ..storage.turns import Turns, raw_connection
from .mark import read_move, refuse_if_moving
from .recover import moving_alone

__all__ = ["change_locks"]

_CHUNK = 1 << 20

_PATIENCE = 5.0
"""Seconds to wait for who reads or writes."""


def change_locks(satellite: Place, locks: Locks | None) -> Locks:
    """Change how users of the SQLite file take turns: see `Satellite.change_locks`."""
    if locks not in (None, *LOCKS):
        raise InvalidRequestError(
            f"{locks!r} is no way to lock a database.", f"Use one of {', '.join(LOCKS)}, or leave it out."
        )
    root = satellite.root
    storage = storage_of(satellite)
    database = storage.database_path
    if database is None:
        raise InvalidRequestError(
            "How to lock is chosen for an SQLite file only; PostgreSQL does it itself.", "Leave it as it is."
        )
    refuse_if_moving(root)
    with moving_alone(root):
        if read_move(root) is not None:
            raise SatelliteError(
                f"A move of the satellite in {root} was begun.",
                "End it first: satellite migrate goes on, satellite migrate --abandon gives it up.",
            )
        wanted: Locks = locks_for(root) if locks is None else locks
        if wanted == storage.locks:
            return wanted
        if users := users_of(database):
            raise _in_use(root, f"process {', '.join(map(str, users))} has it open")
        copy = root / f"building-{uuid4().hex}"
        turns = Turns(database)
        try:
            with (
                # Closed after the connection: closing it before would give up the connection's locks.
                database.open("rb") as here,
                _alone(root, database, turns if storage.locks == "files" else None),
            ):
                with copy.open("wb") as there:
                    shutil.copyfileobj(here, there, _CHUNK)
                sync([copy], [])
                if wanted == "files":
                    # Who opens the file without a Butler sees by this that turns are taken.
                    turns.directory.mkdir(exist_ok=True)
                # Whichever of both is there after a power failure goes with the other.
                write_locks(root, wanted)
                copy.rename(database)
                sync_directory(root)
        finally:
            copy.unlink(missing_ok=True)
        if wanted == "posix":
            shutil.rmtree(turns.directory, ignore_errors=True)
    return wanted


@contextlib.contextmanager
def _alone(root: Path, database: Path, turns: Turns | None) -> Iterator[None]:
    """Have a database that nobody else reads or writes."""
    turn = None
    try:
        with patient_for(_PATIENCE):
            if turns is not None:
                turn = turns.write()
                turns.be_alone(turn)
                connection = raw_connection(database, writeable=True)
            else:
                address = f"{database.absolute().as_uri()}?mode=rw"
                connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE, isolation_level=None)
        with contextlib.closing(connection):
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _in_use(root, reason(error)) from error
    finally:
        if turns is not None and turn is not None:
            turns.end(turn)


def _in_use(root: Path, why: str) -> SatelliteError:
    return SatelliteError(
        f"How to lock the satellite in {root} cannot be changed while it is in use: {why}.",
        "End the notebooks and jobs that use it, on all machines, then try again.",
    )
