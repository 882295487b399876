"""How the state of a run is told on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...words import number
from ..output import print_table

if TYPE_CHECKING:
    from ...processing.reporting import Status

__all__ = ["tell"]

_SHOWN = 10
"""Failures of which the logs are shown: there may be a thousand for one reason."""


def tell(status: Status) -> None:
    """Tell how far a run is, and, of a report, what failed and why.

    Parameters
    ----------
    status : `python_butler.processing.reporting.Status`
        Its state, or its report.
    """
    from ...processing.reporting import Report

    click.echo(status.headline())
    columns, rows = next(status.tables())
    print_table(columns, rows, right=columns[1:])
    if not isinstance(status, Report):
        return
    for failure in status.failures[:_SHOWN]:
        click.echo(f"\n{failure.task} {failure.values()}: {failure.error}")
        for line in failure.lines:
            click.echo(f"  | {line}")
        click.echo(f"  Log: {failure.log}")
        click.echo(f"  Alone: {failure.command}")
    if len(status.failures) > _SHOWN:
        click.echo(f"\n{number(len(status.failures) - _SHOWN)} more failed; --json lists all of them.")
