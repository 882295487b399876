"""The group of all ``satellite`` subcommands."""

from __future__ import annotations

from collections.abc import Collection

import click

from .lazy import LazyGroup

__all__ = ["main", "satellite_group"]

_COMMANDS = {
    "backup": ("python_butler.cli.backup:backup", "kernel"),
    "batches": ("python_butler.cli.batches:batches", "kernel"),
    "check": ("python_butler.cli.check:check", "kernel"),
    "create": ("python_butler.cli.create:create", "kernel"),
    "demo": ("python_butler.demo.command:demo", "demo"),
    "forget": ("python_butler.cli.forget:forget", "kernel"),
    "info": ("python_butler.cli.info:info", "kernel"),
    "list": ("python_butler.cli.list:list_", "kernel"),
    "migrate": ("python_butler.cli.migrate:migrate", "kernel"),
    "pin": ("python_butler.cli.pin:pin", "kernel"),
    "prefetch": ("python_butler.cli.prefetch:prefetch", "kernel"),
    "provenance": ("python_butler.cli.provenance:provenance", "processing"),
    "prune": ("python_butler.cli.prune:prune", "kernel"),
    "reference": ("python_butler.cli.reference:reference", "kernel"),
    "repair": ("python_butler.cli.repair:repair", "kernel"),
    "restore": ("python_butler.cli.restore:restore", "kernel"),
    "run": ("python_butler.cli.run:run", "processing"),
    "unpin": ("python_butler.cli.pin:unpin", "kernel"),
    "usage": ("python_butler.cli.usage:usage", "kernel"),
}
"""Where each subcommand is, and the extra of the distribution that it needs."""


def satellite_group(name: str, *, without: Collection[str] = ()) -> click.Group:
    """Make a group of the subcommands.

    Parameters
    ----------
    name : `str`
        What the group is called.
    without : collection of `str`, optional
        Names of subcommands that it shall not have.

    Returns
    -------
    group : `click.Group`
        The group. None of its subcommands is imported yet.
    """
    return LazyGroup(
        name,
        commands={name: where for name, where in _COMMANDS.items() if name not in without},
        help="Work with a personal Butler repository beside an official one of Rubin Observatory.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


main = click.version_option(package_name="python-butler")(satellite_group("satellite"))
