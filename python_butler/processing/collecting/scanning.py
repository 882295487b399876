"""What of a run is there: read from the logs and metadata of its quanta, and kept as a provenance graph."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from pathlib import Path
from uuid import UUID, uuid4

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.datastores.fileDatastore import FileDatastore
from lsst.daf.butler.logging import ButlerLogRecords
from lsst.pipe.base import TaskMetadata
from lsst.pipe.base import automatic_connection_constants as acc
from lsst.pipe.base.log_on_close import LogOnClose
from lsst.pipe.base.quantum_graph import (
    PredictedDatasetModel,
    PredictedQuantumDatasetsModel,
    ProvenanceQuantumGraphWriter,
    ProvenanceQuantumScanModels,
    ProvenanceQuantumScanStatus,
)
from lsst.resources import ResourcePath

from ...satellite.durable import at_once, sync_directory, sync_file
from ...satellite.progress import Reporter
from .plan import Plan, outputs_of

__all__ = ["BLOCKED", "FAILED", "NOT_RUN", "SUCCEEDED", "Outputs", "Scan", "scan"]

SUCCEEDED, FAILED, BLOCKED, NOT_RUN = "succeeded", "failed", "blocked", "not run"
"""What may have become of a quantum."""

_TOGETHER = 250
"""Quanta whose files are in memory at the same time."""


@dataclass
class Scan:
    """What of a run is there.

    Attributes
    ----------
    quanta : `dict` [`str`, `collections.Counter` [`str`]]
        How many quanta of each task succeeded, failed, were blocked by failures or not run.
    unfinished : `set` [`uuid.UUID`]
        Quanta that did not succeed.
    absent : `set` [`uuid.UUID`]
        Datasets that quanta which succeeded, and the run as a whole, might have written and did not.
    """

    quanta: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unfinished: set[UUID] = field(default_factory=set)
    absent: set[UUID] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether all quanta succeeded, so that nothing can be added any more."""
        return not self.unfinished

    def produced(self, plan: Plan) -> Iterator[PredictedDatasetModel]:
        """Give the datasets that are to be kept.

        What a failed quantum left is not among them: running it again replaces it.

        Parameters
        ----------
        plan : `Plan`
            What was predicted.

        Yields
        ------
        dataset : `lsst.pipe.base.quantum_graph.PredictedDatasetModel`
            A dataset.
        """
        for quantum in [*plan.init_quanta, *plan.quanta.values()]:
            if quantum.quantum_id not in self.unfinished:
                yield from (each for each in outputs_of(quantum) if each.dataset_id not in self.absent)


class Outputs:
    """The files of a run's outputs, where the satellite's datastore writes them.

    Parameters
    ----------
    datastore : `lsst.daf.butler.datastores.fileDatastore.FileDatastore`
        The personal datastore of the satellite.
    """

    def __init__(self, datastore: FileDatastore) -> None:
        self._datastore = datastore

    def places(self, ref: DatasetRef) -> list[tuple[ResourcePath, StoredFileInfo]]:
        """Tell where the files of a dataset are, if it was written.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset, with dimension records.

        Returns
        -------
        places : `list` [`tuple`]
            Each file with its record, in which the size is not known yet.
        """
        # Not public: so a datastore finds what was written without a registry.
        return [
            (location.uri, info)
            for location, info in self._datastore._get_expected_dataset_locations_info(ref)
        ]

    def files(self, refs: Iterable[DatasetRef]) -> dict[UUID, list[StoredFileInfo]]:
        """Look which datasets are there, and how large their files are.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets, with dimension records.

        Returns
        -------
        files : `dict` [`uuid.UUID`, `list` [`lsst.daf.butler.datastore.stored_file_info.StoredFileInfo`]]
            Records of the files, of those of which all files are there.
        """
        places = {ref.id: self.places(ref) for ref in refs}
        flat = [(uri, dataset_id) for dataset_id, each in places.items() for uri, _ in each]
        sizes = iter(_at_once(_size, [uri for uri, _ in flat]))
        found: dict[UUID, list[StoredFileInfo]] = {}
        for dataset_id, each in places.items():
            sized = [(info, next(sizes)) for _, info in each]
            if all(size is not None for _, size in sized):
                found[dataset_id] = [info.update(file_size=size) for info, size in sized]
        return found


def scan(
    plan: Plan, outputs: Outputs, rejected: Collection[UUID], target: Path, reporter: Reporter
) -> Scan | None:
    """Look what became of each quantum, and write the provenance graph.

    Parameters
    ----------
    plan : `Plan`
        What was predicted.
    outputs : `Outputs`
        Where outputs are.
    rejected : collection of `uuid.UUID`
        Quanta that do not count as done whatever they wrote, and are to be run again.
    target : `pathlib.Path`
        File of the provenance graph; replaced when it is complete.
    reporter : `Reporter`
        Told how far it is; whether to stop.

    Returns
    -------
    scan : `Scan` or `None`
        `None` if it was stopped.

    Raises
    ------
    OSError
        If something cannot be read or written.
    """
    found = Scan()
    new = target.with_name(f".{uuid4().hex}.new.qg")
    try:
        with ExitStack() as stack:
            writer = ProvenanceQuantumGraphWriter(
                str(new),
                exit_stack=stack,
                log_on_close=LogOnClose(lambda level, message: None),
                predicted=plan.components,
            )
            writer.write_overall_inputs()
            with _without_eups():
                writer.write_packages()
            if not _scan_quanta(plan, outputs, rejected, writer, found, reporter):
                return None
            _scan_init_quanta(plan, outputs, writer, found)
            writer.write_init_outputs(assume_existence=False)
        sync_file(new)
        new.replace(target)
        sync_directory(target.parent)
    finally:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
    return found


