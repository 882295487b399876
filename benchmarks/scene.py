"""Everything that figures are measured on, started when the first of them needs it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from python_butler.demo.platform import Platform

SCALE = 57_000
"""Datasets in the registry of the platform: as many as Data Preview 1 has."""

RELEASE_SCALE = 400_000
"""Datasets in the registry of the larger platform."""

SMALL, LARGE = "LSSTCam/DP2/small", "LSSTCam/DP2/large"
"""Official tagged collections of the larger platform: visit images of its first visits."""

SMALL_VISITS, LARGE_VISITS = 106, 530
"""How many visits these hold: 20,034 and 100,170 datasets. As many more have none in them."""


class Scene:
    """Platform, environment and servers for benchmarks, as a context manager."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def directory(self) -> Path:
        """A directory that goes away afterwards."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="python-butler-bench-")))

    @property
    def platform(self) -> Platform:
        """A running platform; this process's environment points to it from then on."""
        return self._entered(self._platform)

    @property
    def release(self) -> Platform:
        """A running platform with many more datasets, which have files; entered like the other.

        The environment names a directory for satellites that is empty at first.
        """
        return self._entered(self._release)

    def _entered(self, platform: Platform) -> Platform:
        os.environ.update(platform.environment)
        return platform

    @cached_property
    def _platform(self) -> Platform:
        from python_butler.demo.platform import Platform
        from python_butler.demo.scale import scaled_registry

        registry = scaled_registry(self.repository, SCALE)
        return self._stack.enter_context(
            Platform(self.directory / "platform", repository=self.repository, registry=registry)
        )

    @cached_property
    def _release(self) -> Platform:
        from python_butler.demo.platform import Platform

        directory = self.directory / "release"
        registry = _tagged_registry(self.repository, directory)
        return self._stack.enter_context(Platform(directory, repository=self.repository, registry=registry))

    @cached_property
    def repository(self) -> Path:
        """The demonstration repository."""
        from python_butler.demo.repository import ensure_repository

        return ensure_repository(progress=_say)

    @cached_property
    def jupyter(self) -> JupyterServer:
        """A Jupyter server with our extension and the probe of its event loop."""
        assert self.platform
        return self._stack.enter_context(JupyterServer(self.directory / "jupyter"))


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _tagged_registry(repository: Path, directory: Path) -> Path:
    """Copy the large registry and tag the first visits' images in it."""
    from lsst.daf.butler import Butler, CollectionType, Config

    from python_butler.demo.scale import RUN, scaled_registry

    registry = directory / "gen3.sqlite3"
    directory.mkdir()
    shutil.copyfile(scaled_registry(repository, RELEASE_SCALE, files=True, progress=_say), registry)
    config = Config(str(repository / "repo" / "butler.yaml"))
    config["registry", "db"] = f"sqlite:///{registry}"
    config.dumpToUri(str(directory / "butler.yaml"))
    with Butler.from_config(str(directory), writeable=True) as butler:
        refs = butler.query_datasets("visit_image", collections=RUN, limit=None)
        visits = sorted({int(ref.dataId["visit"]) for ref in refs})
        for name, count in ((SMALL, SMALL_VISITS), (LARGE, LARGE_VISITS)):
            butler.collections.register(name, CollectionType.TAGGED)
            butler.registry.associate(name, [ref for ref in refs if int(ref.dataId["visit"]) < visits[count]])
    return registry


class JupyterServer:
    """A real Jupyter server in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._token = secrets.token_hex(16)

    def __enter__(self) -> Self:
        self._directory.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}/"
        settings = {
            "ServerApp.port": port,
            "ServerApp.port_retries": 0,
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "ServerApp.root_dir": str(self._directory),
            "ServerApp.jpserver_extensions": {"python_butler.server": True, "benchmarks.loop_probe": True},
        }
        config = self._directory / "jupyter_server_config.py"
        config.write_text("".join(f"c.{name} = {value!r}\n" for name, value in settings.items()))
        root = Path(__file__).parent.parent
        log = self._directory / "log"
        with log.open("w") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyter_server", f"--config={config}"],
                env={
                    **os.environ,
                    "JUPYTER_TOKEN": self._token,
                    "JUPYTER_RUNTIME_DIR": str(self._directory / "runtime"),
                    "JUPYTER_CONFIG_DIR": str(self._directory / "config"),
                    "PYTHONPATH": str(root),
                },
                cwd=root,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.get("api/status")
                return self
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise RuntimeError(f"The Jupyter server does not start:\n{log.read_text()}") from None
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    def get(self, path: str) -> bytes:
        """Body of the answer to a request to the server."""
        request = urllib.request.Request(self._url + path, headers={"Authorization": f"token {self._token}"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            body: bytes = answer.read()
        return body

    def get_json(self, path: str) -> Any:
        """The answer's body, parsed."""
        return json.loads(self.get(path))
