"""Starting the backend's process: by a command, or through a kernel that it replaces."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import AsyncIterator
from typing import Any

from ..errors import BackendUnavailableError
from .choose import CommandChoice, KernelChoice
from .directory import RuntimeDirectory
from .output import Output
from .process import ChildProcess
from .takeover import take_over_kernel

__all__ = ["SECRET_VARIABLE", "launch"]

SECRET_VARIABLE = "PYTHON_BUTLER_BACKEND_SECRET"  # noqa: S105  the name of a variable
"""Environment variable that tells the backend the secret of its server."""


@contextlib.asynccontextmanager
async def launch(
    choice: CommandChoice | KernelChoice,
    directory: RuntimeDirectory,
    output: Output,
    secret: str,
    parent: Any,
) -> AsyncIterator[tuple[ChildProcess, asyncio.Future[str]]]:
    """Start the process; leave the context when it answers as the backend, or never will.

    Parameters
    ----------
    choice : `CommandChoice` or `KernelChoice`
        How to start it.
    directory : `RuntimeDirectory`
        Its directory.
    output : `Output`
        Where it prints.
    secret : `str`
        What its server will identify itself by.
    parent : `traitlets.config.Configurable` or `None`
        Whose configuration holds for kernels.

    Yields
    ------
    process : `ChildProcess`
        The process. Ending it is the caller's business.
    refused : `asyncio.Future` [`str`]
        Done with the reason if a kernel runs but will not become the backend.

    Raises
    ------
    BackendUnavailableError
        If there is no such command, or the kernel cannot be started.
    """
    environment = {**os.environ, SECRET_VARIABLE: secret}
    arguments = ["--socket", str(directory.socket)]
    writer = output.open_writer()
    try:
        if isinstance(choice, CommandChoice):
            process = _run([*choice.command, *arguments], environment, writer, choice)
            yield process, asyncio.get_running_loop().create_future()
        else:
            async with take_over_kernel(choice, arguments, environment, directory, writer, parent) as taken:
                yield taken
    finally:
        os.close(writer)


def _run(command: list[str], environment: dict[str, str], writer: int, choice: CommandChoice) -> ChildProcess:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer,
            env=environment,
            start_new_session=True,
        )
    except OSError as error:
        raise BackendUnavailableError(
            f"The Butler backend's command {command[0]!r} cannot be run: {error.strerror}.", choice.advice
        ) from error
    return ChildProcess(process)
