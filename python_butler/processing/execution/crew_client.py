"""`Crew`: the process that executes quanta, as whoever starts it sees it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from ...credentials import RenewedTokens
from ..workdir import WorkDirectory
from .messages import receive, send

__all__ = ["Crew"]

_GRACE = 3.0
"""Seconds in which it should end when it is told to."""


class Crew:
    """A process that executes quanta in workers of its own; as a context manager it ends it.

    It is no fork of this one, which may be a notebook's kernel with threads and connections: it starts
    afresh, with the environment as it is now, and finds modules where this one does.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    processes : `int`
        Workers.
    heard : callable
        Called from a thread with each answer, and with `None` when there will be no more.
    """

    def __init__(
        self, workdir: WorkDirectory, processes: int, heard: Callable[[dict[str, Any] | None], None]
    ) -> None:
        workdir.logs.mkdir(exist_ok=True)
        self.log = workdir.logs / "crew.log"
        self._heard = heard
        self._tokens = RenewedTokens()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", f"{__package__}.crew", str(workdir.path), str(processes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                # Ctrl-C on a terminal is not for it.
                process_group=0,
            )
        self._listener = threading.Thread(target=self._listen, name="run-crew", daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        try:
            for line in self._process.stdout:
                self._heard(receive(line))
        finally:
            self._heard(None)

    def order(self, quantum: UUID, attempt: str) -> None:
        """Have a quantum executed as soon as a worker is free; if the process is gone, `heard` is told.

        Parameters
        ----------
        quantum : `uuid.UUID`
            The quantum.
        attempt : `str`
            What is known of earlier attempts: see `python_butler.processing.execution.quantum.Attempt`.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            send(self._process.stdin, run=str(quantum), attempt=attempt, tokens=self._tokens.news())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_GRACE if kind is None else 0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_GRACE)
        self._process.stdout.close()


def _environment() -> dict[str, str]:
    paths = [path or os.getcwd() for path in sys.path]  # noqa: PTH109  as the interpreter finds it
    # Threads of libraries are in each other's way when all processors have a worker.
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
