"""The miniature platform's services: an object store and a Butler server, on loopback.

For `command`, `jupyterlab` and `check`, and for tests of everything else.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import types
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Self

from ..settings import ROOT_VARIABLE
from .ingress import GROUP
from .s3 import BUCKET, REGION
from .service import LOOPBACK, PlatformError, Service, clean_environment, proxy_exceptions, reserve_port
from .trouble import Seen, ServiceName, Trouble

__all__ = ["LABEL", "Platform"]

LABEL = "dp2"
"""Label of the official repository."""

_PREFIX = "dp2/"


class Platform:
    """An object store and a Butler server with the official repository, as a context manager.

    Parameters
    ----------
    directory : `pathlib.Path`
        For everything it writes: logs and configuration in ``.platform``, and by default the
        satellites in ``butler``. Only one platform at a time may use it.
    repository : `pathlib.Path`, optional
        The demonstration repository, as `python_butler.demo.repository.ensure_repository` returns
        it, which is the default. It is opened for reading only.
    latency : `float`, optional
        Seconds by which every HTTP request is delayed.
    registry : `pathlib.Path`, optional
        SQLite file to serve instead of the repository's own.
    progress : callable, optional
        Told in a sentence what is being waited for.

    Attributes
    ----------
    url : `str`
        Address of the Butler server's repository.
    token : `str`
        Token of a user who may read it. Made anew each time.
    token_without_group : `str`
        Token of a user who may not.
    index_file : `pathlib.Path`
        Repository index.
    environment : `dict` [`str`, `str`]
        What a kernel or JupyterLab must have in its environment.

    Raises
    ------
    PlatformError
        If a service does not come up, with the last lines of its output.
    """

    def __init__(
        self,
        directory: Path,
        *,
        repository: Path | None = None,
        latency: float = 0.0,
        registry: Path | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.directory = directory.resolve()
        self._state = self.directory / ".platform"
        self._repository = repository
        self._registry = registry
        self._latency = latency
        self._progress = progress or (lambda sentence: None)
        self._lock: IO[str] | None = None
        self._reservations = [reserve_port(), reserve_port()]
        s3_port, server_port = (reservation.getsockname()[1] for reservation in self._reservations)
        self._s3_port, self._server_port = s3_port, server_port
        self._access_key, self._secret_key = secrets.token_hex(10).upper(), secrets.token_urlsafe(30)
        self._s3: Service | None = None
        self._server: Service | None = None
        self._refused = False
        self.url = f"http://{LOOPBACK}:{server_port}/api/butler/repo/{LABEL}"
        self.token = _new_token()
        self.token_without_group = _new_token()
        self.index_file = self._state / "repositories.yaml"
        self.environment = {
            "DAF_BUTLER_REPOSITORY_INDEX": str(self.index_file),
            "BUTLER_RUBIN_ACCESS_TOKEN": self.token,
            ROOT_VARIABLE: str(self.directory / "butler"),
            **proxy_exceptions(),
        }

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Process IDs of the services that run."""
        return [service.pid for service in (self._s3, self._server) if service is not None]

    def start_server(self) -> None:
        """Start the Butler server, at the same address as before. Does nothing if it runs."""
        if self._server is None:
            self._server = self._launch_server()
            self._server.wait_until_ready()
            if self._refused:
                self.refuse_token()

    def stop_server(self) -> None:
        """Stop the Butler server: connections to its address are refused. Does nothing if it is stopped."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def refuse_token(self) -> None:
        """Make the Butler server refuse `token`, as if it had expired."""
        self._refused = True
        if self._server is not None:
            self._server.tell({"revoke": self.token})

    def accept_token(self) -> None:
        """Make the Butler server accept `token` again."""
        self._refused = False
        if self._server is not None:
            self._server.tell({"restore": self.token})

    def set_latency(self, latency: float) -> None:
        """Change the delay of every HTTP request.

        Parameters
        ----------
        latency : `float`
            Seconds.
        """
        self._latency = latency
        for service in (self._s3, self._server):
            if service is not None:
                service.tell({"latency": latency})

    def trouble(self, service: ServiceName = "server", **trouble: Any) -> None:
        """Make trouble for requests, on top of what is already going on: the oldest matching one strikes.

        It ends after its ``times``, with `calm`, or when the service is stopped.

        Parameters
        ----------
        service : `str`, optional
            ``server`` for the Butler server, ``store`` for the object store with the files.
        **trouble : object
            Attributes of `~python_butler.demo.trouble.Trouble`, for example ``status=503, times=2``.
        """
        self._running(service).tell({"trouble": asdict(Trouble(**trouble))})

    def calm(self) -> None:
        """End all `trouble`."""
        for running in (self._s3, self._server):
            if running is not None:
                running.tell({"calm": True})

    def requests(self, service: ServiceName | None = None, *, forget: bool = False) -> list[Seen]:
        """Tell what was asked, from when a service was started or last told to forget.

        Parameters
        ----------
        service : `str`, optional
            ``server`` or ``store``; both that run if not given.
        forget : `bool`, optional
            Begin a new record.

        Returns
        -------
        requests : `list` [`~python_butler.demo.trouble.Seen`]
            Requests of each service in the order in which they came, the last 20,000 at most.
        """
        services = [self._running(service)] if service else [s for s in (self._server, self._s3) if s]
        return [Seen(**seen) for running in services for seen in running.tell({"requests": forget})]

    def close(self) -> None:
        """Stop everything. Safe to call twice."""
        self.stop_server()
        if self._s3 is not None:
            self._s3.stop()
            self._s3 = None
        for reservation in self._reservations:
            reservation.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _running(self, service: ServiceName) -> Service:
        running = self._s3 if service == "store" else self._server
        assert running is not None, f"The {service} does not run."
        return running

    def _start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._state.mkdir(mode=0o700, exist_ok=True)
        self._lock = _lock_directory(self._state)
        if self._repository is None:
            from .repository import ensure_repository

            self._repository = ensure_repository(progress=self._progress)
        server_directory = self._state / "server"
        shutil.rmtree(server_directory, ignore_errors=True)
        server_directory.mkdir()
        self.index_file.write_text(f"{LABEL}: {self.url}/butler.yaml\n")
        self._progress("Starting the object store and the Butler server.")
        self._s3 = self._launch(
            "object store",
            "python_butler.demo.s3",
            {
                "port": self._s3_port,
                "bucket": str(self._repository / "bucket"),
                "access_key": self._access_key,
                "secret_key": self._secret_key,
                "latency": self._latency,
            },
        )
        self._server = self._launch_server()
        self._s3.wait_until_ready()
        self._server.wait_until_ready()

    def _launch_server(self) -> Service:
        assert self._repository is not None, "The platform is used as a context manager."
        return self._launch(
            "Butler server",
            "python_butler.demo.ingress",
            {
                "port": self._server_port,
                "label": LABEL,
                "directory": str(self._state / "server"),
                "repository": str(self._repository / "repo"),
                "registry": str(self._registry or self._repository / "repo" / "gen3.sqlite3"),
                "datastore_root": f"s3://{BUCKET}/{_PREFIX}",
                "s3_url": f"http://{LOOPBACK}:{self._s3_port}",
                "access_key": self._access_key,
                "secret_key": self._secret_key,
                "users": {self.token: ["demo", [GROUP]], self.token_without_group: ["guest", []]},
                "latency": self._latency,
            },
        )

    def _launch(self, name: str, module: str, settings: dict[str, Any]) -> Service:
        return Service(
            name,
            module,
            settings,
            log=self._state / f"{name.replace(' ', '-').lower()}.log",
            directory=self._state,
            environment=_service_environment(),
        )


def _new_token() -> str:
    # The form of the platform's own tokens, so that whatever hides those hides these.
    return f"gt-{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(16)}"


def _service_environment() -> dict[str, str]:
    return {
        **clean_environment(),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _lock_directory(directory: Path) -> IO[str]:
    lock = (directory / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise PlatformError(
            f"A demonstration already runs in {directory.parent}.",
            "Stop it first, or choose another directory.",
        ) from None
    return lock
