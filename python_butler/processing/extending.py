"""Runs that others continue."""

from __future__ import annotations

from lsst.daf.butler import MissingCollectionError

from ..errors import InvalidRequestError
from ..satellite import Satellite
from .workdir import RunSettings, WorkDirectory

__all__ = ["earlier_run"]


def earlier_run(workdir: WorkDirectory) -> RunSettings:
    """Find out about a run that shall be extended.

    Parameters
    ----------
    workdir : `WorkDirectory`
        Its directory.

    Returns
    -------
    settings : `RunSettings`
        What it was prepared with.

    Raises
    ------
    GoneError
        If there is none.
    InvalidRequestError
        If it was not collected: what succeeded in it is not in the satellite.
    """
    settings = workdir.settings()
    with Satellite.open(settings.label, settings.satellite).reader() as reader:
        try:
            reader.collections.get_info(settings.output_run)
        except MissingCollectionError:
            raise InvalidRequestError(
                f"The run in {workdir.path} was not collected, so what it made is not known yet.",
                f"First: satellite run collect {workdir.path}",
            ) from None
    return settings
