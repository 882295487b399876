"""``satellite restore``: a satellite from its backup."""

from __future__ import annotations

from pathlib import Path

import click

from .exits import finish
from .output import json_option, print_facts, print_json, watch
from .satellites import facts, root_option

__all__ = ["restore"]


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--label", help="Make sure that the backup is of the satellite of this repository.")
@root_option
@json_option
def restore(file: Path, label: str | None, root: Path | None, as_json: bool) -> None:
    """Make a satellite of the backup in FILE, in a directory where nothing is yet."""
    from ..satellite import Satellite

    with watch() as watched:
        satellite = Satellite.restore(file, label, root, progress=watched.progress, cancel=watched.cancelled)
    if satellite is None:
        if not as_json:
            click.echo("Stopped; nothing was restored.")
        finish(cancelled=True)
        return
    info = satellite.info()
    if as_json:
        print_json(info)
    else:
        print_facts(f"Restored the satellite of {satellite.label}.", facts(info))
