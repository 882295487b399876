"""Failures of this room in the shape that the browser knows from the backend."""

from __future__ import annotations

from ..errors import PythonButlerError

__all__ = ["Report", "report"]

Report = dict[str, str | float | None]
"""A ``python_butler.backend.models.ErrorReport`` as JSON; the model itself belongs to the backend."""


def report(error: PythonButlerError, request_id: str, retry_in: float | None = None) -> Report:
    """Tell one failure to a person and to a program.

    Parameters
    ----------
    error : `python_butler.errors.PythonButlerError`
        What happened.
    request_id : `str`
        Identifier of the request that met it.
    retry_in : `float`, optional
        Seconds after which to ask again.

    Returns
    -------
    report : `dict`
        The fields of an ``ErrorReport``.
    """
    return {
        "kind": str(error.kind),
        "message": error.message,
        "next_step": error.next_step,
        "retry_in": None if retry_in is None else round(retry_in, 1),
        "request_id": request_id,
    }
