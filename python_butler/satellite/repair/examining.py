"""Examining a satellite from its directory to its references: each part is mended before the next."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ...errors import SatelliteError
from ...fulldisk import NO_ROOM
from ..configuration import reason
from ..place import Place
from ..progress import ProgressCallback, Reporter
from .case import Area, Case, Options
from .collections import Collections
from .database import Database
from .datafiles import DataFiles
from .directory import Directory, FilesDirectory, Leftovers, must_be_satellite
from .exclusive import BusyError
from .official import Official
from .report import CheckReport, Finding, Outcome, RepairReport, Result
from .rows import Rows
from .spooled import Spooled

__all__ = ["check", "repair"]

_AREAS: tuple[Callable[[], Area], ...] = (
    Directory,
    Leftovers,
    Database,
    FilesDirectory,
    Spooled,
    Rows,
    DataFiles,
    Collections,
    Official,
)


def check(
    place: Place,
    options: Options,
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> CheckReport:
    """Look for what is wrong with a satellite: see `Satellite.check`."""
    case = _examine(place, options, progress, cancel)
    return CheckReport(place.label, place.root, **_said(case))


def repair(
    place: Place,
    options: Options,
    *,
    dry_run: bool = False,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> RepairReport:
    """Put right what is wrong with a satellite: see `Satellite.repair`."""
    case = _examine(place, options, progress, cancel)
    return RepairReport(
        place.label,
        place.root,
        **_said(case),
        results=case.results,
        dry_run=dry_run,
        lost_and_found=case.lost.directory if case.lost.used else None,
    )


def _said(case: Case) -> dict[str, Any]:
    return {
        "findings": [each for each in case.found if not each.kind.rule.remark],
        "remarks": [each for each in case.found if each.kind.rule.remark],
        "notes": list(dict.fromkeys(case.notes)),
        "examined": dict(case.examined),
        "cancelled": case.reporter.cancelled,
    }


def _examine(
    place: Place, options: Options, progress: ProgressCallback | None, cancel: threading.Event | None
) -> Case:
    must_be_satellite(place.root, place.label)
    case = Case(place, options, Reporter(progress, cancel))
    try:
        for number, make in enumerate(_AREAS):
            if case.blocked or case.reporter.cancelled:
                break
            area = make()
            case.reporter.tell(area.what, number, len(_AREAS))
            findings = area.find(case)
            case.found += findings
            if options.mend and findings:
                case.close()
                _mend(case, area, findings)
                case.close()
    except OSError as error:
        raise _refused(place, error) from error
    except SQLAlchemyError as error:
        raise SatelliteError(
            f"The database of the satellite in {place.root} cannot be used: {reason(error)}.",
            "Check that it is yours to write, and that the disk is not full.",
        ) from error
    finally:
        case.close()
    case.reporter.tell("done", len(_AREAS), len(_AREAS))
    return case


def _mend(case: Case, area: Area, findings: list[Finding]) -> None:
    todo = []
    for finding in findings:
        rule = finding.kind.rule
        if not rule.mends:
            if not rule.remark:
                case.results.append(Result(finding, Outcome.LEFT, rule.remedy))
        elif case.options.asked(rule.needs):
            todo.append(finding)
        elif not rule.remark:
            case.results.append(Result(finding, Outcome.LEFT, f"Repair it with {rule.needs}."))
    if not todo:
        return
    try:
        area.mend(case, todo)
    except BusyError as error:
        done = {id(result.finding) for result in case.results}
        case.left([each for each in todo if id(each) not in done], error.message)


def _refused(place: Place, error: OSError) -> SatelliteError:
    what = error.strerror or str(error)
    if error.errno in NO_ROOM:
        step = "Free some space: satellite usage shows what takes it. Then repair again."
    else:
        step = "Check that the directory is there, complete and yours to read and write. Then repair again."
    return SatelliteError(f"The satellite in {place.root} cannot be examined: {what}.", step)
