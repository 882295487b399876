"""The process: who may reach it, when it ends, what it logs."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from python_butler.backend.serve import bind
from python_butler.demo.platform import Platform

from .conftest import HEADER, Backend, in_thread, wait_until


def test_the_socket_and_its_directory_are_the_owners_alone(backend: Backend) -> None:
    assert stat.S_IMODE(backend.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(backend.socket.parent.stat().st_mode) == 0o700


def test_a_directory_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with pytest.raises(PermissionError, match="0700"):
        bind(tmp_path / "socket")


@pytest.mark.parametrize("path", ["/status", "/repositories", "/lease", "/nowhere"])
@pytest.mark.parametrize("secret", ["", "wrong", "\xe9"])
def test_nothing_is_answered_without_the_secret(backend: Backend, path: str, secret: str) -> None:
    transport = httpx.HTTPTransport(uds=str(backend.socket))
    with httpx.Client(transport=transport, base_url="http://backend") as client:
        response = client.get(path, headers=[(HEADER, secret.encode("latin-1"))])
    assert response.status_code == 503
    assert response.json()["kind"] == "backend"


def test_a_request_keeps_its_identifier_or_is_given_one(backend: Backend) -> None:
    answer = backend.client.get("/status", headers={"X-Request-ID": "of-the-page-1"})
    assert answer.headers["X-Request-ID"] == "of-the-page-1"
    first, second = (backend.client.get("/status").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    answer = backend.client.get("/status", headers={"X-Request-ID": "not fit: <script>"})
    assert answer.headers["X-Request-ID"] != "not fit: <script>"


def test_the_status_tells_versions_and_which_process_answers(backend: Backend) -> None:
    status = backend.get("/status")
    assert status["pid"] == backend.process.pid
    assert status["packages"]["lsst-daf-butler"]


def test_the_environment_no_longer_holds_the_secret(official: Platform, tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from python_butler.backend import serve\n"
        "async def look(listener, secret): print(secret, serve.SECRET_VARIABLE in os.environ)\n"
        "serve._serve = look\n"
        "sys.exit(serve.main(['--socket', sys.argv[1]]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run" / "socket")],
        env={**os.environ, "PYTHON_BUTLER_BACKEND_SECRET": "s3cret"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["s3cret", "False"]
    assert "s3cret" not in done.stderr


def test_without_a_secret_it_does_not_start(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON_BUTLER_BACKEND_SECRET"}
    done = subprocess.run(
        [sys.executable, "-m", "python_butler.backend", "--socket", str(tmp_path / "run" / "socket")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "PYTHON_BUTLER_BACKEND_SECRET" in done.stderr
    assert not (tmp_path / "run").exists()


def test_it_ends_when_the_lease_is_lost_even_in_the_midst_of_work(
    own_official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(own_official)
    assert backend.get("/repositories")["repositories"]
    own_official.set_latency(60)
    in_thread(lambda: backend.client.get("/repositories/official/dp2/collections"))
    backend.lease.close()
    assert backend.process.wait(20) == 0
    assert not backend.socket.exists()
    assert "Nobody holds the lease" in backend.log.read_text()


def test_a_second_lease_keeps_it_alive(official: Platform, start_backend: Callable[..., Backend]) -> None:
    backend = start_backend(official)
    first = backend.lease.pop_all()
    backend.take_lease()
    first.close()
    with pytest.raises(subprocess.TimeoutExpired):
        backend.process.wait(7)
    assert backend.get("/status")


def test_requests_wait_while_the_science_packages_are_loaded(
    official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official)
    # The socket is there long before lsst.daf.butler is.
    assert backend.get("/repositories")["repositories"]


def test_termination_removes_the_socket(official: Platform, start_backend: Callable[..., Backend]) -> None:
    backend = start_backend(official)
    wait_until(lambda: backend.get("/status"))
    backend.process.send_signal(signal.SIGTERM)
    backend.process.wait(20)
    assert not backend.socket.exists()


def test_an_environment_without_the_butler_is_told(
    tmp_path: Path, official: Platform, start_backend: Callable[..., Backend]
) -> None:
    hiding = tmp_path / "hiding"
    (hiding / "lsst" / "daf").mkdir(parents=True)
    broken = hiding / "lsst" / "daf" / "butler"
    broken.mkdir()
    (hiding / "lsst" / "__init__.py").touch()
    (hiding / "lsst" / "daf" / "__init__.py").touch()
    (broken / "__init__.py").write_text("raise ImportError('no science here')")
    backend = start_backend(official, PYTHONPATH=f"{hiding}:{Path(__file__).parents[2]}")
    status, error = backend.error("/repositories")
    assert (status, error["kind"]) == (503, "backend")
    assert "science packages" in error["message"]
    assert "no science here" in backend.log.read_text()
    assert backend.get("/status")["pid"] == backend.process.pid
