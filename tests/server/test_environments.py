"""Two Pythons, as on the platform: JupyterLab's has no lsst package, the kernel's has."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from .conftest import ROOT, JupyterServer, alive, wait_until, write_kernelspec

SCIENCE = ["lsst", "numpy", "pyarrow", "fastapi", "uvicorn", "pandas", "astropy", "sqlalchemy"]


def plain_install() -> Iterator[importlib.metadata.Distribution]:
    """The distributions that `pip install python-butler` brings, and those that they bring."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        for extra in ("", *requirement.extras):
            if (requirement.name, extra) in seen:
                continue
            seen.add((requirement.name, extra))
            distribution = importlib.metadata.distribution(requirement.name)
            waiting += [
                needed
                for needed in map(Requirement, distribution.requires or [])
                if needed.marker is None or needed.marker.evaluate({"extra": extra})
            ]
            if not extra:
                yield distribution


@pytest.fixture(scope="module")
def plain_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own, with the plain install and nothing else.

    The packages are links to those installed here, chosen by what the distributions' metadata say:
    as isolated as an installation, in a second.
    """
    directory = tmp_path_factory.mktemp("plain")
    venv.create(directory, symlinks=True)
    (packages,) = directory.glob("lib/python*/site-packages")
    for distribution in plain_install():
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (packages / top).exists() and not top.endswith(".pth"):
                (packages / top).symlink_to(distribution.locate_file(top))
    return directory / "bin" / "python"


@pytest.fixture(scope="module")
def platform_like(
    plain_python: Path, start_jupyter: Callable[..., JupyterServer], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], JupyterServer]:
    """Start Jupyter servers on the plain Python, with a kernelspec `lsst` that is a wrapper."""
    data = tmp_path_factory.mktemp("platform_like")
    wrapper = data / "setup-stack"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m ipykernel_launcher -f "$1"\n')
    wrapper.chmod(0o755)
    write_kernelspec(data, "lsst", [str(wrapper), "{connection_file}"], env={"PYTHONPATH": str(ROOT)})
    return lambda: start_jupyter("", {"JUPYTER_PATH": str(data)}, python=str(plain_python))


def test_the_plain_environment_has_no_science_package(plain_python: Path) -> None:
    show = "import importlib.util, sys; print([n for n in sys.argv[1:] if importlib.util.find_spec(n)])"
    done = subprocess.run(
        [plain_python, "-P", "-c", show, *SCIENCE], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_extension_loads_no_science_package() -> None:
    # In the environment that has them all: there an import would go unnoticed.
    done = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-c", "import python_butler.server.extension"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "python_butler" in loaded
    assert not loaded & set(SCIENCE)


def test_nothing_configured_a_plain_jupyter_finds_the_stack(platform_like) -> None:
    jupyter = platform_like()
    assert jupyter.state() == {"state": "stopped", "error": None}
    status = jupyter.get("status")
    assert status.status_code == 200, status.text
    assert "lsst-daf-butler" in status.json()["packages"]
    assert jupyter.state() == {"state": "running", "error": None}
    jupyter.close()
    assert not alive(status.json()["pid"])
    assert jupyter.directories() == []


def test_a_killed_server_leaves_no_orphan(platform_like) -> None:
    jupyter = platform_like()
    pid = jupyter.get("status").json()["pid"]
    jupyter.process.kill()
    jupyter.process.wait()
    jupyter.client.close()
    # It waits 5 s for its server to come back, then ends in its own time.
    wait_until(lambda: not alive(pid))
