"""What is referenced is read as if it were here: by plain Butlers, in any form upstream knows."""

from __future__ import annotations

import concurrent.futures
import operator
import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lsst.daf.butler import Butler, DatasetRef
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources import ResourcePath

from python_butler.datastore.path import ReferencePath
from python_butler.datastore.remote_file import SMALL
from python_butler.datastore.signed_path import SignedPath
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite
from tests.processes import Forked, starting_by

from .scene import ROWS, RUN, VISITS, ZIPPED, metric, table


def find(butler: Butler, name: str, visit: int = 1, collections: str = RUN) -> DatasetRef:
    ref = butler.find_dataset(name, instrument="Cam", visit=visit, collections=collections)
    assert ref is not None
    return ref


def test_a_table_is_read_whole(reader: DirectButler) -> None:
    read = reader.get("source", instrument="Cam", visit=3, collections=RUN)
    assert np.array_equal(read["flux"], table(3)["flux"])


def test_columns_are_read_without_the_rest(reader: DirectButler, kernel: Platform) -> None:
    ref = find(reader, "large")
    size = reader._datastore.getManyURIs([ref])[ref].primaryURI.size()
    kernel.requests(forget=True)
    read = reader.get(ref, parameters={"columns": ["visit"]})
    assert len(read) == ROWS
    assert read.colnames == ["visit"]
    assert reader.get(ref.makeComponentRef("rowcount")) == ROWS
    answered = kernel.requests("store")
    assert answered
    assert all(seen.status == 206 for seen in answered)
    assert size > SMALL


def test_components_of_a_file(reader: DirectButler) -> None:
    assert reader.get(find(reader, "source").makeComponentRef("columns")) == ["visit", "flux"]


def test_another_storage_class(reader: DirectButler) -> None:
    frame = reader.get(find(reader, "source"), storageClass="DataFrame")
    assert isinstance(frame, pd.DataFrame)


def test_a_deferred_dataset(reader: DirectButler) -> None:
    handle = reader.getDeferred(find(reader, "source", 2))
    assert np.array_equal(handle.get()["flux"], table(2)["flux"])
    assert handle.get(component="rowcount") == 3


def test_a_composite_in_several_files(reader: DirectButler) -> None:
    ref = find(reader, "metric", 2)
    assert reader.get(ref) == metric(2)
    assert reader.get(ref.makeComponentRef("summary")) == {"visit": 2}
    assert reader.get(ref.makeComponentRef("data"), parameters={"slice": slice(1, 3)}) == [3, 4]
    primary, components = reader.getURIs(ref)
    assert primary is None
    assert set(components) == {"summary", "output", "data"}
    assert reader.exists(ref)


def test_a_member_of_a_zip_file(reader: DirectButler) -> None:
    assert reader.get(find(reader, "note", 2, ZIPPED)) == {"visit": -2}
    assert reader.get(find(reader, "note", 1, ZIPPED)) == {"visit": -1}


def test_existence_of_all_datasets_is_one_request(reader: DirectButler, kernel: Platform) -> None:
    refs = reader.query_datasets("source", collections=RUN)
    assert len(refs) == len(VISITS)
    kernel.requests(forget=True)
    assert all(reader.stored_many(refs).values())
    assert len(kernel.requests()) == 1
    kernel.requests(forget=True)
    assert all(reader._exists_many(refs, full_check=True).values())
    assert len(kernel.requests()) == 1


def test_what_is_only_known_is_told_without_the_server(reader: DirectButler, kernel: Platform) -> None:
    refs = reader.query_datasets("source", collections=RUN)
    kernel.requests(forget=True)
    assert all(reader._datastore.knows_these(refs).values())
    assert reader.exists(refs[0], full_check=False)
    assert kernel.requests() == []


def test_an_address_is_signed_when_it_is_asked_for_and_not_shown_or_kept(reader: DirectButler) -> None:
    uri = reader.getURI(find(reader, "source"))
    assert isinstance(uri, SignedPath)
    assert "Signature=" in str(uri)
    assert "Signature" not in repr(uri)
    assert uri.read()[:4] == b"PAR1"
    pickled = pickle.dumps(uri)
    assert b"Signature" not in pickled
    assert pickle.loads(pickled).read()[:4] == b"PAR1"
    many = reader._datastore.getManyURIs(reader.query_datasets("source", collections=RUN))
    assert all(isinstance(uris.primaryURI, SignedPath) for uris in many.values())


