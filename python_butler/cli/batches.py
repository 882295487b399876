"""``satellite batches``: what was gathered and neither committed nor discarded, by a process that died."""

from __future__ import annotations

from pathlib import Path

import click

from ..words import number, size
from .exits import finish
from .output import json_option, print_json, print_table, watch
from .satellites import label_argument, root_option

__all__ = ["batches"]

_STATES = {True: "running", False: "ended", None: "unknown"}


@click.command("batches")
@label_argument
@root_option
@click.option("--commit", "committed", metavar="ID", help="Save everything that is in this batch.")
@click.option("--discard", "discarded", metavar="ID", help="Leave nothing of this batch behind.")
@json_option
def batches(
    label: str, root: Path | None, committed: str | None, discarded: str | None, as_json: bool
) -> None:
    """List what was gathered in your satellite of LABEL, and neither committed nor discarded.

    A batch stays if its process is killed. Nobody sees what is in it until it is committed.
    """
    from ..satellite import Satellite
    from ..satellite.spool import Spool

    if committed and discarded:
        raise click.UsageError("Commit one batch, or discard one.")
    spool = Spool(Satellite.open(label, root))
    if committed:
        with watch() as watched:
            count = spool.open_batch(committed).commit(progress=watched.progress, cancel=watched.cancelled)
            cancelled = watched.cancelled.is_set() and not count
        if as_json:
            print_json({"batch": committed, "committed": count, "cancelled": cancelled})
        else:
            click.echo("Stopped; nothing was committed." if cancelled else f"{number(count)} committed.")
        finish(cancelled=cancelled)
    elif discarded:
        batch = spool.open_batch(discarded)
        batch.discard()
        if as_json:
            print_json({"batch": discarded, "discarded": len(batch)})
        else:
            click.echo(f"{number(len(batch))} discarded.")
    elif as_json:
        print_json(spool.batches())
    elif found := spool.batches():
        print_table(
            ("batch", "name", "datasets", "size", "begun", "process"),
            [
                (
                    info.id,
                    info.name,
                    number(info.datasets),
                    size(info.size),
                    f"{info.began.astimezone():%Y-%m-%d %H:%M}",
                    f"{info.pid} on {info.host}, {_STATES[info.alive]}",
                )
                for info in found
            ],
        )
        click.echo("End one with --commit ID or --discard ID.")
    else:
        click.echo("No batch is open.")
