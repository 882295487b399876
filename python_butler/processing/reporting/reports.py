"""`status` counts, `report` explains: what became of a run, also while another process executes it."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, computed_field

from ...errors import InvalidRequestError
from ...satellite.spool.lock import process_here
from ...words import number
from ..execution.journal import Event, State
from ..execution.reading import Following
from ..tables import Table, html_of
from ..workdir import WorkDirectory

__all__ = ["LINES", "Failure", "Report", "Status", "TaskStatus", "report", "status"]

LINES = 20
"""Last lines of a log that are shown."""

_TAIL = 16_384
"""Bytes at the end of a log in which they are looked for."""

_SHOWN = 10
"""Failures that a notebook shows; all are in the list."""


class TaskStatus(BaseModel):
    """How far one task is.

    Attributes
    ----------
    task : `str`
        Its label.
    total : `int`
        Its quanta.
    succeeded : `int`
        Those that ended well,
    no_work : `int`
        and those of them for which there was nothing to do.
    failed : `int`
        Those that raised an exception, or whose process died.
    nothing : `int`
        Those that ended without an error and without outputs, which counts as failure.
    skipped : `int`
        Those that need the outputs of one that failed.
    running : `int`
        Those that are being executed.
    interrupted : `int`
        Those whose execution was cut off: the next start executes them again.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    total: int
    succeeded: int = 0
    no_work: int = 0
    failed: int = 0
    nothing: int = 0
    skipped: int = 0
    running: int = 0
    interrupted: int = 0

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def waiting(self) -> int:
        """Those that were not begun."""
        begun = self.succeeded + self.failed + self.nothing + self.skipped + self.running + self.interrupted
        return max(self.total - begun, 0)


class Status(BaseModel):
    """How far a run is.

    Attributes
    ----------
    directory : `pathlib.Path`
        Its directory.
    output_run : `str`
        Run that its outputs go to.
    working : `bool`
        Whether a process works on it at present.
    tasks : `list` [`TaskStatus`]
        Its tasks, in the order of execution.
    """

    model_config = ConfigDict(frozen=True)

    directory: Path
    output_run: str
    working: bool
    tasks: list[TaskStatus]

    @property
    def total(self) -> int:
        """All quanta."""
        return sum(task.total for task in self.tasks)

    @property
    def succeeded(self) -> int:
        """Quanta that ended well."""
        return sum(task.succeeded for task in self.tasks)

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def complete(self) -> bool:
        """Whether all quanta ended well."""
        return self.succeeded == self.total

    def headline(self) -> str:
        """Say it in one sentence.

        Returns
        -------
        text : `str`
            The sentence.
        """
        told = f"{number(self.succeeded)} of {_quanta(self.total)} succeeded"
        for word in ("failed", "nothing", "skipped", "running", "interrupted"):
            count = sum(getattr(task, word) for task in self.tasks)
            if count:
                told += f", {number(count)} {_WORDS.get(word, word)}"
        return f"{told}." + (" A process works on it." if self.working else "")

    def tables(self) -> Iterator[Table]:
        """Say it in tables.

        Yields
        ------
        table : `python_butler.processing.tables.Table`
            Headings and rows.
        """
        # Not to be searched through for the one number that matters.
        used = [name for name in _COLUMNS if any(getattr(task, name) for task in self.tasks)]
        columns = ["task", "quanta", *(_WORDS.get(name, name) for name in used)]
        yield (
            columns,
            [(t.task, number(t.total), *(number(getattr(t, name)) for name in used)) for t in self.tasks],
        )

    def __str__(self) -> str:
        return self.headline()

    def _repr_html_(self) -> str:
        return html_of(self.headline(), self.tables())


class Failure(BaseModel):
    """A quantum that failed, or ended without having done anything.

    Attributes
    ----------
    quantum : `uuid.UUID`
        The quantum.
    task : `str`
        Label of its task.
    data_id : `dict` [`str`, `int` or `str`]
        Its data ID.
    state : `python_butler.processing.execution.journal.State`
        ``failed`` or ``nothing``.
    error : `str`
        What went wrong.
    log : `pathlib.Path`
        File of its log.
    lines : `list` [`str`]
        The last lines of that.
    command : `str`
        Command that executes it again, alone, and shows what happens.
    """

    model_config = ConfigDict(frozen=True)

    quantum: UUID
    task: str
    data_id: dict[str, Any]
    state: State
    error: str
    log: Path
    lines: list[str]
    command: str

    def values(self) -> str:
        """The data ID in one line."""
        return ", ".join(f"{name}={value}" for name, value in self.data_id.items())


