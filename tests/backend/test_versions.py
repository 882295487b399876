"""Changes of a personal repository are noticed, whoever makes them."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from python_butler.backend.versions import ABSENT, VersionWatch
from python_butler.demo.platform import Platform

from .conftest import Backend

CREATE = "from lsst.daf.butler import Butler; import sys; Butler.makeRepo(sys.argv[1])"
PUT = """
import sys
from lsst.daf.butler import Butler, DatasetType
with Butler.from_config(sys.argv[1], writeable=True) as butler:
    butler.registry.registerRun("u/me/new")
    group = butler.dimensions.conform([])
    butler.registry.registerDatasetType(DatasetType(sys.argv[2], group, "StructuredDataDict"))
    butler.put({"a": 1}, sys.argv[2], run="u/me/new")
"""


def other_process(code: str, *arguments: object) -> None:
    subprocess.run([sys.executable, "-c", code, *map(str, arguments)], check=True)


def test_a_put_by_another_process_changes_the_version_and_shows_at_once(
    official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official)
    satellite = backend.root / "dp2"

    def version() -> str:
        word = backend.get("/versions")["versions"]["dp2"]
        assert word == backend.get("/versions")["versions"]["dp2"]
        return str(word)

    def state() -> str:
        (_, personal) = backend.get("/repositories")["repositories"]
        return str(personal["state"])

    versions = [version()]
    assert state() == "absent"
    assert backend.get("/repositories/personal/dp2/collections")["total"] == 0

    other_process(CREATE, satellite)
    versions.append(version())
    assert state() == "connected"
    assert backend.get("/repositories/personal/dp2/collections")["total"] == 0

    for name in ("first", "second"):
        other_process(PUT, satellite, name)
        versions.append(version())
        (run,) = backend.get("/repositories/personal/dp2/collections")["entries"]
        assert run["name"] == "u/me/new"
        types = backend.get("/repositories/personal/dp2/dataset-types", collection="u/me/new")
        assert name in [dataset_type["name"] for dataset_type in types["dataset_types"]]
        assert len(backend.rows("personal", "u/me/new", name, 10)) == 1
        count = backend.get("/repositories/personal/dp2/count", collection="u/me/new", dataset_type=name)
        assert count == {"count": 1, "exact": True}

    shutil.rmtree(satellite)
    versions.append(version())
    assert state() == "absent"
    other_process(CREATE, satellite)
    versions.append(version())
    assert backend.get("/repositories/personal/dp2/collections")["total"] == 0

    for before, after in itertools.pairwise(versions):
        assert before != after


def test_a_file_that_replaces_the_database_is_noticed(tmp_path: Path) -> None:
    path, other = tmp_path / "database", tmp_path / "other"
    for file in (path, other):
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE t (x)")
    watch = VersionWatch(path)
    before = watch.word()
    assert watch.word() == before
    other.replace(path)
    assert watch.word() != before


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_each_commit_of_another_connection_is_noticed(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "database"
    assert VersionWatch(path).word() == ABSENT
    writer = sqlite3.connect(path)
    writer.execute(f"PRAGMA journal_mode={mode}")
    writer.execute("CREATE TABLE t (x)")
    writer.commit()
    watch = VersionWatch(path)
    seen = [watch.word()]
    for _ in range(3):
        writer.execute("INSERT INTO t VALUES (1)")
        writer.commit()
        seen.append(watch.word())
    assert len(set(seen)) == 4
    writer.close()
    watch.close()


def test_what_is_no_database_is_told_and_does_not_disturb_the_others(
    official: Platform, start_backend: Callable[..., Backend]
) -> None:
    backend = start_backend(official)
    broken = backend.root / "dp2"
    other_process(CREATE, broken)
    os.truncate(broken / "gen3.sqlite3", 0)
    (broken / "gen3.sqlite3").write_bytes(b"this is no database at all, " * 100)
    (_, personal) = backend.get("/repositories")["repositories"]
    assert personal["state"] == "error"
    assert personal["error"]["kind"] == "satellite"
    assert backend.get("/versions")["versions"] == {"dp2": "unreadable"}
    shutil.rmtree(broken)
    other_process(CREATE, broken)
    assert backend.get("/repositories/personal/dp2")["state"] == "connected"
