"""``satellite run start``: execute what is left to do of a run."""

from __future__ import annotations

from pathlib import Path

import click

from ..exits import finish
from ..output import json_option, print_json, watch
from .group import directory_argument
from .telling import tell

__all__ = ["start"]


@click.command("start")
@directory_argument
@click.option(
    "--processes",
    "-j",
    type=click.IntRange(min=1),
    help="How many quanta are executed at the same time.  [default: 1, or what SITE says]",
)
@click.option(
    "--quantum",
    metavar="ID",
    help="Execute this one quantum again, in this process, and show its log: to find out why it failed. "
    "The beginning of its ID will do.",
)
@click.option(
    "--bps",
    "site",
    metavar="SITE",
    help="Let a batch system execute it, and collect it in the end: local, or a name or path of a file that "
    "describes one to the Batch Processing Service. Then -j is how many jobs are executed at the same time.",
)
@json_option
def start(
    directory: Path, processes: int | None, quantum: str | None, site: str | None, as_json: bool
) -> None:
    """Execute what has not succeeded yet of the run in DIRECTORY.

    What fails is in the way of nothing but what needs it. Ctrl-C lets those that are being executed come
    to their end, a second one does not. Whatever interrupted it: start again to go on.
    """
    from ... import processing

    run = processing.open(directory)
    if quantum is not None:
        report = run.rerun(quantum)
        cancelled = False
    elif site is not None:
        with watch() as watched:
            submission = run.submit(
                site, cores=processes, progress=watched.progress, cancel=watched.cancelled
            )
        click.echo(
            f"BPS keeps its files in {submission.path}, and what it said in {submission.log}.", err=True
        )
        report = run.report()
        cancelled = watched.cancelled.is_set() and not report.complete
    else:
        with watch() as watched:
            report = run.start(processes=processes or 1, progress=watched.progress, cancel=watched.cancelled)
        cancelled = watched.cancelled.is_set() and not report.complete
    if as_json:
        print_json(report)
    else:
        tell(report)
        if report.complete and site is None:
            click.echo(f"Save the outputs: satellite run collect {directory}")
        elif cancelled:
            click.echo(f"Stopped; what succeeded stays. Go on: satellite run start {directory}")
    # Batch systems elsewhere execute it after they were handed it.
    queued = site is not None and site != "local"
    finish(problems=report.failures if queued else not report.complete, cancelled=cancelled)