class Report(Status):
    """What became of a run.

    Attributes
    ----------
    failures : `list` [`Failure`]
        Quanta that failed, those first that did so first.
    """

    failures: list[Failure]

    def tables(self) -> Iterator[Table]:
        """Say it in tables; see `Status.tables`."""
        yield from super().tables()
        shown = self.failures[:_SHOWN]
        yield (
            ("failed", "data ID", "error", "to execute it alone"),
            [(each.task, each.values(), each.error, each.command) for each in shown],
        )

    def _repr_html_(self) -> str:
        notes = []
        if len(self.failures) > _SHOWN:
            notes.append(f"{number(len(self.failures) - _SHOWN)} more failed: see the attribute failures.")
        if self.failures:
            notes.append(f"The logs are in {self.directory / 'logs'}.")
        return html_of(self.headline(), self.tables(), notes)


_COLUMNS = (
    "succeeded",
    "no_work",
    "failed",
    "nothing",
    "skipped",
    "running",
    "interrupted",
    "waiting",
)
_WORDS = {"no_work": "without work", "nothing": "did nothing"}


def status(workdir: WorkDirectory, following: Following | None = None) -> Status:
    """Count the quanta of a run by task and state.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    following : `python_butler.processing.execution.reading.Following`, optional
        Knows what became of its quanta until recently.

    Returns
    -------
    status : `Status`
        The counts.

    Raises
    ------
    GoneError
        If no run is prepared there.
    """
    following = following or Following(workdir)
    return Status(**_facts(workdir, following.last().values()))


def report(
    workdir: WorkDirectory,
    *,
    lines: int = LINES,
    most: int | None = None,
    following: Following | None = None,
) -> Report:
    """Tell what became of a run, and what failed.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    lines : `int`, optional
        Last lines of the log of each failure.
    most : `int`, optional
        Most failures to tell of, those first that did so first; all if not given.
    following : `python_butler.processing.execution.reading.Following`, optional
        Knows what became of its quanta until recently.

    Returns
    -------
    report : `Report`
        The counts and the failures.

    Raises
    ------
    GoneError
        If no run is prepared there.
    """
    last = (following or Following(workdir)).last()
    failed = [event for event in last.values() if event.state in (State.FAILED, State.NOTHING)]
    failures = [
        _failure(workdir, event, lines) for event in sorted(failed, key=lambda event: event.at)[:most]
    ]
    return Report(failures=failures, **_facts(workdir, last.values()))


def _facts(workdir: WorkDirectory, events: Iterable[Event]) -> dict[str, Any]:
    settings = workdir.settings()
    busy = workdir.busy
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for event in events:
        count = counts[event.task]
        if event.state is State.STARTED:
            count["running" if busy and _alive(event) else "interrupted"] += 1
        else:
            count[event.state.value] += 1
        count["no_work"] += event.no_work
    totals = _totals(workdir)
    tasks = [TaskStatus(task=task, total=total, **counts[task]) for task, total in totals.items()]
    return {"directory": workdir.path, "output_run": settings.output_run, "working": busy, "tasks": tasks}


def _totals(workdir: WorkDirectory) -> dict[str, int]:
    """How many quanta there are of each task, as preparing counted them."""
    try:
        tasks = json.loads(workdir.summary.read_bytes())["tasks"]
        return {task["label"]: task["quanta"] for task in tasks}
    except (OSError, ValueError, LookupError, TypeError):
        raise InvalidRequestError(
            f"{workdir.summary} cannot be read.", "Prepare the run anew, in another directory."
        ) from None


def _alive(event: Event) -> bool:
    """Whether the process that began a quantum seems to exist; its number may be that of another by now."""
    if event.host != process_here()[0]:
        return True
    try:
        os.kill(event.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _failure(workdir: WorkDirectory, event: Event, lines: int) -> Failure:
    log = workdir.log(event.task, event.quantum)
    command = f"satellite run start {shlex.quote(str(workdir.path))} --quantum {event.quantum}"
    return Failure(
        quantum=event.quantum,
        task=event.task,
        data_id=event.data_id,
        state=event.state,
        error=event.error or "",
        log=log,
        lines=_tail(log, lines),
        command=command,
    )


def _tail(path: Path, lines: int) -> list[str]:
    """The last lines of a file; none if it is not there."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:] if lines > 0 else []


def _quanta(count: int) -> str:
    return "1 quantum" if count == 1 else f"{number(count)} quanta"
