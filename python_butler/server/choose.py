"""In which environment the backend runs."""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import NoSuchKernel

from ..errors import BackendUnavailableError

__all__ = ["BACKEND_ARGUMENTS", "CommandChoice", "KernelChoice", "choose", "has_butler"]

# -P keeps the directory of the server out of the search path: a user's file called like a standard
# module would break the backend.
BACKEND_ARGUMENTS = ("-P", "-m", "python_butler.backend")
"""What a Python interpreter is told in order to become the backend."""

PLATFORM_KERNEL = "lsst"
"""Name of the kernelspec that sets up the science pipelines on the Rubin Science Platform."""


@dataclass(frozen=True)
class CommandChoice:
    """Run a command.

    Attributes
    ----------
    command : `tuple` [`str`, ...]
        The command; ``--socket PATH`` is added.
    advice : `str`
        What to do if it does not work.
    """

    command: tuple[str, ...]
    advice: str

    def __str__(self) -> str:
        return f"by the command {self.command[0]!r}"


@dataclass(frozen=True)
class KernelChoice:
    """Start a kernel and let the backend take its place.

    Attributes
    ----------
    name : `str`
        Name of the kernelspec.
    spec : `jupyter_client.kernelspec.KernelSpec`
        The kernelspec.
    """

    name: str
    spec: Any

    @property
    def advice(self) -> str:
        """What to do if it does not work."""
        return (
            f"Install python-butler[kernel] in the environment of the kernel {self.name!r}, "
            "or name another one as PythonButler.kernel_name in the Jupyter server's configuration."
        )

    def __str__(self) -> str:
        return f"in the environment of the kernel {self.name!r}"


def has_butler() -> bool:
    """Whether this environment has ``lsst.daf.butler``; found out without importing anything.

    ``importlib.util.find_spec`` imports the parent packages, and those of a stack set up by EUPS
    join many directories by code of their own.

    Returns
    -------
    found : `bool`
        `True` if a Python process of this environment can import it.
    """
    package = Path("lsst", "daf", "butler", "__init__.py")
    if any(entry and (entry / package).is_file() for entry in map(Path, sys.path)):
        return True
    try:
        importlib.metadata.distribution("lsst-daf-butler")  # an editable install
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


async def choose(
    backend_command: Sequence[str], kernel_name: str, specs: Any, default_kernel: str
) -> CommandChoice | KernelChoice:
    """Decide in which environment the backend runs.

    The configured command comes first, then the configured kernel, then this environment if it
    has the Butler, then the platform's kernel, then the server's default kernel.

    Parameters
    ----------
    backend_command : sequence of `str`
        The configured command, or nothing.
    kernel_name : `str`
        The configured kernelspec, or nothing.
    specs : `jupyter_client.kernelspec.KernelSpecManager`
        The Jupyter server's kernelspecs.
    default_kernel : `str`
        The kernelspec of notebooks that name none.

    Returns
    -------
    choice : `CommandChoice` or `KernelChoice`
        How to start the backend.

    Raises
    ------
    BackendUnavailableError
        If nothing configured or found can work.
    """
    if backend_command:
        return CommandChoice(
            tuple(backend_command),
            "Correct PythonButler.backend_command in the Jupyter server's configuration.",
        )
    if kernel_name:
        spec = await _kernelspec(specs, kernel_name)
        if spec is None:
            raise BackendUnavailableError(
                f"There is no kernel {kernel_name!r} in which to start the Butler backend.",
                "Correct PythonButler.kernel_name in the Jupyter server's configuration; "
                "'jupyter kernelspec list' shows the names.",
            )
        return KernelChoice(kernel_name, spec)
    if has_butler():
        return CommandChoice(
            (sys.executable, *BACKEND_ARGUMENTS),
            "Install python-butler[kernel] in JupyterLab's environment, "
            "or set PythonButler.kernel_name in the Jupyter server's configuration.",
        )
    for name in (PLATFORM_KERNEL, default_kernel):
        spec = await _kernelspec(specs, name)
        # The server's own environment was looked at already.
        if spec is not None and spec.argv[0] not in {sys.executable, "python", "python3"}:
            return KernelChoice(name, spec)
    raise BackendUnavailableError(
        "No Python environment with lsst.daf.butler was found for the Butler backend.",
        "Name the kernel that has it as PythonButler.kernel_name in the Jupyter server's configuration.",
    )


async def _kernelspec(specs: Any, name: str) -> Any | None:
    try:
        # Kernelspecs are files, often on a slow file system.
        found = await asyncio.to_thread(specs.get_kernel_spec, name)
        return await found if inspect.isawaitable(found) else found
    except NoSuchKernel:
        return None
