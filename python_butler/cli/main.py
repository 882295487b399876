"""The group of all ``satellite`` subcommands, and what happens to their errors."""

from __future__ import annotations

import importlib
from typing import Any

import click

from ..credentials import scrub
from ..errors import PythonButlerError

__all__ = ["main"]

_COMMANDS = {
    "demo": ("python_butler.demo.command:demo", "demo"),
}
"""Where each subcommand is, and the extra of the distribution that it needs."""


class _LazyGroup(click.Group):
    """A group that imports a subcommand when it is run, so that ``--help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        target, extra = _COMMANDS[cmd_name]
        module, attribute = target.split(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"satellite {cmd_name} needs the package {error.name!r}. "
                f'Install it with: pip install "python-butler[{extra}]"'
            ) from error
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PythonButlerError as error:
            raise click.ClickException(scrub(str(error))) from error


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="python-butler")
def main() -> None:
    """Work with a personal Butler repository beside an official one of Rubin Observatory."""
