"""Formats of satellites: what one that a newer version made is refused with, whoever opens it."""

from __future__ import annotations

from ..errors import SatelliteError

__all__ = ["FORMAT", "check_format"]

FORMAT = 3
"""The present one: 1 had no datastore for references, 2 neither a spool nor notes of provenance."""


def check_format(found: int, where: object) -> None:
    """Make sure that a satellite is not of a newer format than this version knows.

    Parameters
    ----------
    found : `int`
        Its format.
    where : object
        The satellite's directory, for the message.

    Raises
    ------
    SatelliteError
        If it is. Nothing was read or written.
    """
    if found > FORMAT:
        raise SatelliteError(
            f"The satellite in {where} was made by a newer version of python-butler.",
            "Upgrade python-butler.",
        )
