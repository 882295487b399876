"""``satellite run list``: the runs of a satellite."""

from __future__ import annotations

from pathlib import Path

import click

from ..choosing import find_label
from ..output import json_option, print_json, print_table
from ..satellites import root_option

__all__ = ["list_"]


@click.command("list")
@click.argument("label", required=False)
@root_option
@json_option
def list_(label: str | None, root: Path | None, as_json: bool) -> None:
    """List the runs of your satellite of LABEL, the newest first."""
    from ...processing.workdir import runs_of
    from ...settings import satellite_directory

    satellite = (root or satellite_directory(find_label(label))).expanduser().absolute()
    found = [(workdir, workdir.settings()) for workdir in runs_of(satellite)]
    if as_json:
        print_json(
            [
                {"directory": str(workdir.path), "working": workdir.busy} | settings.model_dump(mode="json")
                for workdir, settings in found
            ]
        )
    elif found:
        print_table(
            ("directory", "output", "prepared", "state"),
            [
                (
                    str(workdir.path),
                    settings.output_run,
                    f"{settings.created.astimezone():%Y-%m-%d %H:%M}",
                    "working" if workdir.busy else "",
                )
                for workdir, settings in found
            ],
        )
    else:
        click.echo("No run is prepared.")
