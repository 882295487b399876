"""``satellite repair``: put right what is wrong with a satellite."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .check import closer_options, found, print_findings, print_rest
from .exits import finish
from .output import json_option, number, print_json, watch
from .satellites import label_argument, root_option

if TYPE_CHECKING:
    from ..satellite.repair import RepairReport

__all__ = ["repair"]


@click.command("repair")
@label_argument
@root_option
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@click.option("--quarantine", is_flag=True, help="Move also unknown files to lost+found.")
@click.option(
    "--forget-lost", is_flag=True, help="Remove datasets whose files are missing or damaged, unless most are."
)
@click.option("--forget-all-lost", is_flag=True, help="The same, even if most are.")
@click.option("--empty-runs", is_flag=True, help="Remove runs and chains with nothing in them.")
@click.option(
    "--batches",
    type=click.Choice(["commit", "discard"]),
    help="What to do with batches that nobody ended.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for others who write.",
)
@closer_options
@json_option
def repair(
    label: str,
    root: Path | None,
    dry_run: bool,
    quarantine: bool,
    forget_lost: bool,
    forget_all_lost: bool,
    empty_runs: bool,
    batches: Literal["commit", "discard"] | None,
    wait: float,
    official: bool,
    thorough: bool,
    min_age: float | None,
    as_json: bool,
) -> None:
    """Put right what is wrong with your satellite of LABEL.

    Without options it only does what loses nothing: it finishes what was interrupted, deletes what can be
    proved to be left over, and moves files of saves that never ended to lost+found in the satellite's
    directory. Ends with code 3 if something is left.
    """
    satellite = found(label, root)
    with watch() as watched:
        report = satellite.repair(
            dry_run=dry_run,
            quarantine=quarantine,
            forget_lost="all" if forget_all_lost else forget_lost,
            empty_runs=empty_runs,
            batches=batches,
            official=official,
            thorough=thorough,
            min_age=min_age,
            wait=wait,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    if as_json:
        print_json(report.document())
    else:
        _print(report)
    finish(problems=not report.clean, cancelled=report.cancelled)


def _print(report: RepairReport) -> None:
    print_findings(report.findings)
    print_findings(report.remarks)
    print_rest(report)
    if report.dry_run:
        click.echo("Nothing was changed: it was a dry run.")
    counts = Counter(result.outcome for result in report.results)
    if counts:
        click.echo(", ".join(f"{number(count)} {outcome.value}" for outcome, count in counts.items()) + ".")
    for (kind, detail), count in Counter(
        (result.finding.kind, result.detail) for result in report.left
    ).items():
        click.echo(f"Left: {number(count)} {kind.value.replace('_', ' ')}. {detail}".rstrip())
    if report.lost_and_found is not None:
        click.echo(f"What was taken out is listed in {report.lost_and_found}.")
    if report.cancelled:
        click.echo("Stopped; what is counted is done. Run the command again to go on.")
    elif report.clean:
        click.echo("Nothing is wrong." if not report.results else "Nothing is wrong any more.")
