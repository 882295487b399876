"""``satellite list``: which satellites there are."""

from __future__ import annotations

import click

from ..errors import PythonButlerError
from .exits import finish
from .output import json_option, number, print_json, print_table, size

__all__ = ["list_"]

_COLUMNS = ("label", "own datasets", "references", "pinned", "files", "database", "directory")
_NUMBERS = ("own datasets", "references", "pinned", "files", "database")


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List your satellites: those below PYTHON_BUTLER_ROOT, or ~/butler. No server is asked."""
    from ..satellite import SatelliteInfo, all_satellites
    from ..settings import satellite_root

    described: list[SatelliteInfo] = []
    troubles: list[PythonButlerError] = []
    for satellite in all_satellites():
        try:
            described.append(satellite.info())
        except PythonButlerError as error:
            troubles.append(error)
    if as_json:
        print_json(described)
    elif described:
        print_table(
            _COLUMNS,
            [
                (
                    info.label,
                    number(info.own_datasets),
                    number(info.references),
                    number(info.pinned),
                    size(info.file_bytes),
                    size(info.database_bytes),
                    str(info.root),
                )
                for info in described
            ],
            right=_NUMBERS,
        )
    elif not troubles:
        click.echo(f"There is no satellite in {satellite_root()}. Create one with: satellite create LABEL")
    for trouble in troubles:
        click.echo(f"Error: {trouble}", err=True)
    # Those that could be described have been, but a script must not take them for all.
    finish(problems=troubles)
