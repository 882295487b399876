"""Copies of referenced datasets, and taking references out again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import astropy.table
import pytest
from lsst.daf.butler import Butler, DatasetRef, DatasetType

from python_butler.demo.platform import Platform
from python_butler.errors import NoSpaceError, OfficialServerError
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite
from python_butler.satellite.report import Status


@pytest.fixture
def official(environment: dict[str, str]) -> Iterator[Butler]:
    butler = connect("dp2")
    yield butler
    disconnect(butler)


@pytest.fixture
def satellite(environment: dict[str, str]) -> Satellite:
    return Satellite.create("dp2")


@pytest.fixture
def refs(satellite: Satellite, official: Butler) -> list[DatasetRef]:
    satellite.reference("source")
    return official.query_datasets("source", "dp2")


@pytest.fixture
def own(satellite: Satellite) -> DatasetRef:
    """A dataset of the user's own."""
    with satellite.writer() as writer:
        writer.registry.registerDatasetType(
            DatasetType("mine", ["instrument"], "ArrowAstropy", universe=writer.dimensions)
        )
        writer.collections.register("u/me/mine")
        table = astropy.table.Table({"x": [1, 2]})
        return writer.put(table, "mine", instrument="LSSTCam", run="u/me/mine")


def files(satellite: Satellite) -> list[Path]:
    return [path for path in satellite.root.rglob("*") if path.is_file() and path.suffix == ".parq"]


def test_a_pinned_dataset_is_read_without_any_server(
    own_platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAF_BUTLER_CACHE_DIRECTORY", str(tmp_path / "cache"))
    for name, value in own_platform.environment.items():
        monkeypatch.setenv(name, value)
    satellite = Satellite.create("dp2", tmp_path / "satellite")
    satellite.reference("source")
    with satellite.reader() as reader:
        refs = reader.query_datasets("source", "dp2")
        expected = reader.get(refs[0])
    report = satellite.pin(refs[:5])
    assert (report.done, report.problems) == (5, [])
    assert report.bytes == sum(path.stat().st_size for path in files(satellite))
    own_platform.close()
    with satellite.reader() as reader:
        assert reader.get(refs[0]).to_pandas().equals(expected.to_pandas())
        assert reader.getURI(refs[0]).isLocal
        with pytest.raises(OfficialServerError):
            reader.get(refs[-1])


def test_pinning_again_and_referencing_what_is_pinned_changes_nothing(
    satellite: Satellite, refs: list[DatasetRef]
) -> None:
    satellite.pin(refs)
    version = satellite.version()
    assert satellite.pin(refs).there == len(refs)
    assert satellite.reference("source").count(Status.THERE) == len(refs)
    assert satellite.version() == version


def test_unpinning_is_the_opposite(satellite: Satellite, refs: list[DatasetRef], official: Butler) -> None:
    satellite.pin(refs)
    report = satellite.unpin(refs)
    assert (report.done, files(satellite)) == (len(refs), [])
    with satellite.reader() as reader:
        assert not reader.getURI(refs[0]).isLocal
        assert reader.get(refs[0]).to_pandas().equals(official.get(refs[0]).to_pandas())
    assert satellite.unpin(refs).there == len(refs)


def test_a_copy_can_be_taken_with_the_reference(satellite: Satellite) -> None:
    assert satellite.reference("object", copy=True).copied == 1
    assert len(files(satellite)) == 1


def test_what_is_not_referenced_cannot_be_pinned(satellite: Satellite, official: Butler) -> None:
    (ref,) = official.query_datasets("object", "dp2")
    assert [problem.ref for problem in satellite.pin([ref]).problems] == [ref]


def test_a_users_own_dataset_is_neither_unpinned_nor_forgotten(satellite: Satellite, own: DatasetRef) -> None:
    assert [problem.ref for problem in satellite.unpin([own]).problems] == [own]
    assert [problem.ref for problem in satellite.forget([own]).problems] == [own]
    with satellite.reader() as reader:
        assert len(reader.get(own)) == 2


def test_forgetting_takes_out_references_only(
    satellite: Satellite, refs: list[DatasetRef], official: Butler
) -> None:
    satellite.pin(refs[:1])
    report = satellite.forget(refs)
    assert report.forgotten == len(refs) - 1
    assert [problem.ref for problem in report.problems] == refs[:1]
    with satellite.reader() as reader:
        assert reader.query_datasets("source", "dp2") == refs[:1]
        assert len(reader.get(refs[0]))
    assert satellite.forget(refs[1:]).unknown == len(refs) - 1
    assert len(official.get(refs[1]))
    assert satellite.reference("source").count(Status.NEW) == len(refs) - 1


def test_forgetting_takes_out_of_the_users_own_collections_too(
    satellite: Satellite, refs: list[DatasetRef]
) -> None:
    from lsst.daf.butler import CollectionType

    with satellite.writer() as writer:
        writer.collections.register("u/me/tagged", CollectionType.TAGGED)
        writer.registry.associate("u/me/tagged", refs)
    satellite.forget(refs[:1])
    with satellite.reader() as reader:
        assert set(reader.query_datasets("source", "u/me/tagged")) == set(refs[1:])


def test_prefetched_datasets_are_at_hand(
    satellite: Satellite, refs: list[DatasetRef], official: Butler
) -> None:
    told: list[int] = []
    satellite.pin(refs[:2])
    unknown = official.query_datasets("object", "dp2")
    report = satellite.prefetch([*refs, *unknown], progress=lambda progress: told.append(progress.done))
    assert max(told) == report.referenced == len(refs) - 2
    assert report.there == 2
    assert [problem.ref for problem in report.problems] == unknown
    assert not report.cancelled


def test_prefetching_that_is_cancelled_says_so(
    satellite: Satellite, refs: list[DatasetRef], platform: Platform
) -> None:
    cancel = threading.Event()
    # Most files come so late that they have not been begun when it is cancelled.
    platform.trouble("store", delay=0.5, after=2)
    try:
        assert satellite.prefetch(refs, progress=lambda _: cancel.set(), cancel=cancel).cancelled
    finally:
        platform.calm()


def test_a_users_run_may_be_called_like_the_directory_of_the_copies(
    satellite: Satellite, own: DatasetRef
) -> None:
    with satellite.writer() as writer:
        writer.collections.register("pinned/mine")
        writer.put(astropy.table.Table({"x": [1]}), "mine", instrument="LSSTCam", run="pinned/mine")
    info = satellite.info()
    assert (info.own_datasets, info.pinned) == (2, 0)


def test_copies_that_do_not_fit_are_refused_before_any_is_made(
    satellite: Satellite, refs: list[DatasetRef], monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the file system says is replaced: pinning happens where the references are, on a large disk.
    monkeypatch.setattr("python_butler.satellite.usage.room.free_bytes", lambda path: 1_000)
    with pytest.raises(NoSpaceError, match="no room"):
        satellite.pin(refs)
    assert satellite.info().pinned == 0
    assert not (satellite.root / "unfinished").exists()
