"""``satellite run collect``: what a run made, into your satellite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ..choosing import print_problems
from ..exits import finish
from ..output import json_option, number, print_json, print_table, watch
from .group import directory_argument

if TYPE_CHECKING:
    from ...processing.collecting import CollectReport

__all__ = ["collect"]


@click.command("collect")
@directory_argument
@click.option(
    "--inputs",
    type=click.Choice(["reference", "copy", "none"]),
    default="reference",
    show_default=True,
    help="What becomes of official inputs: refer to them, copy their files too, or leave them out.",
)
@json_option
def collect(directory: Path, inputs: Literal["reference", "copy", "none"], as_json: bool) -> None:
    """Save what the run in DIRECTORY made in your satellite.

    Only what quanta that succeeded have written is saved, and what is there is left as it is: collect
    again after a run was completed, or after this command was interrupted.
    """
    from ...processing.collecting import collect as stage
    from ...processing.workdir import WorkDirectory

    with watch() as watched:
        report = stage(
            WorkDirectory(directory), inputs=inputs, progress=watched.progress, cancel=watched.cancelled
        )
    if as_json:
        print_json(report.document())
    else:
        _print(report)
    finish(problems=report.problems, cancelled=report.cancelled)


def _print(report: CollectReport) -> None:
    names = sorted(report.new | report.there)
    if names:
        print_table(
            ("dataset type", "new", "already there"),
            [(name, number(report.new[name]), number(report.there[name])) for name in names],
            right=("new", "already there"),
        )
    for sentence in report.sentences():
        click.echo(sentence)
    if report.inputs is not None:
        print_problems(report.inputs.problems)
        for note in report.inputs.notes:
            click.echo(note)
