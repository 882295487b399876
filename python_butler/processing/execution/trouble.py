"""`Trouble`: what is to blame for a failure when it is not the quantum, and passes."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import NoSpaceError, OfflineError, PythonButlerError, ServerBusyError, TokenError
from ...fulldisk import NO_ROOM
from ..workdir import WorkDirectory

__all__ = ["NO_SPACE", "PASSING", "Trouble", "trouble_behind"]

NO_SPACE = "no_space"
"""Kind of trouble: a disk is full."""

PASSING: dict[str, type[PythonButlerError]] = {
    error.kind.value: error for error in (OfflineError, TokenError, ServerBusyError)
}
"""What the official server, the token and the network may suffer from for a while."""


@dataclass(frozen=True)
class Trouble:
    """Why a quantum failed although nothing is wrong with it.

    Attributes
    ----------
    kind : `str`
        `NO_SPACE`, or one of `PASSING`.
    message : `str`
        What happened, as a sentence.
    """

    kind: str
    message: str


def trouble_behind(failure: BaseException | None, workdir: WorkDirectory) -> Trouble | None:
    """Find out whether something outside of a quantum is behind its failure.

    Parameters
    ----------
    failure : `BaseException` or `None`
        What was raised; what it was raised for is looked at, too.
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.

    Returns
    -------
    trouble : `Trouble` or `None`
        `None` if it seems to be the quantum's own fault.
    """
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        if isinstance(failure, NoSpaceError):
            return Trouble(NO_SPACE, failure.message)
        if isinstance(failure, OSError) and failure.errno in NO_ROOM:
            where = failure.filename or workdir.settings().satellite
            return Trouble(NO_SPACE, f"There is no room left where {where} is: {failure.strerror}.")
        if isinstance(failure, PythonButlerError) and failure.kind.value in PASSING:
            return Trouble(failure.kind.value, failure.message)
        failure = failure.__cause__ or failure.__context__
    return None
