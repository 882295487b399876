"""``satellite migrate``: a satellite to another database, other storage or another directory."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from ..words import number, size
from .exits import finish
from .output import json_option, print_facts, print_json, watch
from .satellites import label_argument, root_option

__all__ = ["migrate"]

_LOCKS = {"posix": "SQLite's own locks", "files": "files"}


@click.command("migrate")
@label_argument
@root_option
@click.option(
    "--registry",
    metavar="ADDRESS",
    help="Move the registry to this PostgreSQL database, or to the directory if sqlite is given.",
)
@click.option("--namespace", metavar="NAME", help="Schema in the database.")
@click.option(
    "--storage",
    metavar="ADDRESS",
    help="Move the files to this place, such as s3://bucket/prefix, or to the directory if files is given.",
)
@click.option(
    "--to",
    "target",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path),
    help="Move the satellite to this directory.",
)
@click.option("--remove-old", is_flag=True, help="Remove what is left behind when all was compared.")
@click.option(
    "--locks",
    type=click.Choice(["posix", "files", "auto"]),
    help="Instead: change how those who use the SQLite file take turns, by its own locks or by files.",
)
@click.option("--abandon", is_flag=True, help="Instead: give up a move that was stopped.")
@json_option
def migrate(
    label: str,
    root: Path | None,
    registry: str | None,
    namespace: str | None,
    storage: str | None,
    target: Path | None,
    remove_old: bool,
    locks: Literal["posix", "files", "auto"] | None,
    abandon: bool,
    as_json: bool,
) -> None:
    """Move the satellite of LABEL; what no option names stays where it is.

    Everything is compared before the new place counts. Meanwhile your satellite can be read, not written.
    If the command is stopped, the old place counts; without options it goes on.
    """
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    places = registry or namespace or storage or target or remove_old
    if (locks and (places or abandon)) or (abandon and places):
        raise click.UsageError("--abandon and --locks go with no other option but --root.")
    if locks:
        holds = satellite.change_locks(None if locks == "auto" else locks)
        if as_json:
            print_json({"locks": holds})
        else:
            click.echo(f"Those who use the satellite of {label} take turns by {_LOCKS[holds]}.")
        return
    if abandon:
        abandoned = satellite.abandon_migration()
        if as_json:
            print_json({"abandoned": abandoned})
        else:
            click.echo("The move was given up." if abandoned else "There is no move to be given up.")
        return
    with watch() as watched:
        report = satellite.migrate(
            registry=registry,
            namespace=namespace,
            storage=storage,
            root=target,
            remove_old=remove_old,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    if as_json:
        print_json(report)
    elif report.cancelled:
        click.echo("Stopped; your satellite is where it was. Run satellite migrate again to go on.")
    else:
        print_facts(
            f"Moved the satellite of {label}.",
            [
                ("directory", str(report.root)),
                ("registry", report.registry),
                ("files", report.storage),
                ("datasets", number(report.datasets)),
                (
                    "compared",
                    f"{number(report.rows)} rows, {number(report.files)} files, {size(report.bytes)}",
                ),
                *(("left behind", each) for each in report.left),
                *(("not moved", each) for each in report.notes),
            ],
        )
    finish(cancelled=report.cancelled)
