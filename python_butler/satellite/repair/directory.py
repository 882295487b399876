"""The satellite's directory: its few files, what processes left beside them, and a move under way."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

import yaml

from ...errors import SatelliteError
from ..configuration import fallback_of, finish, write_fallback
from ..downloads import UNFINISHED
from ..durable import atomic_write
from ..layout import (
    CONFIG,
    DATABASE,
    FALLBACK,
    FILES,
    FORMAT,
    MARKER,
    Marker,
    State,
    check_marker,
    read_marker,
    state_of,
)
from ..moving.mark import LOCK, Stage, read_move, refuse_if_moving
from ..processes import in_use
from ..spool import FileLock
from ..storage import storage_of
from ..storage.located import LOCK_FILES
from ..storage.turns import Turns
from .case import Case
from .kinds import Kind
from .lost import DIRECTORY, LIST
from .names import BUILDING
from .report import Finding
from .spooled import claimed_files
from .tables import Tables

__all__ = ["Directory", "FilesDirectory", "Leftovers", "must_be_satellite"]

_WORKPLACE = re.compile(r"[0-9a-f]{32}")
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.new")
_OURS = re.compile(rf"{re.escape(DATABASE)}(-journal|\.locks)?|.*\.(yaml|json|md)|{FILES}|spool")


def must_be_satellite(root: Path, label: str) -> None:
    """Make sure that a directory is a satellite, or what is left of one.

    Parameters
    ----------
    root : `pathlib.Path`
        The directory.
    label : `str`
        Label of the official repository.

    Raises
    ------
    SatelliteError
        If it is not, belongs to another repository, or is of a newer version.
    """
    try:
        state = state_of(root)
        ours = [name for name in (MARKER, FALLBACK) if (root / name).exists()]
        there = [name for name in (CONFIG, DATABASE) if (root / name).exists()]
    except OSError as error:
        raise SatelliteError(
            f"{root} cannot be looked at: {error.strerror or error}.", "Check that it is yours to read."
        ) from error
    if state is State.ABSENT:
        raise SatelliteError(
            f"There is no satellite of {label} in {root}.",
            f"If it was there, restore it from a backup; to make a new one: satellite create {label}",
        )
    if not ours or (MARKER not in ours and not there):
        raise SatelliteError(f"{root} is not a satellite, nor what is left of one.", "Name its directory.")
    if MARKER in ours and _is_marker(root / MARKER):
        check_marker(root, label)


class Directory:
    """Looks at the files that make a directory a satellite."""

    what = "looking at the directory"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        root = case.place.root
        findings = []
        findings += _moves(case, root)
        if not _understood(root / CONFIG) or not _located(root):
            findings.append(Finding(Kind.CONFIGURATION, str(root / CONFIG), key=root / CONFIG))
        elif not _is_current(root):
            findings.append(Finding(Kind.FALLBACK, str(root / FALLBACK), key=root / FALLBACK))
        if not _is_marker(root / MARKER):
            findings.append(Finding(Kind.MARKER, str(root / MARKER), key=root / MARKER))
        unopened = [each for each in findings if each.kind in (Kind.CONFIGURATION, Kind.MARKER)]
        if unopened and not case.options.mend:
            case.blocked = True
            case.notes.append("The rest was not looked at: the satellite cannot be opened before.")
        lost = root / DIRECTORY
        if lost.is_dir():
            kept = [path for path in lost.rglob("*") if path.is_file() and path.name != LIST]
            if kept:
                size = sum(path.stat().st_size for path in kept)
                findings.append(Finding(Kind.LOST_AND_FOUND, str(lost), f"{len(kept):,} files", size))
        return findings

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        root = case.place.root
        for finding in sorted(findings, key=lambda each: each.kind is not Kind.CONFIGURATION):
            if finding.kind is Kind.UNFINISHED_MOVE:
                # What asks whether it is being moved finds that nobody does, and brings it in order.
                refuse_if_moving(root)
                case.mended([finding])
                continue
            if finding.key.exists():
                target = case.lost.place_for(finding.key.name)
                case.lost.note({"why": finding.kind.value, "was": str(finding.key), "copy": str(target)})
                shutil.copy2(finding.key, target)
            match finding.kind:
                case Kind.CONFIGURATION:
                    if not _understood(root / FALLBACK):
                        case.blocked = True
                        case.left([finding], "Restore butler.yaml or personal.yaml from a backup.")
                        continue
                    _restore_configuration(root, case.place.label)
                case Kind.FALLBACK:
                    write_fallback(root, _configuration(root))
                case Kind.MARKER:
                    finish(root, case.place.label)
            case.mended([finding])


def _moves(case: Case, root: Path) -> list[Finding]:
    move = read_move(root)
    if move is None:
        return []
    where = f"to {move.new.registry or move.root} and {move.new.files or move.root}"
    if move.stage is Stage.DONE:
        case.notes.append(f"The satellite was moved to {move.root}: this is what was left behind.")
        return []
    if move.stage is Stage.PAUSED:
        return [Finding(Kind.PAUSED_MOVE, str(root), where)]
    owner = FileLock(root / LOCK).owner()
    if owner is not None and owner.alive() is not False:
        case.notes.append(f"The satellite is being moved by process {owner.pid} of {owner.host}.")
        return []
    return [Finding(Kind.UNFINISHED_MOVE, str(root), where)]


class FilesDirectory:
    """Looks whether the directory of the files is there: who opens the satellite makes it, empty."""

    what = "looking for the files"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        directory = storage_of(case.place).local_files
        if directory is None or directory.is_dir():
            return []
        case.blocked = not case.options.mend
        if case.blocked:
            case.notes.append("The rest was not looked at: opening the satellite would make the directory.")
        return [Finding(Kind.NO_FILES_DIRECTORY, str(directory), key=directory)]

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        (finding,) = findings
        with case.reader() as reader:
            recorded = [path for path in Tables(reader).paths() if "://" not in path]
        missing = len(recorded) + len(claimed_files(case)) // 2
        if not missing:
            finding.key.mkdir(parents=True, exist_ok=True)
            case.mended(findings)
            return
        with contextlib.suppress(OSError):
            finding.key.rmdir()
        case.blocked = True
        case.left(findings, f"{missing:,} files should be in it: mount its volume, or restore it.")


class Leftovers:
    """Looks at what processes that were killed have left in and beside the directory."""

    what = "looking for leftovers"

    def find(self, case: Case) -> list[Finding]:
        """Look for what is not as it should be; changes nothing."""
        root = case.place.root
        findings = []
        for path in _entries(root):
            if BUILDING.fullmatch(path.name) or _TEMPORARY.fullmatch(path.name):
                findings += _if_left(case, Kind.UNFINISHED_FILE, path, in_use(root))
        for path in _entries(root / UNFINISHED):
            if _WORKPLACE.fullmatch(path.name):
                findings += _if_left(case, Kind.UNFINISHED_FILE, path, in_use(path))
        for path in _entries(root.parent):
            if BUILDING.fullmatch(path.name) and path.is_dir():
                kind = Kind.UNFINISHED_SATELLITE if _holds_nothing(path) else Kind.UNFINISHED_RESTORE
                findings += _if_left(case, kind, path, in_use(root.parent))
        return findings

    def mend(self, case: Case, findings: list[Finding]) -> None:
        """Do something about findings for which all options that they need were given."""
        for finding in findings:
            path: Path = finding.key
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
            if os.path.lexists(path):
                case.left([finding], "It cannot be deleted: check that it is yours.")
            else:
                case.mended([finding])


def _if_left(case: Case, kind: Kind, path: Path, used: bool | None) -> list[Finding]:
    if used:
        return []
    try:
        changed, size = _newest(path)
    except FileNotFoundError:
        return []
    if time.time() - changed < (case.options.long_age if used is None else case.options.age):
        case.notes.append(f"{path} is new: somebody may be using it, it was not judged.")
        return []
    return [Finding(kind, str(path), "", size, key=path)]


def _newest(path: Path) -> tuple[float, int]:
    """When a file or anything in a directory was changed last, and how large it is."""
    status = path.stat()
    changed, size = status.st_mtime, 0 if path.is_dir() else status.st_size
    if path.is_dir():
        for below in path.rglob("*"):
            status = below.lstat()
            changed = max(changed, status.st_mtime)
            size += 0 if below.is_dir() else status.st_size
    return changed, size


def _holds_nothing(building: Path) -> bool:
    """Whether a directory has only what creating a satellite makes, and no file of a dataset."""
    entries = _entries(building)
    return all(_OURS.fullmatch(path.name) for path in entries) and not any(_entries(building / FILES))


def _entries(directory: Path) -> list[Path]:
    try:
        return sorted(directory.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _understood(path: Path) -> bool:
    """Whether a file is there and says something."""
    try:
        # JSON too, which is YAML.
        return isinstance(yaml.safe_load(path.read_bytes()), dict)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SatelliteError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that it is yours to read."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError):
        return False


def _is_marker(path: Path) -> bool:
    """Whether a file says of what a directory is the satellite, whatever the format."""
    try:
        document = json.loads(path.read_bytes())
        # A newer version may have put it otherwise: that is no damage.
        return document["format"] > FORMAT or bool(Marker.model_validate(document))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SatelliteError(
            f"{path} cannot be read: {error.strerror or error}.", "Check that it is yours to read."
        ) from error
    except (ValueError, TypeError, KeyError):
        return False


def _is_current(root: Path) -> bool:
    """Whether the configuration that does without this package opens the same as the other one."""
    path = root / FALLBACK
    return _understood(path) and yaml.safe_load(path.read_bytes()) == fallback_of(_configuration(root))


def _configuration(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((root / CONFIG).read_bytes())
    return found


def _restore_configuration(root: Path, label: str) -> None:
    """Write the configuration that opens the personal part alone; finishing adds the rest."""
    configuration = yaml.safe_load((root / FALLBACK).read_bytes())
    # The datastore knows them.
    configuration.pop("storageClasses", None)
    if Turns(root / DATABASE).directory.exists():
        # Where users of the database take turns by files, all have to.
        configuration["registry"]["engines"] = {"sqlite": LOCK_FILES}
    atomic_write(root / CONFIG, yaml.safe_dump(configuration, sort_keys=False).encode())
    satellite = read_marker(root).id if _is_marker(root / MARKER) else ""
    finish(root, label, satellite)


def _located(root: Path) -> bool:
    try:
        storage_of(root)
    except SatelliteError:
        return False
    return True
