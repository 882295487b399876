"""Damaged files of the directory itself, and a directory that is not there or not ours."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from pathlib import Path

import pytest
import yaml
from lsst.daf.butler import Butler, DimensionUniverse

from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Kind

from .conftest import Killed, contents, fill, only, tree


@pytest.mark.parametrize("how", ["missing", "damaged"])
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("butler.yaml", Kind.CONFIGURATION),
        ("satellite.json", Kind.MARKER),
        ("personal.yaml", Kind.FALLBACK),
    ],
)
def test_a_lost_file_of_the_directory_is_written_again(
    satellite: Satellite, name: str, kind: Kind, how: str
) -> None:
    before = contents(satellite)
    path = satellite.root / name
    original = yaml.safe_load(path.read_bytes())
    if how == "missing":
        path.unlink()
    else:
        path.write_bytes(b"\0\0\0{")
    damaged = tree(satellite.root)
    only(satellite.check(), kind)
    assert tree(satellite.root) == damaged
    assert satellite.repair().clean
    found = yaml.safe_load(path.read_bytes())
    if kind is Kind.MARKER:
        assert (found["format"], found["label"]) == (original["format"], "dp2")
    else:
        assert found == original
    assert satellite.check().clean
    assert contents(Satellite.open("dp2", satellite.root)) == before
    with Butler.from_config(str(satellite.root / "personal.yaml")) as butler:
        assert butler.exists("first", collections="u/me/run")
    if how == "damaged":
        (kept,) = (satellite.root / "lost+found").rglob(name)
        assert kept.read_bytes() == b"\0\0\0{"


def test_a_fallback_that_knows_less_than_the_satellite_is_brought_up_to_date(satellite: Satellite) -> None:
    path = satellite.root / "personal.yaml"
    original = yaml.safe_load(path.read_bytes())
    path.write_text(yaml.safe_dump({k: v for k, v in original.items() if k != "storageClasses"}))
    only(satellite.check(), Kind.FALLBACK)
    assert satellite.repair().clean
    assert yaml.safe_load(path.read_bytes()) == original


def test_without_any_configuration_it_says_what_to_restore(satellite: Satellite) -> None:
    for name in ("butler.yaml", "personal.yaml"):
        (satellite.root / name).unlink()
    (result,) = satellite.repair().left
    assert result.finding.kind is Kind.CONFIGURATION
    assert "backup" in result.detail


def test_a_configuration_where_users_take_turns_by_files_stays_so(tmp_path: Path) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=DimensionUniverse(), locks="files")
    fill(satellite)
    original = yaml.safe_load((satellite.root / "butler.yaml").read_bytes())
    assert satellite.check(min_age=0).clean
    (satellite.root / "butler.yaml").unlink()
    assert satellite.repair().clean
    assert yaml.safe_load((satellite.root / "butler.yaml").read_bytes()) == original
    assert satellite.check(min_age=0).clean


def test_where_users_take_turns_by_files_a_dead_writer_is_found(tmp_path: Path, killed: Killed) -> None:
    satellite = Satellite.create("dp2", tmp_path / "dp2", universe=DimensionUniverse(), locks="files")
    fill(satellite)
    before = contents(satellite)
    killed("turn_in_the_middle", satellite)
    found = satellite.check(min_age=0).counts()
    assert set(found) == {Kind.HOT_JOURNAL, Kind.DATABASE_LOCK}
    assert satellite.repair(min_age=0).clean
    assert satellite.check(min_age=0).clean
    assert contents(satellite) == before


@pytest.mark.parametrize("what", ["nothing", "empty", "foreign", "file", "repository"])
def test_what_is_no_satellite_is_refused_and_left(tmp_path: Path, what: str) -> None:
    root = tmp_path / "dp2"
    match what:
        case "empty":
            root.mkdir()
        case "foreign":
            root.mkdir()
            (root / "thesis.tex").write_text("unfinished")
        case "file":
            root.write_text("a file")
        case "repository":
            Butler.makeRepo(str(root))
    before = tree(tmp_path)
    with pytest.raises(SatelliteError):
        Satellite("dp2", root).repair(quarantine=True, forget_lost="all")
    assert tree(tmp_path) == before


def test_a_satellite_of_another_label_or_a_newer_version_is_refused(satellite: Satellite) -> None:
    with pytest.raises(SatelliteError, match="of dp2, not of dp1"):
        Satellite("dp1", satellite.root).check()
    marker = json.loads((satellite.root / "satellite.json").read_bytes())
    # As a version to come may write it.
    (satellite.root / "satellite.json").write_text(json.dumps({"format": marker["format"] + 1}))
    before = tree(satellite.root)
    for call in (satellite.check, satellite.repair):
        with pytest.raises(SatelliteError):
            call()
    assert tree(satellite.root) == before


def test_a_damaged_database_is_told_and_left(satellite: Satellite) -> None:
    path = satellite.root / "gen3.sqlite3"
    whole = path.read_bytes()
    path.write_bytes(whole[: 30 * 4096] + os.urandom(4096) + whole[31 * 4096 :])
    assert set(satellite.check().counts()) == {Kind.DAMAGED_DATABASE}
    before = tree(satellite.root)
    assert not satellite.repair(forget_lost="all", quarantine=True).clean
    assert tree(satellite.root) == before
    path.unlink()
    only(satellite.check(), Kind.DAMAGED_DATABASE)
    assert not satellite.repair().clean
    assert not path.exists(), "an empty database was made"


def test_a_directory_that_vanishes_meanwhile_is_one_clear_error(satellite: Satellite) -> None:
    def remove(progress: object) -> None:
        shutil.rmtree(satellite.root, ignore_errors=True)

    with pytest.raises(SatelliteError):
        satellite.repair(min_age=0, progress=remove)


def test_a_satellite_that_cannot_be_written_can_be_checked(satellite: Satellite, read_only: object) -> None:
    (satellite.root / "files" / "stray.txt").write_text("who knows")
    os.utime(satellite.root / "files" / "stray.txt", (time.time() - 3_600,) * 2)
    assert callable(read_only)
    said = read_only(
        satellite.root,
        """
        from python_butler.errors import SatelliteError
        satellite = Satellite("dp2", root)
        print(*satellite.check().counts())
        try:
            print(satellite.repair(quarantine=True).left)
        except SatelliteError as error:
            print("refused:", error)
        """,
    )
    first, second = said.splitlines()[:2]
    assert first == "unknown_file"
    assert second.startswith("refused:")


def test_somebody_elses_unfinished_satellite_is_left_while_it_changes(
    satellite: Satellite, killed: Killed
) -> None:
    killed("create_another", satellite)
    assert satellite.check().clean
    assert satellite.repair().clean
    (building,) = satellite.root.parent.glob("building-*")
    assert building.is_dir()


def test_an_unfinished_satellite_with_files_of_datasets_is_never_deleted(satellite: Satellite) -> None:
    building = satellite.root.with_name("building-" + 32 * "a")
    shutil.copytree(satellite.root, building)
    report = satellite.repair(min_age=0)
    assert [each.kind for each in report.remarks] == [Kind.UNFINISHED_RESTORE]
    assert contents(Satellite("dp2", building)) == contents(satellite)


def test_who_opens_a_satellite_undoes_what_a_killed_process_left(
    satellite: Satellite, killed: Killed
) -> None:
    killed("transaction_in_the_middle", satellite)
    address = f"file:{satellite.root}/gen3.sqlite3?mode=ro"
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        sqlite3.connect(address, uri=True).execute("SELECT * FROM dataset")
    # Without that nobody could read before somebody wrote.
    with satellite.reader() as reader:
        assert reader.exists("first", collections="u/me/run")
    assert satellite.check(min_age=0).clean