def test_what_is_derived_from_a_signed_address_is_not_taken_for_its_file(reader: DirectButler) -> None:
    uri = reader.getURI(find(reader, "source"))
    assert uri.replace(fragment="part").exists()
    with pytest.raises(PermissionError, match="its own file only"):
        uri.updatedExtension(".json").exists()


def test_an_address_for_what_is_not_written_yet_is_a_personal_one(writer: DirectButler) -> None:
    source = writer.get_dataset_type("source")
    ref = DatasetRef(source, find(writer, "source").dataId, "u/me/mine")
    uri = writer._datastore.getURI(ref, predict=True)
    assert uri.scheme == "file"
    assert uri.fragment == "predicted"


def test_files_are_retrieved_under_their_official_names(reader: DirectButler, tmp_path: Path) -> None:
    refs = [find(reader, "source"), find(reader, "metric")]
    retrieved = reader.retrieveArtifacts(refs, str(tmp_path))
    assert len(retrieved) == 4
    assert all(path.relative_to(ResourcePath(tmp_path)).startswith(f"{RUN}/") for path in retrieved)
    assert all(path.size() > 0 for path in retrieved)


def test_members_of_one_zip_file_are_retrieved_with_one_download(
    reader: DirectButler, kernel: Platform, tmp_path: Path
) -> None:
    refs = reader.query_datasets("note", collections=ZIPPED)
    kernel.requests(forget=True)
    retrieved = reader.retrieveArtifacts(refs, str(tmp_path))
    assert len(retrieved) == 2
    assert len(kernel.requests("store")) == 1


def test_a_zip_file_is_made_of_references(reader: DirectButler, writer: DirectButler, tmp_path: Path) -> None:
    refs = reader.query_datasets("source", collections=RUN)[:3]
    zip_file = reader.retrieve_artifacts_zip(refs, destination=str(tmp_path))
    assert zip_file.size() > 1000


def test_a_pickled_butler_reads(reader: DirectButler) -> None:
    pickled = pickle.dumps(reader)
    assert b"Signature" not in pickled
    with pickle.loads(pickled) as again:
        assert again.get(find(reader, "note", 4)) == {"visit": 4}


def test_a_path_says_where_it_leads_and_is_pickled_without_a_secret(reader: DirectButler) -> None:
    ref = find(reader, "source", 5)
    path = ReferencePath.of("dp2", ref.id, None, "some/place/file.parq")
    again = pickle.loads(pickle.dumps(path))
    assert again == path
    assert again.read()[:4] == b"PAR1"
    assert str(path) == f"butler-reference:/dp2/{ref.id}/some/place/file.parq"
    assert path.basename() == "file.parq"
    assert path.getExtension() == ".parq"
    with path.open("rb") as stream:
        assert stream.read(4) == b"PAR1"


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes_read(reader: DirectButler, method: str) -> None:
    read = operator.methodcaller("get", "note", instrument="Cam", visit=3, collections=RUN)
    context = starting_by(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(read, [reader] * 3)) == [{"visit": 3}] * 3


# The warning is about forking with threads in general; this is what is tried here.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_reads_beside_its_parent(reader: DirectButler) -> None:
    # Connections are open in the parent before the fork.
    refs = reader.query_datasets("large", collections=RUN)
    assert len(reader.get(refs[0])) == ROWS
    notes = reader.query_datasets("note", collections=RUN)

    def read(number: int) -> None:
        assert reader.get(notes[number]) == {"visit": notes[number].dataId["visit"]}

    with Forked(partial(read, 3)) as child:
        read(5)
        assert child.wait() == 0


def test_threads_read_at_once(satellite: Satellite, reader: DirectButler) -> None:
    refs = reader.query_datasets("source", collections=RUN)

    def read(ref: DatasetRef) -> int:
        with satellite.reader() as butler:
            return int(butler.get(ref)["visit"][0])

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert list(pool.map(read, refs)) == [ref.dataId["visit"] for ref in refs]
