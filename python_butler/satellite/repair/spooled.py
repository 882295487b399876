"""The spool: what was saved and is not in the database, batches that nobody ended, files of neither."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from pydantic import ValidationError

from ...errors import PythonButlerError
from ..processes import running
from ..spool import BatchInfo, FileLock, Spool
from ..spool.desk import ASIDE, BATCHES, Desk, Unreadable
from ..spool.slip import SUFFIX, Slip
from .case import Case, Options
from .kinds import Kind
from .report import Finding
from .stored import Files, Stored
from .tables import Tables

__all__ = ["Spooled", "claimed_files", "claimed_runs"]

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


class Spooled:
    """Looks at slips, batches, and the files that wait."""

    what = "looking at the spool"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        desk = Desk(case.place.root)
        if not desk.path.is_dir():
            return []
        files = case.files
        # In this order: what is published meanwhile has a slip when slips are read.
        waiting = files.spooled()
        read = _read(desk)
        case.examined["waiting"] = len(read.slips)
        case.notes += read.uncertain
        findings = [*_temporaries(case, desk), *_locks(desk), *_claims(case, desk)]
        findings += self._slips(case, desk, files, read)
        findings += self._batches(case, read)
        if not read.uncertain and not read.unreadable:
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
            status = path.stat() if path.exists() else None
            if status is not None and not status.st_size:
                # Its name was made, its content never came: the dataset was not acknowledged.
                if time.time() - status.st_mtime >= case.options.age:
                    findings.append(Finding(Kind.UNFINISHED_FILE, str(path), "", 0, key=path))
            elif status is not None:
                findings.append(Finding(Kind.DAMAGED_SLIP, name, str(why), status.st_size, key=path))
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
        return findings

    def _files(self, case: Case, waiting: dict[str, Stored], read: _Desk) -> list[Finding]:
        claimed = _claimed(read)
        findings = []
        young = 0
        old: dict[str, Stored] = {}
        for path, stored in waiting.items():
            if path in claimed:
                continue
            if time.time() - stored.changed < case.options.long_age:
                young += 1
                continue
            old[path] = stored
        needed = _needed(case, old)
        for path, stored in old.items():
            if path in needed:
                case.notes.append(
                    f"{path} was left: the database has its dataset, and no file where that should be."
                )
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
        for finding in findings:
            match finding.kind:
                case Kind.WAITING:
                    waiting.append(finding)
                case Kind.BATCH | Kind.BATCH_LEFT:
                    _end_batch(case, spool, finding)
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
                case Kind.DAMAGED_SLIP:
                    _take_out(case, finding.key, finding)
                    # Some of these may be its own.
                    self._move_files(case, desk)
                case Kind.SET_ASIDE:
                    for file in finding.key.files:
                        if case.files.look(file.spooled) is not None:
                            case.files.move_away(file.spooled, case.lost, finding.kind.value)
                    _take_out(case, desk.path / ASIDE / finding.where, finding)
                case Kind.FILE_WITHOUT_SLIP:
                    # Once more, since it may have been acknowledged.
                    if (
                        finding.where in _claimed(_read(desk))
                        or case.files.look(finding.where) != finding.key
                        or _needed(case, [finding.where])
                    ):
                        case.gone([finding])
                    else:
                        case.files.remove(finding.where)
                        case.mended([finding])
        if waiting:
            self._commit(case, desk, spool, waiting)

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

    def _move_files(self, case: Case, desk: Desk) -> None:
        read = _read(desk)
        if read.unreadable or read.uncertain:
            return
        claimed = _claimed(read)
        for path, stored in case.files.spooled().items():
            if path not in claimed and time.time() - stored.changed >= case.options.age:
                case.files.move_away(path, case.lost, Kind.DAMAGED_SLIP.value)


def _read(desk: Desk) -> _Desk:
    read = _Desk()
    # Batches before slips, and slips before those set aside: that is how datasets go.
    for path in _files_in(desk.path / BATCHES, ".batch"):
        _, *lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
        try:
            read.batched[path.stem] = [Slip.model_validate_json(line) for line in lines[:-1]]
        except ValidationError:
            read.uncertain.append(
                f"The batch {path} cannot be understood, so that files in the spool were not judged."
            )
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
    for path in _files_in(desk.path / ASIDE, SUFFIX):
        try:
            read.aside[path.name] = Slip.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            continue
        except ValidationError:
            read.uncertain.append(f"{path} cannot be understood, so that files in the spool were not judged.")
    return read


def _files_in(directory: Path, end: str) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.name.endswith(end))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _claimed(read: _Desk) -> set[str]:
    return {path for slip in read.all() for file in slip.files for path in (file.spooled, file.path)}


def _needed(case: Case, paths: Iterable[str]) -> set[str]:
    """Tell which files in the spool may be all there is of datasets that the database has."""
    named: dict[str, UUID] = {}
    for path in paths:
        # Such a file is called after its dataset.
        with contextlib.suppress(ValueError):
            named[path] = UUID(path.rpartition("/")[2][:_UUID_LENGTH])
    if not named:
        return set()
    with case.reader() as reader:
        recorded = Tables(reader).paths_of(named.values())
    lost = {i for i, places in recorded.items() if any(case.files.look(place) is None for place in places)}
    return {path for path, dataset_id in named.items() if dataset_id in lost}


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
        batch = spool.open_batch(finding.key)
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
