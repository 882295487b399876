"""Fetching the files of references into the cache, and telling for which datasets that makes sense."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsst.daf.butler import DatasetRef

from ..datastore import personal_of, references_of
from .progress import ProgressCallback, Reporter
from .report import Problem, Status

if TYPE_CHECKING:
    from .place import Place

__all__ = ["PrefetchReport", "prefetch"]

_NOT_KEPT = "It is in one file together with other datasets, which the cache does not keep: pin it."
_NO_CACHE = "There is no cache of files, or it cannot be written: pin it."


@dataclass
class PrefetchReport:
    """Outcome of fetching files into the cache.

    Attributes
    ----------
    referenced : `int`
        Datasets whose files were to be fetched: all of them were, unless it was stopped.
    not_kept : `list` [`Problem`]
        Datasets that are referenced, but whose files the cache does not keep: members of zip files, and all
        if there is no cache.
    there : `int`
        Datasets that have a file in the satellite, pinned or the user's own: nothing is to be fetched.
    problems : `list` [`Problem`]
        Datasets that are not in the satellite.
    cancelled : `bool`
        Whether it was stopped before the end; what was fetched stays.
    """

    referenced: int = 0
    not_kept: list[Problem] = field(default_factory=list)
    there: int = 0
    problems: list[Problem] = field(default_factory=list)
    cancelled: bool = False


def prefetch(
    satellite: Place,
    refs: Iterable[DatasetRef],
    *,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> PrefetchReport:
    """Fetch files into the cache: see `Satellite.prefetch`."""
    reporter = Reporter(progress, cancel)
    report = PrefetchReport()
    refs = list(refs)
    # A component comes with its dataset.
    whole = {ref.id: ref.makeCompositeRef() if ref.isComponent() else ref for ref in refs}
    with satellite.reader() as reader:
        references = references_of(reader)
        known = references.known(whole.values())
        not_kept = references.not_kept(whole.values())
        report.referenced = len(known - not_kept)
        reason = _NOT_KEPT if references.cacheManager.enabled else _NO_CACHE
        report.not_kept = [
            Problem(ref, Status.REFUSED, reason) for ref in whole.values() if ref.id in not_kept
        ]
        rest = [ref for ref in whole.values() if ref.id not in known]
        for ref, here in personal_of(reader).knows_these(rest).items():
            if here:
                report.there += 1
            else:
                problem = Problem(ref, Status.REFUSED, "It is not referenced in the satellite.")
                report.problems.append(problem)
        report.cancelled = not references.prefetch(
            refs, progress=lambda done, total: reporter.tell("fetching", done, total), cancelled=cancel
        )
    return report
