"""References and pinned copies of official datasets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lsst.daf.butler import DatasetRef

from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite
from python_butler.satellite.repair import Kind

from .conftest import Killed, only


@pytest.fixture(scope="module")
def _referring(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in platform.environment.items():
            patch.setenv(name, value)
        satellite = Satellite.create("dp2", tmp_path_factory.mktemp("referring") / "dp2")
        satellite.reference("source", limit=3)
    return satellite.root


@pytest.fixture
def referring(environment: dict[str, str], _referring: Path, tmp_path: Path) -> Satellite:
    """A satellite that refers to official datasets."""
    root = tmp_path / "butler" / "dp2"
    shutil.copytree(_referring, root)
    return Satellite("dp2", root)


def all_refs(satellite: Satellite) -> list[DatasetRef]:
    with satellite.reader() as reader:
        return reader.query_all_datasets("*", find_first=False)


def test_references_are_asked_for_only_if_one_says_so(referring: Satellite) -> None:
    report = referring.check()
    assert report.clean
    assert any("--official" in note for note in report.notes)
    report = referring.check(official=True)
    assert report.clean, report.document()
    assert report.notes == []


def test_a_reference_to_what_is_gone_is_removed_only_if_asked_for(referring: Satellite) -> None:
    import sqlite3
    import uuid

    gone = uuid.uuid4().hex
    ref = all_refs(referring)[0]
    database = sqlite3.connect(referring.root / "gen3.sqlite3")
    with database:
        # The official repository never gives up an ID; one it does not know stands for one it gave up.
        for table, column in (
            ("dataset", "id"),
            ("dataset_location", "dataset_id"),
            ("reference_datastore_records", "dataset_id"),
        ):
            database.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (gone, ref.id.hex))
        for (table,) in database.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'dataset_tags_%' AND type = 'table'"
        ).fetchall():
            database.execute(f"UPDATE {table} SET dataset_id = ? WHERE dataset_id = ?", (gone, ref.id.hex))
    database.close()
    assert referring.check().clean
    only(referring.check(official=True), Kind.GONE_UPSTREAM)
    assert not referring.repair(official=True).clean
    assert referring.repair(official=True, forget_lost=True).clean
    assert referring.check(official=True).clean


def test_without_a_token_it_says_that_it_did_not_ask(
    referring: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BUTLER_RUBIN_ACCESS_TOKEN")
    report = referring.check(official=True)
    assert report.clean
    assert any("not known" in note for note in report.notes)


@pytest.mark.parametrize(
    ("action", "pinned", "kinds"),
    [
        ("pin_while_downloading", False, {Kind.UNFINISHED_FILE}),
        ("pin_before_its_rows", False, {Kind.COPY_WITHOUT_ROW, Kind.UNFINISHED_FILE}),
        ("unpin_before_its_files", True, {Kind.COPY_WITHOUT_ROW}),
    ],
)
def test_what_a_killed_pin_leaves_is_deleted(
    referring: Satellite, killed_here: Killed, action: str, pinned: bool, kinds: set[Kind]
) -> None:
    if pinned:
        referring.pin(all_refs(referring))
    killed_here(action, referring)
    found = referring.check(min_age=0)
    assert set(found.counts()) == kinds, found.document()
    assert referring.repair(min_age=0).clean
    assert referring.check(min_age=0).clean
    assert not [path for path in (referring.root / "files").rglob("*") if path.is_file()]
    refs = all_refs(referring)
    assert refs
    with referring.reader() as reader:
        for ref in refs:
            reader.get(ref)


def test_while_something_is_pinned_its_downloads_are_left(referring: Satellite) -> None:
    from python_butler.satellite.downloads import workplace

    with workplace(referring.root) as directory:
        (directory / ("0" * 32)).write_bytes(b"half")
        assert referring.repair(min_age=0).results == []
        assert list(directory.iterdir())
    directory.mkdir()
    only(referring.check(min_age=0), Kind.UNFINISHED_FILE)
