"""Which packages are loaded by importing ours: JupyterLab's own environment has no ``lsst`` package."""

import json
import subprocess
import sys

import pytest

SHOW_MODULES = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def packages_loaded_by(module: str) -> set[str]:
    """Top-level names in ``sys.modules`` of a fresh interpreter that imported one module."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", SHOW_MODULES, module], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "module",
    [
        "python_butler",
        "python_butler.server",
        "python_butler.cli",
        "python_butler.credentials",
        "python_butler.backend.models",
        "python_butler.backend.openapi",
        # Somebody asks again and again how far a run is.
        "python_butler.processing.reporting",
    ],
)
def test_importing_loads_no_science_package(module: str) -> None:
    loaded = packages_loaded_by(module)
    assert not loaded & {"lsst", "astropy", "numpy", "pandas", "pyarrow"}


def test_importing_the_package_loads_little_else() -> None:
    # Notebooks import it in their first cell, and the Jupyter server at start-up.
    assert not packages_loaded_by("python_butler") & {
        "pydantic",
        "tornado",
        "fastapi",
        "httpx2",
        "jupyter_server",
    }


def test_without_the_science_stack_opening_says_what_to_install() -> None:
    script = "import sys; sys.modules['lsst'] = None; import python_butler; python_butler.open('dp2')"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True)
    assert done.returncode != 0
    assert 'pip install "python-butler[kernel]"' in done.stderr.splitlines()[-1]
