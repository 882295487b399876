"""Whatever is done to a satellite, the official repository stays as it is, to the byte.

Each way to write, move or remove is tried on a satellite that references everything. Before and after, the
official files and registry are compared by their checksums, and what the object store lists; and nothing
but reading was asked of either service.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from astropy.table import Table
from lsst.daf.butler import DatasetRef, FileDataset, QuantumBackedButler
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.resources import ResourcePath

from python_butler.datastore import personal_of, references_of, signer_for
from python_butler.datastore.path import ReferencePath
from python_butler.demo.platform import Platform
from python_butler.satellite import Satellite

from .checksums import digests, listing
from .scene import RUN, VISITS, ZIPPED, enter, satellite_with

MINE = "u/me/mine"
MODES = ["auto", "copy", "move", "link", "hardlink", "symlink", "relsymlink", "direct", "split", None]
TYPES = ("source", "note", "large", "metric")


@pytest.fixture(scope="module")
def referencing(files_platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directory of a satellite that references everything, to be copied."""
    with pytest.MonkeyPatch.context() as patch:
        enter(files_platform, patch, tmp_path_factory.mktemp("butler"))
        satellite_with(*TYPES)
        return satellite_with("note", collections=ZIPPED).root


@pytest.fixture
def satellite(kernel: Platform, referencing: Path, tmp_path: Path) -> Satellite:
    shutil.copytree(referencing, tmp_path / "butler" / "dp2")
    return Satellite.open("dp2")


@pytest.fixture
def allowed() -> set[str]:
    """Methods of requests to the object store that a test may make."""
    return {"GET"}


@pytest.fixture(autouse=True)
def official(
    satellite: Satellite, kernel: Platform, files_repository: Path, allowed: set[str]
) -> Iterator[Platform]:
    """What is official is after each test as it was before, and was only read."""
    before = digests(files_repository), listing(kernel)
    kernel.requests(forget=True)
    yield kernel
    asked = kernel.requests()
    assert (digests(files_repository), listing(kernel)) == before
    assert {seen.method for seen in asked if seen.service == "store"} <= allowed
    assert {seen.method for seen in asked if seen.service == "server"} <= {"GET", "POST"}


@dataclass
class Attempt:
    """A satellite opened for writing, for one attempt on what it references."""

    satellite: Satellite
    butler: DirectButler
    directory: Path

    def refs(self, *names: str, run: str = RUN) -> list[DatasetRef]:
        return [
            ref for name in names or TYPES for ref in self.butler.query_datasets(name, run, explain=False)
        ]

    def one(self) -> DatasetRef:
        return self.refs("note")[2]

    def path(self) -> ReferencePath:
        return ReferencePath.of("dp2", self.one().id, None, "Cam/note.yaml")

    def known(self) -> int:
        every = [*self.refs(), *self.refs("note", run=ZIPPED)]
        return len(references_of(self.butler).known(every))


@pytest.fixture
def attempt(satellite: Satellite, tmp_path: Path) -> Iterator[Attempt]:
    with satellite.writer() as butler:
        butler.collections.register(MINE)
        yield Attempt(satellite, butler, tmp_path)


ALL = 2 * len(VISITS) + 1 + 2 + 2


def prune(attempt: Attempt, *, purge: bool) -> None:
    attempt.butler.pruneDatasets(attempt.refs(), disassociate=purge, unstore=True, purge=purge)
    assert attempt.known() == 2


def remove_runs(attempt: Attempt) -> None:
    attempt.butler.removeRuns([RUN, ZIPPED], unlink_from_chains=True)
    assert not attempt.butler.collections.query("Cam/*")


def empty_the_trash(attempt: Attempt) -> None:
    attempt.butler._datastore.trash(attempt.refs())
    attempt.butler._datastore.emptyTrash()
    assert attempt.known() == 2


def trash_one_by_one(attempt: Attempt) -> None:
    for ref in attempt.refs("note", run=ZIPPED):
        attempt.butler._datastore.trash(ref)
        attempt.butler._datastore.emptyTrash(refs=[ref])
    assert attempt.known() == ALL - 2


def remove_from_the_datastore(attempt: Attempt) -> None:
    attempt.butler._datastore.remove(attempt.one())
    assert attempt.known() == ALL - 1


def remove_a_dataset_type(attempt: Attempt) -> None:
    attempt.butler.pruneDatasets(attempt.refs("note"), disassociate=True, unstore=True, purge=True)
    attempt.butler.pruneDatasets(
        attempt.refs("note", run=ZIPPED), disassociate=True, unstore=True, purge=True
    )
    attempt.butler.registry.removeDatasetType("note")
    attempt.butler._datastore.emptyTrash()


def forget(attempt: Attempt) -> None:
    attempt.satellite.forget(attempt.refs())
    assert attempt.known() == 2


