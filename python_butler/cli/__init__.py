"""The ``satellite`` command. Each subcommand is loaded only when it is asked for."""

from .main import main

__all__ = ["main"]
