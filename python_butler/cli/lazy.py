"""Groups of subcommands that are imported when they are run, and what happens to their errors."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any, override

import click

from ..credentials import scrub
from ..errors import PythonButlerError
from .exits import ExitCode

__all__ = ["LazyGroup"]


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is run, so that ``--help`` is instant.

    Parameters
    ----------
    commands : mapping [`str`, `tuple` [`str`, `str`]]
        Where each subcommand is, and the extra of the distribution that it needs.
    *args, **kwargs
        As for `click.Group`.
    """

    def __init__(self, *args: Any, commands: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._commands = commands

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._commands)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._commands:
            return None
        module, attribute = self._commands[cmd_name][0].split(":")
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise self._lacking(ctx, cmd_name, error) from error
        assert isinstance(command, click.Command)
        return command

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, click.Abort):
            # Also the second Ctrl-C, and no answer to a question.
            click.echo("Cancelled.", err=True)
            raise click.exceptions.Exit(ExitCode.CANCELLED) from None
        except PythonButlerError as error:
            raise click.ClickException(scrub(str(error))) from error
        except ModuleNotFoundError as error:
            raise self._lacking(ctx, ctx.invoked_subcommand, error) from error
        except Exception as error:
            if not _is_upstreams(error):
                raise
            # The text of some, which are key errors, would have quotation marks around it.
            said = error.args[0] if isinstance(error, KeyError) and error.args else error
            raise click.ClickException(f"{scrub(str(said))} {_next_step(error)}".rstrip()) from error

    def _lacking(
        self, ctx: click.Context, command: str | None, error: ModuleNotFoundError
    ) -> click.ClickException:
        """What to say if a package is missing that is not in the plain installation."""
        if command is None or command not in self._commands or (error.name or "").startswith("python_butler"):
            raise error
        return click.ClickException(
            f"{ctx.command_path} {command} needs the package {error.name!r}. "
            f'Install it with: pip install "python-butler[{self._commands[command][1]}]"'
        )


def _is_upstreams(error: Exception) -> bool:
    """Whether upstream means an exception for the person, such as one about a missing collection."""
    butler = sys.modules.get("lsst.daf.butler")
    return butler is not None and isinstance(error, butler.ButlerUserError)


def _next_step(error: Exception) -> str:
    """What to do about one, where upstream does not say."""
    butler = sys.modules["lsst.daf.butler"]
    match error:
        case butler.MissingDatasetTypeError():
            return "Check how it is spelt: wildcards such as '*image*', with --dry-run, list similar ones."
        case butler.MissingCollectionError():
            return "Check how it is spelt: the sidebar of JupyterLab lists them."
        case butler.InvalidQueryError():
            return "Change --where; --bind NAME=VALUE gives a value to each :NAME in it."
    return ""
