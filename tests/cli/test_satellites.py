"""``satellite create``, ``info`` and ``list``, also as ``butler satellite``."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lsst.daf.butler import DimensionUniverse

from python_butler.cli import main
from python_butler.satellite import Satellite

pytestmark = pytest.mark.usefixtures("environment")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def mine(tmp_path: Path) -> Callable[[str], Path]:
    """Make a satellite of a release without asking a server."""
    return lambda label: Satellite.create(label, universe=DimensionUniverse()).root


def test_create_makes_a_satellite_with_its_instruments_and_says_so() -> None:
    result = run("create", "dp2")
    assert result.exit_code == 0, result.output
    assert "Created the satellite of dp2." in result.output
    with Satellite.open("dp2").reader() as reader:
        assert reader.query_dimension_records("instrument")
        assert reader.query_dimension_records("skymap")
    again = run("create", "dp2", "--json")
    assert json.loads(again.stdout)["own_datasets"] == 0


def test_create_registers_what_is_named_and_references_calibrations(tmp_path: Path) -> None:
    result = run(
        *("create", "dp2", "--root", str(tmp_path / "here"), "--records", "LSSTCam", "--json"),
        *("--calibrations", "LSSTCam/calib/DP2", "--begin", "2025-09-01", "--end", "2025-09-02"),
    )
    assert result.exit_code == 0, result.output
    info = json.loads(result.stdout)
    assert info["root"] == str(tmp_path / "here")
    assert info["references"] > 0
    with Satellite.open("dp2", tmp_path / "here").reader() as reader:
        assert not reader.query_dimension_records("skymap", explain=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("create",),
        ("create", "dp2", "--records", "LSSTCam", "--no-records"),
        ("create", "dp2", "--begin", "2025-09-01"),
        ("create", "dp2", "--calibrations", "c", "--begin", "soon"),
        ("create", "dp2", "--calibrations", "c", "--begin", "2025-09-02", "--end", "2025-09-01"),
        ("info",),
        ("list", "dp2"),
    ],
)
def test_wrong_usage_ends_with_2_and_does_nothing(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert not Satellite.exists("dp2")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "dp3"), "Known labels: dp2"),
        (("create", "dp2", "--records", "NoCam"), "knows no NoCam"),
        (("create", "dp2", "--calibrations", "no/such"), "no/such"),
        (("create", "dp2", "--calibrations", "LSSTCam/DP2/best-seeing"), "no calibration collection"),
        (("info", "dp2"), "You have no satellite of dp2 yet"),
        (("create", "a/b"), "cannot be the label"),
    ],
)
def test_what_cannot_be_done_ends_with_1_and_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert said in result.stderr
    assert result.stdout == ""


def test_info_is_for_people_or_for_programs(mine: Callable[[str], Path]) -> None:
    root = mine("dp2")
    shown = run("info", "dp2")
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Satellite of dp2\n")
    assert str(root) in shown.stdout
    document = json.loads(run("info", "dp2", "--json").stdout)
    assert document["label"] == "dp2"
    assert document["root"] == str(root)
    assert document == json.loads(Satellite.open("dp2").info().model_dump_json())


def test_list_names_all_of_them(mine: Callable[[str], Path]) -> None:
    assert "satellite create LABEL" in run("list").stdout
    assert json.loads(run("list", "--json").stdout) == []
    mine("dp1")
    root = mine("dp2")
    lines = run("list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["label", "dp1", "dp2"]
    assert lines[2].endswith(str(root))
    assert [each["label"] for each in json.loads(run("list", "--json").stdout)] == ["dp1", "dp2"]


def test_list_goes_on_after_a_broken_one_but_does_not_end_well(mine: Callable[[str], Path]) -> None:
    broken = mine("dp1")
    (broken / "satellite.json").write_text("{")
    mine("dp2")
    result = run("list")
    assert result.exit_code == 3
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["label", "dp2"]
    assert "satellite.json cannot be read" in result.stderr


def test_a_missing_science_stack_is_named_with_the_command_that_installs_it() -> None:
    # An interpreter in which lsst cannot be imported stands for JupyterLab's own environment.
    script = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['lsst', 'lsst.daf.butler']))\n"
        "from python_butler.cli import main; main(['info', 'dp2'])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert 'pip install "python-butler[kernel]"' in done.stderr
    assert "Traceback" not in done.stderr


def _butler(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("butler")), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_butler_command_has_the_same_subcommands(mine: Callable[[str], Path]) -> None:
    mine("dp2")
    help_ = _butler("satellite", "--help").stdout
    assert "create" in help_
    assert "demo" not in help_
    done = _butler("satellite", "info", "dp2", "--json")
    assert json.loads(done.stdout) == json.loads(run("info", "dp2", "--json").stdout)
    failed = _butler("satellite", "info", "dp1")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "You have no satellite of dp1 yet" in failed.stderr


def test_the_butler_command_loads_next_to_nothing_for_them() -> None:
    script = (
        "import sys, lsst.daf.butler.cli.butler\n"
        "before = set(sys.modules)\n"
        "from python_butler.cli.plugin import commands; commands()\n"
        "print(sorted(name for name in set(sys.modules) - before if not name.startswith('python_butler')))\n"
        "print(sorted(name for name in set(sys.modules) - before if name.count('.') > 2))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n[]\n", done.stderr
