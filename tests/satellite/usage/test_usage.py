"""What takes how much room, and how much there is."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lsst.daf.butler import DataCoordinate, DatasetRef, FileDataset
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo

from python_butler.datastore import personal_of
from python_butler.satellite import Satellite
from python_butler.satellite.spool import Spool
from python_butler.satellite.usage.models import CollectionUsage

from .scene import Mine


def _collection(mine: Mine, name: str) -> CollectionUsage:
    return next(each for each in mine.satellite.usage().collections if each.name == name)


def test_an_empty_satellite_takes_the_room_of_its_database(mine: Mine) -> None:
    usage = mine.satellite.usage()
    assert usage.collections == []
    assert usage.total.own.datasets == 0
    assert usage.database_bytes == (mine.satellite.root / "gen3.sqlite3").stat().st_size
    assert usage.bytes == usage.database_bytes


def test_own_datasets_are_added_up_by_name_version_and_type(mine: Mine) -> None:
    mine.put("u/me/cat/v1", 1, 2, size=1000)
    mine.put("u/me/cat/v2", 1, size=3000)
    mine.put("u/me/cat/v10", 1, dataset_type="galaxies", size=500)
    mine.put("u/me/plain", 1)
    usage = mine.satellite.usage()
    sizes = {path: path.stat().st_size for path in mine.files()}
    assert usage.total.own.datasets == 5
    assert usage.total.own.bytes == sum(sizes.values())
    assert [each.name for each in usage.collections] == ["u/me/cat", "u/me/plain"]
    cat, plain = usage.collections
    assert [(each.run, each.total.own.datasets) for each in cat.versions] == [
        ("u/me/cat/v10", 1),
        ("u/me/cat/v2", 1),
        ("u/me/cat/v1", 2),
    ]
    for version in cat.versions:
        expected = sum(size for path, size in sizes.items() if f"/{version.run}/" in str(path))
        assert version.total.own.bytes == expected
        assert version.written is not None
        age = datetime.datetime.now(datetime.UTC) - version.written.replace(tzinfo=datetime.UTC)
        # It is in TAI, which is ahead.
        assert datetime.timedelta(minutes=-1) < age < datetime.timedelta(hours=1)
    assert plain.versions == []
    assert {each.name: each.total.own.datasets for each in usage.dataset_types} == {"stars": 4, "galaxies": 1}


def test_a_run_that_is_only_called_like_a_version_stands_for_itself(mine: Mine) -> None:
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/x/v1")
        writer.put({"a": 1}, "stars", skymap="sky", tract=1, run="u/me/x/v1")
    assert _collection(mine, "u/me/x/v1").versions == []


def test_a_version_of_which_nothing_is_left_is_told(mine: Mine) -> None:
    mine.put("u/me/cat/v1")
    assert [each.total.own.datasets for each in _collection(mine, "u/me/cat").versions] == [0]
    assert _collection(mine, "u/me/cat").versions[0].written is None


def test_files_that_stayed_where_they_were_take_no_room(mine: Mine, tmp_path: Path) -> None:
    source = tmp_path / "elsewhere.yaml"
    source.write_text("{a: 1}")
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/a")
        data_id = DataCoordinate.standardize(skymap="sky", tract=1, universe=writer.dimensions)
        ref = DatasetRef(writer.get_dataset_type("stars"), data_id, run="u/me/a")
        writer.ingest(FileDataset(source.as_uri(), [ref]), transfer="direct")
    usage = mine.satellite.usage()
    assert (usage.total.elsewhere.datasets, usage.total.elsewhere.bytes) == (1, 6)
    assert usage.total.own.datasets == 0
    assert usage.bytes == usage.database_bytes


def test_a_file_with_several_datasets_is_counted_once(mine: Mine, tmp_path: Path) -> None:
    refs = mine.put("u/me/a", 1, 2, 3, size=1000)
    with mine.satellite.reader() as reader:
        packed = reader.retrieve_artifacts_zip(refs, tmp_path)
    assert mine.satellite.prune(older_than="0s", even_newest=True).removed == 3
    with mine.satellite.writer() as writer:
        writer.ingest_zip(packed, transfer="copy")
    own = mine.satellite.usage().total.own
    (file,) = mine.files()
    assert (own.datasets, own.bytes, own.unknown) == (3, file.stat().st_size, 0)


def test_one_file_of_many_datasets_without_a_zip_is_counted_once(mine: Mine, tmp_path: Path) -> None:
    source = tmp_path / "many.yaml"
    source.write_text("{a: 1}\n" * 100)
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/a")
        dataset_type = writer.get_dataset_type("stars")
        refs = [
            DatasetRef(
                dataset_type,
                DataCoordinate.standardize(skymap="sky", tract=tract, universe=writer.dimensions),
                run="u/me/a",
            )
            for tract in (1, 2, 3)
        ]
        writer.ingest(FileDataset(str(source), refs), transfer="copy")
    own = mine.satellite.usage().total.own
    assert (own.datasets, own.bytes) == (3, 700)


def test_sizes_that_rows_do_not_tell_are_measured(mine: Mine, tmp_path: Path) -> None:
    source = tmp_path / "a.yaml"
    source.write_text("{a: 1}")
    with mine.satellite.writer() as writer:
        writer.collections.register("u/me/a")
        data_id = DataCoordinate.standardize(skymap="sky", tract=1, universe=writer.dimensions)
        ref = DatasetRef(writer.get_dataset_type("stars"), data_id, run="u/me/a")
        writer.ingest(FileDataset(str(source), [ref]), transfer="copy", record_validation_info=False)
    own = mine.satellite.usage().total.own
    assert (own.datasets, own.bytes, own.unknown) == (1, 6, 0)
    mine.files()[0].unlink()
    own = mine.satellite.usage().total.own
    assert (own.datasets, own.bytes, own.unknown) == (1, 0, 1)


def test_the_spool_open_batches_and_the_trash_are_told_apart(mine: Mine) -> None:
    (gone,) = mine.put("u/me/a", 1, size=2000)
    spool = Spool(mine.satellite)
    with mine.satellite.writer() as writer:
        dataset_type = writer.get_dataset_type("stars")

        def ref(tract: int) -> DatasetRef:
            data_id = DataCoordinate.standardize(skymap="sky", tract=tract, universe=writer.dimensions)
            return DatasetRef(dataset_type, writer.registry.expandDataId(data_id), run="u/me/a")

        spool.store(writer, {"a": 1}, ref(2))
        batch = spool.begin("tonight")
        batch.put(writer, {"a": 2}, ref(3))
        batch.put(writer, {"a": 3}, ref(4))
        with writer.transaction():
            personal_of(writer).trash([gone])
            writer.registry.removeDatasets([gone])
    usage = mine.satellite.usage()
    assert usage.total.own.datasets == 0
    assert usage.spool.datasets == 1
    assert usage.spool.bytes > 0
    (told,) = usage.batches
    assert (told.name, told.datasets) == ("tonight", 2)
    assert told.bytes > 0
    assert usage.trash.datasets == 1
    assert usage.trash.bytes > 2000
    assert usage.bytes >= sum((usage.spool.bytes, told.bytes, usage.trash.bytes))
    batch.discard()


@pytest.mark.usefixtures("environment")
def test_references_cost_nothing_and_pinned_copies_are_apart() -> None:
    satellite = Satellite.create("dp2")
    satellite.reference("visit_image", detector=94, instrument="LSSTCam")
    with satellite.reader() as reader:
        refs = reader.query_all_datasets("*", find_first=False)
    pinned = satellite.pin(refs[:2])
    assert pinned.done == 2
    usage = satellite.usage()
    assert usage.total.own.datasets == 0
    assert usage.total.pinned.datasets == 2
    assert usage.total.pinned.bytes == pinned.bytes
    assert usage.total.referenced.datasets == len(refs) - 2
    assert usage.total.referenced.bytes > 0
    assert usage.bytes == pinned.bytes + (usage.database_bytes or 0)
    assert {each.name for each in usage.collections} == {ref.run for ref in refs}


def test_the_volume_of_the_files_is_told_if_it_is_another(
    mine: Mine, small_disk: Callable[[int], Path]
) -> None:
    assert mine.satellite.usage().files_volume is None
    disk = small_disk(10_000_000)
    (mine.satellite.root / "files").rmdir()
    (mine.satellite.root / "files").symlink_to(disk)
    mine.put("u/me/a", 1)
    usage = mine.satellite.usage()
    assert usage.volume is not None
    assert usage.files_volume is not None
    assert usage.files_volume.size == 10_002_432
    assert usage.volume.mounted_at != usage.files_volume.mounted_at


def test_many_datasets_are_added_up_in_seconds(mine: Mine) -> None:
    with mine.satellite.writer() as writer:
        writer.registry.insertDimensionData("tract", *[{"skymap": "sky", "id": i} for i in range(10, 5000)])
        dataset_type = writer.get_dataset_type("stars")
        for run in ("u/me/a", "u/me/b", "u/me/c", "u/me/d"):
            writer.collections.register(run)
            refs = [
                DatasetRef(
                    dataset_type,
                    DataCoordinate.standardize(skymap="sky", tract=tract, universe=writer.dimensions),
                    run=run,
                )
                for tract in range(5000)
            ]
            with writer.transaction():
                writer.registry._importDatasets(refs)
                personal_of(writer)._register_datasets(
                    [
                        (
                            ref,
                            StoredFileInfo(
                                formatter="lsst.daf.butler.formatters.yaml.YamlFormatter",
                                path=f"{run}/{ref.id}.yaml",
                                storageClass=dataset_type.storageClass,
                                component=None,
                                checksum=None,
                                file_size=1000,
                            ),
                        )
                        for ref in refs
                    ]
                )
    begin = time.monotonic()
    own = mine.satellite.usage().total.own
    assert time.monotonic() - begin < 20, "it takes a tenth of a second on a usual machine"
    assert (own.datasets, own.bytes) == (20_000, 20_000_000)
