"""Removing old datasets of one's own: rows first, then files, so that it can be stopped at any moment.

A dataset is removed as upstream does it. One transaction takes it out of the registry and notes in
upstream's trash which files are to go; then the files go, and last the notes. What a killed process has
left in the trash is removed by the next one.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

import sqlalchemy
from lsst.daf.butler import DatasetRef
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import FakeDatasetRef
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError

from ...datastore import personal_of
from ..configuration import PERSONAL, reason
from ..moving.mark import refuse_if_moving
from ..pins import unpin
from ..progress import ProgressCallback, Reporter
from ..spool import Spool
from .choosing import Candidate, Chosen, Kept, Rule, choose, held
from .tables import Tables, time_of

if TYPE_CHECKING:
    from ..place import Place

__all__ = ["PruneGroup", "PruneReport", "prune"]

_BATCH = 100
"""Datasets that are removed at a time, at least. The database is locked while their files are."""

_MOST = 2_000
"""Datasets that are removed at a time, at most."""

_SECONDS = 0.5
"""For how long the database may be locked: on a quick disk many can be removed in that time."""

_SPOOL_SECONDS = 10.0
"""For how long to wait for others who commit what is in the spool."""


class PruneGroup(BaseModel):
    """Datasets of one type in one run that are to be removed, or were."""

    model_config = ConfigDict(frozen=True)

    run: str
    """Where they are."""

    dataset_type: str
    """Of which type."""

    datasets: int
    """How many."""

    bytes: int
    """Size of their files."""

    oldest: datetime
    """When the first of them was registered, in TAI."""

    newest: datetime
    """When the last of them was registered, in TAI."""


class PruneReport(BaseModel):
    """What pruning removes, or has removed."""

    own: list[PruneGroup] = Field(default_factory=list)
    """Datasets of one's own that are to be removed."""

    pinned: list[PruneGroup] = Field(default_factory=list)
    """Official datasets whose copies are to be removed; they are referenced again."""

    kept: dict[str, int] = Field(default_factory=dict)
    """How many that could be meant are kept, by the reason for it."""

    trash: int = 0
    """Datasets that were removed before, and whose files an interrupted process has left."""

    removed: int = 0
    """How many of one's own were removed."""

    unpinned: int = 0
    """How many copies of official ones were removed."""

    removed_bytes: int = 0
    """Size of the files of both."""

    runs: list[str] = Field(default_factory=list)
    """Empty runs of old versions that were removed, also from the chain of their name."""

    problems: list[str] = Field(default_factory=list)
    """What could not be done, and why."""

    cancelled: bool = False
    """Whether it was stopped, or not agreed to; what is counted is done."""

    dry_run: bool = False
    """Whether nothing was removed."""

    @property
    def datasets(self) -> int:
        """How many datasets are to be removed or unpinned."""
        return sum(each.datasets for each in (*self.own, *self.pinned))

    @property
    def bytes(self) -> int:
        """Size of their files."""
        return sum(each.bytes for each in (*self.own, *self.pinned))

    def __str__(self) -> str:
        if self.dry_run:
            return f"{self.datasets:,} would be removed"
        text = f"{self.removed:,} removed, {self.unpinned:,} unpinned"
        text += f", {len(self.problems):,} problems" if self.problems else ""
        return f"{text} (cancelled)" if self.cancelled else text


