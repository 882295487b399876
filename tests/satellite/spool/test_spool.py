"""Datasets are safe and seen once they are stored, and in the registry once they are committed."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator

import pytest
import yaml
from lsst.daf.butler import DatasetRef, DatasetType
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.daf.butler.tests import MetricsExample, registerMetricsExample
from lsst.resources import ResourcePath

from python_butler.errors import SatelliteError
from python_butler.satellite import Satellite
from python_butler.satellite.place import Place
from python_butler.satellite.provenance import notes_of
from python_butler.satellite.spool import Spool
from python_butler.satellite.spool.slip import SPOOLED
from python_butler.satellite.storage import storage_of

from .conftest import RUN, TYPE, files_of, reference, same, table

pytestmark = pytest.mark.parametrize("place", ["here", "elsewhere"], indirect=True)


def test_a_stored_dataset_is_read_before_it_is_in_the_registry(spool: Spool, reader: DirectButler) -> None:
    ref = reference(reader.dimensions, 1)
    stored = spool.store(reader, table(1), ref)
    assert stored == ref
    assert spool.waiting() == 1
    assert same(reader.get(stored), 1)
    assert same(reader.get(spool.acknowledged()[ref.id]), 1)
    found = spool.find(ref.datasetType, ref.dataId, ["u/me/other", RUN])
    assert found == ref
    assert same(reader.get(found), 1)
    assert reader.registry.getDataset(ref.id) is None


def test_committed_datasets_are_as_if_they_had_been_put(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    refs = [reference(reader.dimensions, number) for number in range(5)]
    for number, ref in enumerate(refs):
        spool.store(reader, table(number), ref, notes={"number": number})
    report = spool.commit()
    assert (report.committed, report.left, report.problems) == (5, 0, ())
    assert spool.waiting() == 0
    assert spool.acknowledged() == {}
    for number, ref in enumerate(refs):
        assert same(reader.get(TYPE, ref.dataId, collections=RUN), number)
    assert notes_of(reader, [refs[3].id]) == {refs[3].id: {"number": 3}}
    with place.writer() as writer:
        put = reference(writer.dimensions, 9)
        writer.put(table(9), put)
        assert writer.getURI(put).dirname() == reader.getURI(refs[0]).dirname()
    files = files_of(place)
    assert len(files) == 6
    assert not [path for path in files if path.startswith(SPOOLED)]


def test_files_are_found_under_whatever_name(spool: Spool, place: Place, reader: DirectButler) -> None:
    runs = [f"u/me/{name}" for name in ("v1.5", "100%25", "a#b", "50%")]
    with place.writer() as writer:
        for run in runs:
            writer.collections.register(run)
    spooled = [reference(reader.dimensions, 0, run) for run in runs]
    batched = [reference(reader.dimensions, 1, run) for run in runs]
    batch = spool.begin()
    for ref in spooled:
        spool.store(reader, table(0), ref)
        assert same(reader.get(spool.acknowledged()[ref.id]), 0)
    for ref in batched:
        batch.put(reader, table(1), ref)
    spool.commit().check()
    batch.commit()
    assert all(same(reader.get(ref), 0) for ref in spooled)
    assert all(same(reader.get(ref), 1) for ref in batched)


def test_nobody_saves_the_same_dataset_twice(spool: Spool, reader: DirectButler) -> None:
    ref = reference(reader.dimensions, 1)
    spool.store(reader, table(1), ref)
    for again in (ref, reference(reader.dimensions, 1)):
        with pytest.raises(ConflictingDefinitionError):
            spool.store(reader, table(2), again)
    spool.commit()
    for again in (ref, reference(reader.dimensions, 1)):
        with pytest.raises(ConflictingDefinitionError):
            spool.store(reader, table(2), again)
    assert spool.waiting() == 0
    assert same(reader.get(ref), 1)


def test_a_batch_is_committed_as_a_whole(spool: Spool, place: Place, reader: DirectButler) -> None:
    batch = spool.begin("mine")
    refs = [reference(reader.dimensions, number) for number in range(5)]
    stored = [batch.put(reader, table(number), ref) for number, ref in enumerate(refs)]
    assert same(reader.get(stored[2]), 2)
    assert [(info.name, info.datasets, info.alive) for info in spool.batches()] == [("mine", 5, True)]
    assert reader.registry.getDataset(refs[0].id) is None
    assert batch.commit() == 5
    assert all(same(reader.get(ref), number) for number, ref in enumerate(refs))
    assert spool.batches() == []
    assert not [path for path in files_of(place) if path.startswith(SPOOLED)]


def test_a_batch_with_a_truncated_file_is_not_committed(
    spool: Spool, place: Place, reader: DirectButler
) -> None:
    root = storage_of(place).files
    if not root.isLocal:
        pytest.skip("what is in an object store is there as a whole")
    batch = spool.begin()
    batch.put(reader, table(1), reference(reader.dimensions, 1))
    (spooled,) = [path for path in files_of(place) if path.startswith(SPOOLED)]
    os.truncate(root.join(spooled).ospath, 10)
    with pytest.raises(SatelliteError, match=f"'{TYPE}'.*--discard {batch.id}"):
        spool.open_batch(batch.id).commit()
    spool.open_batch(batch.id).discard()
    assert files_of(place) == []


@pytest.fixture
def disassembling(place: Place) -> Place:
    """A satellite that is configured to write a file for each component."""
    path = place.root / "butler.yaml"
    configuration = yaml.safe_load(path.read_bytes())
    personal = configuration["datastore"]["datastores"][-1]["datastore"]
    personal["composites"] = {"default": False, "disassembled": {"StructuredData": True}}
    path.write_text(yaml.safe_dump(configuration, sort_keys=False))
    with _opened(place) as reader:
        dataset_type = _metric_type(reader)
    with place.writer() as writer:
        writer.registry.registerDatasetType(dataset_type)
    return place


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[DirectButler]:
    """Open a satellite, with formatters for the components."""
    with contextlib.closing(place.reader()) as reader:
        registerMetricsExample(reader)
        yield reader


def _metric_type(butler: DirectButler) -> DatasetType:
    return DatasetType("metric", ["htm7"], "StructuredData", universe=butler.dimensions)


def _metric(number: int) -> MetricsExample:
    return MetricsExample({"number": number}, {"answer": {"a": number}}, [number, number + 1])


def _spooled_files(place: Place) -> list[str]:
    root = storage_of(place).files
    found = [file.relative_to(root) for file in ResourcePath.findFileResources([root])]
    return [path for path in found if path and path.startswith(f"{SPOOLED}/")]


def test_a_composite_in_several_files_is_spooled_as_a_whole(disassembling: Place) -> None:
    place, spool = disassembling, Spool(disassembling)
    with _opened(place) as reader:
        refs = [
            DatasetRef(_metric_type(reader), reference(reader.dimensions, number).dataId, RUN)
            for number in range(4)
        ]
        for number in (0, 1):
            spool.store(reader, _metric(number), refs[number])
        assert len(_spooled_files(place)) == 6
        assert spool.acknowledged().keys() == {ref.id for ref in refs[:2]}
        for acknowledged in spool.acknowledged().values():
            found = reader.get(acknowledged)
            assert found == _metric(found.summary["number"])
            assert reader.get(acknowledged.makeComponentRef("summary")) == found.summary
        batch = spool.begin()
        batch.put(reader, _metric(2), refs[2])
        spool.commit().check()
        assert batch.commit() == 1
        given_up = spool.begin()
        given_up.put(reader, _metric(3), refs[3])
        given_up.discard()
    assert _spooled_files(place) == []
    with _opened(place) as reader:
        for number in range(3):
            assert reader.get(refs[number]) == _metric(number)
            assert reader.get(refs[number].makeComponentRef("data")) == [number, number + 1]
            whole, components = reader.getURIs(refs[number])
            assert whole is None
            assert components.keys() == {"summary", "output", "data"}
        with place.writer() as writer:
            registerMetricsExample(writer)
            put = writer.put(_metric(9), refs[3].datasetType, refs[3].dataId, run=RUN)
        assert reader.getURIs(put).componentURIs.keys() == components.keys()
        near = {uri.dirname() for uri in reader.getURIs(put).componentURIs.values()}
        assert near == {uri.dirname() for uri in components.values()}


def test_a_composite_that_cannot_be_written_as_a_whole_leaves_nothing(
    disassembling: Place,
) -> None:
    spool = Spool(disassembling)
    with _opened(disassembling) as reader:
        ref = DatasetRef(_metric_type(reader), reference(reader.dimensions, 1).dataId, RUN)
        # YAML and JSON cannot hold it.
        broken = MetricsExample({"number": 1}, {"answer": object()}, [1])
        with pytest.raises(RuntimeError, match="Failed to serialize"):
            spool.store(reader, broken, ref)
        assert _spooled_files(disassembling) == []
        assert spool.waiting() == 0
        spool.store(reader, _metric(1), ref)
        assert spool.commit().committed == 1


@pytest.mark.parametrize("end", ["commit", "discard"])
def test_an_interrupt_when_all_is_committed_takes_nothing_back(
    place: Place, spool: Spool, reader: DirectButler, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    batch = spool.begin()
    refs = [batch.put(reader, table(n), reference(reader.dimensions, n)) for n in range(3)]
    complete = DirectButler.transaction

    @contextlib.contextmanager
    def interrupted(self: DirectButler) -> Iterator[None]:
        with complete(self):
            yield
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(DirectButler, "transaction", interrupted)
        with pytest.raises(KeyboardInterrupt):
            batch.commit()
    (left,) = spool.batches()
    if end == "commit":
        assert spool.open_batch(left.id).commit() == 3
    else:
        with pytest.raises(SatelliteError, match="was committed already"):
            spool.open_batch(left.id).discard()
    assert not spool.batches()
    with place.reader() as butler:
        found = [butler.get_dataset(ref.id) for ref in refs]
        assert all(ref is not None and same(butler.get(ref), n) for n, ref in enumerate(found))
    assert Satellite.open(place.label, place.root).check(min_age=0).clean


@pytest.mark.parametrize("way", ["idle", "sure", "repaired"])
def test_a_batch_of_another_machine_is_left_alone_while_it_may_be_in_use(
    place: Place, spool: Spool, reader: DirectButler, way: str
) -> None:
    batch = spool.begin()
    ref = batch.put(reader, table(1), reference(reader.dimensions, 1))
    path = place.root / "spool" / "batches" / f"{batch.id}.batch"
    header, rest = path.read_bytes().split(b"\n", 1)
    document = json.loads(header)
    document["owner"] |= {"host": "elsewhere", "pid": 1}
    path.write_bytes(json.dumps(document).encode() + b"\n" + rest)
    with pytest.raises(SatelliteError, match="process 1 on elsewhere, which may still use it"):
        spool.open_batch(batch.id)
    satellite = Satellite.open(place.label, place.root)
    assert satellite.repair(batches="commit").results == []
    match way:
        case "idle":
            long_ago = time.time() - 1_000
            os.utime(path, (long_ago, long_ago))
            assert spool.open_batch(batch.id).commit() == 1
        case "sure":
            assert spool.open_batch(batch.id, idle=0).commit() == 1
        case "repaired":
            assert satellite.repair(batches="commit", min_age=0).clean
    assert not spool.batches()
    with place.reader() as butler:
        assert butler.get_dataset(ref.id) is not None


def test_a_discarded_batch_leaves_nothing(spool: Spool, place: Place, reader: DirectButler) -> None:
    batch = spool.begin()
    batch.put(reader, table(1), reference(reader.dimensions, 1))
    batch.discard()
    assert spool.batches() == []
    assert files_of(place) == []


def test_a_batch_with_a_dataset_that_was_saved_meanwhile_stays_as_it_is(
    spool: Spool, reader: DirectButler
) -> None:
    batch = spool.begin()
    refs = [reference(reader.dimensions, number) for number in range(3)]
    for number, ref in enumerate(refs):
        batch.put(reader, table(number), ref)
    other = reference(reader.dimensions, 2)
    spool.store(reader, table(7), other)
    with pytest.raises(ConflictingDefinitionError):
        batch.commit()
    spool.commit()
    with pytest.raises(ConflictingDefinitionError):
        batch.commit()
    assert reader.registry.getDataset(refs[0].id) is None
    assert same(reader.get(other), 7)
    # Its version is not in the chain either, which there is none of.
    assert "u/me/stars" not in reader.collections.query("*")
    assert spool.batches()[0].datasets == 3
    batch.discard()
