"""``satellite run clean``: remove the directory of a run, and what it made and nobody collected."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ...words import size
from ..exits import finish
from ..output import json_option, number, print_json, watch
from .group import directory_argument

__all__ = ["clean"]


@click.command("clean")
@directory_argument
@click.option("--keep-logs", is_flag=True, help="Keep the directory with the logs in it.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be deleted.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def clean(directory: Path, keep_logs: bool, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Remove the DIRECTORY of a run, and the files of its outputs that were not collected.

    What was collected stays in your satellite. Asks before files of outputs are deleted.
    """
    from ...processing.collecting import clean as stage
    from ...processing.workdir import WorkDirectory

    workdir = WorkDirectory(directory)
    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not (yes or dry_run or terminal):
        raise click.UsageError("Nobody can be asked here: say --yes, or --dry-run.")
    if dry_run or not yes:
        report = stage(workdir, dry_run=True)
        if dry_run:
            if as_json:
                print_json(report.document())
            else:
                click.echo(
                    f"{number(report.files)} files of outputs would be deleted ({size(report.bytes)})."
                )
            return
        if report.files:
            question = (
                f"{number(report.files)} files of outputs that were not collected will be deleted "
                f"({size(report.bytes)}). Go on?"
            )
            with watch() as watched:
                if not watched.confirm(question):
                    finish(cancelled=True)
    report = stage(workdir, keep_logs=keep_logs)
    if as_json:
        print_json(report.document())
    else:
        click.echo(str(report))
