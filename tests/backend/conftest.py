"""Real backends on real sockets, before a real Butler server with a small repository."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lsst.daf.butler import Butler

from python_butler.demo.platform import Platform
from tests.processes import PATIENCE

from . import small

HEADER = "X-Python-Butler-Secret"


class Backend:
    """A running backend process, its lease, and a client for it."""

    def __init__(self, directory: Path, environment: dict[str, str], *, lease: bool = True) -> None:
        self.secret = secrets.token_urlsafe(32)
        self.socket = directory / "run" / "backend.sock"
        self.log = directory / "backend.log"
        self.root = Path(environment["PYTHON_BUTLER_ROOT"])
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "python_butler.backend", "--socket", str(self.socket)],
                env={**environment, "PYTHON_BUTLER_BACKEND_SECRET": self.secret},
                stdout=output,
                stderr=output,
                cwd=directory,
            )
        self.client = self.new_client()
        self.lease = contextlib.ExitStack()
        try:
            wait_until(self.socket.exists)
            if lease:
                self.take_lease()
        except BaseException:
            self.process.kill()
            self.close()
            raise

    def new_client(self, **headers: str) -> httpx.Client:
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket)),
            base_url="http://backend",
            headers={HEADER: self.secret, **headers},
            timeout=60,
        )

    def take_lease(self) -> None:
        client = self.lease.enter_context(self.new_client())
        response = self.lease.enter_context(client.stream("GET", "/lease"))
        assert response.status_code == 200
        # Kept, since an iterator that is dropped closes the stream.
        self._held = response.iter_raw()
        assert next(self._held) == b"held\n"

    def get(self, path: str, **parameters: Any) -> Any:
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def error(self, path: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
        response = self.client.get(path, params=parameters)
        assert response.status_code != 200
        assert response.headers["X-Request-ID"] == response.json()["request_id"]
        return response.status_code, response.json()

    def page(self, kind: str, collection: str, dataset_type: str, **more: Any) -> list[dict[str, Any]]:
        response = self.client.get(
            f"/repositories/{kind}/dp2/datasets",
            params={"collection": collection, "dataset_type": dataset_type, **more},
        )
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/x-ndjson"
        return [json.loads(line) for line in response.text.splitlines()]

    def rows(self, kind: str, collection: str, dataset_type: str, limit: int) -> list[dict[str, Any]]:
        """All rows of a list, by as many pages as it takes."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            *events, end = self.page(kind, collection, dataset_type, limit=limit, **cursor)
            assert end["event"] == "end", end
            for event in events:
                assert event["event"] == "rows"
                found += event["rows"]
            if end["next_cursor"] is None:
                return found
            cursor = {"cursor": end["next_cursor"]}

    def close(self) -> None:
        self.lease.close()
        self.client.close()
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait for a condition that only another process can make true, and return what it gave."""
    end = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return result


def kernel_environment(platform: Platform, root: Path, **more: str) -> dict[str, str]:
    return {
        "DAF_BUTLER_CACHE_DIRECTORY": os.environ["DAF_BUTLER_CACHE_DIRECTORY"],
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **platform.environment,
        "PYTHON_BUTLER_ROOT": str(root),
        **more,
    }


@pytest.fixture(scope="session")
def small_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.build(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def official(small_repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A platform that serves the small repository; leave it as it was found."""
    with Platform(tmp_path_factory.mktemp("official"), repository=small_repository) as platform:
        yield platform


@pytest.fixture
def own_official(small_repository: Path, tmp_path: Path) -> Iterator[Platform]:
    """A platform for one test, which may stop and break it."""
    with Platform(tmp_path / "official", repository=small_repository) as platform:
        yield platform


@pytest.fixture(scope="session")
def expected(small_repository: Path) -> Iterator[Butler]:
    """The small repository opened directly: what lists must agree with."""
    with Butler.from_config(str(small_repository / "repo")) as butler:
        yield butler


@pytest.fixture(scope="session")
def backend(
    official: Platform, small_repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Backend]:
    """The backend that most tests share; it has a personal repository like the official one."""
    directory = tmp_path_factory.mktemp("backend")
    shutil.copytree(small_repository / "repo", directory / "butler" / "dp2")
    backend = Backend(directory, kernel_environment(official, directory / "butler"))
    try:
        yield backend
    finally:
        backend.close()


@pytest.fixture
def start_backend(tmp_path: Path) -> Iterator[Callable[..., Backend]]:
    """Starts backends for one test."""
    with contextlib.ExitStack() as stack:

        def start(platform: Platform, *, lease: bool = True, **more: str) -> Backend:
            environment = kernel_environment(platform, tmp_path / "butler", **more)
            backend = Backend(tmp_path, environment, lease=lease)
            stack.callback(backend.close)
            return backend

        yield start


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin something; the result waits for it."""
    outcome: list[Any] = []
    thread = threading.Thread(target=lambda: outcome.append(work()), daemon=True)
    thread.start()

    def finish() -> Any:
        thread.join(60)
        assert outcome, "did not finish"
        return outcome[0]

    return finish
