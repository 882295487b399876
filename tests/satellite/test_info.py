"""What a satellite says about itself, and which satellites there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lsst.daf.butler import CollectionType, DatasetType, DimensionUniverse, FileDataset
from pydantic import ValidationError

from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite, all_satellites

UNIVERSE = DimensionUniverse()


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Satellite]:
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path / "butler"))

    def create(label: str = "dp2", root: Path | None = None) -> Satellite:
        return Satellite.create(label, root, universe=UNIVERSE)

    return create


def put_notes(satellite: Satellite, count: int) -> None:
    with satellite.writer() as writer:
        writer.registry.insertDimensionData("instrument", {"name": "Cam", "class_name": ""})
        writer.registry.insertDimensionData(
            "detector",
            *[{"instrument": "Cam", "id": number, "full_name": f"D{number}"} for number in range(count)],
        )
        writer.registry.registerDatasetType(
            DatasetType("note", ("instrument", "detector"), "StructuredDataDict", universe=writer.dimensions)
        )
        writer.collections.register("u/me/run")
        writer.collections.register("u/me", CollectionType.CHAINED)
        for number in range(count):
            writer.put({"n": number}, "note", instrument="Cam", detector=number, run="u/me/run")


def size_on_disk(satellite: Satellite) -> int:
    return sum(path.stat().st_size for path in (satellite.root / "files").rglob("*") if path.is_file())


def test_own_datasets_are_counted_and_weighed(make: Callable[..., Satellite]) -> None:
    satellite = make()
    put_notes(satellite, 3)
    info = satellite.info()
    assert (info.label, info.root, info.format) == ("dp2", satellite.root, 3)
    assert (info.own_datasets, info.references, info.pinned) == (3, 0, 0)
    assert (info.runs, info.collections, info.dataset_types) == (1, 2, 1)
    assert info.file_bytes == size_on_disk(satellite) > 0
    assert info.database_bytes == (satellite.root / "gen3.sqlite3").stat().st_size
    with pytest.raises(ValidationError):
        info.label = "dp1"  # type: ignore[misc]


def test_a_zip_file_is_weighed_once_and_what_lies_elsewhere_not_at_all(
    make: Callable[..., Satellite], tmp_path: Path
) -> None:
    source, target = make("dp1", tmp_path / "source"), make()
    put_notes(source, 3)
    with source.reader() as reader, target.writer() as writer:
        refs = reader.query_datasets("note", "u/me/run")
        writer.transfer_dimension_records_from(reader, refs)
        zipped = reader.retrieve_artifacts_zip(refs[:2], destination=str(tmp_path / "zip"))
        writer.ingest_zip(zipped, transfer="copy")
        elsewhere = FileDataset(path=reader.getURI(refs[2]), refs=[refs[2]])
        writer.ingest(elsewhere, transfer="direct")
    assert target.info().own_datasets == 3
    assert target.info().file_bytes == size_on_disk(target) > 0


@pytest.mark.usefixtures("environment")
def test_references_and_pins_are_told_apart() -> None:
    satellite = Satellite.create("dp2")
    satellite.reference("visit_table", collections="dp2")
    satellite.reference("source", collections="dp2", limit=2)
    with satellite.reader() as reader:
        pinned = reader.query_datasets("source", "*", find_first=False)[:1]
    satellite.pin(pinned)
    info = satellite.info()
    assert (info.own_datasets, info.references, info.pinned) == (0, 2, 1)
    assert info.file_bytes == size_on_disk(satellite) > 0
    assert info.official_url is not None


def test_an_official_label_that_is_not_known_here_is_no_trouble(
    make: Callable[..., Satellite], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAF_BUTLER_REPOSITORY_INDEX", raising=False)
    monkeypatch.delenv("DAF_BUTLER_REPOSITORIES", raising=False)
    assert make("nowhere").info().official_url is None


def test_all_satellites_are_those_below_the_root(make: Callable[..., Satellite], tmp_path: Path) -> None:
    assert all_satellites() == []
    make("dp2")
    make("dp1", tmp_path / "butler" / "another name")
    make("dp0.2", tmp_path / "elsewhere")
    (tmp_path / "butler" / "notes").mkdir()
    (tmp_path / "butler" / "file").write_text("mine")
    found = {(satellite.label, satellite.root.name) for satellite in all_satellites()}
    assert found == {("dp2", "dp2"), ("dp1", "another name")}


def test_one_that_is_broken_is_listed_and_tells_what_is_wrong(make: Callable[..., Satellite]) -> None:
    satellite = make()
    (satellite.root / "satellite.json").write_text("{")
    (broken,) = all_satellites()
    assert (broken.label, broken.root) == ("dp2", satellite.root)
    with pytest.raises(SatelliteError, match="cannot be read"):
        broken.info()
