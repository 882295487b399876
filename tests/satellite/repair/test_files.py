"""Files without datasets, datasets without files, and files that are not what they were."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

from lsst.daf.butler import FileDataset

from python_butler.satellite import Satellite
from python_butler.satellite.repair import Kind, Outcome

from .conftest import RUN, contents, only, tree


def file_of(satellite: Satellite, name: str) -> Path:
    with satellite.reader() as reader:
        return Path(reader.getURI(name, collections=RUN).ospath)


def fill_more(satellite: Satellite, count: int) -> list[Path]:
    """Put more datasets; returns their files."""
    with satellite.writer() as writer:
        for number in range(count):
            writer.collections.register(f"u/me/more{number}")
            writer.put({"number": number}, "first", run=f"u/me/more{number}")
        return [
            Path(writer.getURI("first", collections=f"u/me/more{number}").ospath) for number in range(count)
        ]


def test_a_missing_file_is_found_and_its_dataset_removed_only_if_asked_for(satellite: Satellite) -> None:
    file_of(satellite, "second").unlink()
    report = satellite.check()
    only(report, Kind.MISSING_FILE)
    assert report.findings[0].where == f"{RUN}/second/second_u_me_run.yaml"
    assert f"second in {RUN}" in report.findings[0].what
    before = tree(satellite.root)
    assert [each.detail for each in satellite.repair().left] == ["Repair it with --forget-lost."]
    only(satellite.repair(dry_run=True, forget_lost=True), Kind.MISSING_FILE)
    assert tree(satellite.root) == before
    assert satellite.repair(forget_lost=True).clean
    assert satellite.check().clean
    assert set(contents(satellite)) == {"first", "third"}
    (line,) = (satellite.root / "lost+found" / "list.jsonl").read_text().splitlines()
    assert f"second in {RUN}" in json.loads(line)["dataset"]


def test_if_all_files_are_missing_nothing_is_removed_unless_one_insists(satellite: Satellite) -> None:
    for path in (satellite.root / "files").iterdir():
        shutil.rmtree(path)
    report = satellite.check()
    only(report, Kind.MISSING_FILE, 3)
    assert any("not mounted" in note for note in report.notes)
    left = satellite.repair(forget_lost=True)
    assert len(left.left) == 3
    assert "--forget-all-lost" in left.left[0].detail
    only(satellite.check(), Kind.MISSING_FILE, 3)
    assert satellite.repair(forget_lost="all").clean
    assert contents(satellite) == {}


def test_if_most_files_are_missing_nothing_is_removed_unless_one_insists(satellite: Satellite) -> None:
    for path in fill_more(satellite, 12):
        path.unlink()
    assert len(satellite.repair(forget_lost=True).left) == 12
    only(satellite.check(), Kind.MISSING_FILE, 12)


def test_a_missing_directory_of_files_is_made_only_if_none_should_be_in_it(satellite: Satellite) -> None:
    files = satellite.root / "files"
    files.rename(satellite.root / "unmounted")
    only(satellite.check(), Kind.NO_FILES_DIRECTORY)
    report = satellite.repair(forget_lost="all", quarantine=True)
    assert [each.finding.kind for each in report.left] == [Kind.NO_FILES_DIRECTORY]
    assert not files.exists()
    (satellite.root / "unmounted").rename(files)
    assert satellite.check().clean
    with satellite.writer() as writer:
        writer.removeRuns([RUN])
    shutil.rmtree(files)
    assert satellite.repair().clean
    assert files.is_dir()


def test_a_file_that_was_cut_short_is_found_and_kept(satellite: Satellite) -> None:
    path = file_of(satellite, "third")
    os.truncate(path, 3)
    only(satellite.check(), Kind.WRONG_SIZE)
    assert [each.outcome for each in satellite.repair().results] == [Outcome.LEFT]
    assert satellite.repair(forget_lost=True).clean
    assert satellite.check().clean
    assert set(contents(satellite)) == {"first", "second"}
    (kept,) = (satellite.root / "lost+found").rglob("third*.yaml")
    assert kept.read_bytes() == b"nam"


def test_only_a_thorough_check_finds_a_changed_content(satellite: Satellite, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: lost\n")
    with satellite.writer() as writer:
        personal = writer._datastore.datastores[1]
        personal.useChecksum = True
        writer.put({"name": "lost"}, "lost", run=RUN)
    assert satellite.check(thorough=True).clean
    path = file_of(satellite, "lost")
    path.write_bytes(path.read_bytes().replace(b"lost", b"LOST"))
    assert satellite.check().clean
    only(satellite.check(thorough=True), Kind.WRONG_CONTENT)
    assert satellite.repair(thorough=True, forget_lost=True).clean
    assert "lost" not in contents(satellite)


def test_a_file_of_which_nothing_is_known_stays_unless_it_is_to_be_moved_away(satellite: Satellite) -> None:
    mine = satellite.root / "files" / "my notes #1.txt"
    mine.write_text("do not delete")
    before = tree(satellite.root)
    only(satellite.check(min_age=0), Kind.UNKNOWN_FILE)
    assert not satellite.repair(min_age=0).clean
    assert tree(satellite.root) == before
    report = satellite.repair(min_age=0, quarantine=True)
    assert report.clean
    assert not mine.exists()
    (kept,) = (satellite.root / "lost+found").rglob("my notes #1.txt")
    assert kept.read_text() == "do not delete"
    entry = json.loads((satellite.root / "lost+found" / "list.jsonl").read_text())
    assert (entry["was"], entry["is"]) == (str(mine), str(kept))
    assert [each.kind for each in satellite.check(min_age=0).remarks] == [Kind.LOST_AND_FOUND]


def test_what_is_new_is_not_judged(satellite: Satellite) -> None:
    directory = satellite.root / "files" / RUN / "lost"
    directory.mkdir()
    for name in ("lost_u_me_run.yaml", "abcdefgh01234567lost_u_me_run.tmp.yaml"):
        (directory / name).write_text("a: 1")
    (satellite.root / "files" / ".spool").mkdir(exist_ok=True)
    (satellite.root / "files" / ".spool" / "12345678-1234-1234-1234-123456789abc.yaml").write_text("a: 1")
    before = tree(satellite.root)
    report = satellite.check()
    assert report.clean
    assert report.notes
    assert satellite.repair().clean
    assert tree(satellite.root) == before
    # An hour later the first two are judged, and the third is not.
    for path in directory.iterdir():
        os.utime(path, (time.time() - 3_600,) * 2)
    assert satellite.check().counts() == {Kind.FILE_WITHOUT_ROW: 1, Kind.UNFINISHED_FILE: 1}


def test_while_somebody_is_writing_files_without_rows_are_not_judged(satellite: Satellite) -> None:
    from python_butler.satellite.repair import Options, check

    with satellite.writer() as writer, writer.transaction():
        writer.put({"name": "lost"}, "lost", run=RUN)
        report = check(satellite, Options(min_age=0, wait=0.1))
        assert report.clean
        assert any("another process is writing" in note for note in report.notes)
    assert satellite.check(min_age=0).clean
    assert contents(satellite)["lost"] == {"name": "lost"}


def test_an_old_copy_of_the_database_does_not_cost_the_newer_files(
    satellite: Satellite, tmp_path: Path
) -> None:
    shutil.copy(satellite.root / "gen3.sqlite3", tmp_path)
    with satellite.writer() as writer:
        writer.collections.register("u/me/later")
    old = (satellite.root / "gen3.sqlite3").read_bytes()
    with satellite.writer() as writer:
        writer.put({"name": "lost"}, "lost", run=RUN)
        for name in ("first", "second", "third", "lost"):
            writer.put({"name": name}, name, run="u/me/later")
    (satellite.root / "gen3.sqlite3").write_bytes(old)
    report = satellite.repair(min_age=0)
    # These are moved, never deleted.
    assert report.counts() == {Kind.FILE_WITHOUT_ROW: 5}
    assert len(list((satellite.root / "lost+found").rglob("*.yaml"))) == 5


def test_if_most_files_have_no_dataset_they_stay(satellite: Satellite) -> None:
    old = (satellite.root / "gen3.sqlite3").read_bytes()
    with satellite.writer() as writer:
        for number in range(12):
            writer.collections.register(f"u/me/more{number}")
    runs_only = (satellite.root / "gen3.sqlite3").read_bytes()
    (satellite.root / "gen3.sqlite3").write_bytes(old)
    files = fill_more(satellite, 12)
    (satellite.root / "gen3.sqlite3").write_bytes(runs_only)
    report = satellite.repair(min_age=0)
    assert len(report.left) == 12
    assert "older copy" in report.left[0].detail
    assert all(path.exists() for path in files)
    assert satellite.repair(min_age=0, quarantine=True).clean


def test_files_elsewhere_with_odd_names_and_in_one_file_together_are_no_trouble(
    satellite: Satellite, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "data #1"
    elsewhere.mkdir()
    with satellite.writer() as writer:
        writer.collections.register("u/me/odd run #2 %41")
        writer.put({"name": "lost"}, "lost", run="u/me/odd run #2 %41")
        writer.collections.register("u/me/direct")
        for name in ("first", "second"):
            (elsewhere / f"{name}.yaml").write_text("a: 1")
        (ref,) = writer.registry.insertDatasets("first", [{}], run="u/me/direct")
        writer.ingest(FileDataset(str(elsewhere / "first.yaml"), ref), transfer="direct")
        (ref,) = writer.registry.insertDatasets("second", [{}], run="u/me/direct")
        writer.ingest(FileDataset(str(elsewhere / "second.yaml"), ref), transfer="symlink")
        zipped = tmp_path / "zips"
        refs = writer.query_all_datasets(RUN)
        archive = writer.retrieve_artifacts_zip(refs, zipped)
        writer.removeRuns([RUN])
        writer.collections.register(RUN)
        writer.ingest_zip(archive, transfer="copy")
    report = satellite.check(min_age=0, thorough=True)
    assert report.clean, report.document()
    assert report.examined["datasets"] == 6
    (elsewhere / "first.yaml").unlink()
    (elsewhere / "second.yaml").unlink()
    only(satellite.check(min_age=0), Kind.MISSING_FILE, 2)
