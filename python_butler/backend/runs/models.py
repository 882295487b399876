"""Runs of pipelines as they cross the wire; imports no lsst package."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from ..models import DataIdValue, ErrorReport, WireModel

__all__ = [
    "LOG_BYTES",
    "MOST_FAILURES",
    "MOST_RUNS",
    "PipelineRun",
    "RunCollected",
    "RunFailure",
    "RunList",
    "RunLog",
    "RunReport",
    "RunsEvent",
    "TaskProgress",
]

MOST_RUNS = 100
"""Most runs in a list, the newest ones."""

MOST_FAILURES = 100
"""Most failures that a report has with the ends of their logs."""

LOG_BYTES = 256 * 1024
"""Most bytes of a log, those at its end."""


class TaskProgress(WireModel):
    """How many quanta of one task are in which state; what waits was not begun."""

    task: str
    total: int
    succeeded: int
    no_work: int = Field(description="Those of the succeeded for which there was nothing to do.")
    failed: int
    nothing: int = Field(description="Ended without an error and without outputs: counts as failure.")
    skipped: int = Field(description="Need the outputs of one that failed.")
    running: int
    interrupted: int = Field(description="Were cut off; the next start executes them again.")
    waiting: int


class RunCollected(StrEnum):
    """What of a run is in the satellite."""

    NOTHING = "nothing"
    PARTLY = "partly"
    """It was collected while there was, or before there was, more to do."""
    ALL = "all"


class PipelineRun(WireModel):
    """A run that was prepared, and how far it is."""

    id: UUID
    label: str = Field(description="Label of its satellite.")
    name: str
    directory: str
    pipeline: str = Field(description="Where the pipeline is from: a file, or a task class.")
    output: str = Field(description="The chain in which its outputs are found.")
    output_run: str = Field(description="The run that its outputs go to.")
    created: datetime
    site: str | None = Field(description="Batch system; null for this machine.")
    working: bool = Field(description="Whether a process works on it.")
    collected: RunCollected
    tasks: list[TaskProgress] = Field(description="In the order of execution.")
    problem: ErrorReport | None = Field(description="Why nothing can be told of its tasks.")


class RunList(WireModel):
    """Runs of all satellites, the newest first."""

    runs: list[PipelineRun]
    total: int = Field(description="How many there are; more than these are not told of.")


class RunFailure(WireModel):
    """A quantum that failed, or ended without having done anything."""

    quantum: UUID
    task: str
    data_id: dict[str, DataIdValue]
    state: Literal["failed", "nothing"]
    error: str
    log: str = Field(description="File of its log.")
    lines: list[str] = Field(description="The last lines of that; none if there is no log.")
    command: str = Field(description="Executes it again, alone.")


class RunCommands(WireModel):
    """What a person would type in a terminal."""

    start: str
    collect: str
    report: str


class RunReport(WireModel):
    """What became of one run."""

    run: PipelineRun
    failures: list[RunFailure] = Field(description="Those that failed first.")
    more_failures: int = Field(description="How many failed beside these.")
    commands: RunCommands


class RunLog(WireModel):
    """The end of a quantum's log, which is nearly always all of it."""

    path: str
    text: str
    bytes: int = Field(description="Size of the file.")
    left_out: int = Field(description="Bytes before the text.")


class RunsEvent(WireModel):
    """Some run may stand otherwise than before."""

    event: Literal["runs"] = "runs"
    word: str = Field(description="Another one tells that something changed.")
