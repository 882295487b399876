"""``satellite forget``: take references out of your satellite."""

from __future__ import annotations

from pathlib import Path

import click

from .choosing import Choice, choice_options, chosen_here, print_problems
from .exits import finish
from .output import json_option, number, print_json

__all__ = ["forget"]


@click.command("forget")
@choice_options
@json_option
def forget(
    choice: Choice,
    label: str,
    root: Path | None,
    as_json: bool,
) -> None:
    """Take references out of your satellite. Nothing that has a file there is touched.

    Your own datasets and pinned ones stay; what is official stays in the official repository.
    """
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    report = satellite.forget(chosen_here(satellite, choice))
    if as_json:
        print_json(
            {
                "forgotten": report.forgotten,
                "problems": [problem.document() for problem in report.problems],
            }
        )
    else:
        click.echo(f"{number(report.forgotten)} forgotten.")
        print_problems(report.problems)
    finish(problems=report.problems)
