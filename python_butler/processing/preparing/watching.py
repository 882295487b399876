"""How far planning is, and whether it is to stop: told and asked wherever something was found."""

from __future__ import annotations

from ...errors import PythonButlerError
from ...satellite.progress import Reporter

__all__ = ["PreparingStoppedError", "Watching"]


class PreparingStoppedError(PythonButlerError):
    """Preparing was stopped by whoever asked for it; nothing is left of it."""


class Watching:
    """Watches preparing.

    Parameters
    ----------
    reporter : `Reporter`
        Told how far it is.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._stage = ""
        self._found = 0

    def stage(self, what: str) -> None:
        """Begin another part of the work.

        Parameters
        ----------
        what : `str`
            What is being done, as a phrase.
        """
        self._stage, self._found = what, 0
        self.look()
        self._reporter.tell(what, 0)

    def found(self, what: str, count: int) -> None:
        """Tell that something was found.

        Parameters
        ----------
        what : `str`
            What it is, such as ``"dataset ref"``.
        count : `int`
            How many more there are.
        """
        self.look()
        self._found += count
        self._reporter.tell(f"{self._stage} ({what}s)" if self._stage else what, self._found)

    def done(self, done: int, total: int) -> None:
        """Tell how far a part is of which the whole is known.

        Parameters
        ----------
        done, total : `int`
            How much of how much.
        """
        self.look()
        self._reporter.tell(self._stage, done, total)

    def look(self) -> None:
        """Go on only if nobody wants the work to stop.

        Raises
        ------
        PreparingStoppedError
            If somebody does.
        """
        if self._reporter.cancelled:
            raise PreparingStoppedError("Preparing was stopped; nothing is left of it.", "Prepare again.")
