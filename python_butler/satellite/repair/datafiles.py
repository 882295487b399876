"""The files of datasets against the database: files without rows, rows without files, wrong sizes."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.interfaces import FakeDatasetRef
from lsst.resources import ResourcePath
from lsst.utils.iteration import chunk_iterable

from ...errors import SatelliteError
from ..runs import open_runs
from .case import Case
from .exclusive import BusyError
from .kinds import Kind
from .names import is_dataset_file, is_unfinished, pinned_dataset
from .report import Finding
from .spooled import claimed_files, not_moved
from .stored import Files, Stored, is_external, listed
from .tables import Record, Tables

__all__ = ["DataFiles", "most", "remove_datasets"]

_TOGETHER = 1_000
"""Files that are dealt with while others have to wait."""

_CHUNK = 1 << 20
_FEW = 10
"""So many files may be missing before it is asked whether most are."""


@dataclass(frozen=True)
class _Lost:
    """Which datasets a file that is missing or damaged belongs to."""

    path: str
    datasets: tuple[UUID, ...]
    external: bool = False


class DataFiles:
    """Compares one listing of all files with the records of all datasets."""

    what = "comparing files and datasets"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        files = case.files
        # In this order: what is put meanwhile has a row when rows are read.
        try:
            stored = files.all()
        except OSError as error:
            case.notes.append(f"The files were not compared, since they cannot be listed: {error}.")
            return []
        with case.reader() as reader:
            tables = Tables(reader)
            recorded = _by_path(tables.records(), files)
            known = claimed_files(case) | {listed(path, files) for path in tables.paths()}
            case.examined["files"] = len(stored)
            case.examined["bytes"] = sum(each.size for each in stored.values())
            findings = self._lost(case, files, stored, recorded, tables)
            if any(finding.kind is Kind.MISSING_FILE for finding in findings):
                # These were found before, and are not lost.
                there = not_moved(case, reader)
                findings = [
                    each for each in findings if each.kind is not Kind.MISSING_FILE or each.where not in there
                ]
            without = {path: each for path, each in stored.items() if path not in known}
            if without:
                findings += self._without_rows(case, files, without, tables)
        return findings

    def _lost(
        self,
        case: Case,
        files: Files,
        stored: dict[str, Stored],
        recorded: dict[str, list[Record]],
        tables: Tables,
    ) -> list[Finding]:
        findings: list[Finding] = []
        external = [path for path in recorded if is_external(path)]
        absent_elsewhere = _absent(external, case)
        for done, (path, records) in enumerate(recorded.items()):
            if case.reporter.cancelled:
                break
            if is_external(path):
                if path in absent_elsewhere:
                    findings.append(_lost(Kind.MISSING_FILE, path, records, None, external=True))
                continue
            there = stored.get(path)
            if there is None:
                try:
                    there = files.look(path)
                except OSError as error:
                    case.notes.append(f"{path} cannot be looked at: {error}.")
                    continue
                if there is None:
                    # Somebody may have removed the dataset since.
                    if _still(records, tables):
                        findings.append(_lost(Kind.MISSING_FILE, path, records, None))
                    continue
            # The size of a dataset within a zip file is its own.
            sizes = {r.size for r in records if r.size >= 0 and "#" not in r.path}
            if sizes and sizes != {there.size}:
                now = files.look(path)
                if now is not None and sizes != {now.size} and _still(records, tables):
                    findings.append(_lost(Kind.WRONG_SIZE, path, records, now.size))
            elif case.options.thorough:
                case.reporter.tell("reading files", done, len(recorded))
                if not _readable(files, path, records):
                    findings.append(_lost(Kind.WRONG_CONTENT, path, records, there.size))
        missing = sum(finding.kind is Kind.MISSING_FILE for finding in findings)
        if most(missing, len(recorded)):
            case.notes.append(
                f"{missing:,} of {len(recorded):,} files are missing: perhaps their volume is not mounted, "
                "or they were moved. Nothing is removed from the database for that."
            )
        said = tables.describe({i for finding in findings for i in finding.key.datasets})
        return [_named(finding, said) for finding in findings]

    def _without_rows(
        self, case: Case, files: Files, without: dict[str, Stored], tables: Tables
    ) -> list[Finding]:
        runs, types = tables.runs(), tables.types()
        without = self._not_of_open_runs(case, without)
        referenced = _referenced(tables, without)
        findings = []
        young = 0
        for path, stored in self._proven(case, files, without).items() if without else ():
            official = pinned_dataset(path)
            if official is not None and official in referenced:
                kind = Kind.COPY_WITHOUT_ROW
            elif is_unfinished(path, types):
                kind = Kind.UNFINISHED_FILE
            elif official is not None or is_dataset_file(path, runs, types):
                kind = Kind.FILE_WITHOUT_ROW
            else:
                kind = Kind.UNKNOWN_FILE
            if _age(stored) < case.options.age:
                young += 1
                continue
            findings.append(Finding(kind, path, "", stored.size, key=stored))
        if young:
            case.notes.append(
                f"{young:,} files that no dataset has are younger than {case.options.age:.0f} seconds: "
                "they may be about to get one, and were not judged."
            )
        return findings

    def _not_of_open_runs(self, case: Case, without: dict[str, Stored]) -> dict[str, Stored]:
        """Those of the files that are not the outputs of a run that can still be collected."""
        tops = tuple(f"{name}/" for name in open_runs(case.place.root))
        left = {path: stored for path, stored in without.items() if not path.startswith(tops)}
        if len(left) < len(without):
            case.notes.append(
                f"{len(without) - len(left):,} files are of runs that are not collected, or not completely: "
                "collect these runs, or clean them up (satellite run list)."
            )
        return left

    def _proven(self, case: Case, files: Files, without: dict[str, Stored]) -> dict[str, Stored]:
        """Those of the files that still have no row when nobody is in the middle of writing."""
        try:
            with case.alone() as writer:
                known = _known(case, writer, files)
                return {
                    path: stored
                    for path, stored in without.items()
                    if path not in known and files.look(path) is not None
                }
        except BusyError:
            case.notes.append(
                f"{len(without):,} files that no dataset has were not judged: another process is writing."
            )
        except SatelliteError:
            # It cannot be written from here. Then age has to do: those that are about to get a row are young.
            with case.reader() as reader:
                known = _known(case, reader, files)
            return {path: stored for path, stored in without.items() if path not in known}
        return {}

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        lost = [each for each in findings if isinstance(each.key, _Lost)]
        for chunk in chunk_iterable(
            [each for each in findings if not isinstance(each.key, _Lost)], _TOGETHER
        ):
            if not case.reporter.cancelled:
                self._clear(case, list(chunk))
        if lost:
            self._forget(case, lost)

    def _clear(self, case: Case, findings: list[Finding]) -> None:
        files = case.files
        orphans = [each for each in findings if each.kind is Kind.FILE_WITHOUT_ROW]
        many = most(len(orphans), case.examined["files"]) and not case.options.quarantine
        with case.alone() as writer:
            known = _known(case, writer, files)
            for finding in findings:
                path = finding.where
                if path in known or files.look(path) != finding.key:
                    case.gone([finding])
                elif finding.kind in (Kind.UNFINISHED_FILE, Kind.COPY_WITHOUT_ROW):
                    files.remove(path)
                    case.mended([finding])
                elif finding.kind is Kind.FILE_WITHOUT_ROW and many:
                    case.left(
                        [finding],
                        "Most files have no dataset: the database may be an older copy. Restore the newer "
                        "one, or move the files away with --quarantine.",
                    )
                else:
                    case.mended([finding], f"moved to {files.move_away(path, case.lost, finding.kind.value)}")

    def _forget(self, case: Case, findings: list[Finding]) -> None:
        files = case.files
        with case.alone() as writer:
            tables = Tables(writer)
            recorded = _by_path(tables.records(), files)
            missing = [each for each in findings if each.kind is Kind.MISSING_FILE]
            if case.options.forget_lost != "all" and most(len(missing), len(recorded)):
                case.left(
                    missing,
                    "Most files are missing: mount their volume, or restore them. If they are truly gone, "
                    "use --forget-all-lost.",
                )
                findings = [each for each in findings if each.kind is not Kind.MISSING_FILE]
            gone = []
            for finding in findings:
                lost: _Lost = finding.key
                here = None if lost.external else files.look(lost.path)
                if lost.path not in recorded or (finding.kind is Kind.MISSING_FILE and here is not None):
                    case.gone([finding])
                    continue
                gone.append(finding)
            ids = {dataset_id for finding in gone for dataset_id in finding.key.datasets}
            said = tables.describe(ids)
            case.lost.note(
                *({"why": "its file is lost", "dataset": said.get(i, str(i))} for i in sorted(ids))
            ) if ids else None
            remove_datasets(writer, ids)
        # Only when no row needs them any more.
        for finding in gone:
            if finding.kind is not Kind.MISSING_FILE and not finding.key.external:
                with contextlib.suppress(FileNotFoundError):
                    files.move_away(finding.key.path, case.lost, finding.kind.value)
        case.mended(gone, "removed from the database")


def remove_datasets(writer: DirectButler, ids: Collection[UUID]) -> None:
    """Remove datasets from the registry and the records of all datastores; no file is touched.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, in a transaction.
    ids : collection of `uuid.UUID`
        Datasets.
    """
    # Neither needs more of them than their IDs.
    refs: Any = [FakeDatasetRef(dataset_id) for dataset_id in ids]
    writer._datastore.forget(refs)
    writer.registry.removeDatasets(refs)


def most(few: int, all_: int) -> bool:
    """Tell whether so many are wrong that it is rather the whole that is.

    Parameters
    ----------
    few, all_ : `int`
        How many are wrong, and how many there are.

    Returns
    -------
    most : `bool`
        Whether it is all, or more than half of many.
    """
    return few > 0 and (few == all_ or (few > _FEW and 2 * few > all_))


def _age(stored: Stored) -> float:
    return time.time() - stored.changed


def _by_path(records: Iterable[Record], files: Files) -> dict[str, list[Record]]:
    by_path: dict[str, list[Record]] = {}
    for record in records:
        by_path.setdefault(listed(record.path, files), []).append(record)
    return by_path


def _known(case: Case, butler: DirectButler, files: Files) -> set[str]:
    return claimed_files(case) | {listed(path, files) for path in Tables(butler).paths()}


def _absent(addresses: list[str], case: Case) -> set[str]:
    """External files that are not there."""
    if not addresses:
        return set()
    uris = {ResourcePath(address): address for address in addresses}
    try:
        answers = ResourcePath.mexists(uris)
    except OSError as error:
        case.notes.append(f"Files that were ingested where they lay cannot be looked at: {error}.")
        return set()
    return {uris[uri] for uri, there in answers.items() if not there}


def _still(records: list[Record], tables: Tables) -> bool:
    """Whether rows that were read before are still there."""
    columns = tables.personal.columns
    ids = [record.dataset_id for record in records[:1_000]]
    return bool(tables.ask(sqlalchemy.select(columns.dataset_id).where(columns.dataset_id.in_(ids)).limit(1)))


def _referenced(tables: Tables, paths: Iterable[str]) -> set[UUID]:
    ids = {i for path in paths if (i := pinned_dataset(path)) is not None}
    if not ids or tables.references is None:
        return set()
    columns = tables.references.columns
    found: set[UUID] = set()
    for chunk in chunk_iterable(ids, _TOGETHER):
        query = sqlalchemy.select(columns.dataset_id).where(columns.dataset_id.in_(chunk))
        found.update(row[0] for row in tables.ask(query))
    return found


def _readable(files: Files, path: str, records: list[Record]) -> bool:
    """Whether a file can be read to the end, and has the checksum that is recorded, if one is."""
    uri = files.root.join(ResourcePath(path, forceAbsolute=False, forceDirectory=False))
    sums = {record.checksum for record in records if record.checksum and "#" not in record.path}
    # As upstream's datastore computes it, which does so for local files only.
    found = hashlib.blake2b()
    try:
        with uri.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                found.update(chunk)
    except OSError:
        return False
    return sums <= {found.hexdigest()}


def _lost(
    kind: Kind, path: str, records: list[Record], size: int | None, *, external: bool = False
) -> Finding:
    datasets = tuple(dict.fromkeys(record.dataset_id for record in records))
    return Finding(kind, path, "", size, key=_Lost(path, datasets, external))


def _named(finding: Finding, said: dict[UUID, str]) -> Finding:
    names = [said.get(i, str(i)) for i in finding.key.datasets]
    rest = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return Finding(finding.kind, finding.where, ", ".join(names[:3]) + rest, finding.bytes, key=finding.key)
