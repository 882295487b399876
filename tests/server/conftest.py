"""Real Jupyter servers on loopback, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import PATIENCE

STAND_IN = [sys.executable, str(Path(__file__).with_name("stand_in.py"))]
ROOT = Path(__file__).parents[2]
BASE = "/user/a%40b/"


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition that only another process can make true, and return what it gave."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return result


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended but was not yet taken note of does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class JupyterServer:
    """A running Jupyter server with the extension enabled."""

    def __init__(self, directory: Path, run: Path, python: str, config: str, environment: dict[str, str]):
        self.token = secrets.token_hex(24)
        self.run = run
        self.log = directory / "server.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (directory / "root").mkdir()
        file = directory / "config.py"
        file.write_text(
            f"c.ServerApp.ip = '127.0.0.1'\n"
            f"c.ServerApp.port = {port}\n"
            f"c.ServerApp.port_retries = 0\n"
            f"c.ServerApp.base_url = {BASE!r}\n"
            f"c.ServerApp.allow_root = True\n"
            f"c.ServerApp.open_browser = False\n"
            f"c.ServerApp.log_level = 'DEBUG'\n"
            f"c.ServerApp.root_dir = {str(directory / 'root')!r}\n"
            f"c.ServerApp.jpserver_extensions = {{'python_butler.server': True, 'loop_probe': True}}\n"
            f"c.IdentityProvider.token = {self.token!r}\n" + config
        )
        own = {
            "HOME": str(directory),
            "IPYTHONDIR": str(directory / "ipython"),
            "JUPYTER_CONFIG_DIR": str(directory / "jupyter"),
            "JUPYTER_DATA_DIR": str(directory / "data"),
            "JUPYTER_RUNTIME_DIR": str(directory / "runtime"),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
            "XDG_RUNTIME_DIR": str(run),
        }
        self.url = f"http://127.0.0.1:{port}{BASE}"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-P", "-m", "jupyter_server", f"--config={file}"],
                cwd=directory / "root",
                env={**os.environ, **own, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"token {self.token}"}, timeout=60, trust_env=False
        )
        try:
            wait_until(self._answers)
        except BaseException:
            self.close()
            raise

    def get(self, path: str, **options: Any) -> httpx.Response:
        """Ask the backend, through the relay."""
        return self.client.get(f"python-butler/api/{path}", **options)

    def state(self) -> dict[str, Any]:
        """What the extension says of the backend."""
        return self.client.get("python-butler/backend").json()

    def directories(self) -> list[Path]:
        """The backend's directories that exist."""
        return list(self.run.glob("python-butler-backend-*"))

    def close(self) -> None:
        """End the server as a person would."""
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.client.get("api/status").is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Callable[[], Path]]:
    """Make directories whose paths are short enough for sockets, as ``XDG_RUNTIME_DIR`` is."""
    made = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="pb-", dir="/tmp")))
        return made[-1]

    yield make
    for path in made:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def start_jupyter(
    tmp_path_factory: pytest.TempPathFactory, run_directory: Callable[[], Path]
) -> Iterator[Callable[..., JupyterServer]]:
    """Start Jupyter servers; all of them are ended with the module."""
    with contextlib.ExitStack() as stack:

        def start(
            config: str = "", environment: dict[str, str] | None = None, python: str = sys.executable
        ) -> JupyterServer:
            directory = tmp_path_factory.mktemp("jupyter")
            server = JupyterServer(directory, run_directory(), python, config, environment or {})
            stack.callback(lambda: server.process.poll() is None and server.close())
            return server

        yield start


@pytest.fixture(scope="module")
def jupyter(start_jupyter: Callable[..., JupyterServer]) -> JupyterServer:
    """A Jupyter server whose backend is the stand-in."""
    return start_jupyter(f"c.PythonButler.backend_command = {STAND_IN!r}\n")


def write_kernelspec(data: Path, name: str, argv: list[str], **fields: Any) -> None:
    """Install a kernelspec below a Jupyter data directory."""
    directory = data / "kernels" / name
    directory.mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, "language": "python", **fields}
    (directory / "kernel.json").write_text(json.dumps(spec))
