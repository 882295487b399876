"""What became of a run that was collected, and of one that was cleaned up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...words import number, size
from .scanning import BLOCKED, FAILED, NOT_RUN, SUCCEEDED

if TYPE_CHECKING:
    from ...satellite.report import ReferenceReport

__all__ = ["CleanReport", "CollectReport"]


@dataclass
class CollectReport:
    """What was collected.

    Attributes
    ----------
    run : `str`
        Collection with the outputs.
    output : `str`
        Chain that has it in front.
    quanta : mapping [`str`, mapping [`str`, `int`]]
        How many quanta of each task met which fate.
    new, there : `collections.Counter` [`str`]
        Outputs that are in the satellite now and were not before, and those that were, by dataset type.
    lost : `list` [`str`]
        Outputs whose files are gone, as sentences.
    records : `int`
        New dimension records.
    inputs : `python_butler.satellite.report.ReferenceReport` or `None`
        What became of official inputs; `None` if nothing was to.
    notes : `list` [`str`]
        What else is worth knowing, as sentences.
    cancelled : `bool`
        Whether it was stopped before the end. Collecting again goes on there.
    """

    run: str
    output: str
    quanta: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    new: Counter[str] = field(default_factory=Counter)
    there: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    records: int = 0
    inputs: ReferenceReport | None = None
    notes: list[str] = field(default_factory=list)
    cancelled: bool = False

    @property
    def unfinished(self) -> int:
        """Number of quanta that did not succeed."""
        return sum(self._count(state) for state in (FAILED, BLOCKED, NOT_RUN))

    @property
    def complete(self) -> bool:
        """Whether all of the run is in the satellite."""
        return not (self.unfinished or self.cancelled or self.lost)

    @property
    def problems(self) -> bool:
        """Whether something is not fine."""
        return bool(self.unfinished or self.lost or (self.inputs is not None and self.inputs.problems))

    def _count(self, state: str) -> int:
        return sum(states.get(state, 0) for states in self.quanta.values())

    def sentences(self) -> list[str]:
        """Say what became of it, and what to do next if something is missing."""
        said = [
            f"{number(self.new.total())} datasets were saved in {self.run}"
            + (f", {number(self.there.total())} were there already." if self.there else ".")
        ]
        if self.inputs is not None and self.inputs.total:
            said.append(f"Inputs: {self.inputs}.")
        if self.unfinished:
            states = ", ".join(
                f"{number(count)} {state}"
                for state in (SUCCEEDED, FAILED, BLOCKED, NOT_RUN)
                if (count := self._count(state))
            )
            said.append(
                f"The run is not complete ({states}). Only what quanta that succeeded wrote was saved: start "
                "the run again, and collect again to add the rest."
            )
        said += [*self.lost, *self.notes]
        if self.cancelled:
            said.append("Stopped; collect again to go on.")
        return said

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {
            "run": self.run,
            "output": self.output,
            "complete": self.complete,
            "quanta": {task: dict(states) for task, states in self.quanta.items()},
            "new": dict(self.new),
            "there": dict(self.there),
            "lost": self.lost,
            "records": self.records,
            "inputs": None
            if self.inputs is None
            else {
                "counts": {
                    name: {status.value: count for status, count in counts.items() if count}
                    for name, counts in self.inputs.counts.items()
                },
                "problems": [problem.document() for problem in self.inputs.problems],
                "notes": self.inputs.notes,
                "copied": self.inputs.copied,
            },
            "notes": self.notes,
            "cancelled": self.cancelled,
        }

    def __str__(self) -> str:
        return " ".join(self.sentences())


@dataclass(frozen=True)
class CleanReport:
    """What was removed.

    Attributes
    ----------
    files : `int`
        Files of outputs that were not collected.
    bytes : `int`
        Their size, in bytes.
    directory : `str`
        The directory of the run.
    kept : `list` [`str`]
        What was left alone in the directory, from there.
    """

    files: int
    bytes: int
    directory: str
    kept: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {
            "files": self.files,
            "bytes": self.bytes,
            "directory": self.directory,
            "kept": self.kept,
        }

    def __str__(self) -> str:
        parts = [
            f"{self.directory} was " + (f"kept, with {', '.join(self.kept)}." if self.kept else "removed.")
        ]
        if self.files:
            count = f"{number(self.files)} files of outputs that were not collected"
            parts.append(f"{count} were deleted ({size(self.bytes)}).")
        return " ".join(parts)
