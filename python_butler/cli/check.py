"""``satellite check``: find what is wrong with a satellite, and change nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .exits import finish
from .output import json_option, number, print_json, size, watch
from .satellites import label_argument, root_option

if TYPE_CHECKING:
    from ..satellite import Satellite
    from ..satellite.repair import CheckReport, Finding

__all__ = ["check", "closer_options", "found", "print_findings", "print_rest"]

_SHOWN = 10
"""So many of each kind are printed."""


def closer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say how closely to look."""
    for option in reversed(
        (
            click.option(
                "--official", is_flag=True, help="Ask the official server what it still has of references."
            ),
            click.option("--thorough", is_flag=True, help="Read every file, and compare checksums."),
            click.option(
                "--min-age",
                type=click.FloatRange(min=0),
                metavar="SECONDS",
                help="How long what no dataset has must not have changed to count as left over.  [default: "
                "600; in the spool, 86400]",
            ),
        )
    ):
        command = option(command)
    return command


@click.command("check")
@label_argument
@root_option
@closer_options
@json_option
def check(
    label: str, root: Path | None, official: bool, thorough: bool, min_age: float | None, as_json: bool
) -> None:
    """Find what is wrong with your satellite of LABEL, and explain it. Nothing is changed.

    Ends with code 3 if something is. "satellite repair" puts it right.
    """
    satellite = found(label, root)
    with watch() as watched:
        report = satellite.check(
            official=official,
            thorough=thorough,
            min_age=min_age,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    if as_json:
        print_json(report.document())
    else:
        print_findings(report.findings)
        print_findings(report.remarks)
        print_rest(report)
        if report.cancelled:
            click.echo("Stopped before the end.")
        elif report.clean:
            click.echo("Nothing is wrong.")
        else:
            click.echo(f"Repair it with: satellite repair {label}")
    finish(problems=report.findings, cancelled=report.cancelled)


def found(label: str, root: Path | None) -> Satellite:
    """Give a satellite that may be too damaged to be opened.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path` or `None`
        The satellite's directory, if it does not lie at the usual place.
    """
    from ..satellite import Satellite
    from ..settings import satellite_directory

    directory = satellite_directory(label) if root is None else root.expanduser()
    return Satellite(label, directory.absolute())


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings by their kinds, with what each means and what repairing does."""
    by_kind: defaultdict[Any, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_kind[finding.kind].append(finding)
    for kind, some in by_kind.items():
        total = sum(each.bytes or 0 for each in some)
        title = f"{kind.value.replace('_', ' ')}: {number(len(some))}"
        click.echo(title + (f", {size(total)}" if total else ""))
        click.echo(f"  {kind.rule.explanation}")
        need = f" ({kind.rule.needs})" if kind.rule.needs else ""
        click.echo(f"  Repair{need}: {kind.rule.remedy}")
        for each in some[:_SHOWN]:
            click.echo(f"    {each.where}" + (f"  {each.what}" if each.what else ""))
        if len(some) > _SHOWN:
            click.echo(f"    and {number(len(some) - _SHOWN)} more; --json lists all")


def print_rest(report: CheckReport) -> None:
    """Print what could not be judged, and how much was looked at."""
    for note in report.notes:
        click.echo(note)
    examined = report.examined
    looked = [
        f"{number(examined[name])} {name}"
        for name in ("datasets", "references", "files", "runs", "waiting")
        if examined.get(name)
    ]
    if looked:
        click.echo(f"Looked at {', '.join(looked)}; {size(examined.get('bytes', 0))} of files.")
