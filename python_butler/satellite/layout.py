"""What lies where in a satellite's directory, and whether a directory is one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ..datastore.formats import FORMAT, check_format
from ..errors import SatelliteError

__all__ = [
    "CONFIG",
    "DATABASE",
    "FALLBACK",
    "FILES",
    "FORMAT",
    "MARKER",
    "README",
    "Marker",
    "State",
    "check_marker",
    "read_marker",
    "state_of",
]

CONFIG = "butler.yaml"
"""Upstream's configuration file; with it the directory is a Butler repository."""

DATABASE = "gen3.sqlite3"
"""The registry."""

FALLBACK = "personal.yaml"
"""Configuration that opens the personal part with upstream's packages alone."""

FILES = "files"
"""Directory of the personal datasets' files."""

MARKER = "satellite.json"
"""Says of which official repository this is the satellite."""

README = "README.md"
"""Tells a person what the directory is."""


class Marker(BaseModel):
    """Content of the file that makes a Butler repository a satellite."""

    model_config = ConfigDict(frozen=True)

    format: int
    label: str
    """Label of the official repository."""
    id: str = ""
    """Of this satellite; places outside of the directory that belong to it bear it too."""


class State(Enum):
    """What a directory is."""

    ABSENT = "absent"
    SATELLITE = "satellite"
    FOREIGN = "foreign"


def state_of(root: Path) -> State:
    """Tell what a directory is, without opening a database.

    Parameters
    ----------
    root : `pathlib.Path`
        Directory of a satellite, or where one might be made.

    Returns
    -------
    state : `State`
        ``ABSENT`` if there is nothing, or an empty directory; ``FOREIGN`` if there is something
        else, which must be left alone.
    """
    if (root / MARKER).is_file() and (root / CONFIG).is_file():
        return State.SATELLITE
    try:
        empty = next(root.iterdir(), None) is None
    except FileNotFoundError:
        return State.ABSENT
    except NotADirectoryError:
        return State.FOREIGN
    return State.ABSENT if empty else State.FOREIGN


def read_marker(root: Path) -> Marker:
    """Read of which official repository a directory is the satellite.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    marker : `Marker`
        What the file says; its format may be older than the present one.

    Raises
    ------
    SatelliteError
        If it cannot be read, or was written by a newer version.
    """
    try:
        marker = Marker.model_validate_json((root / MARKER).read_bytes())
    except (OSError, ValidationError):
        raise SatelliteError(
            f"{root / MARKER} cannot be read.", "Restore this file from a backup of your satellite."
        ) from None
    check_format(marker.format, root)
    return marker


def check_marker(root: Path, label: str) -> Marker:
    """Make sure that a directory is the satellite of one official repository.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    label : `str`
        Label of the official repository.

    Returns
    -------
    marker : `Marker`
        What the file says that makes it a satellite.

    Raises
    ------
    SatelliteError
        If it belongs to another official repository, or was made by a newer version.
    """
    marker = read_marker(root)
    if marker.label != label:
        raise SatelliteError(
            f"{root} is the satellite of {marker.label}, not of {label}.",
            f"Name another directory for the satellite of {label}.",
        )
    return marker
