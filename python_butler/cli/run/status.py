"""``satellite run status``: count the quanta of a run by task and state."""

from __future__ import annotations

from pathlib import Path

import click

from ..output import json_option, print_json
from .group import directory_argument
from .telling import tell

__all__ = ["status"]


@click.command("status")
@directory_argument
@json_option
def status(directory: Path, as_json: bool) -> None:
    """Tell how far the run in DIRECTORY is, also while it is being executed."""
    from ...processing.reporting import status as status_of
    from ...processing.workdir import WorkDirectory

    found = status_of(WorkDirectory(directory))
    if as_json:
        print_json(found)
    else:
        tell(found)
