"""What became of quanta, written line by line: one file for each process, so that none waits."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

from ...satellite.durable import share
from ...satellite.spool.lock import process_here
from ..workdir import WorkDirectory

__all__ = ["Event", "Journal", "State"]


class State(StrEnum):
    """What a quantum is after an event."""

    STARTED = "started"
    """It is being executed; or its process was killed meanwhile."""

    SUCCEEDED = "succeeded"
    """It ended well."""

    FAILED = "failed"
    """It raised an exception, or its process died of it."""

    SKIPPED = "skipped"
    """It was not tried, since something failed that it needs."""

    NOTHING = "nothing"
    """It ended without an error and without outputs, and did not say that there was nothing to do."""

    @property
    def bad(self) -> bool:
        """Whether the quantum is to be tried again by whoever goes on with the run."""
        return self in (State.FAILED, State.SKIPPED, State.NOTHING)


@dataclass(frozen=True)
class Event:
    """One line of the journal.

    Attributes
    ----------
    quantum : `uuid.UUID`
        The quantum.
    task : `str`
        Label of its task.
    state : `State`
        What it is now.
    at : `float`
        When, in seconds since 1970 by the clock of the machine that wrote it.
    data_id : `dict` [`str`, `int` or `str`]
        Required values of its data ID.
    seconds : `float` or `None`
        How long it took, if it ended.
    host : `str`
        Machine on which that was.
    pid : `int`
        Process there.
    error : `str` or `None`
        What went wrong: the type of the exception, and its message.
    no_work : `bool`
        Whether it ended well without outputs, since there was nothing to do for it.
    torn : `bool`
        Whether its process or the room on a disk came to an end, so that its files may be half written.
    """

    quantum: UUID
    task: str
    state: State
    at: float
    data_id: dict[str, Any]
    seconds: float | None = None
    host: str = ""
    pid: int = 0
    error: str | None = None
    no_work: bool = False
    torn: bool = False

    @classmethod
    def now(cls, quantum: UUID, task: str, state: State, data_id: dict[str, Any], **known: Any) -> Self:
        """Describe what this process just did; the parameters are the attributes."""
        host, pid = process_here()
        return cls(quantum, task, state, time.time(), data_id, host=host, pid=pid, **known)

    def line(self) -> dict[str, Any]:
        """The event as it is written: what is not known is left out."""
        content: dict[str, Any] = {
            "quantum": str(self.quantum),
            "task": self.task,
            "state": self.state.value,
            "at": round(self.at, 3),
            "data_id": self.data_id,
            "host": self.host,
            "pid": self.pid,
        }
        if self.seconds is not None:
            content["seconds"] = round(self.seconds, 3)
        if self.error is not None:
            content["error"] = self.error
        for name in ("no_work", "torn"):
            if getattr(self, name):
                content[name] = True
        return content

    @classmethod
    def of(cls, line: dict[str, Any]) -> Self:
        """Understand a line; the inverse of `line`."""
        return cls(**line | {"quantum": UUID(line["quantum"]), "state": State(line["state"])})


class Journal:
    """The file of the journal that this process writes.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    """

    def __init__(self, workdir: WorkDirectory) -> None:
        workdir.journal.mkdir(exist_ok=True)
        host, pid = process_here()
        path = workdir.journal / f"{host}-{pid}-{uuid4().hex[:8]}.jsonl"
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        share(path)
        self._torn = False

    def append(self, event: Event) -> None:
        """Note what became of a quantum.

        Parameters
        ----------
        event : `Event`
            What is to be noted.

        Raises
        ------
        OSError
            If it could not be written.
        """
        self._append(event.line())

    def note_initialised(self) -> None:
        """Note that what all quanta of a task need is complete in the output run."""
        self._append({"initialised": True, "at": round(time.time(), 3)})

    def _append(self, content: dict[str, Any]) -> None:
        # After half a line, which a full disk can leave, the next begins on a line of its own.
        line = ("\n" if self._torn else "").encode() + json.dumps(content).encode() + b"\n"
        self._torn = True
        written = os.write(self._descriptor, line)
        while written < len(line):
            written += os.write(self._descriptor, line[written:])
        self._torn = False

    def close(self) -> None:
        """Close the file; harmless if it is closed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
