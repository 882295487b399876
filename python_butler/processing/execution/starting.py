"""`start`: executes what is left to do of a run, as far as it gets, and can be called again.

Imports no lsst package itself.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from ...errors import InvalidRequestError
from ...fulldisk import writing
from ...satellite.progress import ProgressCallback
from ..reporting.reports import Report, report
from ..workdir import WorkDirectory
from .crew_client import Crew

if TYPE_CHECKING:
    from .conducting import Heard

__all__ = ["PATIENCE", "start"]

PATIENCE = 180.0
"""Seconds for which the official server may be in trouble before a run stops."""


def start(
    workdir: WorkDirectory,
    *,
    processes: int = 1,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
    patience: float = PATIENCE,
) -> Report:
    """Execute the quanta of a run that have not succeeded yet.

    One that fails is in nobody's way but of those that need its outputs. Whatever an earlier attempt left
    of a quantum that did not succeed is replaced. The satellite's database is not touched.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    processes : `int`, optional
        Quanta that are executed at the same time.
    progress : callable, optional
        Told how many quanta have succeeded, in all and by task.
    cancel : `threading.Event`, optional
        Set to begin no more quanta; those that are being executed come to their end.
    patience : `float`, optional
        Seconds for which the official server may be in trouble.

    Returns
    -------
    report : `python_butler.processing.reporting.reports.Report`
        What became of the run.

    Raises
    ------
    GoneError
        If no run is prepared in the directory.
    InvalidRequestError
        If somebody else works on it, its graph cannot be executed, or a task cannot be imported.
    OfficialServerError
        If the official server was in trouble for too long. Nothing is lost: start again.
    NoSpaceError
        If a disk is full; likewise.
    """
    if processes < 1:
        raise InvalidRequestError("At least one process is needed.", "Ask for 1 or more.")
    workdir.settings()
    heard: Heard = queue.SimpleQueue()
    with workdir.locked(), writing(str(workdir.path)):
        workdir.note_site(None)
        with Crew(workdir, processes, heard.put) as crew:
            # Not before: the crew imports what executes quanta, which takes seconds, and this process what
            # orders them, and the two can do so at the same time.
            from .conducting import Conductor

            stop = cancel or threading.Event()
            error = Conductor(workdir, crew, heard, processes, progress, stop, patience).run()
        if error is not None:
            raise error
    return report(workdir)
