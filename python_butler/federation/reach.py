"""Whether the official server can be reached now: without it, personal work goes on."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import OfflineError

__all__ = ["OfflineWarning", "Reach"]

RETRY_SECONDS = 30.0
"""For how long a server that could not be reached is left alone."""

_PACKAGE = str(Path(__file__).parents[1])


class OfflineWarning(UserWarning):
    """Only personal data is used, since the official server cannot be reached."""


class Reach:
    """Remembers that an official server cannot be reached, and asks it again after a while.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    """

    def __init__(self, label: str, official: RemoteButler) -> None:
        self._label = label
        self._official = official
        self._lost_at: float | None = None

    @property
    def lost(self) -> bool:
        """Whether the server cannot be reached, as far as is known."""
        # Read once: another thread may find the server back meanwhile.
        lost_at = self._lost_at
        if lost_at is None:
            return False
        if time.monotonic() - lost_at < RETRY_SECONDS:
            return True
        try:
            self._official._connection.get("universe")
        except OfflineError:
            self._lost_at = time.monotonic()
            return True
        self._lost_at = None
        return False

    def lose(self, error: OfflineError) -> None:
        """Note that the server cannot be reached, and warn the user once.

        Parameters
        ----------
        error : `python_butler.errors.OfflineError`
            What happened.
        """
        if self._lost_at is None:
            warnings.warn(
                f"{error.message} Until it is back only your satellite is searched.",
                OfflineWarning,
                # At the user's own line, where each new loss is shown; a line of ours is shown once.
                skip_file_prefixes=(_PACKAGE,),
            )
        self._lost_at = time.monotonic()

    def retry(self) -> None:
        """Ask the server again at the next occasion."""
        if self._lost_at is not None:
            self._lost_at = -RETRY_SECONDS

    def unavailable(self, what: str) -> OfflineError:
        """Error for what cannot be had without the server.

        Parameters
        ----------
        what : `str`
            What is missing, as the beginning of a sentence.
        """
        return OfflineError(
            f"{what} is not in your satellite, and the {self._label} server cannot be reached.",
            "Wait until it is back; what is in your satellite can be used meanwhile.",
        )
