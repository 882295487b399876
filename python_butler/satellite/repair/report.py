"""What was found in a satellite, and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from .kinds import Kind

__all__ = ["CheckReport", "Finding", "Outcome", "RepairReport", "Result"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, or worth knowing.

    Attributes
    ----------
    kind : `Kind`
        What is wrong; ``kind.rule`` explains it.
    where : `str`
        Path, name or ID.
    what : `str`
        To what it belongs, as far as that is known.
    bytes : `int` or `None`
        Its size in bytes.
    """

    kind: Kind
    where: str
    what: str = ""
    bytes: int | None = None
    key: Any = field(default=None, repr=False, compare=False)
    """What mending needs to know."""

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        rule = self.kind.rule
        return {
            "kind": self.kind.value,
            "where": self.where,
            "what": self.what,
            "bytes": self.bytes,
            "explanation": rule.explanation,
            "remedy": rule.remedy,
            "needs": rule.needs,
            "remark": rule.remark,
        }


class Outcome(StrEnum):
    """What became of a finding."""

    MENDED = "mended"
    """It is in order now."""

    LEFT = "left"
    """It is as it was: the detail says why."""

    GONE = "gone"
    """It was in order when it was looked at again."""


@dataclass(frozen=True)
class Result:
    """A finding, and what became of it.

    Attributes
    ----------
    finding : `Finding`
        What was found.
    outcome : `Outcome`
        What became of it.
    detail : `str`
        Why it was left, or where it is now.
    """

    finding: Finding
    outcome: Outcome
    detail: str = ""

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {**self.finding.document(), "outcome": self.outcome.value, "detail": self.detail}


@dataclass
class CheckReport:
    """What a satellite was found to be like.

    Attributes
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory.
    findings : `list` [`Finding`]
        What is not as it should be.
    remarks : `list` [`Finding`]
        What is in good order, though worth knowing.
    notes : `list` [`str`]
        What could not be looked at, or judged, as sentences.
    examined : `dict` [`str`, `int`]
        How much was looked at: datasets, files, bytes and so on.
    cancelled : `bool`
        Whether it was stopped before the end.
    """

    label: str
    root: Path
    findings: list[Finding] = field(default_factory=list)
    remarks: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    examined: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def counts(self) -> Counter[Kind]:
        """Count what was found.

        Returns
        -------
        counts : `collections.Counter` [`Kind`]
            How many findings there are of each kind; without remarks.
        """
        return Counter(finding.kind for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {
            "label": self.label,
            "root": str(self.root),
            "clean": self.clean,
            "findings": [finding.document() for finding in self.findings],
            "remarks": [finding.document() for finding in self.remarks],
            "notes": self.notes,
            "examined": self.examined,
            "cancelled": self.cancelled,
        }


@dataclass
class RepairReport(CheckReport):
    """What was found in a satellite, and what became of it.

    Attributes
    ----------
    results : `list` [`Result`]
        What became of each finding, and of the remarks about which something was to be done; empty
        after a dry run.
    dry_run : `bool`
        Whether it was only told what would be done.
    lost_and_found : `pathlib.Path` or `None`
        Directory with a list of what was moved and removed, if anything was.
    """

    results: list[Result] = field(default_factory=list)
    dry_run: bool = False
    lost_and_found: Path | None = None

    @property
    def left(self) -> list[Result]:
        """What is still not as it should be."""
        return [
            each
            for each in self.results
            if each.outcome is Outcome.LEFT and not each.finding.kind.rule.remark
        ]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong any more."""
        return not (self.findings if self.dry_run else self.left)

    def document(self) -> dict[str, Any]:
        """Return it as programs want it, fit for JSON."""
        return {
            **super().document(),
            "results": [result.document() for result in self.results],
            "dry_run": self.dry_run,
            "lost_and_found": None if self.lost_and_found is None else str(self.lost_and_found),
        }
