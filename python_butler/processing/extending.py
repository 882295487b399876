"""Runs that others continue."""

from __future__ import annotations

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
        What it was prepared with; collections that were removed since are not among those to skip.

    Raises
    ------
    GoneError
        If there is none.
    InvalidRequestError
        If it was not collected: what succeeded in it is not in the satellite.
    """
    settings = workdir.settings()
    with Satellite.open(settings.label, settings.satellite).reader() as reader:
        there = {info.name for info in reader.collections.query_info("*", include_chains=True)}
    if not {settings.output_run, settings.output} <= there:
        raise InvalidRequestError(
            f"The run in {workdir.path} was not collected, so what it made is not known yet.",
            f"First: satellite run collect {workdir.path}",
        )
    still = [name for name in settings.skip_existing_in if name in there]
    return settings.model_copy(update={"skip_existing_in": still})
