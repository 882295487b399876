"""Whether the official server can be reached now: without it, personal work goes on."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from lsst.daf.butler.remote_butler import RemoteButler

from ..errors import OfficialServerError, OfflineError, ServerBusyError, UnknownRepositoryError
from ..official import OfficialConnection

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
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    has_satellite : callable
        Tells whether there is a satellite to go on with: without one, every error says what is wrong, and
        there is nothing to warn of.

    Attributes
    ----------
    losses : `int`
        How often it was lost so far: whoever asks many questions that belong together compares.
    """

    def __init__(self, official: RemoteButler, has_satellite: Callable[[], bool]) -> None:
        connection = official._connection
        self._connection = connection if isinstance(connection, OfficialConnection) else None
        if self._connection is not None:
            self._connection.on_offline = self.note
        self._has_satellite = has_satellite
        self._lost_at: float | None = None
        self._reason = ""
        self._untold = ""
        self.losses = 0

    @property
    def lost(self) -> bool:
        """Whether the server cannot be reached, as far as is known."""
        # Read once: another thread may find the server back meanwhile.
        lost_at = self._lost_at
        if lost_at is None:
            return False
        if time.monotonic() - lost_at >= RETRY_SECONDS:
            try:
                if self._connection is not None:
                    self._connection.probe()
            except (OfflineError, ServerBusyError):
                # Away, or just coming back.
                self._lost_at = time.monotonic()
            except (OfficialServerError, UnknownRepositoryError):
                # It is there: whoever asks it next is told what is wrong.
                self._lost_at = None
                return False
            else:
                self._lost_at = None
                return False
        self._tell()
        return True

    @property
    def last_seen_lost(self) -> bool:
        """Whether the server could not be reached when it was last asked; it is not asked now."""
        return self._lost_at is not None

    def note(self, error: OfflineError) -> None:
        """Note that the server cannot be reached; the user is warned as soon as that matters.

        Parameters
        ----------
        error : `python_butler.errors.OfflineError`
            What happened.
        """
        self._reason = error.message
        if self._lost_at is None:
            self._untold = error.message
            self.losses += 1
        self._lost_at = time.monotonic()

    def lose(self, error: OfflineError) -> None:
        """Note that the server cannot be reached, and warn the user once.

        Parameters
        ----------
        error : `python_butler.errors.OfflineError`
            What happened.
        """
        self.note(error)
        self._tell()

    def _tell(self) -> None:
        if self._untold and self._has_satellite():
            message, self._untold = self._untold, ""
            warnings.warn(
                f"{message} Until it is back only your satellite is searched.",
                OfflineWarning,
                # At the user's own line, where each new loss is shown; a line of ours is shown once.
                skip_file_prefixes=(_PACKAGE,),
            )

    def demand(self, what: str) -> None:
        """Go no further without the server.

        Parameters
        ----------
        what : `str`
            What is wanted from it, as the beginning of a sentence.

        Raises
        ------
        python_butler.errors.OfflineError
            If it cannot be reached, as far as is known.
        """
        if self.lost:
            raise self.unavailable(what)

    def retry(self) -> None:
        """Ask the server again at the next occasion."""
        if self._lost_at is not None:
            self._lost_at = -math.inf

    def unavailable(self, what: str) -> OfflineError:
        """Error for what cannot be had without the server.

        Parameters
        ----------
        what : `str`
            What is missing, as the beginning of a sentence.
        """
        return OfflineError(
            f"{what} is not in your satellite. {self._reason}",
            "Wait until it is back; what is in your satellite can be used meanwhile.",
        )
