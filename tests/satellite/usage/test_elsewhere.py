"""A satellite whose database is in PostgreSQL and whose files are in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest
from astropy.time import Time, TimeDelta
from lsst.daf.butler import CollectionType, DatasetType, DimensionUniverse
from lsst.resources import ResourcePath

from python_butler.satellite import Satellite
from python_butler.satellite.storage import storage_of


@pytest.fixture
def elsewhere(tmp_path: Path, postgres: str, object_storage: str) -> Satellite:
    satellite = Satellite.create(
        "dp2", tmp_path / "dp2", universe=DimensionUniverse(), registry=postgres, storage=object_storage
    )
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("stars", (), "StructuredDataDict", universe=writer.dimensions)
        )
    return satellite


def _put(satellite: Satellite, *runs: str) -> None:
    with satellite.writer() as writer:
        writer.collections.register("u/me/cat", CollectionType.CHAINED)
        for run in runs:
            writer.collections.register(run)
            writer.put({"a": "x" * 1000}, "stars", run=run)
            writer.collections.prepend_chain("u/me/cat", run)


def _files(satellite: Satellite) -> list[ResourcePath]:
    found = ResourcePath.findFileResources([storage_of(satellite).files])
    return [uri for uri in found if uri.getExtension() == ".yaml"]


def test_usage_asks_whoever_knows(elsewhere: Satellite) -> None:
    _put(elsewhere, "u/me/cat/v1", "u/me/cat/v2")
    usage = elsewhere.usage()
    assert usage.total.own.datasets == 2
    assert usage.total.own.bytes == sum(uri.size() for uri in _files(elsewhere))
    assert [each.number for each in usage.collections[0].versions] == [2, 1]
    assert usage.storage.startswith("s3://")
    assert usage.files_volume is None
    assert usage.database_bytes
    assert usage.database_bytes > 100_000


def test_prune_removes_rows_and_objects(elsewhere: Satellite) -> None:
    _put(elsewhere, "u/me/cat/v1", "u/me/cat/v2", "u/me/cat/v3")
    report = elsewhere.prune(keep_versions=2)
    assert (report.removed, report.runs, report.problems) == (1, ["u/me/cat/v1"], [])
    assert len(_files(elsewhere)) == 2
    with elsewhere.reader() as reader:
        assert {ref.run for ref in reader.query_all_datasets("*", find_first=False)} == {
            "u/me/cat/v2",
            "u/me/cat/v3",
        }
        assert reader.collections.get_info("u/me/cat").children == ("u/me/cat/v3", "u/me/cat/v2")


def test_a_clock_that_jumped_back_makes_nothing_old(
    elsewhere: Satellite, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Time.now
    for run, days in (("u/me/cat/v1", 100), ("u/me/b", 1), ("u/me/a", 3000), ("u/me/cat/v2", 0)):
        # Rows cannot be given another date afterwards: they would count as inserted then.
        monkeypatch.setattr(Time, "now", lambda days=days: usual() - TimeDelta(days, format="jd"))
        _put(elsewhere, run)
    monkeypatch.setattr(Time, "now", usual)
    report = elsewhere.prune(older_than="30d", even_newest=True)
    assert [each.run for each in report.own] == ["u/me/cat/v1"]
    assert report.removed == 1
