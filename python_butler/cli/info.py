"""``satellite info``: what is in a satellite."""

from __future__ import annotations

from pathlib import Path

import click

from .output import json_option, print_facts, print_json
from .satellites import facts, label_argument, root_option

__all__ = ["info"]


@click.command("info")
@label_argument
@root_option
@json_option
def info(label: str, root: Path | None, as_json: bool) -> None:
    """Tell what is in your satellite of the official repository LABEL. No server is asked."""
    from ..satellite import Satellite

    description = Satellite.open(label, root).info()
    if as_json:
        print_json(description)
    else:
        print_facts(f"Satellite of {label}", facts(description))
