"""``butler satellite``: the same subcommands through the command line of upstream.

Upstream imports this module whenever its ``butler`` command runs, so it imports next to nothing.
"""

from __future__ import annotations

import click

from .main import satellite_group

__all__ = ["commands"]

_NOT_BUTLER = ("demo",)
"""What has nothing to do with a Butler repository of one's own."""


def commands() -> list[click.Command]:
    """Commands that upstream's ``butler`` gets from this package.

    Returns
    -------
    commands : `list` [`click.Command`]
        The group ``satellite``.
    """
    return [satellite_group("satellite", without=_NOT_BUTLER)]
