"""``satellite prefetch``: fetch the files of referenced datasets into the cache."""

from __future__ import annotations

from pathlib import Path

import click

from .choosing import Choice, choice_options, chosen_here, print_problems
from .exits import finish
from .output import json_option, number, print_json, watch

__all__ = ["prefetch"]


@click.command("prefetch")
@choice_options
@json_option
def prefetch(
    choice: Choice,
    label: str,
    root: Path | None,
    as_json: bool,
) -> None:
    """Fetch the files of referenced datasets into the cache, so that reading them is quick.

    The cache is bounded: what is not used makes room. To keep files, pin them.
    """
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    refs = chosen_here(satellite, choice)
    with watch() as watched:
        report = satellite.prefetch(refs, progress=watched.progress, cancel=watched.cancelled)
    if as_json:
        print_json(
            {
                "referenced": report.referenced,
                "not_kept": [problem.document() for problem in report.not_kept],
                "already": report.there,
                "problems": [problem.document() for problem in report.problems],
                "cancelled": report.cancelled,
            }
        )
    else:
        if report.cancelled:
            click.echo("Stopped; what was fetched stays. Run the command again to go on.")
        else:
            click.echo(f"The files of {number(report.referenced)} references are at hand.")
        if report.not_kept:
            click.echo(f"{number(len(report.not_kept))} are not kept in the cache.")
        if report.there:
            click.echo(f"{number(report.there)} more have their files in the satellite.")
        print_problems([*report.problems, *report.not_kept])
    finish(problems=report.problems or report.not_kept, cancelled=report.cancelled)
