"""Official datasets taken into a satellite by reference, in batches that are there whole or not at all."""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionGroup
from lsst.daf.butler._butler_instance_options import ButlerInstanceOptions
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError
from lsst.daf.butler.remote_butler import RemoteButler

from ..datastore import Signer, personal_of, references_of
from ..errors import OfficialServerError
from ..official import OfficialConnection, connect, disconnect, official_url
from .background import InBackground, unhurried_garbage, when_set
from .fitness import Fitness
from .layout import State, state_of
from .presence import registered
from .progress import ProgressCallback, Reporter
from .records import RecordFinder, Records, insert_records
from .registering import register_dataset_type
from .report import Problem, ReferenceReport, Status
from .selecting import Request, Selection
from .storage import writing_alone
from .structure import Structure
from .usage.room import trouble_explained

if TYPE_CHECKING:
    from .place import Place

__all__ = ["reference"]

_RECORDS = 10_000
"""So many dimension records are written before the datasets that need them, and more with them."""


@dataclass
class _Batch:
    """What is known about some datasets before they are written."""

    there: list[DatasetRef] = field(default_factory=list)
    files: dict[DatasetRef, list[StoredFileInfo]] = field(default_factory=dict)
    records: Records = field(default_factory=Records)
    runs: dict[str, str | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, refs: Iterable[DatasetRef], reason: str) -> None:
        for ref in refs:
            self.files.pop(ref, None)
            self.problems.append(Problem(ref, Status.REFUSED, reason))


