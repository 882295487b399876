"""Every exception a person may see, each with what happened and what to do next.

Ground floor: any room may raise these; this module imports nothing of ours. The ``kind`` of an
exception is what crosses the wire between the backend, the Jupyter server and the browser.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

__all__ = [
    "BackendUnavailableError",
    "BrokenOffError",
    "ErrorKind",
    "ForbiddenError",
    "GoneError",
    "InvalidRequestError",
    "LittleRoomWarning",
    "NoSpaceError",
    "OfficialRunError",
    "OfficialServerError",
    "OfflineError",
    "PythonButlerError",
    "QueryFailedError",
    "SatelliteError",
    "ServerBusyError",
    "TokenError",
    "UnknownRepositoryError",
    "UnknownVersionError",
    "UnreadableError",
]


class ErrorKind(StrEnum):
    """What went wrong, as one word that programs may depend on."""

    UNKNOWN_REPOSITORY = "unknown_repository"
    TOKEN = "token"  # noqa: S105  the name of a state, no secret
    FORBIDDEN = "forbidden"
    BUSY = "busy"
    OFFLINE = "offline"
    GONE = "gone"
    INVALID = "invalid"
    SATELLITE = "satellite"
    BACKEND = "backend"
    INTERNAL = "internal"


class PythonButlerError(Exception):
    """Base of all exceptions that this package defines.

    Parameters
    ----------
    message : `str`
        What happened, to what: one sentence. Must hold no token and no signed URL.
    next_step : `str`, optional
        What the person can do about it: one sentence.

    Attributes
    ----------
    message, next_step : `str`
        The two sentences apart; ``str(error)`` joins them.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class UnknownRepositoryError(PythonButlerError, LookupError):
    """No repository has the given label."""

    kind = ErrorKind.UNKNOWN_REPOSITORY


class UnknownVersionError(PythonButlerError, LookupError):
    """Nothing is saved under this name, or in this version."""

    kind = ErrorKind.GONE


class InvalidRequestError(PythonButlerError, ValueError):
    """The request cannot be carried out as it was put."""

    kind = ErrorKind.INVALID


class GoneError(PythonButlerError, LookupError):
    """A dataset is known by name, but it or its file is no longer there."""

    kind = ErrorKind.GONE


class UnreadableError(PythonButlerError, ValueError):
    """A file is there, but what it holds cannot be understood."""

    kind = ErrorKind.INVALID


class SatelliteError(PythonButlerError, RuntimeError):
    """The personal repository cannot be created, opened or written."""

    kind = ErrorKind.SATELLITE


class NoSpaceError(SatelliteError):
    """A disk, a quota or a database is full, or would be: nothing was written."""


class LittleRoomWarning(UserWarning):
    """What is about to be written may not fit."""


class OfficialRunError(PythonButlerError, ValueError):
    """A write named a run that belongs to the official repository."""

    kind = ErrorKind.INVALID


class BackendUnavailableError(PythonButlerError, RuntimeError):
    """The backend process cannot be started or has ended."""

    kind = ErrorKind.BACKEND


class OfficialServerError(PythonButlerError, OSError):
    """The official server, the token or the network is in trouble: nothing is wrong with the data."""

    kind = ErrorKind.INTERNAL


class OfflineError(OfficialServerError):
    """The official server cannot be reached, or answers with a failure of its own."""

    kind = ErrorKind.OFFLINE


class QueryFailedError(OfflineError):
    """The official server failed to answer one query; it can be reached, and may answer others."""


class BrokenOffError(OfficialServerError):
    """The official server broke off in the middle of an answer; it can be reached, and may answer others."""


class TokenError(OfficialServerError):
    """There is no token, or the official server does not accept it."""

    kind = ErrorKind.TOKEN


class ForbiddenError(OfficialServerError):
    """The token is good, but its owner may not read this repository."""

    kind = ErrorKind.FORBIDDEN


class ServerBusyError(OfficialServerError):
    """The official server asks to come back later.

    Parameters
    ----------
    message, next_step : `str`
        As for `PythonButlerError`.
    retry_in : `float`, optional
        Seconds after which the server wants to be asked again.
    """

    kind = ErrorKind.BUSY

    def __init__(self, message: str, next_step: str = "", retry_in: float | None = None) -> None:
        super().__init__(message, next_step)
        self.retry_in = retry_in
