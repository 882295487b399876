"""The database file itself: an unfinished change, locks of the dead, damage, rows that refer to nothing."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

from ...datastore.notes import NOTES_TABLE
from ...errors import SatelliteError
from ..spool import FileLock
from ..storage import Storage, storage_of
from ..storage.turns import Turns, raw_connection
from .case import Case
from .journal import is_hot, journal_of, read_only_connection, roll_back
from .kinds import Kind
from .report import Finding

__all__ = ["Database"]

_MENDED_ELSEWHERE = (NOTES_TABLE,)
_PROBLEMS = 20
"""So many are told of each kind: more say no more."""


class Database:
    """Looks whether the database can be read, and lets SQLite check the file."""

    what = "checking the database"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        storage = storage_of(case.place)
        database = storage.database_path
        if database is None:
            case.notes.append("The integrity of a PostgreSQL database is its server's concern: not checked.")
            return []
        if not database.exists():
            case.blocked = True
            return [Finding(Kind.DAMAGED_DATABASE, str(database), "the file is missing")]
        findings = []
        if storage.locks == "files":
            findings = [
                Finding(Kind.DATABASE_LOCK, str(path), key=path) for path in Turns(database).leftovers()
            ]
        if is_hot(storage):
            if not case.options.mend:
                case.blocked = True
                case.notes.append("The rest was not looked at: the database cannot be read before.")
            journal = journal_of(database)
            size = journal.stat().st_size if journal is not None else None
            return [*findings, Finding(Kind.HOT_JOURNAL, str(journal), "", size)]
        damage = _damage(storage)
        case.blocked = _prevents(damage)
        return findings + damage

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        storage = storage_of(case.place)
        try:
            clean = roll_back(storage)
        except sqlite3.OperationalError as error:
            case.blocked = True
            case.left(findings, f"{str(error).capitalize()}.")
            return
        for finding in findings:
            if finding.kind is Kind.DATABASE_LOCK:
                # Whoever asks removes what the dead have left.
                clean = not finding.key.exists() or not FileLock(finding.key).held()
            if clean:
                case.mended([finding])
            else:
                case.left([finding], "Somebody is writing.")
        if any(each.kind is Kind.HOT_JOURNAL for each in findings):
            damage = _damage(storage)
            case.found += damage
            case.left(damage, Kind.DAMAGED_DATABASE.rule.remedy)
            case.blocked = _prevents(damage)


def _prevents(damage: list[Finding]) -> bool:
    """Whether what was found makes it useless to look at the content."""
    return any(each.kind is Kind.DAMAGED_DATABASE for each in damage)


def _damage(storage: Storage) -> list[Finding]:
    database = storage.database_path
    assert database is not None
    try:
        with _reading(storage) as connection:
            findings = [
                Finding(Kind.DAMAGED_DATABASE, str(database), said)
                for (said,) in connection.execute(f"PRAGMA integrity_check({_PROBLEMS})")
                if said != "ok"
            ]
            if not findings:
                rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_PROBLEMS)
                findings = [
                    Finding(Kind.BROKEN_LINK, f"{table}, row {row}", f"to {parent}")
                    for table, row, parent, _ in rows
                    if table not in _MENDED_ELSEWHERE
                ]
            return findings
    except sqlite3.OperationalError as error:
        raise SatelliteError(
            f"The database {database} cannot be read: {error}.",
            "Check that the directory is complete and yours to read and write.",
        ) from error
    except sqlite3.DatabaseError as error:
        return [Finding(Kind.DAMAGED_DATABASE, str(database), str(error))]


@contextlib.contextmanager
def _reading(storage: Storage) -> Iterator[sqlite3.Connection]:
    database = storage.database_path
    assert database is not None
    if storage.locks != "files":
        with contextlib.closing(read_only_connection(database)) as connection:
            yield connection
        return
    turn = Turns(database).read()
    try:
        with contextlib.closing(raw_connection(database, writeable=False)) as connection:
            yield connection
    finally:
        if turn is not None:
            turn.release()
