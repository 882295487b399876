"""The extension as the Jupyter server sees it: its configuration, its addresses, its end."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Float, Integer, List, Unicode

from .choose import choose
from .instance import BackendInstance
from .relay import API_PATH, STATE_PATH, BackendStateHandler, RelayHandler
from .supervisor import Supervisor, SupervisorSettings

__all__ = ["PythonButler"]

_STOP_SECONDS = 8.0


class PythonButler(ExtensionApp):
    """Starts the Butler backend where the science stack is, and relays the browser's requests to it."""

    name = "python_butler"

    backend_command = List(
        Unicode(),
        help="""Command that starts the Butler backend; "--socket PATH" is added to it.

        If empty, the backend runs in the environment of the kernel that `kernel_name` says.""",
    ).tag(config=True)

    kernel_name = Unicode(
        "",
        help="""Kernelspec in whose environment the Butler backend runs.

        If empty: JupyterLab's own environment if it has lsst.daf.butler, else the kernel "lsst",
        else the default kernel.""",
    ).tag(config=True)

    idle_timeout = Float(
        3600.0, min=0.0, help="Seconds after which a backend that nobody asked for is stopped; 0: never."
    ).tag(config=True)

    start_timeout = Float(120.0, min=1.0, help="Seconds that the start of the backend may take.").tag(
        config=True
    )

    restart_limit = Integer(
        3,
        min=0,
        help="""How many crashes of the backend in a row are mended unasked.

        After more, it is started again when somebody asks for it.""",
    ).tag(config=True)

    def initialize_handlers(self) -> None:
        """Add the relay and the backend's state to the server's addresses."""
        self._supervisor = Supervisor(
            self._create,
            SupervisorSettings(self.idle_timeout, self.start_timeout, self.restart_limit),
            self.log,
        )
        options = {"supervisor": self._supervisor}
        self.handlers.extend(
            [(rf"{API_PATH}/(.*)", RelayHandler, options), (STATE_PATH, BackendStateHandler, options)]
        )

    async def stop_extension(self) -> None:
        """Stop the backend; an exception here would leave a Jupyter server that cannot be stopped."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._supervisor.stop()
        except Exception:
            self.log.exception("The Butler backend could not be stopped; it ends by itself without its lease")

    async def _create(self) -> BackendInstance:
        server: Any = self.serverapp
        choice = await choose(
            self.backend_command,
            self.kernel_name,
            server.kernel_spec_manager,
            server.kernel_manager.default_kernel_name,
        )
        self.log.info("Starting the Butler backend %s", choice)
        return BackendInstance(choice, self.log, parent=server.kernel_manager)
