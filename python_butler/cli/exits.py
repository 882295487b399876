"""With which code a subcommand ends: the same for all of them, so that scripts can rely on it."""

from __future__ import annotations

from enum import IntEnum

import click

__all__ = ["ExitCode", "finish"]


class ExitCode(IntEnum):
    """What the exit codes mean."""

    DONE = 0
    """All that was asked for is done, or was so before."""

    ERROR = 1
    """It could not be done; an error message says why and what to do next."""

    USAGE = 2
    """The command line is wrong; nothing was done."""

    PROBLEMS = 3
    """It was done as far as possible; the answer lists what is not fine."""

    CANCELLED = 130
    """It was stopped by Ctrl-C or by answering no; what the answer counts is done."""


def finish(*, problems: object = False, cancelled: bool = False) -> None:
    """End a subcommand after its answer, with the code that says how it went.

    Parameters
    ----------
    problems : optional
        Whether something is not fine that the answer lists: the list itself will do.
    cancelled : `bool`, optional
        Whether it was stopped before the end.

    Raises
    ------
    click.exceptions.Exit
        If the code is not 0.
    """
    if cancelled:
        raise click.exceptions.Exit(ExitCode.CANCELLED)
    if problems:
        raise click.exceptions.Exit(ExitCode.PROBLEMS)
