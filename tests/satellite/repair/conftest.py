"""A satellite to be damaged, a process that is killed at given moments, and what a tree is like."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetType, DimensionUniverse

from python_butler.satellite import Satellite
from python_butler.satellite.repair import CheckReport, Kind
from tests.processes import running

RUN = "u/me/run"
NAMES = ("first", "second", "third", "lost")

type Killed = Callable[[str, Satellite], None]


def fill(satellite: Satellite) -> None:
    """Put three datasets, and register a dataset type that has none yet."""
    with satellite.writer() as writer:
        for name in NAMES:
            writer.registry.registerDatasetType(
                DatasetType(name, (), "StructuredDataDict", universe=writer.dimensions)
            )
        writer.collections.register(RUN)
        for name in NAMES[:3]:
            writer.put({"name": name}, name, run=RUN)


@pytest.fixture(scope="session")
def _healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    satellite = Satellite.create(
        "dp2", tmp_path_factory.mktemp("healthy") / "dp2", universe=DimensionUniverse()
    )
    fill(satellite)
    return satellite.root


@pytest.fixture
def satellite(_healthy: Path, tmp_path: Path) -> Satellite:
    """One in good order, to be damaged."""
    root = tmp_path / "butler" / "dp2"
    shutil.copytree(_healthy, root)
    return Satellite("dp2", root)


@pytest.fixture(scope="session")
def nursery() -> Iterator[subprocess.Popen[str]]:
    with started() as process:
        yield process


@contextmanager
def started() -> Iterator[subprocess.Popen[str]]:
    """Start the process whose children are killed."""
    command = [sys.executable, Path(__file__).with_name("killed.py")]
    with running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.fixture
def killed(nursery: subprocess.Popen[str]) -> Killed:
    """Let a process do something with a satellite that it is killed in, and wait for its end."""
    return _killing(nursery)


@pytest.fixture
def killed_here() -> Iterator[Killed]:
    """The same, with this process's environment."""
    with started() as process:
        yield _killing(process)


def _killing(nursery: subprocess.Popen[str]) -> Killed:
    def do(action: str, satellite: Satellite) -> None:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(f"{action} {satellite.root}\n")
        nursery.stdin.flush()
        status = int(nursery.stdout.readline())
        assert os.WIFSIGNALED(status), f"{action} came to its end"
        assert os.WTERMSIG(status) == signal.SIGKILL

    return do


@pytest.fixture
def read_only() -> Callable[[Path, str], str]:
    """Let a process of a user who may read a satellite, and not write it, say something about it."""
    if os.geteuid():
        pytest.skip("Only the superuser can become another user.")

    def say(root: Path, code: str) -> str:
        for path in [*root.parents[:-1], root, *root.rglob("*")]:
            if path.is_relative_to(root) or not path.stat().st_mode & 0o001:
                path.chmod(0o755 if path.is_dir() else 0o644)
        preface = "import os; from pathlib import Path; from python_butler.satellite import Satellite\n"
        preface += f"os.setgid(65534); os.setuid(65534); root = Path({str(root)!r})\n"
        done = subprocess.run(
            [sys.executable, "-c", preface + textwrap.dedent(code)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "HOME": str(root)},
        )
        assert not done.returncode, done.stderr
        return done.stdout

    return say


def tree(directory: Path) -> dict[str, str]:
    """Everything below a directory: the checksum of each file, and where each link leads."""
    found = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = str(path.readlink())
        else:
            found[name] = "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def kinds(report: CheckReport) -> Counter[Kind]:
    """What was found, remarks included."""
    return Counter(finding.kind for finding in [*report.findings, *report.remarks])


def only(report: CheckReport, kind: Kind, count: int = 1) -> None:
    """Make sure that this was found, and nothing else."""
    assert kinds(report) == {kind: count}, report.document()


def contents(satellite: Satellite) -> dict[str, object]:
    """Everything that can be read."""
    with satellite.reader() as reader:
        return {
            ref.datasetType.name: reader.get(ref)
            for ref in reader.query_all_datasets("*", find_first=False, limit=None)
        }
