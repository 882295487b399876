"""How long a write waits for others that write, before it is done in another way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy.exc import OperationalError

from ..satellite.storage.patience import USUAL, patience, patient_for
from ..satellite.storage.server import LOCK_NOT_AVAILABLE

__all__ = ["impatient", "is_busy"]

_lock = threading.Lock()


@contextmanager
def impatient(seconds: float) -> Iterator[None]:
    """Let this thread wait only so long for others that write, also when it opens a satellite.

    Parameters
    ----------
    seconds : `float`
        After which time a transaction that is begun fails, see `is_busy`.
    """
    # Upstream has no way to say this; it sets the usual time when it connects. All engines are listened
    # to, since one that is being made is used before anybody else sees it; and not when a transaction
    # begins, since then upstream takes the lock first.
    with _lock:
        if not sqlalchemy.event.contains(sqlalchemy.Engine, "engine_connect", _set_patience):
            sqlalchemy.event.listen(sqlalchemy.Engine, "engine_connect", _set_patience)
    with patient_for(seconds):
        yield


def is_busy(error: BaseException) -> bool:
    """Tell whether a transaction failed because others write.

    Parameters
    ----------
    error : `BaseException`
        What was raised.

    Returns
    -------
    busy : `bool`
        Whether the database was locked for too long.
    """
    if not isinstance(error, OperationalError):
        return False
    return getattr(error.orig, "sqlstate", "") == LOCK_NOT_AVAILABLE or "database is locked" in str(
        error.orig
    )


def _set_patience(connection: sqlalchemy.Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    seconds = patience()
    if connection.info.get("python_butler_patience", USUAL) != seconds:
        connection.connection.cursor().execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        connection.info["python_butler_patience"] = seconds
