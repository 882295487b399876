"""The group of all subcommands of ``satellite run``."""

from __future__ import annotations

from pathlib import Path

import click

from ..lazy import LazyGroup

__all__ = ["directory_argument", "run"]

_COMMANDS = {
    name: (f"python_butler.cli.run.{name}:{name}", "processing")
    for name in ("clean", "collect", "example", "prepare", "report", "start", "status")
}
_COMMANDS["list"] = ("python_butler.cli.run.list:list_", "processing")

run = LazyGroup(
    "run",
    commands=_COMMANDS,
    help="Run a pipeline on official data and keep the results: prepare, start and collect.",
)
"""The group; none of its subcommands is imported yet."""

directory_argument = click.argument("directory", type=click.Path(path_type=Path))
"""Working directory of a run; the parameter is called ``directory``."""
