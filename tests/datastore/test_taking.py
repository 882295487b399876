"""References come in and go out: transfer, export and import, by reference and by copy."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDataset, QuantumBackedButler
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.datastore import ReferenceDatastore, personal_of, references_of, signer_for
from python_butler.demo.platform import Platform
from python_butler.errors import InvalidRequestError
from python_butler.official import connect, disconnect
from python_butler.satellite import Satellite

from .scene import RUN, VISITS, ZIPPED, metric


@pytest.fixture
def other(kernel: Platform, tmp_path: Path) -> Iterator[DirectButler]:
    """Another satellite of the same official repository, empty."""
    satellite = Satellite.create("dp2", tmp_path / "other")
    with satellite.writer() as butler:
        yield butler


@pytest.fixture
def plain(kernel: Platform, tmp_path: Path, reader: DirectButler) -> Iterator[Butler]:
    """A plain repository, as anybody may have."""
    root = str(tmp_path / "plain")
    Butler.makeRepo(root, dimensionConfig=reader.dimensions.dimensionConfig)
    with Butler.from_config(root, writeable=True) as butler:
        yield butler


def notes(butler: Butler, collections: str = RUN) -> list[DatasetRef]:
    return butler.query_datasets("note", collections=collections, order_by="visit")


def take(target: DirectButler, source: Butler, refs: list[DatasetRef], transfer: str) -> None:
    taken = target.transfer_from(
        source, refs, transfer=transfer, register_dataset_types=True, transfer_dimensions=True
    )
    assert set(taken) == set(refs)


def test_references_go_from_one_satellite_to_another(reader: DirectButler, other: DirectButler) -> None:
    refs = notes(reader)
    take(other, reader, refs, "direct")
    assert references_of(other).known(refs) == {ref.id for ref in refs}
    assert other.get(refs[3]) == {"visit": VISITS[3]}


def test_files_are_copied_into_a_plain_repository(
    reader: DirectButler, plain: DirectButler, kernel: Platform
) -> None:
    refs = [*notes(reader)[:3], *reader.query_datasets("metric", collections=RUN)]
    take(plain, reader, refs, "copy")
    kernel.requests(forget=True)
    assert plain.get(refs[0]) == {"visit": 1}
    assert plain.get(refs[3]) == metric(refs[3].dataId["visit"])
    assert kernel.requests() == []


def test_a_plain_repository_does_not_record_what_it_could_not_read(
    reader: DirectButler, plain: DirectButler
) -> None:
    refs = notes(reader)[:2]
    with pytest.raises(InvalidRequestError, match=r"satellites only.*transfer='copy'"):
        take(plain, reader, refs, "unsafe_direct")
    assert not any(plain.stored_many(refs).values())


def test_files_are_copied_into_a_satellite(kernel: Platform, other: DirectButler) -> None:
    official = connect("dp2")
    try:
        refs = notes(official)[:2]
        take(other, official, refs, "copy")
    finally:
        disconnect(official)
    assert references_of(other).known(refs) == set()
    kernel.requests(forget=True)
    assert other.get(refs[1]) == {"visit": 2}
    assert kernel.requests() == []


def test_references_are_taken_once(reader: DirectButler, writer: DirectButler, kernel: Platform) -> None:
    refs = notes(reader)
    take(writer, reader, refs, "direct")
    assert len(references_of(writer).known(refs)) == len(refs)


def test_members_of_zip_files_are_taken(reader: DirectButler, other: DirectButler) -> None:
    refs = notes(reader, ZIPPED)
    take(other, reader, refs, "direct")
    assert other.get(refs[0]) == {"visit": -1}


@pytest.fixture
def exported(reader: DirectButler, tmp_path: Path) -> Path:
    """What an export of references writes."""
    file = tmp_path / "export.yaml"
    with reader.export(filename=str(file)) as export:
        export.saveDatasets(notes(reader)[:3])
    return file


def test_an_export_holds_addresses_without_secrets(exported: Path, kernel: Platform) -> None:
    text = exported.read_text()
    assert text.count(f"{kernel.url}/v1/dataset/") == 3
    assert "Signature" not in text
    assert kernel.token not in text


@pytest.mark.parametrize("transfer", ["direct", "auto", None])
def test_exported_references_are_imported_as_references(
    exported: Path, reader: DirectButler, other: DirectButler, transfer: str | None
) -> None:
    refs = notes(reader)[:3]
    other.import_(filename=str(exported), transfer=transfer)
    assert references_of(other).known(refs) == {ref.id for ref in refs}
    assert not any(personal_of(other).knows(ref) for ref in refs)
    assert other.get(refs[2]) == {"visit": 3}


def test_exported_references_are_imported_as_copies(
    exported: Path, reader: DirectButler, other: DirectButler, kernel: Platform
) -> None:
    refs = notes(reader)[:3]
    other.import_(filename=str(exported), transfer="copy")
    assert references_of(other).known(refs) == set()
    kernel.requests(forget=True)
    assert other.get(refs[2]) == {"visit": 3}
    assert kernel.requests() == []


def test_members_of_zip_files_are_imported_as_references_only(
    reader: DirectButler, other: DirectButler, tmp_path: Path
) -> None:
    file = str(tmp_path / "export.yaml")
    refs = notes(reader, ZIPPED)
    with reader.export(filename=file) as export:
        export.saveDatasets(refs)
    with pytest.raises(InvalidRequestError, match="then pin it"):
        other.import_(filename=file, transfer="copy")
    other.import_(filename=file, transfer="direct")
    assert other.get(refs[0]) == {"visit": -1}


def test_references_are_exported_with_their_files(
    reader: DirectButler, plain: DirectButler, tmp_path: Path
) -> None:
    directory = tmp_path / "files"
    directory.mkdir()
    refs = notes(reader)[:2]
    with reader.export(directory=str(directory), filename="export.yaml", transfer="copy") as export:
        export.saveDatasets(refs)
    plain.import_(directory=str(directory), filename="export.yaml", transfer="copy")
    assert plain.get(refs[1]) == {"visit": 2}


def test_personal_and_official_files_are_ingested_together(
    reader: DirectButler, other: DirectButler, tmp_path: Path
) -> None:
    refs = notes(reader)[:2]
    take(other, reader, refs[:1], "direct")
    mine = tmp_path / "mine.yaml"
    mine.write_text("visit: 99\n")
    other.collections.register("u/me/mine")
    note = other.get_dataset_type("note")
    own = DatasetRef(note, refs[0].dataId, "u/me/mine")
    other.pruneDatasets(refs[:1], disassociate=True, unstore=True, purge=True)
    datasets = [
        FileDataset(path=signer_for("dp2").address(refs[0].id), refs=[refs[0]]),
        FileDataset(path=str(mine), refs=[own], formatter="lsst.daf.butler.formatters.yaml.YamlFormatter"),
    ]
    other.ingest(*datasets, transfer="direct")
    assert other.get(own) == {"visit": 99}
    assert other.get(refs[0]) == {"visit": 1}
    assert references_of(other).known([own, refs[0]]) == {refs[0].id}
    assert [len(dataset.refs) for dataset in datasets] == [1, 1]


def test_a_failed_ingest_can_be_repeated(reader: DirectButler, other: DirectButler, tmp_path: Path) -> None:
    refs = notes(reader)[:2]
    take(other, reader, refs, "direct")
    other.pruneDatasets(refs, disassociate=True, unstore=True, purge=True)
    other.collections.register("u/me/mine")
    own = DatasetRef(other.get_dataset_type("note"), refs[0].dataId, "u/me/mine")
    mine = tmp_path / "mine.yaml"
    datasets = [
        FileDataset(path=signer_for("dp2").address(refs[0].id), refs=[refs[0]]),
        FileDataset(path=str(mine), refs=[own]),
    ]
    with pytest.raises(FileNotFoundError):
        other.ingest(*datasets, transfer="direct")
    mine.write_text("visit: 99\n")
    other.ingest(*datasets, transfer="direct")
    assert other.get(refs[0]) == {"visit": 1}
    assert other.get(own) == {"visit": 99}


def test_what_has_a_personal_copy_is_not_referenced_too(
    reader: DirectButler, other: DirectButler, kernel: Platform
) -> None:
    refs = notes(reader)[:2]
    take(other, reader, refs[:1], "copy")
    take(other, reader, refs, "direct")
    assert references_of(other).known(refs) == {refs[1].id}


def test_a_reference_under_another_identity_is_refused(reader: DirectButler, other: DirectButler) -> None:
    refs = notes(reader)[:2]
    take(other, reader, refs[:1], "direct")
    other.collections.register("u/me/mine")
    impostor = DatasetRef(other.get_dataset_type("note"), refs[0].dataId, "u/me/mine")
    with pytest.raises(InvalidRequestError, match="is not the file of"):
        other.ingest(
            FileDataset(path=signer_for("dp2").address(refs[0].id), refs=[impostor]), transfer="direct"
        )


def test_what_is_put_goes_to_the_personal_files(writer: DirectButler) -> None:
    writer.collections.register("u/me/mine")
    ref = writer.put({"mine": 1}, "note", instrument="Cam", visit=1, run="u/me/mine")
    assert personal_of(writer).knows(ref)
    assert references_of(writer).known([ref]) == set()
    assert writer.get(ref) == {"mine": 1}


def test_pruning_forgets_references_without_asking_anybody(
    reader: DirectButler, writer: DirectButler, kernel: Platform
) -> None:
    refs = notes(reader)
    kernel.requests(forget=True)
    writer.pruneDatasets(refs[:4], disassociate=True, unstore=True, purge=True)
    writer.pruneDatasets(refs[4:5], disassociate=False, unstore=True, purge=False)
    assert references_of(writer).known(refs) == {ref.id for ref in refs[5:]}
    assert kernel.requests() == []


def test_a_quantum_backed_butler_reads_references(satellite: Satellite, reader: DirectButler) -> None:
    inputs = notes(reader)[:2]
    output = DatasetRef(
        DatasetType("result", inputs[0].datasetType.dimensions, "StructuredDataDict"),
        inputs[0].dataId,
        "u/me/out",
    )
    butler = QuantumBackedButler.from_predicted(
        config=str(satellite.root),
        predicted_inputs=[ref.id for ref in inputs],
        predicted_outputs=[output.id],
        dimensions=reader.dimensions,
        datastore_records=reader._datastore.export_records(inputs),
        dataset_types={ref.datasetType.name: ref.datasetType for ref in (*inputs, output)},
    )
    assert butler.get(inputs[1]) == {"visit": 2}
    assert butler.stored(inputs[0])
    butler.put({"sum": 3}, output)
    assert butler.get(output) == {"sum": 3}
    butler.pruneDatasets(inputs, disassociate=False, unstore=True)
    assert reader.get(inputs[0]) == {"visit": 1}


def test_the_command_line_reads_references(satellite: Satellite, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    command = [
        "retrieve-artifacts",
        str(satellite.root),
        str(tmp_path / "out"),
        "--dataset-type=source",
        f"--collections={RUN}",
        "--where=instrument='Cam' AND visit < 3",
    ]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("butler")), *command],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out").rglob("*.parq"))) == 2


def test_a_repository_without_references_says_so(plain: Butler) -> None:
    from python_butler.errors import SatelliteError

    with pytest.raises(SatelliteError, match=ReferenceDatastore.__name__):
        references_of(plain)
