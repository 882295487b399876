"""Which steps of collecting are done: kept in the directory of the run, so that a rerun goes on there."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from ...satellite.durable import atomic_write
from .scanning import Scan

__all__ = ["Inputs", "Ledger", "Step"]

type Inputs = Literal["reference", "copy", "none"]
"""What becomes of official inputs."""

type Step = Literal["records", "outputs", "provenance", "inputs", "chain"]
"""One step; each can be done again without harm."""


class Ledger(BaseModel):
    """What was found of a run, and what of that is in the satellite.

    Attributes
    ----------
    format : `int`
        Version of the layout.
    scanned : `bool`
        Whether it was looked what there is.
    quanta : `dict`
        How many quanta of each task met which fate.
    unfinished, absent : `set` [`uuid.UUID`]
        As `Scan` has them.
    journal : `int`
        Bytes that the journal of the run had then: it grows with whatever is run again.
    inputs : `str`
        What was asked to become of official inputs.
    done : `list` [`str`]
        Steps that are complete for what was found.
    changed : `datetime.datetime`
        When something was last added.
    """

    format: int = 1
    scanned: bool = False
    quanta: dict[str, dict[str, int]] = Field(default_factory=dict)
    unfinished: set[UUID] = Field(default_factory=set)
    absent: set[UUID] = Field(default_factory=set)
    journal: int = 0
    inputs: Inputs = "reference"
    done: list[Step] = Field(default_factory=list)
    changed: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """Read what is known; nothing if there is no file, or one that cannot be understood.

        Parameters
        ----------
        path : `pathlib.Path`
            The file.

        Returns
        -------
        ledger : `Ledger`
            What it says. Steps that are done twice do no harm.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls()

    def write(self, path: Path) -> None:
        """Write it.

        Parameters
        ----------
        path : `pathlib.Path`
            The file.
        """
        self.changed = datetime.now(UTC)
        atomic_write(path, self.model_dump_json(indent=2).encode())

    @property
    def scan(self) -> Scan | None:
        """What was found, if nothing can have been added since."""
        if not self.scanned or self.unfinished:
            return None
        counts = {task: Counter(states) for task, states in self.quanta.items()}
        return Scan(counts, set(), set(self.absent))

    def found(self, scan: Scan, journal: int) -> None:
        """Take note of what was found; what differs from what was known has to be collected.

        Parameters
        ----------
        scan : `Scan`
            What was found.
        journal : `int`
            Bytes that the journal had before.
        """
        known = (self.unfinished, self.absent, self.journal)
        if (scan.unfinished, scan.absent, journal) != known or not self.scanned:
            self.done = []
        self.scanned, self.journal = True, journal
        self.quanta = {task: dict(states) for task, states in scan.quanta.items()}
        self.unfinished, self.absent = scan.unfinished, scan.absent

    @property
    def complete(self) -> bool:
        """Whether all that the run will ever make is in the satellite."""
        return self.scanned and not self.unfinished and "chain" in self.done
