"""Taking references out of a satellite again, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsst.daf.butler import DatasetRef
from lsst.utils.iteration import chunk_iterable

from ..datastore import personal_of, references_of
from .presence import registered
from .report import Problem, Status
from .storage import writing_alone

if TYPE_CHECKING:
    from .place import Place

__all__ = ["ForgetReport", "forget"]

_BATCH = 5_000


@dataclass
class ForgetReport:
    """Outcome of forgetting references.

    Attributes
    ----------
    forgotten : `int`
        Datasets that are no longer in the satellite.
    unknown : `int`
        Datasets that were not in it.
    problems : `list` [`Problem`]
        Datasets that were left as they are, with the reason.
    """

    forgotten: int = 0
    unknown: int = 0
    problems: list[Problem] = field(default_factory=list)


def forget(satellite: Place, refs: Iterable[DatasetRef]) -> ForgetReport:
    """Remove references: see `Satellite.forget`."""
    report = ForgetReport()
    by_id = {ref.id: ref.makeCompositeRef() if ref.isComponent() else ref for ref in refs}
    with satellite.writer() as writer:
        references, personal = references_of(writer), personal_of(writer)
        for chunk in chunk_iterable(by_id.values(), _BATCH):
            with writing_alone(writer), writer.transaction():
                here = registered(writer, [ref.id for ref in chunk])
                report.unknown += len(chunk) - len(here)
                known = [ref for ref in chunk if ref.id in here]
                kept = {ref for ref, has in personal.knows_these(known).items() if has}
                for ref in kept:
                    reason = "It has a file in the satellite: your own, or a pinned copy. Unpin a copy first."
                    report.problems.append(Problem(ref, Status.REFUSED, reason))
                referenced = references.known(known)
                gone = [ref for ref in known if ref.id in referenced and ref not in kept]
                for ref in known:
                    if ref.id not in referenced and ref not in kept:
                        reason = "It has neither a reference nor a file in the satellite."
                        report.problems.append(Problem(ref, Status.REFUSED, reason))
                references.forget(gone)
                writer.registry.removeDatasets(gone)
                report.forgotten += len(gone)
    return report
