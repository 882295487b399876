"""The process: a socket that only its owner can reach, a log without secrets, and an end.

The socket is bound before anything slow is loaded, so that requests wait instead of failing.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import socket
import stat
import sys
import threading
from pathlib import Path

import uvicorn

from ..credentials import scrub
from .app import create_app
from .lease import Lease
from .service import Service

__all__ = ["SECRET_VARIABLE", "bind", "main"]

SECRET_VARIABLE = "PYTHON_BUTLER_BACKEND_SECRET"  # noqa: S105  the name of a variable, no secret
"""Environment variable in which the backend is given its secret."""

_LOG = logging.getLogger(__name__)
_BACKLOG = 100
_PATIENCE_AT_END = 5.0
_PATIENCE_WITH_JOBS = 1.0


def bind(path: Path) -> socket.socket:
    """Bind a unix socket that only its owner can reach.

    Parameters
    ----------
    path : `pathlib.Path`
        Where; the directory is made if need be, and must be the owner's alone.

    Returns
    -------
    listener : `socket.socket`
        The listening socket.

    Raises
    ------
    PermissionError
        If others can reach the directory.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.parent.stat()
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise PermissionError(f"The directory {path.parent} must be open to its owner only (mode 0700).")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    previous = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(previous)
    path.chmod(0o600)
    # From now on requests wait until they are served.
    listener.listen(_BACKLOG)
    return listener


class _Scrubbed(logging.Formatter):
    """Takes secrets out of everything that is logged, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Scrubbed("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Clients of object stores tell addresses at this level, one line a request.
    for chatty in ("httpx", "httpx2", "httpcore", "httpcore2", "botocore", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


async def _serve(listener: socket.socket, secret: str) -> None:
    service = Service()

    def end() -> None:
        if lease.is_held:
            return
        if service.jobs.active:
            # What a person has asked for is done; nothing new can be asked for.
            _LOG.info("Nobody holds the lease: ending when the jobs have ended")
            service.jobs.when_idle(end)
            return
        _LOG.info("Nobody holds the lease: ending")
        service.cancel()
        server.should_exit = True

    lease = Lease(end)
    service.jobs.on_active(lease.tell)
    config = uvicorn.Config(
        create_app(service, secret=secret, lease=lease),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    lease.start()
    service.start()
    try:
        await server.serve(sockets=[listener])
    finally:
        # Also when it was a signal, which the server passes on at its end.
        service.cancel()
        await service.jobs.settle(_PATIENCE_WITH_JOBS)


def main(arguments: list[str] | None = None) -> int:
    """Run the backend until its lease runs out or it is told to stop.

    Parameters
    ----------
    arguments : `list` [`str`], optional
        Command line without the program's name.

    Returns
    -------
    status : `int`
        Exit status.
    """
    parser = argparse.ArgumentParser(prog="python -m python_butler.backend", description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="path of the unix socket to bind")
    options = parser.parse_args(arguments)
    # Taken out at once: whatever is started from here must not inherit it.
    secret = os.environ.pop(SECRET_VARIABLE, "")
    if not secret:
        parser.error(f"{SECRET_VARIABLE} must hold the secret that requests carry.")
    _log_to_stderr()
    listener = bind(options.socket)
    # The server sends itself the signal that ended it; by then it must not kill what tidies up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        asyncio.run(_serve(listener, secret))
    finally:
        with contextlib.suppress(OSError):
            options.socket.unlink()
        # A thread that waits for a slow server must not keep the process alive.
        overdue = threading.Timer(_PATIENCE_AT_END, os._exit, (0,))
        overdue.daemon = True
        overdue.start()
    return 0
