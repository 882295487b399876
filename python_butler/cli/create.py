"""``satellite create``: a personal repository beside an official one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .choosing import print_problems
from .exits import finish
from .output import json_option, print_facts, print_json, watch
from .reference import document
from .satellites import facts, label_argument, root_option

if TYPE_CHECKING:
    from astropy.time import Time

__all__ = ["create"]


@click.command("create")
@label_argument
@root_option
@click.option(
    "--records",
    metavar="NAME",
    multiple=True,
    help="Register this instrument or skymap, such as LSSTCam; may be repeated.  [default: all]",
)
@click.option("--no-records", is_flag=True, help="Register no instrument and no skymap.")
@click.option(
    "--calibrations",
    metavar="COLLECTION",
    help="Reference what is certified in this official collection, with its validity ranges.",
)
@click.option("--begin", metavar="DATE", help="Only calibrations valid at or after this TAI date or time.")
@click.option("--end", metavar="DATE", help="Only calibrations valid before this TAI date or time.")
@click.option(
    "--registry",
    metavar="URL",
    help="Keep the registry in a PostgreSQL database, such as postgresql://server/database; without "
    "password: PGPASSWORD, ~/.pgpass or LSST_DB_AUTH tell it.  [default: an SQLite file in the directory]",
)
@click.option(
    "--namespace",
    metavar="NAME",
    help="Schema in that database.  [default: made of your name and LABEL]",
)
@click.option(
    "--storage",
    metavar="URI",
    help="Keep the files in another directory, or an object store, such as s3://bucket/prefix.  "
    "[default: in the directory]",
)
@click.option(
    "--locks",
    type=click.Choice(["posix", "files"]),
    help="How programs take turns at an SQLite file: files is for network file systems without POSIX "
    "locks.  [default: tried out]",
)
@json_option
def create(
    label: str,
    root: Path | None,
    records: tuple[str, ...],
    no_records: bool,
    calibrations: str | None,
    begin: str | None,
    end: str | None,
    registry: str | None,
    namespace: str | None,
    storage: str | None,
    locks: Literal["posix", "files"] | None,
    as_json: bool,
) -> None:
    """Create your satellite of the official repository LABEL, or complete the one that is there.

    It gets the official dimensions, and the instruments and skymaps with their detectors and filters.
    Nothing that is there is changed, so the command can be repeated.
    """
    if records and no_records:
        raise click.UsageError("--records and --no-records exclude each other.")
    if calibrations is None and (begin or end):
        raise click.UsageError("--begin and --end need --calibrations.")
    from lsst.daf.butler import Timespan

    from ..satellite import Satellite

    valid = Timespan(_time("--begin", begin), _time("--end", end))
    if valid.isEmpty():
        raise click.UsageError("--end must be later than --begin.")
    existed = Satellite.exists(label, root)
    with watch() as watched:
        satellite = Satellite.create(
            label,
            root,
            records=() if no_records else records or "all",
            calibrations=None if calibrations is None else (calibrations, valid),
            registry=registry,
            storage=storage,
            namespace=namespace,
            locks=locks,
            progress=watched.progress,
            cancel=watched.cancelled,
        )
    finish(cancelled=watched.cancelled.is_set())
    info, report = satellite.info(), satellite.calibrations
    if as_json:
        told = {} if report is None else {"calibrations": document(report)}
        print_json(info.model_dump(mode="json") | told)
    else:
        print_facts(f"{'Completed' if existed else 'Created'} the satellite of {label}.", facts(info))
        if report is not None:
            click.echo(f"Calibrations: {report}.")
            print_problems(report.problems)
            for note in report.notes:
                click.echo(note)
    # The satellite is there, but a script must not take it for what it asked for.
    finish(problems=report is not None and report.problems)


def _time(option: str, text: str | None) -> Time | None:
    """Time that a person wrote; `None` for no bound."""
    if text is None:
        return None
    from astropy.time import Time

    try:
        return Time(text, scale="tai")
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no date or time, such as 2025-12-01 or 2025-12-01T06:00:00.", param_hint=option
        ) from None
