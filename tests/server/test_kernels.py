"""A kernel that becomes the backend: wrappers of all kinds, in a real Jupyter server."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from python_butler.backend.models import ErrorReport
from python_butler.errors import BackendUnavailableError
from python_butler.server.choose import choose
from python_butler.server.instance import BackendInstance

from .conftest import STAND_IN, JupyterServer, alive, wait_until, write_kernelspec

LAUNCHER = f'{sys.executable} -m ipykernel_launcher -f "$1"'
WRAPPERS = {
    "replaced": f"export STAND_IN_WRAPPED=1\nexec {LAUNCHER}\n",
    "staying": f"export STAND_IN_WRAPPED=1\n{LAUNCHER}\nexit $?\n",
    "broken": "echo the stack is not set up >&2\nexit 3\n",
    "without": f"unset PYTHONPATH\nexport PYTHONPATH=$STAND_IN_NOTHING\nexec {LAUNCHER}\n",
}


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Jupyter data directory whose kernels find the stand-in where the backend should be."""
    data = tmp_path_factory.mktemp("kernels")
    backend = data / "packages" / "python_butler" / "backend"
    backend.mkdir(parents=True)
    (backend.parent / "__init__.py").touch()
    (backend / "__init__.py").touch()
    shutil.copy(STAND_IN[1], backend / "__main__.py")
    empty = data / "nothing" / "python_butler"
    empty.mkdir(parents=True)
    (empty / "__init__.py").touch()
    environment = {"PYTHONPATH": str(data / "packages"), "STAND_IN_NOTHING": str(data / "nothing")}
    for name, script in WRAPPERS.items():
        wrapper = data / name
        wrapper.write_text(f"#!/bin/sh\n{script}")
        wrapper.chmod(0o755)
        write_kernelspec(data, name, [str(wrapper), "{connection_file}"], env=environment)
    write_kernelspec(data, "missing", ["/no/such/wrapper", "{connection_file}"])
    write_kernelspec(data, "foreign", ["/usr/bin/R", "{connection_file}"], language="R")
    return data


@pytest.fixture(scope="module")
def server_with(start_jupyter: Callable[..., JupyterServer], kernels: Path) -> Callable[[str], JupyterServer]:
    """Start a Jupyter server that is told to use a kernel."""

    def start(name: str) -> JupyterServer:
        return start_jupyter(f"c.PythonButler.kernel_name = {name!r}\n", {"JUPYTER_PATH": str(kernels)})

    return start


def test_the_backend_takes_the_kernels_place(server_with) -> None:
    jupyter = server_with("replaced")
    # A user's file called like a standard module must not be imported.
    (jupyter.log.parent / "root" / "tornado.py").write_text("raise RuntimeError('imported')\n")
    answer = jupyter.get("echo")
    echo = answer.json()
    assert echo["wrapped"] == "1", "the wrapper's environment did not arrive"
    assert echo["pid"] == echo["process_group"], "it is not the process that was started"
    assert echo["safe_path"]
    assert not {"IPython", "ipykernel", "zmq"} & set(echo["modules"])
    assert not {"MPLBACKEND", "JPY_PARENT_PID", "FORCE_COLOR"} & set(echo["variables"])
    assert jupyter.client.get("api/kernels").json() == []
    assert jupyter.client.get("api/sessions").json() == []
    (directory,) = jupyter.directories()
    assert sorted(path.name for path in directory.iterdir()) == ["backend.sock", "output"]
    os.kill(echo["pid"], 2)  # interrupts are not ignored any more
    wait_until(lambda: not alive(echo["pid"]))


def test_a_wrapper_that_stays_is_no_hindrance(server_with) -> None:
    jupyter = server_with("staying")
    echo = jupyter.get("echo").json()
    assert echo["wrapped"] == "1"
    assert echo["pid"] != echo["process_group"]
    jupyter.close()
    assert not alive(echo["pid"])
    assert not alive(echo["process_group"])
    assert jupyter.directories() == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "the stack is not set up"),
        ("without", "No module named python_butler.backend"),
        ("missing", "No such file"),
        ("foreign", "does not run Python"),
    ],
)
async def test_a_kernel_that_cannot_become_the_backend_says_why(
    kernels: Path,
    run_directory: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    words: str,
) -> None:
    run = run_directory()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(run))
    specs = KernelSpecManager(kernel_dirs=[str(kernels / "kernels")])
    instance = BackendInstance(await choose((), name, specs, ""), logging.getLogger("tests.server"))
    began = time.monotonic()
    with pytest.raises(BackendUnavailableError) as caught:
        await instance.start(60)
    assert time.monotonic() - began < 30
    assert words in caught.value.message
    assert "PythonButler.kernel_name" in caught.value.next_step
    assert list(run.iterdir()) == []


def test_a_broken_kernel_leaves_the_rest_of_the_server_alone(server_with) -> None:
    jupyter = server_with("broken")
    answer = jupyter.get("repositories")
    assert answer.status_code == 503
    report = ErrorReport.model_validate(answer.json())
    assert report.kind == "backend"
    assert "the stack is not set up" in report.message
    state = jupyter.state()
    assert state["state"] == "failed"
    assert ErrorReport.model_validate(state["error"]).message == report.message
    assert jupyter.client.get("api/contents").is_success
    jupyter.close()
    assert jupyter.process.returncode == 0


def test_starting_a_kernel_hardly_holds_the_event_loop(server_with) -> None:
    jupyter = server_with("replaced")
    jupyter.client.get("api/kernelspecs")
    jupyter.client.get("loop-probe")
    assert jupyter.get("echo").is_success
    longest = jupyter.client.get("loop-probe").json()
    assert longest["seconds"] < 0.1, longest["callback"]
