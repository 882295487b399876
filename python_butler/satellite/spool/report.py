"""`CommitReport`: what became of waiting datasets."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import SatelliteError

__all__ = ["CommitReport", "Problem"]


@dataclass(frozen=True)
class Problem:
    """A dataset, or what should describe one, that could not be committed.

    Attributes
    ----------
    name : `str`
        Name of the slip.
    what : `str`
        The dataset, or the file.
    reason : `str`
        Why, as a phrase.
    set_aside : `bool`
        Whether it was put where it waits for a person, since trying again would not help. Otherwise
        it is tried again the next time.
    """

    name: str
    what: str
    reason: str
    set_aside: bool


@dataclass(frozen=True)
class CommitReport:
    """What became of waiting datasets.

    Attributes
    ----------
    committed : `int`
        Datasets that are in the registry now.
    left : `int`
        Datasets that still wait.
    busy : `bool`
        Whether somebody else is committing, so that nothing was done.
    problems : `tuple` [`Problem`]
        What could not be committed.
    trouble : `str`
        Why nothing, or no more, could be committed at all, as a sentence; empty if there is no such
        reason.
    """

    committed: int = 0
    left: int = 0
    busy: bool = False
    problems: tuple[Problem, ...] = ()
    trouble: str = ""

    def check(self) -> None:
        """Raise an exception if something could not be committed.

        Raises
        ------
        SatelliteError
            If there are problems.
        """
        if self.trouble:
            raise SatelliteError(self.trouble, f"Nothing is lost: {self.left} saved datasets wait.")
        if self.problems:
            first = self.problems[0]
            more = f", and {len(self.problems) - 1} more" if len(self.problems) > 1 else ""
            raise SatelliteError(
                f"{first.what} was saved, but cannot be put into the registry: {first.reason}{more}.",
                "Nothing is lost: see satellite check.",
            )
