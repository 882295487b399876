"""The one place that turns an exception into what a person is told.

An `ErrorReport` holds a sentence and a next step, never a traceback, a token or a signed URL. Works without
any lsst package: upstream's exceptions are known once somebody has loaded them.
"""

from __future__ import annotations

import sqlite3
import sys
from contextvars import ContextVar

from ..credentials import scrub
from ..errors import ErrorKind, PythonButlerError, ServerBusyError
from .models import ErrorReport

__all__ = ["STATUS", "report", "request_id"]

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Identifier of the request being answered; threads started for it see it too."""

STATUS = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNKNOWN_REPOSITORY: 404,
    ErrorKind.GONE: 404,
    # Not 401 and 403: JupyterLab would take them for the loss of its own login.
    ErrorKind.TOKEN: 502,
    ErrorKind.FORBIDDEN: 502,
    ErrorKind.OFFLINE: 502,
    ErrorKind.BUSY: 503,
    ErrorKind.BACKEND: 503,
    ErrorKind.SATELLITE: 500,
    ErrorKind.INTERNAL: 500,
}
"""HTTP status of an answer with a report of each kind."""

_LOCKED = "Another program is writing to the personal repository."
_RELOAD = "Reload the list; it may have been removed."


def report(error: BaseException) -> ErrorReport:
    """Describe a failure to a person and to a program.

    Parameters
    ----------
    error : `BaseException`
        Any exception.

    Returns
    -------
    report : `ErrorReport`
        What to answer with; carries the identifier of the current request.
    """
    if isinstance(error, PythonButlerError):
        wait = error.retry_in if isinstance(error, ServerBusyError) else None
        return _make(error.kind, error.message, error.next_step, wait)
    return _database(error) or _upstream(error) or _unexpected(error)


def _make(kind: ErrorKind, message: str, next_step: str, retry_in: float | None = None) -> ErrorReport:
    return ErrorReport(
        kind=kind,
        message=scrub(message),
        next_step=scrub(next_step),
        retry_in=retry_in,
        request_id=request_id.get(),
    )


def _unexpected(error: BaseException) -> ErrorReport:
    # The text of somebody else's exception may hold anything, so only its type is shown.
    return _make(
        ErrorKind.INTERNAL,
        f"Something failed that should not ({type(error).__name__}).",
        "Try again; if it stays, report the request identifier: the backend's log has the details.",
    )


def _database(error: BaseException) -> ErrorReport | None:
    # SQLAlchemy wraps the driver's exception.
    original = getattr(error, "orig", None) or error
    if _is_of_server(original):
        return _make(
            ErrorKind.SATELLITE,
            "The database server of the personal repository cannot be used.",
            "Try again; check the network, and your password in PGPASSWORD or ~/.pgpass.",
        )
    if not isinstance(original, sqlite3.Error):
        return None
    if isinstance(original, sqlite3.OperationalError) and "locked" in str(original):
        return _make(ErrorKind.BUSY, _LOCKED, "Try again in a moment.", 1.0)
    return _make(
        ErrorKind.SATELLITE,
        f"The database of the personal repository cannot be read: {original}.",
        "Check that its file is complete and readable.",
    )


def _is_of_server(error: BaseException) -> bool:
    """Whether a PostgreSQL server, or the connection to it, failed; its driver need not be installed."""
    driver = sys.modules.get("psycopg")
    return driver is not None and isinstance(error, driver.Error)


def _upstream(error: BaseException) -> ErrorReport | None:
    if "lsst.daf.butler.remote_butler" not in sys.modules:
        return None
    from lsst.daf.butler import (
        ButlerUserError,
        DatasetNotFoundError,
        MissingCollectionError,
        MissingDatasetTypeError,
    )
    from lsst.daf.butler.remote_butler._http_connection import ButlerServerError

    text = scrub(str(error)).rstrip(".") + "."
    match error:
        case MissingCollectionError() | MissingDatasetTypeError() | DatasetNotFoundError():
            return _make(ErrorKind.GONE, text, _RELOAD)
        case ButlerUserError():
            return _make(ErrorKind.INVALID, text, "Change the request.")
        case ButlerServerError():
            return _make(ErrorKind.OFFLINE, "The official server could not answer.", "Try again in a moment.")
    return None
