"""The spool: what was saved and is not in the database, batches that nobody ended, files of neither."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from lsst.daf.butler.direct_butler import DirectButler
from pydantic import ValidationError

from ...errors import PythonButlerError, SatelliteError
from ..processes import running
from ..spool import BatchInfo, FileLock, Spool, batch_file
from ..spool.desk import ASIDE, BATCHES, Desk, Unreadable
from ..spool.slip import SUFFIX, Slip
from .case import Case, Options
from .kinds import Kind
from .report import Finding
from .stored import Files, Stored, listed
from .tables import Record, Tables

__all__ = ["Spooled", "claimed_files", "claimed_runs", "not_moved"]

_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.(new|stale)")
_CLAIM = re.compile(r"being-written-by-(?P<pid>\d+)(-on-(?P<host>.+))?")
_UUID_LENGTH = 36
_LOCKS = ("lock", "batch.lock")


@dataclass
class _Desk:
    """Everything that slips and batches say."""

    slips: dict[str, Slip] = field(default_factory=dict)
    aside: dict[str, Slip] = field(default_factory=dict)
    batched: dict[str, list[Slip]] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    uncertain: list[str] = field(default_factory=list)

    def all(self) -> Iterable[Slip]:
        yield from self.slips.values()
        yield from self.aside.values()
        for slips in self.batched.values():
            yield from slips


def claimed_files(case: Case) -> set[str]:
    """Tell which files belong to datasets that were saved and are not in the database yet.

    Parameters
    ----------
    case : `Case`
        The examination.

    Returns
    -------
    paths : `set` [`str`]
        Where they are, and where they will be.
    """
    return _claimed(_read(Desk(case.place.root)))


def claimed_runs(case: Case) -> set[str]:
    """Tell in which runs datasets are that were saved and are not in the database yet.

    Parameters
    ----------
    case : `Case`
        The examination.

    Returns
    -------
    runs : `set` [`str`]
        Their names.
    """
    return {slip.run for slip in _read(Desk(case.place.root)).all()}


def not_moved(case: Case, butler: DirectButler) -> set[str]:
    """Tell which files that seem to be missing still wait in the spool.

    Parameters
    ----------
    case : `Case`
        The examination.
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.

    Returns
    -------
    paths : `set` [`str`]
        Where they should be, as a listing has it.
    """
    waiting = case.files.spooled()
    return {
        listed(record.path, case.files)
        for path, record in _records_without_file(case, butler, waiting).items()
        if record.size in (-1, waiting[path].size)
    }


class Spooled:
    """Looks at slips, batches, and the files that wait."""

    what = "looking at the spool"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        desk = Desk(case.place.root)
        files = case.files
        # In this order: what is published meanwhile has a slip when slips are read.
        waiting = files.spooled()
        read = _read(desk)
        case.examined["waiting"] = len(read.slips)
        case.notes += read.uncertain
        findings = [*_temporaries(case, desk), *_locks(desk), *_claims(case, desk)]
        findings += self._slips(case, desk, files, read)
        findings += self._batches(case, read)
        if not read.uncertain and not read.unreadable and not read.damaged:
            findings += self._files(case, waiting, read)
        return findings

    def _slips(self, case: Case, desk: Desk, files: Files, read: _Desk) -> list[Finding]:
        findings = []
        soon = 0
        for name, slip in read.slips.items():
            if any(not _somewhere(files, file.spooled, file.path, file.size) for file in slip.files):
                if (desk.path / name).exists():
                    findings.append(Finding(Kind.SLIP_WITHOUT_FILE, name, _what(slip), key=slip))
            elif running(slip.host, slip.pid):
                soon += 1
            else:
                size = sum(file.size for file in slip.files)
                findings.append(Finding(Kind.WAITING, name, _what(slip), size, key=slip))
        if soon:
            case.notes.append(
                f"{soon:,} saved datasets wait for the process that saved them: it is about to commit them."
            )
        for name, why in read.unreadable.items():
            path = desk.path / name
            with contextlib.suppress(FileNotFoundError):
                findings.append(Finding(Kind.DAMAGED_SLIP, name, str(why), path.stat().st_size, key=path))
        for name, slip in read.aside.items():
            size = sum(file.size for file in slip.files)
            findings.append(Finding(Kind.SET_ASIDE, name, _what(slip), size, key=slip))
        return findings

    def _batches(self, case: Case, read: _Desk) -> list[Finding]:
        findings = []
        for info in Spool(case.place).batches():
            if info.alive or (info.alive is None and _recent(info, case.options.long_age)):
                case.notes.append(
                    f"The batch {info.name or info.id} is in use by process {info.pid} of {info.host}."
                )
                continue
            kind = Kind.BATCH_LEFT if _ended(case, read.batched.get(info.id, [])) else Kind.BATCH
            what = f"{info.datasets:,} datasets" + (f", called {info.name}" if info.name else "")
            findings.append(Finding(kind, info.id, what, info.size, key=info.id))
        for path in [*read.damaged, *read.empty]:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if time.time() - status.st_mtime < case.options.age:
                case.notes.append(f"{path} was changed a moment ago, and was not judged.")
            elif status.st_size:
                findings.append(Finding(Kind.DAMAGED_BATCH, path.stem, "", status.st_size, key=path))
            else:
                # Its name was made, its content never came: nothing was acknowledged.
                findings.append(Finding(Kind.UNFINISHED_FILE, str(path), "", 0, key=path))
        return findings

    def _files(self, case: Case, waiting: dict[str, Stored], read: _Desk) -> list[Finding]:
        claimed = _claimed(read)
        findings = []
        young = 0
        rest = {path: stored for path, stored in waiting.items() if path not in claimed}
        with case.reader() as reader:
            records = _records_without_file(case, reader, rest)
            said = Tables(reader).describe({record.dataset_id for record in records.values()})
        for path, stored in rest.items():
            if (record := records.get(path)) is not None:
                if record.size in (-1, stored.size):
                    what = said.get(record.dataset_id, str(record.dataset_id))
                    findings.append(Finding(Kind.FILE_NOT_MOVED, path, what, stored.size, key=stored))
                else:
                    case.notes.append(
                        f"{path} was left: the database has its dataset, and no file where that should be, "
                        "but another size."
                    )
            elif time.time() - stored.changed < case.options.long_age:
                young += 1
            else:
                findings.append(Finding(Kind.FILE_WITHOUT_SLIP, path, "", stored.size, key=stored))
        if young:
            case.notes.append(
                f"{young:,} files in the spool that no dataset has are younger than "
                f"{case.options.long_age:.0f} seconds: a save may be under way, they were not judged."
            )
        return findings

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        desk = Desk(case.place.root)
        spool = Spool(case.place)
        waiting = []
        without_slip = []
        not_moved = []
        for finding in findings:
            match finding.kind:
                case Kind.WAITING:
                    waiting.append(finding)
                case Kind.FILE_NOT_MOVED:
                    not_moved.append(finding)
                case Kind.FILE_WITHOUT_SLIP:
                    without_slip.append(finding)
                case Kind.BATCH | Kind.BATCH_LEFT:
                    _end_batch(case, spool, finding)
                case Kind.UNFINISHED_FILE if _size(finding.key) != finding.bytes:
                    # Somebody writes it after all.
                    case.gone([finding])
                case Kind.UNFINISHED_FILE | Kind.CLAIM:
                    finding.key.unlink(missing_ok=True)
                    case.mended([finding])
                case Kind.SPOOL_LOCK:
                    # This removes it, unless somebody alive has taken it over meanwhile.
                    if FileLock(finding.key).held():
                        case.gone([finding])
                    else:
                        case.mended([finding])
                case Kind.SLIP_WITHOUT_FILE:
                    _take_out(case, desk.path / finding.where, finding)
                case Kind.DAMAGED_SLIP | Kind.DAMAGED_BATCH:
                    _take_out(case, finding.key, finding)
                    # Some of these may be its own.
                    self._move_files(case, desk, finding.kind)
                case Kind.SET_ASIDE:
                    for file in finding.key.files:
                        if case.files.look(file.spooled) is not None:
                            case.files.move_away(file.spooled, case.lost, finding.kind.value)
                    _take_out(case, desk.path / ASIDE / finding.where, finding)
        if without_slip:
            self._remove(case, desk, without_slip)
        if waiting:
            self._commit(case, desk, spool, waiting)
        if not_moved:
            self._put_back(case, not_moved)

    def _remove(self, case: Case, desk: Desk, findings: list[Finding]) -> None:
        with case.reader() as reader:
            needed = _records_without_file(case, reader, [finding.where for finding in findings])
        for finding in findings:
            # Once more, since it may have been acknowledged.
            if (
                finding.where in needed
                or finding.where in _claimed(_read(desk))
                or case.files.look(finding.where) != finding.key
            ):
                case.gone([finding])
            else:
                case.files.remove(finding.where)
                case.mended([finding])

    def _put_back(self, case: Case, findings: list[Finding]) -> None:
        # Nobody else can remove the dataset meanwhile, or give its place to another one.
        with case.alone() as writer:
            records = _records_without_file(case, writer, [finding.where for finding in findings])
            for finding in findings:
                record = records.get(finding.where)
                if record is None or case.files.look(finding.where) != finding.key:
                    case.gone([finding])
                    continue
                place = listed(record.path, case.files)
                case.files.move(finding.where, place)
                case.mended([finding], f"moved to {place}")

    def _commit(self, case: Case, desk: Desk, spool: Spool, findings: list[Finding]) -> None:
        report = spool.commit(wait=case.options.wait, cancel=None)
        reasons = {problem.name: problem.reason for problem in report.problems}
        other = report.trouble or ("another process is committing" if report.busy else "")
        left = set(desk.names())
        for finding in findings:
            if finding.where in reasons:
                case.left([finding], f"It cannot be committed: {reasons[finding.where]}.")
            elif finding.where in left:
                case.left([finding], other or "It still waits.")
            else:
                case.mended([finding])

    def _move_files(self, case: Case, desk: Desk, kind: Kind) -> None:
        read = _read(desk)
        if read.unreadable or read.uncertain or read.damaged:
            return
        waiting = case.files.spooled()
        with case.reader() as reader:
            needed = _records_without_file(case, reader, waiting)
        claimed = _claimed(read) | needed.keys()
        for path, stored in waiting.items():
            if path not in claimed and time.time() - stored.changed >= case.options.age:
                case.files.move_away(path, case.lost, kind.value)


def _read(desk: Desk) -> _Desk:
    read = _Desk()
    # Batches before slips, and slips before those set aside: that is how datasets go.
    for path in _files_in(desk.path / BATCHES, batch_file.SUFFIX):
        try:
            size = path.stat().st_size
            read.batched[path.stem] = batch_file.understood(path)
            batch_file.read(path)
        except FileNotFoundError:
            continue
        except batch_file.DamagedBatchError:
            (read.damaged if size else read.empty).append(path)
        except SatelliteError as error:
            read.uncertain.append(f"{error.message} Files in the spool were not judged.")
    for name in desk.names():
        try:
            slip = desk.read(name)
        except Unreadable as error:
            if "newer version" in str(error):
                read.uncertain.append(f"{desk.path / name} was not looked at: {error}.")
            else:
                read.unreadable[name] = error
            continue
        if slip is not None:
            read.slips[name] = slip
        elif _size(desk.path / name) == 0:
            read.empty.append(desk.path / name)
    for path in _files_in(desk.path / ASIDE, SUFFIX):
        try:
            read.aside[path.name] = Slip.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            continue
        except ValidationError:
            read.uncertain.append(f"{path} cannot be understood, so that files in the spool were not judged.")
    return read


def _size(path: Path) -> int | None:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def _files_in(directory: Path, end: str) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.name.endswith(end))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _claimed(read: _Desk) -> set[str]:
    return {path for slip in read.all() for file in slip.files for path in (file.spooled, file.path)}


def _records_without_file(case: Case, butler: DirectButler, paths: Iterable[str]) -> dict[str, Record]:
    """Give the records of files in the spool whose datasets the database has, with no file in their place."""
    named: dict[str, tuple[UUID, str]] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        # Such a file is called after its dataset, and component.
        with contextlib.suppress(ValueError):
            component = name[_UUID_LENGTH:].partition(".")[0].removeprefix("-")
            named[path] = UUID(name[:_UUID_LENGTH]), component
    if not named:
        return {}
    recorded = Tables(butler).records_of({dataset_id for dataset_id, _ in named.values()})
    lost = {
        key: record
        for key, record in recorded.items()
        if case.files.look(listed(record.path, case.files)) is None
    }
    return {path: lost[key] for path, key in named.items() if key in lost}


def _temporaries(case: Case, desk: Desk) -> list[Finding]:
    findings = []
    for directory in (desk.path, desk.path / ASIDE, desk.path / BATCHES):
        for path in _files_in(directory, ""):
            if _TEMPORARY.fullmatch(path.name):
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue
                if time.time() - status.st_mtime >= case.options.age:
                    findings.append(Finding(Kind.UNFINISHED_FILE, str(path), "", status.st_size, key=path))
    return findings


def _locks(desk: Desk) -> list[Finding]:
    findings = []
    for name in _LOCKS:
        path = desk.path / name
        owner = FileLock(path).owner()
        if owner is not None and owner.alive() is False:
            findings.append(Finding(Kind.SPOOL_LOCK, str(path), f"of process {owner.pid}", key=path))
    return findings


def _claims(case: Case, desk: Desk) -> list[Finding]:
    """Names that are kept for datasets whose processes have ended: links that lead nowhere."""
    findings = []
    for path in _files_in(desk.path, SUFFIX):
        try:
            claim = _CLAIM.fullmatch(str(path.readlink()))
            changed = path.lstat().st_mtime
        except OSError:
            # Not a link, or not any more.
            continue
        if claim is not None and _ended_long_ago(claim, time.time() - changed, case.options):
            findings.append(Finding(Kind.CLAIM, path.name, f"of process {claim['pid']}", key=path))
    return findings


def _ended_long_ago(claim: re.Match[str], age: float, options: Options) -> bool:
    alive = running(claim["host"], int(claim["pid"])) if claim["host"] else None
    return not alive and age >= (options.long_age if alive is None else options.age)


def _somewhere(files: Files, spooled: str, path: str, size: int) -> bool:
    """Whether the file of a slip is where it waits, or already where it goes."""
    if files.look(spooled) is not None:
        return True
    there = files.look(path)
    return there is not None and there.size == size


def _what(slip: Slip) -> str:
    values = ", ".join(f"{d}={v}" for d, v in zip(slip.dimensions, slip.data_id, strict=True))
    return f"{slip.dataset_type} ({values}) in {slip.run}" if values else f"{slip.dataset_type} in {slip.run}"


def _recent(info: BatchInfo, seconds: float) -> bool:
    return time.time() - info.began.timestamp() < seconds


def _ended(case: Case, slips: list[Slip]) -> bool:
    """Whether a batch has nothing in it that is not in the database."""
    if not slips:
        return True
    with case.reader() as reader:
        return len(reader.get_many_datasets([slip.id for slip in slips])) == len(slips)


def _end_batch(case: Case, spool: Spool, finding: Finding) -> None:
    try:
        batch = spool.open_batch(finding.key, idle=case.options.age)
        if finding.kind is Kind.BATCH_LEFT or case.options.batches == "commit":
            # Again, if it was killed right after: that is harmless.
            batch.commit()
            case.mended([finding], "committed")
        else:
            batch.discard()
            case.mended([finding], "discarded")
    except PythonButlerError as error:
        case.left([finding], error.message)
    except Exception as error:
        # What upstream says of conflicting datasets, in whatever class.
        case.left([finding], f"It cannot be ended: {error}")


def _take_out(case: Case, path: Path, finding: Finding) -> None:
    target = case.lost.place_for(f"spool/{path.name}")
    case.lost.note({"why": finding.kind.value, "was": str(path), "is": str(target), "what": finding.what})
    try:
        path.replace(target)
    except FileNotFoundError:
        case.gone([finding])
    else:
        case.mended([finding], f"moved to {target}")
