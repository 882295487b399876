"""One service of the platform as a child process: how it is started, told things and ended.

The parent's side; `child` is the other. A service holds a pipe from its parent as standard input:
settings and commands come in through it, one JSON document a line, so that secrets are in no argument
list, environment or file; and when the pipe ends, because the parent closed it or died in whatever
way, the service ends too.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from ..credentials import scrub
from ..errors import PythonButlerError

__all__ = [
    "LOOPBACK",
    "PlatformError",
    "Service",
    "clean_environment",
    "proxy_exceptions",
    "reserve_port",
    "shareable_socket",
]

LOOPBACK = "127.0.0.1"
"""The only address anything of the demonstration listens on."""

START_TIMEOUT = 60.0
"""Seconds in which a service has to be ready."""

_FOREIGN_VARIABLES = (
    "ACCESS_TOKEN",
    "AWS_",
    "BUTLER_",
    "DAF_BUTLER_",
    "LSST_RESOURCES_",
    "MOTO_",
    "NUBLADO_",
    "S3_",
    "SENTRY_",
)

# This package is found wherever the service's directory is, without a variable that its own child
# processes would inherit.
_RUN = "import sys, importlib; sys.path.append(sys.argv[2]); importlib.import_module(sys.argv[1]).main()"

_STOP_TIMEOUT = 5.0
_SHOWN_LINES = 15


class PlatformError(PythonButlerError, RuntimeError):
    """A part of the demonstration could not be started or has ended."""


def clean_environment(*dropped: str) -> dict[str, str]:
    """Environment without anything that could lead a child process to other servers or accounts.

    Parameters
    ----------
    *dropped : `str`
        Further beginnings of names of variables that are left out.

    Returns
    -------
    environment : `dict` [`str`, `str`]
        A copy of this process's environment, without those variables.
    """
    left_out = _FOREIGN_VARIABLES + dropped
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {**inherited, **proxy_exceptions()}


def proxy_exceptions() -> dict[str, str]:
    """Variables that keep requests to the loopback interface away from a proxy that may be configured.

    Returns
    -------
    variables : `dict` [`str`, `str`]
        In both spellings, since some libraries prefer the one and some the other.
    """
    present = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    hosts = [host for host in present.split(",") if host.strip() not in ("", LOOPBACK)]
    value = ",".join([*hosts, LOOPBACK])
    return {"NO_PROXY": value, "no_proxy": value}


def reserve_port(port: int = 0) -> socket.socket:
    """Take a port of the loopback interface without listening on it.

    As long as the socket is open nobody else is given the port, connections to it are refused, and
    a service may listen on it, any number of times one after the other.

    Parameters
    ----------
    port : `int`, optional
        The port wanted; 0 for any free one.

    Returns
    -------
    reservation : `socket.socket`
        A bound socket; its port is ``reservation.getsockname()[1]``.

    Raises
    ------
    PlatformError
        If somebody else has the port.
    """
    reservation = shareable_socket()
    try:
        reservation.bind((LOOPBACK, port))
    except OSError as error:
        reservation.close()
        raise PlatformError(
            f"Port {port} cannot be used: {error.strerror or error}.",
            "Choose another port, or 0 for any free one.",
        ) from error
    return reservation


def shareable_socket() -> socket.socket:
    """Make a socket that may be bound to a port which a reservation holds."""
    # With the protocol named, asyncio turns Nagle's algorithm off; without, every second answer on a
    # connection that is kept open would wait 40 ms for an acknowledgement.
    shareable = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    shareable.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Linux lets a bound and a listening socket share a port with SO_REUSEADDR alone; with
    # SO_REUSEPORT too, it would let a second service listen on it unnoticed.
    if sys.platform == "darwin":
        shareable.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return shareable


class Service:
    """The parent's end of a service.

    Parameters
    ----------
    name : `str`
        What to call it in messages, for example ``Butler server``.
    module : `str`
        Module whose ``main`` is the service.
    settings : `dict`
        Handed to the service; must be fit for JSON. May hold secrets.
    log : `pathlib.Path`
        File that its output is appended to.
    directory : `pathlib.Path`
        Its working directory.
    environment : `dict` [`str`, `str`]
        Its whole environment.
    """

    def __init__(
        self,
        name: str,
        module: str,
        settings: dict[str, Any],
        *,
        log: Path,
        directory: Path,
        environment: dict[str, str],
    ) -> None:
        self.name = name
        self._settings = settings
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _RUN, module, str(Path(__file__).parents[2])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=directory,
                env=environment,
                # Ctrl-C in a terminal reaches the parent only, which ends its services in order.
                start_new_session=True,
            )
        self._send(settings)

    @property
    def pid(self) -> int:
        """Process ID."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def wait_until_ready(self, timeout: float = START_TIMEOUT) -> Any:
        """Wait until the service answers requests.

        Parameters
        ----------
        timeout : `float`, optional
            Seconds after which it is given up and ended.

        Returns
        -------
        report : object
            What the service tells about itself.

        Raises
        ------
        PlatformError
            If it ends or is not ready in time; the message has the last lines of its output.
        """
        return self._receive(timeout, f"The {self.name} did not start")

    def tell(self, command: dict[str, Any], timeout: float = 10.0) -> Any:
        """Send a command and wait until it is carried out.

        Parameters
        ----------
        command : `dict`
            Fit for JSON; what the service understands.
        timeout : `float`, optional
            Seconds to wait for its answer.

        Returns
        -------
        answer : object
            The service's answer.

        Raises
        ------
        PlatformError
            If the service has ended or does not answer in time.
        """
        self._send(command)
        return self._receive(timeout, f"The {self.name} did not answer")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the process has ended.

        Parameters
        ----------
        timeout : `float`, optional
            Seconds to wait; for ever if not given.

        Returns
        -------
        ended : `bool`
            Whether it has ended.
        """
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, timeout: float = _STOP_TIMEOUT) -> None:
        """End the process, in order if it can, else by force. Safe to call twice."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if not self.wait(timeout):
            self._process.kill()
            self._process.wait()

    def last_lines(self) -> str:
        """Return the end of what it has written since it was started, without secrets."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        return scrub("\n".join(lines[-_SHOWN_LINES:]))

    def _send(self, document: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        # If it has ended, whoever waits for its answer is told so.
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(json.dumps(document).encode() + b"\n")
            self._process.stdin.flush()

    def _receive(self, timeout: float, failure: str) -> Any:
        assert self._process.stdout is not None
        line = b""
        if not self._process.stdout.closed:
            line = _read_line(self._process.stdout, time.monotonic() + timeout)
        if line.endswith(b"\n"):
            return json.loads(line)
        late = self.running and not self.wait(1)
        self.stop()
        reason = f"in {timeout:.0f} s" if late else f"but ended with code {self._process.returncode}"
        said = self.last_lines()
        raise PlatformError(f"{failure} {reason}." + (f" Its last lines:\n{said}\n" if said else ""))


def _read_line(pipe: IO[bytes], deadline: float) -> bytes:
    """Read up to a line end, the end of the pipe or the deadline; answers come one at a time."""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not selector.select(remaining):
                break
            # Past the buffer of the file object, which the selector knows nothing of.
            chunk = os.read(pipe.fileno(), 65536)
            if not chunk:
                break
            line += chunk
    return line
