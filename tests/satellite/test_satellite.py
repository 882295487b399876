"""Making, finding and reading the personal repository on disk."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, DatasetType, DimensionUniverse

from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite

UNIVERSE = DimensionUniverse()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "butler" / "dp2"


@pytest.fixture
def satellite(root: Path) -> Satellite:
    return Satellite.create("dp2", root, universe=UNIVERSE)


def put_number(satellite: Satellite, number: int) -> None:
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("number", (), "StructuredDataDict", universe=writer.dimensions)
        )
        writer.collections.register("u/me/run")
        writer.put({"number": number}, "number", run="u/me/run")


def test_a_new_satellite_is_an_empty_butler_repository(satellite: Satellite) -> None:
    with Butler.from_config(str(satellite.root)) as butler:
        assert butler.collections.query("*") == []
        assert list(butler.registry.queryDatasetTypes()) == []


def test_its_configuration_freezes_no_defaults(satellite: Satellite) -> None:
    lines = (satellite.root / "butler.yaml").read_text().splitlines()
    assert len(lines) < 30
    assert not any("formatters" in line for line in lines)


def test_a_plain_butler_reads_what_was_written(satellite: Satellite) -> None:
    put_number(satellite, 7)
    with Butler.from_config(str(satellite.root), collections="u/me/run") as butler:
        assert butler.get("number") == {"number": 7}
    assert list((satellite.root / "files").rglob("*.yaml")) or list(
        (satellite.root / "files").rglob("*.json")
    )


def test_it_can_be_moved(satellite: Satellite, tmp_path: Path) -> None:
    put_number(satellite, 7)
    satellite.root.rename(tmp_path / "elsewhere")
    moved = Satellite.open("dp2", tmp_path / "elsewhere")
    with Butler.from_config(str(moved.root), collections="u/me/run") as butler:
        assert butler.get("number") == {"number": 7}


def test_creating_twice_keeps_what_is_there(satellite: Satellite) -> None:
    put_number(satellite, 7)
    again = Satellite.create("dp2", satellite.root, universe=UNIVERSE)
    with Butler.from_config(str(again.root), collections="u/me/run") as butler:
        assert butler.get("number") == {"number": 7}


def test_a_label_with_a_dot_is_fine(tmp_path: Path) -> None:
    satellite = Satellite.create("dp0.2", tmp_path / "dp0.2", universe=UNIVERSE)
    put_number(satellite, 1)
    assert Satellite.exists("dp0.2", tmp_path / "dp0.2")


def test_an_empty_directory_becomes_the_satellite(root: Path) -> None:
    root.mkdir(parents=True)
    Satellite.create("dp2", root, universe=UNIVERSE)
    assert Satellite.exists("dp2", root)


@pytest.mark.parametrize("content", ["notes.txt", "butler.yaml"])
def test_a_directory_that_holds_something_else_is_left_alone(root: Path, content: str) -> None:
    root.mkdir(parents=True)
    (root / content).write_text("mine")
    with pytest.raises(SatelliteError, match="not a satellite"):
        Satellite.create("dp2", root, universe=UNIVERSE)
    with pytest.raises(SatelliteError, match="not a satellite"):
        Satellite.open("dp2", root)
    assert [path.name for path in root.iterdir()] == [content]
    assert [path.name for path in root.parent.iterdir()] == ["dp2"]


def test_a_file_in_its_place_is_left_alone(root: Path) -> None:
    root.parent.mkdir(parents=True)
    root.write_text("mine")
    with pytest.raises(SatelliteError, match="not a satellite"):
        Satellite.create("dp2", root, universe=UNIVERSE)
    assert root.read_text() == "mine"


def test_the_satellite_of_another_release_is_refused(satellite: Satellite) -> None:
    with pytest.raises(SatelliteError, match="satellite of dp2, not of dp1"):
        Satellite.open("dp1", satellite.root)
    with pytest.raises(SatelliteError, match="satellite of dp2, not of dp1"):
        Satellite.create("dp1", satellite.root, universe=UNIVERSE)


def test_a_satellite_of_a_newer_version_is_refused(satellite: Satellite) -> None:
    (satellite.root / "satellite.json").write_text('{"format": 99, "label": "dp2"}')
    with pytest.raises(SatelliteError, match="Upgrade"):
        Satellite.open("dp2", satellite.root)


def test_an_absent_satellite_says_how_to_get_one(root: Path) -> None:
    assert not Satellite.exists("dp2", root)
    with pytest.raises(SatelliteError, match="first put creates it"):
        Satellite.open("dp2", root)


def test_a_damaged_database_is_reported(satellite: Satellite) -> None:
    (satellite.root / "gen3.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(SatelliteError, match="cannot be opened"):
        satellite.reader()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SatelliteError, match="cannot be created"):
        Satellite.create("dp2", tmp_path / "dp2", universe=UNIVERSE)


def test_a_failure_on_the_way_leaves_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    # A full disk cannot be had here.
    monkeypatch.setattr(Butler, "makeRepo", fail)
    with pytest.raises(SatelliteError, match="No space left"):
        Satellite.create("dp2", root, universe=UNIVERSE)
    assert list(root.parent.iterdir()) == []


def test_two_processes_that_create_it_at_once_both_have_it(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lsst.daf.butler import DimensionUniverse;"
        "from python_butler.satellite import Satellite;"
        "universe = DimensionUniverse(); print('ready', flush=True); sys.stdin.readline();"
        f"print(Satellite.create('dp2', Path({str(root)!r}), universe=universe).root)"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.communicate(timeout=60)[0].strip() for process in processes] == [str(root)] * 3
    finally:
        for process in processes:
            process.kill()
    assert [path.name for path in root.parent.iterdir()] == ["dp2"]
    put_number(Satellite.open("dp2", root), 3)


def test_a_reader_cannot_write(satellite: Satellite) -> None:
    with satellite.reader() as reader:
        assert not reader.isWriteable()


def test_the_version_changes_with_the_content_and_not_otherwise(satellite: Satellite) -> None:
    before = satellite.version()
    with satellite.reader() as reader:
        reader.collections.query("*")
    assert satellite.version() == before
    put_number(satellite, 1)
    assert satellite.version() != before


def test_the_handle_can_be_pickled(satellite: Satellite) -> None:
    copy = pickle.loads(pickle.dumps(satellite))
    assert (copy.label, copy.root) == (satellite.label, satellite.root)
