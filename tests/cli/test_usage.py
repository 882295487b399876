"""``satellite usage`` and ``satellite prune``: on a terminal, in a pipe, and for programs."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lsst.daf.butler import CollectionType, DatasetType, DimensionUniverse

from python_butler.cli import main
from python_butler.satellite import Satellite


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A satellite with three versions of one dataset, and one that is no version."""
    root = tmp_path_factory.mktemp("made") / "dp2"
    with Satellite.create("dp2", root, universe=DimensionUniverse()).writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("stars", (), "StructuredDataDict", universe=writer.dimensions)
        )
        for run in ("u/me/cat/v1", "u/me/cat/v2", "u/me/cat/v3", "u/me/plain"):
            writer.collections.register(run)
            writer.put({"a": "x" * 3000}, "stars", run=run)
        writer.collections.register("u/me/cat", CollectionType.CHAINED)
        writer.collections.redefine_chain("u/me/cat", [f"u/me/cat/v{n}" for n in (3, 2, 1)])
    return root


@pytest.fixture
def satellite(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Satellite:
    """A copy of it for one test."""
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))
    monkeypatch.delenv("PYTHON_BUTLER_QUOTA", raising=False)
    shutil.copytree(made, tmp_path / "butler" / "dp2")
    return Satellite.open("dp2")


def _count(satellite: Satellite) -> int:
    with satellite.reader() as reader:
        return len(reader.query_all_datasets("*", find_first=False))


def test_usage_is_for_people(satellite: Satellite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_BUTLER_QUOTA", "40GB")
    result = run("usage", "dp2")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["u/me/cat", "3", "9.01", "kB"] in lines
    assert any(line[:4] == ["v3", "1", "3.00", "kB"] for line in lines)
    assert ["stars", "4", "12.0", "kB"] in lines
    assert ["own", "datasets", "4", "12.0", "kB"] in lines
    assert "Your quota is 40.0 GB, says PYTHON_BUTLER_QUOTA" in result.stdout
    assert "says the file system" in result.stdout


def test_usage_is_for_programs(satellite: Satellite) -> None:
    document = json.loads(run("usage", "dp2", "--json").stdout)
    usage = satellite.usage()
    expected = {**json.loads(usage.model_dump_json()), "bytes": usage.bytes}
    # Others write to the disk meanwhile.
    document["volume"]["free"] = expected["volume"]["free"]
    assert document == expected
    assert document["collections"][0]["versions"][0]["run"] == "u/me/cat/v3"


def test_many_collections_are_cut_short_unless_all_are_wanted(satellite: Satellite) -> None:
    with satellite.writer() as writer:
        for i in range(20):
            writer.collections.register(f"u/me/more{i}")
            writer.put({"a": i}, "stars", run=f"u/me/more{i}")
    assert "7 collections" in run("usage", "dp2").stdout
    assert "u/me/more19" in run("usage", "dp2", "--all").stdout


def test_an_empty_satellite_has_only_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))
    Satellite.create("dp2", universe=DimensionUniverse())
    shown = run("usage", "dp2").stdout
    assert "database" in shown
    assert "Your own datasets" not in shown


def test_a_dry_run_tells_what_would_be_removed(satellite: Satellite) -> None:
    result = run("prune", "dp2", "--keep-versions", "2", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "u/me/cat/v1" in result.stdout
    assert "Together 1 dataset, 3.00 kB." in result.stdout
    assert _count(satellite) == 4


def test_prune_says_what_before_and_after(satellite: Satellite) -> None:
    result = run("prune", "dp2", "--keep-versions", "2", "--yes")
    assert result.exit_code == 0, result.output
    assert result.stdout.index("u/me/cat/v1") < result.stdout.index("1 removed: 3.00 kB.")
    assert "1 empty run of old versions removed." in result.stdout
    assert _count(satellite) == 3
    again = run("prune", "dp2", "--keep-versions", "2", "--yes")
    assert (again.exit_code, again.stdout) == (0, "There is nothing to remove.\n")


def test_prune_answers_programs_with_one_document(satellite: Satellite) -> None:
    document = json.loads(run("prune", "dp2", "--keep-versions", "1", "--yes", "--json").stdout)
    assert document["removed"] == 2
    assert [each["run"] for each in document["own"]] == ["u/me/cat/v1", "u/me/cat/v2"]
    assert document["runs"] == ["u/me/cat/v1", "u/me/cat/v2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--older-than or --keep-versions"),
        (("--keep-versions", "2"), "--yes, or --dry-run"),
        (("--keep-versions", "-1", "--yes"), "-1"),
    ],
)
def test_prune_refuses_wrong_usage(satellite: Satellite, arguments: tuple[str, ...], said: str) -> None:
    result = run("prune", "dp2", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert _count(satellite) == 4


@pytest.mark.parametrize("arguments", [("--older-than", "soon", "--yes"), ("--keep-versions", "0", "--yes")])
def test_what_nobody_can_mean_is_an_error(satellite: Satellite, arguments: tuple[str, ...]) -> None:
    result = run("prune", "dp2", *arguments)
    assert result.exit_code == 1
    assert _count(satellite) == 4


# Ctrl-C goes to the process that owns the terminal.
OWNING = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"


def _on_terminal(types: bytes, *arguments: str) -> tuple[int, str]:
    """Exit code and what a person sees who types something when asked, and again while nothing happens."""
    parent, child = pty.openpty()
    shown = b""
    process = subprocess.Popen(
        [sys.executable, "-c", f"{OWNING}; from python_butler.cli import main; main()", *arguments],
        stdin=child,
        stdout=child,
        stderr=child,
        start_new_session=True,
    )
    try:
        os.close(child)
        for _ in range(20):
            if select.select([parent], [], [], 10.0)[0]:
                try:
                    shown += os.read(parent, 65_536)
                except OSError:  # Linux's way to say that the last one has closed the terminal
                    break
                if not shown.endswith(b"[y/N]: "):
                    continue
            # Between asking and reading, Python takes note of Ctrl-C and goes on waiting.
            if b"[y/N]" in shown:
                os.write(parent, types)
        return process.wait(10), shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def test_a_person_is_asked_and_may_agree(satellite: Satellite) -> None:
    code, shown = _on_terminal(b"y\n", "prune", "dp2", "--keep-versions", "2")
    assert code == 0, shown
    assert "─" in shown
    assert "Remove them?" in shown
    assert "1 removed" in shown
    assert _count(satellite) == 3


@pytest.mark.parametrize("answer", [b"n\n", b"\x03"])
def test_a_person_may_disagree_or_press_control_c(satellite: Satellite, answer: bytes) -> None:
    code, shown = _on_terminal(answer, "prune", "dp2", "--keep-versions", "2")
    assert code == 130, shown
    assert "Traceback" not in shown
    assert _count(satellite) == 4


def test_usage_on_a_terminal_has_bars(satellite: Satellite) -> None:
    code, shown = _on_terminal(b"", "usage", "dp2")
    assert code == 0
    assert "█" in shown
