"""A kernel started as a notebook's would be, and then replaced by the backend.

A kernelspec is often a wrapper that sets up the science stack in its own way; only starting the
kernel says what environment comes out. Replacing the kernel with ``exec`` keeps that environment
and the process identifier, and leaves nothing of IPython behind.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from ..errors import BackendUnavailableError
from .choose import BACKEND_ARGUMENTS, KernelChoice
from .directory import RuntimeDirectory
from .process import ChildProcess

__all__ = ["take_over_kernel"]

# What a kernel sets for itself, and what would mislead a program that is none.
_KERNEL_VARIABLES = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "GIT_PAGER",
    "JPY_PARENT_PID",
    "JPY_SESSION_NAME",
    "MPLBACKEND",
    "PAGER",
)

# Runs in the kernel. A kernel ignores interrupts and captures what is printed; both would be
# inherited by the program that takes its place.
_HAND_OVER = """\
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
for name in {variables!r}:
    os.environ.pop(name, None)
output = os.open({output!r}, os.O_WRONLY)
os.dup2(output, 1)
os.dup2(output, 2)
os.execve(sys.executable, [sys.executable, *{arguments!r}], os.environ)
"""


class _OneKernelspec(KernelSpecManager):
    """Knows the kernelspec that was found already, so that the disk is not searched again."""

    def __init__(self, spec: KernelSpec, parent: Any) -> None:
        super().__init__(parent=parent)
        self._spec = spec

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return the one kernelspec."""
        return self._spec


@contextlib.asynccontextmanager
async def take_over_kernel(
    choice: KernelChoice,
    arguments: list[str],
    environment: dict[str, str],
    directory: RuntimeDirectory,
    writer: int,
    parent: Any,
) -> AsyncIterator[tuple[ChildProcess, asyncio.Future[str]]]:
    """Start a kernel and tell it to become the backend.

    Parameters
    ----------
    choice : `KernelChoice`
        The kernel.
    arguments : `list` [`str`]
        The backend's arguments.
    environment : `dict` [`str`, `str`]
        The kernel's whole environment.
    directory : `RuntimeDirectory`
        Where its connection file and sockets go.
    writer : `int`
        File descriptor that the kernel prints to.
    parent : `traitlets.config.Configurable` or `None`
        Whose configuration holds for kernels.

    Yields
    ------
    process, refused
        As `python_butler.server.launch.launch` says.

    Raises
    ------
    BackendUnavailableError
        If the kernel cannot be started.
    """
    if choice.spec.language.lower() != "python":
        raise BackendUnavailableError(
            f"The kernel {choice.name!r} does not run Python, but the Butler backend does.", choice.advice
        )
    context = zmq.asyncio.Context()
    # A manager of our own is in no list of the server's: the user never sees the kernel.
    manager = AsyncKernelManager(
        parent=parent,
        context=context,
        kernel_name=choice.name,
        kernel_spec_manager=_OneKernelspec(choice.spec, parent),
        connection_file=str(directory.connection_file),
        transport="ipc",
    )
    client: AsyncKernelClient | None = None
    watch: asyncio.Task[None] | None = None
    try:
        process = await _start(manager, choice, environment, writer)
        client = manager.client(context=context)
        client.start_channels(iopub=False, stdin=False, hb=False, control=False)
        # Sent before the kernel listens: the message waits in the socket, nothing has to be polled.
        client.execute(
            _HAND_OVER.format(
                variables=_KERNEL_VARIABLES,
                output=str(directory.output),
                arguments=[*BACKEND_ARGUMENTS, *arguments],
            ),
            silent=True,
            store_history=False,
            allow_stdin=False,
        )
        refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        watch = asyncio.create_task(_await_refusal(client, refused))
        yield process, refused
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        if client is not None:
            client.stop_channels()
        await manager.cleanup_resources()
        context.destroy(linger=0)


async def _start(
    manager: AsyncKernelManager, choice: KernelChoice, environment: dict[str, str], writer: int
) -> ChildProcess:
    try:
        await manager.start_kernel(env=environment, stdout=writer, stderr=writer)
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
        raise BackendUnavailableError(
            f"The kernel {choice.name!r} for the Butler backend cannot be started: {reason}.", choice.advice
        ) from error
    process = getattr(manager.provisioner, "process", None)
    if process is None:
        await manager.shutdown_kernel(now=True)
        raise BackendUnavailableError(
            f"The kernel {choice.name!r} does not run on this machine, but the Butler backend has to.",
            choice.advice,
        )
    return ChildProcess(process)


async def _await_refusal(client: AsyncKernelClient, refused: asyncio.Future[str]) -> None:
    # A kernel that was replaced answers nothing: any answer tells why it was not.
    content = (await client.get_shell_msg())["content"]
    refused.set_result(f"{content.get('ename', 'no error')}: {content.get('evalue', '')}")
