"""What the subcommands that name a satellite share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import number, size

if TYPE_CHECKING:
    from ..satellite import SatelliteInfo

__all__ = ["facts", "label_argument", "root_option"]

label_argument = click.argument("label")
"""Label of the official repository; the parameter is called ``label``."""

root_option = click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Directory of the satellite.  [default: LABEL below PYTHON_BUTLER_ROOT or ~/butler]",
)
"""Where the satellite lies; the parameter is called ``root``."""


def facts(info: SatelliteInfo) -> Iterator[tuple[str, str]]:
    """What there is to say about a satellite, for a person.

    Parameters
    ----------
    info : `SatelliteInfo`
        Description of the satellite.

    Yields
    ------
    name, value : `str`
        One line each.
    """
    yield "directory", str(info.root)
    yield "official", info.official_url or f"the label {info.label} is not known here"
    yield "dimensions", info.dimensions
    yield "own datasets", number(info.own_datasets)
    yield "references", number(info.references)
    yield "pinned copies", number(info.pinned)
    yield "dataset types", number(info.dataset_types)
    yield "collections", f"{number(info.collections)}, {number(info.runs)} of them runs"
    yield "files", size(info.file_bytes) + _place(info, info.storage)
    yield "database", size(info.database_bytes) + _place(info, info.registry)


def _place(info: SatelliteInfo, place: str) -> str:
    """Where something is that is not in the satellite's directory."""
    return "" if place.startswith(f"{info.root}/") else f" in {place}"
