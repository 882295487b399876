"""``satellite backup``, ``restore`` and ``migrate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lsst.daf.butler import DatasetType, DimensionUniverse

from python_butler.cli import main
from python_butler.satellite import Satellite


@pytest.fixture(autouse=True)
def satellite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Satellite:
    """A satellite at its usual place."""
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))
    satellite = Satellite.create("dp2", universe=DimensionUniverse())
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=writer.dimensions)
        )
        writer.collections.register("u/me/run")
        writer.put({"number": 7}, "number", run="u/me/run")
    return satellite


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_a_satellite_is_backed_up_checked_and_restored(tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    done = run("backup", "dp2", file)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"1 datasets and 1 files are in {file}")
    checked = run("backup", "--verify", file)
    assert checked.exit_code == 0, checked.output
    assert "is a whole backup of the satellite of dp2" in checked.stdout
    assert json.loads(run("backup", "--verify", file, "--json").stdout)["index"]["datasets"] == 1
    restored = run("restore", file, "--root", tmp_path / "new")
    assert restored.exit_code == 0, restored.output
    assert restored.stdout.startswith("Restored the satellite of dp2.\n")
    again = run("restore", file, "--root", tmp_path / "again", "--label", "dp2", "--json")
    assert json.loads(again.stdout)["own_datasets"] == 1


def test_what_is_missing_is_told_with_a_code_of_its_own(satellite: Satellite, tmp_path: Path) -> None:
    next(path for path in (satellite.root / "files").rglob("*") if path.is_file()).unlink()
    done = run("backup", "dp2", tmp_path / "backup.tar")
    assert done.exit_code == 3
    assert "is missing in the satellite" in done.stderr
    checked = run("backup", "--verify", tmp_path / "backup.tar")
    assert checked.exit_code == 3
    assert "is missing" in checked.stderr


def test_a_satellite_moves_and_says_what_is_left(satellite: Satellite, tmp_path: Path) -> None:
    done = run("migrate", "dp2", "--to", tmp_path / "new", "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["root"] == str(tmp_path / "new")
    assert report["left"] == [str(satellite.root)]
    back = run("migrate", "dp2", "--root", tmp_path / "new", "--storage", tmp_path / "files", "--remove-old")
    assert back.exit_code == 0, back.output
    assert str(tmp_path / "files") in back.stdout
    assert not (tmp_path / "new" / "files").exists()
    assert run("migrate", "dp2", "--root", tmp_path / "new", "--abandon").stdout.startswith(
        "There is no move"
    )


def test_how_to_lock_is_changed(satellite: Satellite) -> None:
    assert "by files" in run("migrate", "dp2", "--locks", "files").stdout
    done = run("migrate", "dp2", "--locks", "auto", "--json")
    assert json.loads(done.stdout) == {"locks": "posix"}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("backup",), 2, "Name the label"),
        (("backup", "dp2"), 2, "Name the label"),
        (("backup", "dp2", "x.tar", "--verify", "y.tar"), 2, "all that is needed"),
        (("backup", "--verify", "none.tar"), 1, "cannot be read"),
        (("backup", "dp1", "x.tar"), 1, "no satellite of dp1"),
        (("restore", "none.tar"), 1, "cannot be read"),
        (("migrate", "dp2"), 1, "is there already"),
        (("migrate", "dp2", "--abandon", "--to", "x"), 2, "no other option"),
        (("migrate", "dp2", "--locks", "files", "--abandon"), 2, "no other option"),
        (("migrate", "dp2", "--registry", "postgresql://me:pw@host/db"), 1, "holds a password"),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == code
    assert said in done.stderr
    assert "pw@" not in done.output
    assert done.stdout == ""
