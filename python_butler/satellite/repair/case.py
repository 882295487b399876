"""One examination of a satellite: what was asked for, what was found, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from lsst.daf.butler.direct_butler import DirectButler

from ..place import Place
from ..progress import Reporter
from ..storage import storage_of
from .exclusive import exclusive
from .lost import LostAndFound
from .report import Finding, Outcome, Result
from .stored import Files, files_of

__all__ = ["Area", "Case", "Options"]


@dataclass(frozen=True)
class Options:
    """What was asked for: see `Satellite.check` and `Satellite.repair`."""

    mend: bool = False
    quarantine: bool = False
    forget_lost: bool | Literal["all"] = False
    empty_runs: bool = False
    batches: Literal["commit", "discard"] | None = None
    official: bool = False
    thorough: bool = False
    min_age: float | None = None
    wait: float = 30.0

    @property
    def age(self) -> float:
        """Seconds after which a file is not about to be used, if nobody can be writing."""
        return 600.0 if self.min_age is None else self.min_age

    @property
    def long_age(self) -> float:
        """The same if nothing else tells whether somebody is writing."""
        return 86_400.0 if self.min_age is None else self.min_age

    def asked(self, need: str | None) -> bool:
        """Tell whether an option that a kind of finding needs was given."""
        match need:
            case None:
                return True
            case "--quarantine":
                return self.quarantine
            case "--forget-lost":
                return bool(self.forget_lost)
            case "--empty-runs":
                return self.empty_runs
            case "--batches":
                return self.batches is not None
        raise ValueError(need)


class Case:
    """One examination of a satellite.

    Parameters
    ----------
    place : `Place`
        The satellite.
    options : `Options`
        What was asked for.
    reporter : `Reporter`
        Is told how far it is, and says when to stop.
    """

    def __init__(self, place: Place, options: Options, reporter: Reporter) -> None:
        self.place = place
        self.options = options
        self.reporter = reporter
        self.lost = LostAndFound(place.root)
        self.found: list[Finding] = []
        self.results: list[Result] = []
        self.notes: list[str] = []
        self.examined: Counter[str] = Counter()
        self._reader: DirectButler | None = None
        self.blocked = False
        """Whether what was found makes it impossible to look at the rest."""

    @property
    def files(self) -> Files:
        """Where the files of datasets are."""
        return files_of(storage_of(self.place))

    @contextmanager
    def reader(self) -> Iterator[DirectButler]:
        """Open the satellite for reading; it stays open until something is mended."""
        if self._reader is None:
            self._reader = self.place.reader()
        yield self._reader

    def close(self) -> None:
        """Close the satellite, so that who reads next sees what has changed."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    @contextmanager
    def alone(self) -> Iterator[DirectButler]:
        """Be the only one who writes: see `exclusive`."""
        with exclusive(self.place, self.options.wait) as writer:
            yield writer

    def mended(self, findings: Iterable[Finding], detail: str = "") -> None:
        """Note that something is in order now."""
        self.results += [Result(each, Outcome.MENDED, detail) for each in findings]

    def left(self, findings: Iterable[Finding], detail: str) -> None:
        """Note that something is as it was."""
        self.results += [Result(each, Outcome.LEFT, detail) for each in findings]

    def gone(self, findings: Iterable[Finding]) -> None:
        """Note that something was in order when it was looked at again."""
        self.results += [Result(each, Outcome.GONE) for each in findings]


class Area(Protocol):
    """Part of a satellite that is looked at, and mended, before the next one is."""

    what: str
    """What is being done, as a phrase."""

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