def reference(
    satellite: Place,
    request: Request,
    *,
    with_structure: bool = True,
    copy: bool = False,
    dry_run: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> ReferenceReport:
    """Reference official datasets: see `Satellite.reference`.

    Parameters
    ----------
    satellite : `Place`
        Where to.
    request : `Request`
        Which.
    with_structure, copy, dry_run, progress, cancel
        As for `Satellite.reference`.

    Returns
    -------
    report : `ReferenceReport`
        What became of them.
    """
    reporter = Reporter(progress, cancel)
    # What there is only one of in these collections, say the instrument, need not be said.
    searched = request.collections or [satellite.label]
    official = connect(satellite.label, options=ButlerInstanceOptions(collections=list(searched)))
    # One of its own, since whoever stops this call must not stop others.
    signer = Signer(satellite.label, official_url(satellite.label))

    def hang_up() -> None:
        signer.cancel()
        if isinstance(official._connection, OfficialConnection):
            official._connection.cancel()

    report = ReferenceReport(dry_run=dry_run)
    try:
        with contextlib.ExitStack() as stack:
            reader = None
            # Only a dry run comes as far as this if there is no satellite.
            if state_of(satellite.root) is State.SATELLITE or not dry_run:
                reader = stack.enter_context(satellite.reader())
            # A server may make one wait: neither does who cancels, nor who interrupts.
            stack.enter_context(when_set(cancel, hang_up))
            work = _Work(satellite, official, signer, reader, request, reporter, hang_up)
            try:
                with trouble_explained(satellite, "A reference", "What is missing can be referenced again."):
                    work.run(report, with_structure=with_structure)
            except OfficialServerError:
                if not reporter.cancelled:
                    raise
                report.cancelled = True
        if copy and not (dry_run or report.cancelled):
            from .pins import pin

            pinned = pin(satellite, work.taken, progress=progress, cancel=cancel)
            report.copied = pinned.done
            report.not_copied = pinned.problems
            report.cancelled = pinned.cancelled
        return report
    finally:
        disconnect(official)
        signer.close()


class _Work:
    """One call of `reference`."""

    def __init__(
        self,
        satellite: Place,
        official: RemoteButler,
        signer: Signer,
        reader: DirectButler | None,
        request: Request,
        reporter: Reporter,
        hang_up: Callable[[], None],
    ) -> None:
        self._satellite = satellite
        self._official = official
        self._signer = signer
        self._reader = reader
        self._reporter = reporter
        self._hang_up = hang_up
        self._selection = Selection(official, satellite.label, request)
        self._fitness = Fitness(official.dimensions, reader)
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="asking for files")
        self.taken: list[DatasetRef] = []
        """Datasets that are in the satellite at the end, for structure and copies."""

    def run(self, report: ReferenceReport, *, with_structure: bool) -> None:
        """Do it, and tell in the report what is done at any time."""
        found = InBackground(self._selection.batches())
        located = InBackground(map(self._locate, found), capacity=2)
        prepared = InBackground(self._prepare(located, found.finished, report.dry_run), capacity=1)
        with contextlib.ExitStack() as stack:
            for context in (unhurried_garbage(), self._asking, found, located, prepared):
                stack.enter_context(context)
            # The first to end: what waits for the server need not any longer.
            stack.push(self._hang_up_if_it_fails)
            writer: DirectButler | None = None
            for batch in prepared:
                if batch.files or batch.records.count:
                    if writer is None and not report.dry_run:
                        writer = stack.enter_context(self._satellite.writer())
                    if writer is not None:
                        self._write(writer, batch)
                self._account(batch, report)
                total = self._selection.found if found.finished.is_set() else None
                self._reporter.tell("referencing", report.total, total)
                if self._reporter.cancelled:
                    report.cancelled = True
                    self._hang_up()
                    return
            if with_structure and not report.dry_run:
                if reason := self._fitness.of_dimensions():
                    # What is there was taken before the server changed; its data IDs cannot be compared.
                    report.notes.append(f"Chains, tags and validity ranges stay as they are. {reason}")
                    return
                structure = Structure(self._official, self._selection.collections)
                structure.ask(self.taken)
                if structure.something:
                    writer = writer or stack.enter_context(self._satellite.writer())
                    report.notes += structure.rebuild(writer)

    def _hang_up_if_it_fails(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._hang_up()

    def _account(self, batch: _Batch, report: ReferenceReport) -> None:
        report.add(Status.NEW, batch.files)
        report.add(Status.THERE, batch.there)
        report.add_problems(batch.problems)
        report.bytes += sum(max(info.file_size, 0) for infos in batch.files.values() for info in infos)
        self.taken += batch.there
        self.taken += batch.files

    # Learning what is needed, in the background

    def _locate(self, refs: list[DatasetRef]) -> _Batch:
        """Learn which datasets are there, and where the files of the others are."""
        batch = _Batch()
        by_id = {ref.id: ref for ref in refs}
        there = self._there(by_id)
        batch.there = [ref for dataset_id, ref in by_id.items() if dataset_id in there]
        wanted = {dataset_id: ref for dataset_id, ref in by_id.items() if dataset_id not in there}
        if not wanted:
            return batch
        # Looking whether a type can be used here may import packages, which takes as long as the answer.
        asked = self._asking.submit(self._signer.files, wanted)
        types = dict.fromkeys(ref.datasetType for ref in wanted.values())
        reasons = {each: self._fitness.of_type(each) for each in types}
        files = asked.result()
        for dataset_id, ref in wanted.items():
            found = files.get(dataset_id)
            if reason := reasons[ref.datasetType]:
                batch.refuse([ref], reason)
            elif found is None:
                batch.problems.append(Problem(ref, Status.MISSING, "The official server has no file of it."))
            elif reason := self._fitness.of_files(found):
                batch.refuse([ref], reason)
            else:
                batch.files[ref] = found
        return batch

    def _prepare(
        self, located: Iterable[_Batch], drained: threading.Event, dry_run: bool
    ) -> Iterator[_Batch]:
        """Learn which dimension records datasets need; many of them come before the datasets."""
        if dry_run or self._reader is None:
            yield from located
            return
        # One for each thread that reads: two would end each other's transactions.
        with self._reader.clone() as reader:
            yield from self._bring_records(located, drained, RecordFinder(self._official, reader))

    def _bring_records(
        self, located: Iterable[_Batch], drained: threading.Event, finder: RecordFinder
    ) -> Iterator[_Batch]:
        for batch in located:
            if batch.files:
                # Of a user's two streaming queries one is open until all datasets are found.
                drained.wait()
                for records in finder.find(batch.files):
                    batch.records.take(records)
                    if batch.records.count >= _RECORDS:
                        yield _Batch(records=batch.records)
                        batch.records = Records(conflicts=records.conflicts)
                batch.runs = self._selection.documentation({ref.run for ref in batch.files})
                for ref in list(batch.files):
                    if reason := batch.records.conflict(ref):
                        batch.refuse([ref], reason)
            yield batch

    def _there(self, refs: Mapping[UUID, DatasetRef]) -> set[UUID]:
        """IDs of those that are in the satellite, with a reference or a file."""
        if self._reader is None:
            return set()
        ids = registered(self._reader, list(refs))
        if not ids:
            return ids
        known = [refs[dataset_id] for dataset_id in ids]
        there = references_of(self._reader).known(known)
        rest = [ref for ref in known if ref.id not in there]
        personal = personal_of(self._reader).knows_these(rest) if rest else {}
        return there | {ref.id for ref, has in personal.items() if has}

    # Writing

    def _write(self, writer: DirectButler, batch: _Batch) -> None:
        """Write a batch in one transaction: whatever happens, no row ever points at nothing."""
        # In the order found: the same satellite, with the same names of tables, each time.
        for dataset_type in dict.fromkeys(ref.datasetType for ref in batch.files):
            # May make a table, which no transaction can.
            # There may be one whose storage class can be converted; any other was refused before.
            with contextlib.suppress(ConflictingDefinitionError):
                register_dataset_type(writer, dataset_type)
        try:
            self._write_at_once(writer, batch)
        except ConflictingDefinitionError:
            for ref, reason in list(_conflicts(writer, batch.files)):
                batch.refuse([ref], reason)
            self._write_at_once(writer, batch)

    def _write_at_once(self, writer: DirectButler, batch: _Batch) -> None:
        with writing_alone(writer), writer.transaction():
            insert_records(writer, batch.records)
            for run in dict.fromkeys(ref.run for ref in batch.files):
                writer.collections.register(run, doc=batch.runs[run])
            groups: dict[tuple[DimensionGroup, str], list[DatasetRef]] = defaultdict(list)
            for ref in batch.files:
                groups[ref.datasetType.dimensions, ref.run].append(ref)
            for refs in groups.values():
                # To assume that they are new would take longer: the time is converted for each of them.
                writer.registry._importDatasets(refs, expand=False)
            # A reference answers before a copy, which another process may have made meanwhile.
            copies = personal_of(writer).knows_these(list(batch.files))
            referred = batch.files
            if any(copies.values()):
                referred = {ref: files for ref, files in batch.files.items() if not copies[ref]}
            references_of(writer).add(self._satellite.label, referred)


def _conflicts(writer: DirectButler, refs: Iterable[DatasetRef]) -> Iterator[tuple[DatasetRef, str]]:
    """Datasets whose place in their run is taken by others."""
    groups: dict[tuple[DatasetType, str], dict[DataCoordinate, DatasetRef]] = defaultdict(dict)
    for ref in refs:
        groups[ref.datasetType, ref.run][ref.dataId] = ref
    for (dataset_type, run), members in groups.items():
        with writer.query() as query:
            query = query.join_data_coordinates(members)
            for other in query.datasets(dataset_type.name, run, find_first=False):
                ref = members[other.dataId]
                if ref.id != other.id:
                    yield (
                        ref,
                        f"Your satellite has another dataset in its place, {other.id}: forget that one first "
                        "if it is no longer there officially.",
                    )
