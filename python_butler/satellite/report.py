"""What became of the datasets that were to be referenced."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from lsst.daf.butler import DatasetRef

__all__ = ["Problem", "ReferenceReport", "Status"]


class Status(StrEnum):
    """What became of one dataset."""

    NEW = "new"
    """It is referenced now, and was not before."""

    THERE = "already there"
    """It was in the satellite before, by reference or as a file."""

    MISSING = "missing"
    """The official server does not know it, or has no file of it."""

    REFUSED = "refused"
    """It cannot be referenced; the problem says why."""


@dataclass(frozen=True)
class Problem:
    """A dataset with which what was asked for could not be done.

    Attributes
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    status : `Status`
        ``MISSING`` or ``REFUSED``.
    reason : `str`
        Why, as a sentence.
    """

    ref: DatasetRef
    status: Status
    reason: str

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {
            "id": str(self.ref.id),
            "dataset_type": self.ref.datasetType.name,
            "data_id": dict(self.ref.dataId.required),
            "run": self.ref.run,
            "status": self.status.value,
            "reason": self.reason,
        }


@dataclass
class ReferenceReport:
    """Outcome of referencing datasets: counts, and what is not fine.

    Attributes
    ----------
    counts : `dict` [`str`, `~collections.Counter` [`Status`]]
        How many datasets of each type met which fate.
    problems : `list` [`Problem`]
        Datasets that are missing or refused.
    statuses : `dict` [`uuid.UUID`, `Status`]
        Which fate each dataset met.
    notes : `list` [`str`]
        What could not be done with collections, as sentences.
    bytes : `int`
        Size of the files of new datasets, in bytes, as far as the official server knows it.
    copied : `int`
        Datasets whose files were copied, if copies were asked for.
    not_copied : `list` [`Problem`]
        Datasets that are referenced, but could not be copied although that was asked for.
    cancelled : `bool`
        Whether it was stopped before the end. What is counted is done, and the same call goes on there.
    dry_run : `bool`
        Whether nothing was written.
    """

    counts: dict[str, Counter[Status]] = field(default_factory=lambda: defaultdict(Counter))
    problems: list[Problem] = field(default_factory=list)
    statuses: dict[UUID, Status] = field(default_factory=dict, repr=False)
    notes: list[str] = field(default_factory=list)
    bytes: int = 0
    copied: int = 0
    not_copied: list[Problem] = field(default_factory=list)
    cancelled: bool = False
    dry_run: bool = False

    def count(self, status: Status) -> int:
        """Return how many datasets of all types met one fate.

        Parameters
        ----------
        status : `Status`
            The fate.
        """
        return sum(counts[status] for counts in self.counts.values())

    @property
    def total(self) -> int:
        """Number of datasets that were looked at."""
        return sum(counts.total() for counts in self.counts.values())

    def add(self, status: Status, refs: Iterable[DatasetRef]) -> None:
        """Note datasets that are fine.

        Parameters
        ----------
        status : `Status`
            ``NEW`` or ``THERE``.
        refs : iterable of `lsst.daf.butler.DatasetRef`
            The datasets.
        """
        for ref in refs:
            self.counts[ref.datasetType.name][status] += 1
            self.statuses[ref.id] = status

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Note datasets that are not fine, with the reason.

        Parameters
        ----------
        problems : iterable of `Problem`
            The datasets.
        """
        for problem in problems:
            self.counts[problem.ref.datasetType.name][problem.status] += 1
            self.statuses[problem.ref.id] = problem.status
            self.problems.append(problem)

    def __str__(self) -> str:
        parts = [f"{self.count(status):,} {status}" for status in Status if self.count(status)]
        if self.copied:
            parts.append(f"{self.copied:,} copied")
        if self.not_copied:
            parts.append(f"{len(self.not_copied):,} not copied")
        text = ", ".join(parts) or "no datasets found"
        return f"{text} (cancelled)" if self.cancelled else text
