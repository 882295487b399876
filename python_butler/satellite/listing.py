"""Which satellites a user has."""

from __future__ import annotations

from ..errors import SatelliteError
from ..settings import satellite_root
from .layout import State, read_marker, state_of
from .satellite import Satellite

__all__ = ["all_satellites"]


def all_satellites() -> list[Satellite]:
    """Satellites below the directory in which all of a user's satellites live.

    Returns
    -------
    satellites : `list` [`Satellite`]
        In the order of their directories' names. None is opened: of one whose label cannot be read, the
        directory's name stands for it, and opening it tells what is wrong.
    """
    try:
        directories = sorted(satellite_root().absolute().iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    satellites = []
    for directory in directories:
        if state_of(directory) is State.SATELLITE:
            try:
                label = read_marker(directory).label
            except SatelliteError:
                label = directory.name
            satellites.append(Satellite(label, directory))
    return satellites