def drop(attempt: Attempt) -> None:
    references_of(attempt.butler).forget(attempt.refs())
    assert attempt.known() == 2


def command(attempt: Attempt, *arguments: str) -> None:
    """Run upstream's command line, which asks nothing."""
    program = str(Path(sys.executable).with_name("butler"))
    done = subprocess.run(
        [program, arguments[0], str(attempt.satellite.root), *arguments[1:]],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout


def prune_by_command(attempt: Attempt) -> None:
    command(attempt, "prune-datasets", RUN, "--datasets", "*", "--purge", RUN, "--find-all", "--no-confirm")
    assert attempt.known() == 2


def remove_runs_by_command(attempt: Attempt) -> None:
    command(attempt, "remove-runs", "Cam/*", "--no-confirm", "--force")
    attempt.butler.registry.refresh()
    assert not attempt.butler.collections.query("Cam/*")


REMOVALS: dict[str, Callable[[Attempt], None]] = {
    "purge": partial(prune, purge=True),
    "unstore": partial(prune, purge=False),
    "remove runs": remove_runs,
    "empty the trash": empty_the_trash,
    "trash one by one": trash_one_by_one,
    "remove from the datastore": remove_from_the_datastore,
    "remove a dataset type": remove_a_dataset_type,
    "forget": forget,
    "drop": drop,
    "prune by command": prune_by_command,
    "remove runs by command": remove_runs_by_command,
}


@pytest.mark.parametrize("removal", REMOVALS)
def test_removing_concerns_the_satellite_alone_and_asks_nobody(
    attempt: Attempt, official: Platform, removal: str
) -> None:
    REMOVALS[removal](attempt)
    assert official.requests() == []


def test_a_quantum_backed_butler_prunes_without_asking_anybody(attempt: Attempt, official: Platform) -> None:
    refs = attempt.refs("note")
    butler = QuantumBackedButler.from_predicted(
        config=str(attempt.satellite.root),
        predicted_inputs=[ref.id for ref in refs],
        predicted_outputs=[],
        dimensions=attempt.butler.dimensions,
        datastore_records=attempt.butler._datastore.export_records(refs),
        dataset_types={"note": refs[0].datasetType},
    )
    butler.pruneDatasets(refs, disassociate=False, unstore=True, purge=False)
    assert official.requests() == []


def test_a_put_into_a_referenced_data_id_is_refused_or_personal(attempt: Attempt) -> None:
    ref = attempt.one()
    with pytest.raises(ConflictingDefinitionError):
        attempt.butler.put({"visit": 0}, ref)
    with pytest.raises(ConflictingDefinitionError):
        attempt.butler.put({"visit": 0}, "note", ref.dataId, run=RUN)
    attempt.butler.pruneDatasets([ref], disassociate=False, unstore=True, purge=False)
    attempt.butler.put({"visit": 0}, ref)
    assert personal_of(attempt.butler).knows(ref)
    attempt.butler.removeRuns([RUN], unlink_from_chains=True)


ADDRESSES: dict[str, Callable[[Attempt], str | ResourcePath]] = {
    "reference": lambda attempt: attempt.path(),
    "permanent address": lambda attempt: signer_for("dp2").address(attempt.one().id),
    "signed path": lambda attempt: attempt.butler.getURI(attempt.one()),
    "signed address": lambda attempt: str(attempt.butler.getURI(attempt.one())),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("address", ADDRESSES)
def test_ingest_never_moves_an_official_file(
    attempt: Attempt, address: str, mode: str | None, allowed: set[str]
) -> None:
    if address == "signed address":
        # A bare address is upstream's own business: it tries, and the object store refuses.
        allowed |= {"DELETE", "HEAD", "OPTIONS"}
    own = DatasetRef(attempt.one().datasetType, attempt.one().dataId, MINE)
    path = ADDRESSES[address](attempt)
    dataset = FileDataset(path, [own], formatter="lsst.daf.butler.formatters.yaml.YamlFormatter")
    taken = True
    try:
        attempt.butler.ingest(dataset, transfer=mode)
    except Exception:  # upstream refuses in many ways
        taken = False
    assert len(attempt.butler.query_datasets("note", MINE, explain=False)) == taken
    if taken:
        assert attempt.butler.get(own) == {"visit": own.dataId["visit"]}
        attempt.butler.removeRuns([MINE])


WRITES: dict[str, Callable[[ResourcePath, Path], object]] = {
    "remove": lambda path, _: path.remove(),
    "write": lambda path, _: path.write(b"mine"),
    "mkdir": lambda path, _: path.mkdir(),
    "transfer_from": lambda path, local: path.transfer_from(ResourcePath(local), "copy", overwrite=True),
    "move away": lambda path, local: ResourcePath(local).transfer_from(path, "move", overwrite=True),
    "open": lambda path, _: path.open("wb").__enter__(),
    "append": lambda path, _: path.open("ab").__enter__(),
    "bulk": lambda path, _: ResourcePath.mremove([path], do_raise=True),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("signed", [False, True], ids=["reference", "signed"])
def test_a_path_refuses_to_be_written(attempt: Attempt, write: str, signed: bool) -> None:
    path = attempt.butler.getURI(attempt.one()) if signed else attempt.path()
    local = attempt.directory / "local.yaml"
    local.write_text("mine: true\n")
    with pytest.raises((PermissionError, ExceptionGroup)):
        WRITES[write](path, local)


@pytest.mark.parametrize("mode", ["copy", "auto"])
def test_retrieving_copies_the_files(attempt: Attempt, mode: str) -> None:
    target = attempt.directory / "out"
    target.mkdir()
    attempt.butler.retrieveArtifacts(attempt.refs("note"), str(target), transfer=mode)
    assert len(list(target.rglob("*.yaml"))) == len(VISITS)


@pytest.mark.parametrize("mode", ["move", "link", "direct"])
def test_retrieving_does_nothing_else(attempt: Attempt, mode: str) -> None:
    target = attempt.directory / "out"
    target.mkdir()
    with pytest.raises((ValueError, ExceptionGroup)):
        attempt.butler.retrieveArtifacts(attempt.refs("note"), str(target), transfer=mode)
    assert not list(target.rglob("*.yaml"))


@pytest.mark.parametrize("mode", ["copy", "auto", "direct"])
def test_exporting_leaves_the_files_where_they_are(attempt: Attempt, mode: str) -> None:
    target = attempt.directory / "out"
    target.mkdir()
    with attempt.butler.export(directory=str(target), filename="export.yaml", transfer=mode) as export:
        export.saveDatasets(attempt.refs("note"))
    assert len(list(target.rglob("*.yaml"))) == 1 + len(VISITS) * (mode != "direct")


def test_exports_cannot_move(attempt: Attempt) -> None:
    with (
        pytest.raises(TypeError, match="read-only"),
        attempt.butler.export(directory=str(attempt.directory), filename="e.yaml", transfer="move"),
    ):
        pass


@pytest.mark.parametrize("mode", ["copy", "auto", "direct"])
def test_what_was_transferred_is_removed_without_its_source(attempt: Attempt, mode: str) -> None:
    with Satellite.create("dp2", attempt.directory / "other").writer() as target:
        taken = transfer(attempt, target, mode)
        assert taken == len(VISITS)
        target.removeRuns([RUN], unlink_from_chains=True)


def test_a_transfer_cannot_move(attempt: Attempt) -> None:
    with (
        Satellite.create("dp2", attempt.directory / "other").writer() as target,
        pytest.raises((ValueError, NotImplementedError, PermissionError, ExceptionGroup)),
    ):
        transfer(attempt, target, "move")


def transfer(attempt: Attempt, target: DirectButler, mode: str) -> int:
    refs = attempt.refs("note")
    return len(
        target.transfer_from(
            attempt.butler, refs, transfer=mode, register_dataset_types=True, transfer_dimensions=True
        )
    )


@pytest.mark.parametrize("mode", ["move", "copy", "auto", "direct"])
def test_a_zip_file_is_taken_in_or_not_and_stays(attempt: Attempt, mode: str) -> None:
    (ref, *_) = attempt.refs("note", run=ZIPPED)
    zip_file = attempt.butler.getURI(ref).replace(fragment="")
    attempt.butler.pruneDatasets(
        attempt.refs("note", run=ZIPPED), disassociate=True, unstore=True, purge=True
    )
    if mode == "copy":
        attempt.butler.ingest_zip(zip_file, transfer=mode)
        assert attempt.butler.get(ref) == {"visit": -ref.dataId["visit"]}
    else:
        with contextlib.suppress(Exception):  # upstream refuses in many ways
            attempt.butler.ingest_zip(zip_file, transfer=mode)
    attempt.butler.removeRuns([ZIPPED], unlink_from_chains=True)


def test_what_is_pinned_is_removed_and_what_it_copies_is_not(attempt: Attempt) -> None:
    refs = attempt.refs("note")
    attempt.satellite.pin(refs)
    attempt.satellite.unpin(refs[:3])
    with attempt.satellite.writer() as butler:
        butler.pruneDatasets(refs, disassociate=True, unstore=True, purge=True)
        assert not references_of(butler).known(refs)


def test_writing_over_a_table_that_was_read_changes_nothing(attempt: Attempt) -> None:
    ref = attempt.refs("source")[0]
    found = attempt.butler.get(ref)
    found["flux"] = 0.0
    attempt.butler.put(found, "source", ref.dataId, run=MINE)
    again: Table = attempt.butler.get(ref)
    assert (again["flux"] != 0).all()
