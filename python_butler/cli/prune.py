"""``satellite prune``: remove old datasets of one's own."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..words import counted
from .exits import finish
from .output import json_option, number, print_json, print_table, size, watch
from .satellites import label_argument, root_option

if TYPE_CHECKING:
    from ..satellite.usage.prune import PruneGroup, PruneReport

__all__ = ["prune"]

_ROWS = 20


@click.command("prune")
@label_argument
@root_option
@click.option(
    "--older-than", metavar="AGE", help="Only what was registered longer ago, such as 12h, 30d, 8w or 1y."
)
@click.option(
    "--keep-versions",
    metavar="N",
    type=click.IntRange(min=0),
    help="Only what has at least N newer versions of the same data ID.",
)
@click.option(
    "--dataset-type", "dataset_types", metavar="PATTERN", multiple=True, help="Only these; may be repeated."
)
@click.option(
    "--collection",
    "collections",
    metavar="PATTERN",
    multiple=True,
    help="Only these runs, or names with versions; may be repeated.  [default: all below u/ and g/]",
)
@click.option(
    "--even-newest",
    is_flag=True,
    help="The newest version, too; what is in a run that is no version is its only one.",
)
@click.option(
    "--even-tagged", is_flag=True, help="What is tagged, certified or in a version in another chain, too."
)
@click.option(
    "--pinned", is_flag=True, help="Copies of official datasets, too; your satellite references them again."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would be removed.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
def prune(
    label: str,
    root: Path | None,
    older_than: str | None,
    keep_versions: int | None,
    dataset_types: tuple[str, ...],
    collections: tuple[str, ...],
    even_newest: bool,
    even_tagged: bool,
    pinned: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove old datasets of your own, and their files, from your satellite of LABEL.

    All given conditions must apply. References and official datasets are never removed. Says what and
    how much, and asks before.

    \b
    satellite prune dp2 --keep-versions 3 --dry-run
    satellite prune dp2 --older-than 30d --collection 'u/me/tests/*' --even-newest
    """  # noqa: D301  the sign keeps lines apart
    if older_than is None and keep_versions is None:
        raise click.UsageError("Say --older-than or --keep-versions.")
    from ..satellite import Satellite

    terminal = sys.stdin.isatty() and sys.stderr.isatty()
    if not (yes or dry_run or terminal):
        raise click.UsageError("Nobody can be asked here: say --yes, or --dry-run.")

    satellite = Satellite.open(label, root)
    with watch() as watched:

        def ask(report: PruneReport) -> bool:
            if not as_json or not yes:
                # Standard output is the answer's, which programs read.
                with redirect_stdout(sys.stderr) if as_json else nullcontext():
                    _plan(report)
            return yes or watched.confirm("Remove them?")

        report = satellite.prune(
            older_than=older_than,
            keep_versions=keep_versions,
            dataset_types=dataset_types,
            collections=collections,
            even_newest=even_newest,
            even_tagged=even_tagged,
            pinned=pinned,
            dry_run=dry_run,
            confirm=ask,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    if as_json:
        print_json(report)
    else:
        _answer(report)
    finish(problems=report.problems, cancelled=report.cancelled)


def _plan(report: PruneReport) -> None:
    """What is to be removed, and what not."""
    _groups("Your own datasets, which nothing brings back", report.own)
    _groups("Copies of official datasets, which are referenced again", report.pinned)
    if report.datasets:
        click.echo(f"Together {counted(report.datasets, 'dataset')}, {size(report.bytes)}.")
    if report.trash:
        click.echo(
            f"Files of {counted(report.trash, 'dataset')} that an interrupted command removed are still "
            "there: they go, too."
        )
    for why, count in report.kept.items():
        click.echo(f"Kept: {counted(count, 'dataset')}, {why}.")


def _groups(title: str, groups: list[PruneGroup]) -> None:
    if not groups:
        return
    click.echo(title)
    rows = [
        (
            each.run,
            each.dataset_type,
            number(each.datasets),
            size(each.bytes),
            f"{each.oldest:%Y-%m-%d}",
            f"{each.newest:%Y-%m-%d}",
        )
        for each in groups[:_ROWS]
    ]
    if len(groups) > _ROWS:
        rest = groups[_ROWS:]
        datasets, count = sum(each.datasets for each in rest), sum(each.bytes for each in rest)
        rows.append((f"{number(len(rest))} more", "", number(datasets), size(count), "", ""))
    columns = ("run", "dataset type", "datasets", "size", "oldest", "newest")
    print_table(columns, rows, right=("datasets", "size"))


def _answer(report: PruneReport) -> None:
    if report.dry_run:
        _plan(report)
        if not (report.datasets or report.trash):
            click.echo("Nothing would be removed.")
        return
    if not (report.datasets or report.trash or report.runs):
        _plan(report)
        click.echo("There is nothing to remove.")
        return
    parts = [f"{number(report.removed)} removed"]
    if report.pinned:
        parts.append(f"{number(report.unpinned)} unpinned")
    click.echo(f"{', '.join(parts)}: {size(report.removed_bytes)}.")
    if report.runs:
        click.echo(f"{counted(len(report.runs), 'empty run')} of old versions removed.")
    for problem in report.problems:
        click.echo(problem)
    if report.cancelled:
        click.echo("Stopped; what is counted is done. Run the command again to go on.")
