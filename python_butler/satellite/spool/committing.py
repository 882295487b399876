"""Putting acknowledged datasets into the registry. Each step can be done again, and by two at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from lsst.daf.butler import MissingCollectionError, MissingDatasetTypeError
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import ConflictingDefinitionError

from ...datastore.chain import personal_of
from ..durable import remove
from ..progress import ProgressCallback, Reporter
from . import artifacts
from .desk import Desk, Unreadable
from .inserting import inserted
from .report import CommitReport, Problem
from .slip import Slip

__all__ = ["CHUNK", "commit_slips"]

CHUNK = 200
"""Datasets in one transaction: more would keep readers waiting when it ends."""


def commit_slips(
    desk: Desk,
    open_writer: Callable[[], AbstractContextManager[DirectButler]],
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
    budget: float | None = None,
) -> CommitReport:
    """Put all acknowledged datasets into the registry, as far as that is possible.

    Parameters
    ----------
    desk : `Desk`
        Their slips.
    open_writer : callable
        Opens the satellite for writing.
    progress, cancel
        As `python_butler.satellite.progress` describes.
    budget : `float`, optional
        Seconds after which no further transaction is begun.

    Returns
    -------
    report : `CommitReport`
        What became of them.
    """
    names = desk.names()
    if not names:
        return CommitReport()
    reporter = Reporter(progress, cancel)
    problems: list[Problem] = []
    committed = 0
    begin = time.monotonic()
    with open_writer() as writer:
        for start in range(0, len(names), CHUNK):
            if reporter.cancelled or (start and budget is not None and time.monotonic() > begin + budget):
                break
            reporter.tell("committing", start, len(names))
            slips = []
            for name in names[start : start + CHUNK]:
                try:
                    slip = desk.read(name)
                except Unreadable as error:
                    problems.append(Problem(name, f"The dataset of {name}", str(error), False))
                    continue
                if slip is not None:
                    slips.append(slip)
            done, failed = _commit(desk, writer, slips)
            committed += done
            problems += failed
        reporter.tell("committing", committed, len(names))
    return CommitReport(committed, len(desk.names()), False, tuple(problems))


class _Missing(Exception):
    """Files of datasets are nowhere."""

    def __init__(self, slips: list[Slip]) -> None:
        super().__init__()
        self.slips = slips


def _commit(desk: Desk, writer: DirectButler, slips: Sequence[Slip]) -> tuple[int, list[Problem]]:
    if not slips:
        return 0, []
    root = personal_of(writer).root
    try:
        with inserted(writer, slips) as new:
            if missing := list(artifacts.settle(root, new, keep=True)):
                raise _Missing(missing)
    except _Missing as error:
        lost = {slip.id for slip in error.slips}
        problems = [_aside(desk, slip, "its file is missing") for slip in error.slips]
        done, more = _commit(desk, writer, [slip for slip in slips if slip.id not in lost])
        return done, problems + more
    except (ConflictingDefinitionError, MissingCollectionError, MissingDatasetTypeError) as error:
        if len(slips) > 1:
            middle = len(slips) // 2
            first, problems = _commit(desk, writer, slips[:middle])
            second, more = _commit(desk, writer, slips[middle:])
            return first + second, problems + more
        return _one_refused(desk, writer, slips[0], error)
    # Until here all can be done again. As long as there is a slip its files are where it says.
    remove(desk.path / slip.name for slip in slips)
    artifacts.clear(root, slips)
    return len(slips), []


def _one_refused(desk: Desk, writer: DirectButler, slip: Slip, error: Exception) -> tuple[int, list[Problem]]:
    if isinstance(error, ConflictingDefinitionError):
        ref = slip.ref(writer.dimensions)
        there = writer.find_dataset(ref.datasetType, ref.dataId, collections=ref.run)
        if there is not None and there.id != slip.id:
            return 0, [_aside(desk, slip, f"its run has another such dataset, {there.id}")]
        return 0, [Problem(slip.name, _what(slip), "a dimension record that it needs is missing", False)]
    return 0, [Problem(slip.name, _what(slip), str(error).rstrip("."), False)]


def _aside(desk: Desk, slip: Slip, reason: str) -> Problem:
    desk.set_aside(slip.name)
    return Problem(slip.name, _what(slip), reason, True)


def _what(slip: Slip) -> str:
    values = ", ".join(
        f"{dimension}={value}" for dimension, value in zip(slip.dimensions, slip.data_id, strict=True)
    )
    return f"{slip.dataset_type} ({values}) in {slip.run}"