@contextlib.contextmanager
def _without_eups() -> Iterator[None]:
    """Let upstream not tell each time that its package manager is not here: of packages of pip it knows."""
    log = logging.getLogger("lsst.utils.packages")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _scan_init_quanta(
    plan: Plan, outputs: Outputs, writer: ProvenanceQuantumGraphWriter, found: Scan
) -> None:
    there = outputs.files(plan.refs(each for q in plan.init_quanta for each in outputs_of(q)))
    for quantum in plan.init_quanta:
        models = ProvenanceQuantumScanModels(quantum.quantum_id, status=ProvenanceQuantumScanStatus.INIT)
        models.output_existence = {each.dataset_id: each.dataset_id in there for each in outputs_of(quantum)}
        found.absent |= {id for id, exists in models.output_existence.items() if not exists}
        writer.write_scan_data(models.to_scan_data(quantum, writer.compressor))


def _scan_quanta(
    plan: Plan,
    outputs: Outputs,
    rejected: Collection[UUID],
    writer: ProvenanceQuantumGraphWriter,
    found: Scan,
    reporter: Reporter,
) -> bool:
    """Look at quanta one after the other; `False` if stopped."""
    order, before = plan.in_order()
    done = 0
    for batch in batched(order, _TOGETHER):
        places = _files_of_quanta(plan, outputs, batch)
        contents = _at_once(_contents, [places[each.quantum_id] for each in batch])
        for quantum, (log, metadata) in zip(batch, contents, strict=True):
            _scan_quantum(quantum, log, metadata, rejected, before, outputs, plan, writer, found)
        done += len(batch)
        reporter.tell("looking at what was run", done, len(order))
        if reporter.cancelled:
            return False
    return True


def _scan_quantum(
    quantum: PredictedQuantumDatasetsModel,
    log: bytes | None,
    metadata: bytes | None,
    rejected: Collection[UUID],
    before: dict[UUID, set[UUID]],
    outputs: Outputs,
    plan: Plan,
    writer: ProvenanceQuantumGraphWriter,
    found: Scan,
) -> None:
    told = None if quantum.quantum_id in rejected else _parsed(metadata)
    if told is None:
        found.unfinished.add(quantum.quantum_id)
        blocked = bool(before[quantum.quantum_id] & found.unfinished)
        if blocked and log is None:
            found.quanta[quantum.task_label][BLOCKED] += 1
            writer.write_blocked_quantum_provenance(quantum.quantum_id)
            return
    models = ProvenanceQuantumScanModels.from_metadata_and_logs(quantum, told, _logs(log))
    existence = models.output_existence
    if told is None:
        state = NOT_RUN if log is None and metadata is None else FAILED
        # Whatever a failed quantum has written, it will be written again.
        unknown: set[UUID] = set()
    else:
        state = SUCCEEDED
        unknown = {each.dataset_id for each in outputs_of(quantum)} - existence.keys()
    if unknown:
        refs = plan.refs(each for each in outputs_of(quantum) if each.dataset_id in unknown)
        existence.update(dict.fromkeys(outputs.files(refs), True))
    for each in outputs_of(quantum):
        existence.setdefault(each.dataset_id, False)
    if told is not None:
        found.absent |= {id for id, exists in existence.items() if not exists}
    found.quanta[quantum.task_label][state] += 1
    writer.write_scan_data(models.to_scan_data(quantum, writer.compressor))


def _files_of_quanta(
    plan: Plan, outputs: Outputs, quanta: Iterable[PredictedQuantumDatasetsModel]
) -> dict[UUID, list[ResourcePath]]:
    """Where the log and the metadata of each quantum are."""
    owners = {
        quantum.outputs[name][0].dataset_id: (quantum.quantum_id, place)
        for quantum in quanta
        for place, name in enumerate((acc.LOG_OUTPUT_CONNECTION_NAME, acc.METADATA_OUTPUT_CONNECTION_NAME))
    }
    models = (each for quantum in quanta for each in outputs_of(quantum) if each.dataset_id in owners)
    uris = {owners[ref.id]: outputs.places(ref)[0][0] for ref in plan.refs(models)}
    return {each.quantum_id: [uris[each.quantum_id, place] for place in (0, 1)] for each in quanta}


def _at_once[T, R](action: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the same with many, in as many threads as the storage is slow."""
    answers: dict[int, R] = {}

    def one(place: int, item: T) -> None:
        answers[place] = action(item)

    at_once([partial(one, place, item) for place, item in enumerate(items)])
    return [answers[place] for place in range(len(items))]


def _contents(uris: Iterable[ResourcePath]) -> tuple[bytes | None, ...]:
    return tuple(map(_read, uris))


def _read(uri: ResourcePath) -> bytes | None:
    try:
        return uri.read()
    except FileNotFoundError:
        return None


def _size(uri: ResourcePath) -> int | None:
    try:
        return uri.size()
    except FileNotFoundError:
        return None


def _parsed(metadata: bytes | None) -> TaskMetadata | None:
    """Metadata; `None` if there is none, or half of it: written last, it says that a quantum is done."""
    if metadata is None:
        return None
    try:
        parsed: TaskMetadata = TaskMetadata.model_validate_json(metadata)
    except ValueError:
        return None
    return parsed


def _logs(log: bytes | None) -> ButlerLogRecords | None:
    if log is None:
        return None
    try:
        return ButlerLogRecords.from_raw(log)
    except ValueError:
        return None
