"""One job while it runs, as the thread that does it sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from .models import JobPhase, JobProgress, JobRequest, JobResult

__all__ = ["JobOutcome", "Work", "WorkStopped"]


class WorkStopped(Exception):
    """The work was stopped while it was being prepared: nothing was done."""


@dataclass
class JobOutcome:
    """What a job has done.

    Attributes
    ----------
    results : `list` [`JobResult`]
        What became of each dataset.
    bytes : `int`
        Size of what was done.
    notes : `list` [`str`]
        What there is to say beside.
    failure : `Exception` or `None`
        What ended it early; the results say how far it came.
    """

    results: list[JobResult] = field(default_factory=list)
    bytes: int = 0
    notes: list[str] = field(default_factory=list)
    failure: Exception | None = None


class Work:
    """What is to be done, where to say how far it is, and whether to stop.

    Parameters
    ----------
    request : `JobRequest`
        What is asked for.
    tell : callable
        Told of progress; called in the thread.
    turn : callable
        Gives, for the label of an official repository, a context in which the one streaming query that
        it allows may run.
    cancel : `threading.Event`
        Set to stop.
    """

    def __init__(
        self,
        request: JobRequest,
        tell: Callable[[JobProgress], None],
        turn: Callable[[str], AbstractContextManager[None]],
        cancel: threading.Event,
    ) -> None:
        self.request = request
        self.turn = turn
        self.cancel = cancel
        self._tell = tell
        self._phase = JobPhase.STARTING
        self._cancellers: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def enter(self, phase: JobPhase, total: int | None = None) -> None:
        """Say what is done now; ends the work here if it is to stop.

        Parameters
        ----------
        phase : `JobPhase`
            What is done now.
        total : `int`, optional
            How many datasets it concerns.

        Raises
        ------
        WorkStopped
            If the work is to stop.
        """
        self.check()
        self._phase = phase
        self._tell(JobProgress(phase=phase, done=0, total=total, seconds_left=None))

    def check(self) -> None:
        """End the work here if it is to stop."""
        if self.cancel.is_set():
            raise WorkStopped

    def progress(self, progress: Any) -> None:
        """Take what the library says of its progress; a `python_butler.satellite.progress.Progress`."""
        self.at(progress.done, progress.total, progress.seconds_left)

    def at(self, done: int, total: int | None, seconds_left: float | None = None) -> None:
        """Say how far it is.

        Parameters
        ----------
        done : `int`
            Datasets that are done.
        total : `int` or `None`
            All, if that is known.
        seconds_left : `float`, optional
            Estimate.
        """
        self._tell(JobProgress(phase=self._phase, done=done, total=total, seconds_left=seconds_left))

    # A watcher of queries

    def busy(self, retry_in: float) -> None:
        """Learn that the official server asked to come back later."""
        self.check()

    def on_cancel(self, canceller: Callable[[], None]) -> None:
        """Learn what ends the running query."""
        with self._lock:
            self._cancellers.append(canceller)
            if not self.cancel.is_set():
                return
        canceller()

    def stop(self) -> None:
        """Stop, from any thread; does not wait."""
        with self._lock:
            if self.cancel.is_set():
                return
            self.cancel.set()
            cancellers = list(self._cancellers)
        for canceller in cancellers:
            # A database server is asked, which takes time.
            threading.Thread(target=canceller, daemon=True).start()
