"""``satellite reference``: take official datasets into your satellite without copying them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .choosing import Choice, choice_options, print_problems
from .exits import finish
from .output import json_option, number, print_json, print_table, size, watch

if TYPE_CHECKING:
    from ..satellite.report import ReferenceReport

__all__ = ["reference"]


@click.command("reference")
@choice_options
@click.option("--copy", is_flag=True, help="Copy the files too, to read them without any server.")
@click.option("--no-structure", is_flag=True, help="Leave out chains, tags and validity ranges.")
@click.option("--dry-run", is_flag=True, help="Only tell how many datasets there are, and their size.")
@json_option
def reference(
    choice: Choice,
    label: str,
    root: Path | None,
    copy: bool,
    no_structure: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take official datasets of the named TYPEs into your satellite, by reference.

    Wildcards are allowed in TYPE; KEY=VALUE are values of dimensions, such as visit=42, as many as
    wanted, and "name='007'" if what looks like a number is none. What is there already is left as it
    is, so a command that was interrupted is completed by running it again.

    \b
    satellite reference source visit_image --where "visit.region OVERLAPS POINT(53.1, -27.8)"
    satellite reference 'object*' skymap=lsst_cells_v2 tract=5063 --copy
    """  # noqa: D301  the sign keeps lines apart
    from ..satellite import Satellite

    if dry_run or Satellite.exists(label, root):
        satellite = Satellite.open(label, root, missing_ok=dry_run)
    else:
        satellite = Satellite.create(label, root)
    with watch() as watched:
        report = satellite.reference(
            choice.types,
            where=choice.where,
            bind=choice.bind,
            data_id=choice.data_id,
            collections=choice.collections,
            with_structure=not no_structure,
            copy=copy,
            limit=choice.limit,
            dry_run=dry_run,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    if as_json:
        print_json(document(report))
    else:
        _print(report)
    finish(problems=report.problems or report.not_copied, cancelled=report.cancelled)


def document(report: ReferenceReport) -> dict[str, Any]:
    """Return a report as a program wants it.

    Parameters
    ----------
    report : `ReferenceReport`
        The report.
    """
    return {
        "counts": {
            name: {status.value: count for status, count in counts.items() if count}
            for name, counts in report.counts.items()
        },
        "bytes": report.bytes,
        "copied": report.copied,
        "not_copied": [problem.document() for problem in report.not_copied],
        "problems": [problem.document() for problem in report.problems],
        "notes": report.notes,
        "cancelled": report.cancelled,
        "dry_run": report.dry_run,
    }


def _print(report: ReferenceReport) -> None:
    from ..satellite.report import Status

    statuses = [status for status in Status if report.count(status)]
    if not statuses:
        click.echo("No datasets were found.")
    else:
        print_table(
            ("dataset type", *statuses),
            [
                (name, *(number(counts[status]) for status in statuses))
                for name, counts in sorted(report.counts.items())
            ],
            right=statuses,
        )
        verb = "would be referenced" if report.dry_run else "referenced"
        click.echo(f"{number(report.count(Status.NEW))} {verb}, {size(report.bytes)} of files.")
    if report.copied:
        click.echo(f"{number(report.copied)} copied.")
    if report.not_copied:
        click.echo(f"{number(len(report.not_copied))} referenced, but not copied.")
    print_problems([*report.problems, *report.not_copied])
    for note in report.notes:
        click.echo(note)
    if report.cancelled:
        click.echo("Stopped; what is listed is done. Run the command again to go on.")
