"""``satellite backup``: a satellite in one file, and whether such a file is whole."""

from __future__ import annotations

from pathlib import Path

import click

from ..words import number, size
from .exits import finish
from .output import json_option, print_json, watch
from .satellites import root_option

__all__ = ["backup"]

_SHOWN = 10


@click.command("backup")
@click.argument("label", required=False)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@root_option
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.option(
    "--verify",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Instead: check that this backup is whole.",
)
@json_option
def backup(
    label: str | None,
    file: Path | None,
    root: Path | None,
    overwrite: bool,
    verify: Path | None,
    as_json: bool,
) -> None:
    """Write the satellite of LABEL to one FILE, also while others use it.

    Ends with 3 if a file is missing in the satellite, or in the backup that is checked.

    FILE is a tar file, compressed if its name ends with .gz: satellite restore makes a satellite of it.
    """
    if verify is not None:
        if label is not None or root is not None or overwrite:
            raise click.UsageError("--verify FILE is all that is needed to check a backup.")
        _verify(verify, as_json)
        return
    if label is None or file is None:
        raise click.UsageError("Name the label of the satellite, and the file to write.")
    from ..satellite import Satellite

    with watch() as watched:
        report = Satellite.open(label, root).backup(
            file, overwrite=overwrite, progress=watched.progress, cancel=watched.cancelled
        )
    if as_json:
        print_json(report)
    elif report.cancelled:
        click.echo("Stopped; there is no backup.")
    else:
        click.echo(
            f"{number(report.datasets)} datasets and {number(report.files)} files are in {report.file} "
            f"({size(report.bytes)})."
        )
        if report.elsewhere:
            click.echo(f"The files of {number(report.elsewhere)} datasets stay where they were ingested.")
        _print_problems([f"{name} is missing in the satellite." for name in report.missing])
    finish(problems=report.missing, cancelled=report.cancelled)


def _verify(file: Path, as_json: bool) -> None:
    from ..satellite.moving.restore import verify

    with watch() as watched:
        report = verify(file.absolute(), progress=watched.progress, cancel=watched.cancelled)
    if as_json:
        print_json(report)
    elif report.index is None:
        click.echo("Stopped; the backup was not read to its end.")
    else:
        index = report.index
        click.echo(
            f"{file} is a whole backup of the satellite of {index.label} of {index.made:%Y-%m-%d %H:%M} UTC: "
            f"{number(index.datasets)} datasets, {number(index.files)} files, {size(index.bytes)}."
        )
        _print_problems(report.problems)
    finish(problems=report.problems, cancelled=report.cancelled)


def _print_problems(problems: list[str] | tuple[str, ...]) -> None:
    for problem in problems[:_SHOWN]:
        click.echo(problem, err=True)
    if len(problems) > _SHOWN:
        click.echo(f"and {number(len(problems) - _SHOWN)} more", err=True)