def prune(
    place: Place,
    rule: Rule,
    *,
    dry_run: bool = False,
    confirm: Callable[[PruneReport], bool] | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> PruneReport:
    """Remove old datasets of one's own: see `Satellite.prune`."""
    rule.check()
    if not dry_run:
        refuse_if_moving(place.root)
        # What is newest is known only when all is registered.
        Spool(place).commit(wait=_SPOOL_SECONDS)
    with place.reader() as reader:
        chosen = choose(reader, rule)
        report = PruneReport(
            own=_groups(chosen.own),
            pinned=_groups(chosen.pinned),
            kept={kept.value: count for kept, count in chosen.kept.items() if count},
            trash=len(_trash(Tables(reader))),
            dry_run=dry_run,
        )
        copies = [_ref(reader, each) for each in chosen.pinned] if not dry_run else []
    if dry_run:
        return report
    if confirm is not None and (report.datasets or report.trash) and not confirm(report):
        report.cancelled = True
        return report
    reporter = Reporter(progress, cancel)
    with place.writer() as writer:
        _Work(place, writer, rule, chosen, report, reporter).do()
    if copies and not report.cancelled:
        _unpin(place, [ref for ref in copies if ref is not None], report)
    return report


class _Work:
    """One pruning of one satellite that is open for writing.

    Parameters
    ----------
    place : `Place`
        The satellite.
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The same, open.
    rule : `Rule`
        What is meant.
    chosen : `Chosen`
        What that is.
    report : `PruneReport`
        Is told what was done.
    reporter : `Reporter`
        Tells how far it is, and whether to stop.
    """

    def __init__(
        self,
        place: Place,
        writer: DirectButler,
        rule: Rule,
        chosen: Chosen,
        report: PruneReport,
        reporter: Reporter,
    ) -> None:
        self._place = place
        self._writer = writer
        self._tables = Tables(writer)
        self._rule = rule
        self._chosen = chosen
        self._report = report
        self._reporter = reporter

    def do(self) -> None:
        """Remove what was chosen, what an interrupted process has left, and runs that are empty then."""
        left = _trash(self._tables)
        self._total = len(left) + len(self._chosen.own)
        self._done = 0
        if self._in_batches(left, self._empty) and self._in_batches(self._chosen.own, self._remove):
            self._remove_empty_runs()

    def _in_batches[T](self, members: Sequence[T], work: Callable[[Sequence[T]], object]) -> bool:
        """Do something with all, as many at a time as is quick; tell whether it came to the end."""
        at, size = 0, _BATCH
        while at < len(members):
            if self._stopped():
                return False
            batch = members[at : at + size]
            begin = time.monotonic()
            work(batch)
            took = max(time.monotonic() - begin, 1e-3)
            at += len(batch)
            self._done += len(batch)
            self._reporter.tell("pruning", self._done, self._total)
            size = min(max(round(size * min(_SECONDS / took, 2.0)), _BATCH), _MOST)
        return True

    def _stopped(self) -> bool:
        refuse_if_moving(self._place.root)
        self._report.cancelled = self._reporter.cancelled
        return self._report.cancelled

    def _remove(self, batch: Sequence[Candidate]) -> None:
        with self._writer.transaction():
            # Nobody else can write from here on.
            going = self._still_meant(batch)
            refs = _refs(each.id for each in going)
            personal_of(self._writer).trash(refs, ignore_errors=False)
            self._writer.registry.removeDatasets(refs)
        self._report.removed += len(going)
        if self._empty([each.id for each in going]):
            self._report.removed_bytes += sum(each.bytes for each in going)

    def _still_meant(self, batch: Sequence[Candidate]) -> list[Candidate]:
        """Those that nobody has removed, pinned or tagged meanwhile."""
        tables = self._tables
        query = sqlalchemy.select(tables.dataset.columns.id, tables.run_id)
        query = query.join(tables.location, tables.location.columns.dataset_id == tables.dataset.columns.id)
        query = query.where(tables.dataset.columns.id.in_([each.id for each in batch]))
        with tables.query(query.where(tables.location.columns.datastore_name == PERSONAL)) as rows:
            here = {row[0] for row in rows}
        going = [each for each in batch if each.id in here]
        if not self._rule.even_held:
            kept = held(tables, [(each.id, each.run) for each in going])
            self._keep(Kept.HELD, len(kept))
            going = [each for each in going if each.id not in kept]
        return going

    def _keep(self, why: Kept, count: int) -> None:
        if count:
            self._report.kept[why.value] = self._report.kept.get(why.value, 0) + count

    def _empty(self, ids: Sequence[UUID]) -> bool:
        """Remove the files of datasets that are in the trash; tell whether that could be done."""
        if not ids:
            # Upstream would take it for all.
            return True
        try:
            personal_of(self._writer).emptyTrash(ignore_errors=False, refs=_refs(ids))
        except ExceptionGroup as errors:
            # They stay in the trash, and the next pruning tries again.
            self._report.problems.append(
                f"{len(errors.exceptions):,} files could not be removed and stay in the trash: "
                f"{reason(errors.exceptions[0])}."
            )
            return False
        return True

    def _remove_empty_runs(self) -> None:
        """Take runs of old versions away that hold nothing: never the newest, so that it keeps its number."""
        spool = Spool(self._place)
        if spool.batches():
            # A batch may be about to write into one of them.
            return
        waiting = {ref.run for ref in spool.acknowledged().values()}
        for run in self._emptied():
            if run not in waiting and not self._stopped():
                self._remove_run(run)

    def _emptied(self) -> list[str]:
        tables = self._tables
        with tables.query(sqlalchemy.select(tables.run_id).distinct()) as rows:
            used = {row[0] for row in rows}
        old = (self._chosen.versions.keys() & self._chosen.runs) - self._chosen.newest
        return sorted(run for key, run in tables.runs().items() if run in old and key not in used)

    def _remove_run(self, run: str) -> None:
        name = self._chosen.versions[run].name
        try:
            with self._writer.registry.transaction():
                tables = self._tables
                key = next(each for each, other in tables.runs().items() if other == run)
                query = sqlalchemy.select(tables.dataset.columns.id).where(tables.run_id == key).limit(1)
                with tables.query(query) as rows:
                    if rows.first() is not None:
                        return
                self._writer.collections.remove_from_chain(name, run)
                self._writer.registry.removeCollection(run)
        except IntegrityError:
            # Somebody has written into it, or has it in a chain of their own.
            return
        self._report.runs.append(run)


def _trash(tables: Tables) -> list[UUID]:
    columns = tables.trash.columns
    query = sqlalchemy.select(columns.dataset_id).where(columns.datastore_name == PERSONAL)
    with tables.query(query) as rows:
        return [row[0] for row in rows]


def _refs(ids: Iterable[UUID]) -> list[DatasetRef]:
    """What upstream needs to remove datasets: it asks for no more than their identifiers."""
    return cast(list[DatasetRef], [FakeDatasetRef(dataset_id) for dataset_id in ids])


def _groups(candidates: Iterable[Candidate]) -> list[PruneGroup]:
    grouped: dict[tuple[str, str], list[Candidate]] = {}
    for each in candidates:
        grouped.setdefault((each.run, each.dataset_type), []).append(each)
    return [
        PruneGroup(
            run=run,
            dataset_type=dataset_type,
            datasets=len(members),
            bytes=sum(each.bytes for each in members),
            oldest=time_of(min(each.date for each in members)).tai.to_datetime(),
            newest=time_of(max(each.date for each in members)).tai.to_datetime(),
        )
        for (run, dataset_type), members in sorted(grouped.items())
    ]


def _ref(reader: DirectButler, candidate: Candidate) -> DatasetRef | None:
    return reader.get_dataset(candidate.id)


def _unpin(place: Place, refs: Sequence[DatasetRef], report: PruneReport) -> None:
    done = unpin(place, refs)
    report.unpinned = done.done
    report.removed_bytes += done.bytes
    reasons = Counter(problem.reason for problem in done.problems)
    report.problems += [f"{count:,} pinned copies: {why}" for why, count in reasons.items()]
