"""``satellite pin`` and ``satellite unpin``: copies of referenced datasets, for use without any server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .choosing import Choice, choice_options, chosen_here, print_problems
from .exits import finish
from .output import json_option, number, print_json, size, watch

if TYPE_CHECKING:
    from ..satellite.pins import PinReport

__all__ = ["pin", "unpin"]


@click.command("pin")
@choice_options
@json_option
def pin(
    choice: Choice,
    label: str,
    root: Path | None,
    as_json: bool,
) -> None:
    """Copy the files of datasets that your satellite references, to read them without any server."""
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    with watch() as watched:
        report = satellite.pin(
            chosen_here(satellite, choice), progress=watched.progress, cancel=watched.cancelled
        )
    _answer(report, "pinned", as_json)


@click.command("unpin")
@choice_options
@json_option
def unpin(
    choice: Choice,
    label: str,
    root: Path | None,
    as_json: bool,
) -> None:
    """Remove the copies of official datasets; your satellite references them again.

    Your own datasets are never removed.
    """
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    _answer(satellite.unpin(chosen_here(satellite, choice)), "unpinned", as_json)


def _answer(report: PinReport, verb: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                verb: report.done,
                "already": report.there,
                "bytes": report.bytes,
                "problems": [problem.document() for problem in report.problems],
                "cancelled": report.cancelled,
            }
        )
    else:
        click.echo(
            f"{number(report.done)} {verb} ({size(report.bytes)}), {number(report.there)} were so already."
        )
        print_problems(report.problems)
        if report.cancelled:
            click.echo("Stopped; what is counted is done. Run the command again to go on.")
    finish(problems=report.problems, cancelled=report.cancelled)
