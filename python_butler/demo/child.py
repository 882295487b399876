"""A service's own side of the pipe from its parent: see `service`."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import IO, Any, Protocol

from .service import LOOPBACK, shareable_socket

__all__ = ["Application", "run_service", "take_standard_output", "watch_parent"]


class Application(Protocol):
    """An ASGI application that may be told things while it runs."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""

    def command(self, command: dict[str, Any]) -> Any:
        """Carry out a command of the parent; called on the event loop."""


def run_service(build: Callable[[dict[str, Any]], Application]) -> None:
    """Run an application until the parent closes the pipe: the main function of a service.

    Parameters
    ----------
    build : callable
        Makes the application from the settings. It is ready to answer when this returns.
    """
    # Registered first and so run last: taking all modules down in order would take a second.
    atexit.register(os._exit, 0)
    import uvicorn

    answers = take_standard_output()
    settings = json.loads(sys.stdin.readline())

    class Announcing(uvicorn.Server):
        loop: asyncio.AbstractEventLoop | None = None

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            self.loop = asyncio.get_running_loop()
            answers.write('"ready"\n')

        def obey(self, command: dict[str, Any]) -> None:
            answers.write(json.dumps(application.command(command)) + "\n")

        def leave(self) -> None:
            self.should_exit = True

        def call(self, function: Callable[..., object], *arguments: Any) -> None:
            # Before it has started nobody sends commands, and it is ended by force.
            if self.loop is not None:
                self.loop.call_soon_threadsafe(function, *arguments)

    server: Announcing | None = None

    def obey(command: dict[str, Any]) -> None:
        if server is not None:
            server.call(server.obey, command)

    def leave() -> None:
        if server is not None:
            server.call(server.leave)

    watch_parent(on_command=obey, on_end=leave, patience=2.0)
    listener = shareable_socket()
    listener.bind((LOOPBACK, settings["port"]))
    application = build(settings)
    server = Announcing(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=0,
            timeout_keep_alive=60,
        )
    )
    server.run(sockets=[listener])


def take_standard_output() -> IO[str]:
    """Keep standard output for answers to the parent; whatever anybody prints goes to the log."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return answers


def watch_parent(
    *,
    on_end: Callable[[], object],
    patience: float,
    on_command: Callable[[dict[str, Any]], object] | None = None,
) -> None:
    """Watch the pipe from the parent in a thread.

    Parameters
    ----------
    on_end : callable
        Called when the pipe has ended: begins to end this process.
    patience : `float`
        Seconds after which the process is ended by force.
    on_command : callable, optional
        Called with each command, in the watching thread.
    """

    def watch() -> None:
        for line in sys.stdin:
            if on_command is not None:
                on_command(json.loads(line))
        force = threading.Timer(patience, os.kill, (os.getpid(), signal.SIGKILL))
        force.daemon = True
        force.start()
        on_end()

    threading.Thread(target=watch, name="parent", daemon=True).start()
