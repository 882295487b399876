"""``satellite run report``: what became of a run, and why something failed."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import finish
from ..output import json_option, print_json
from .group import directory_argument
from .telling import tell

__all__ = ["report"]


@click.command("report")
@directory_argument
@click.option(
    "--lines",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="Last lines of the log of each quantum that failed.",
)
@json_option
def report(directory: Path, lines: int, as_json: bool) -> None:
    """Tell what became of the run in DIRECTORY: what failed, why, and how to execute it alone."""
    from ...processing.reporting import report as report_of
    from ...processing.workdir import WorkDirectory

    found = report_of(WorkDirectory(directory), lines=lines)
    if as_json:
        print_json(found)
    else:
        tell(found)
    finish(problems=found.failures)
