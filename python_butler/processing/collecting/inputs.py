"""What a run read: official inputs by reference or copied, with the collections they were found in."""

from __future__ import annotations

import threading

from lsst.daf.butler import DatasetRef, MissingCollectionError
from lsst.daf.butler.remote_butler import RemoteButler

from ...official import connect, disconnect
from ...satellite.presence import official_here, registered
from ...satellite.progress import ProgressCallback
from ...satellite.references import reference
from ...satellite.report import Problem, ReferenceReport, Status
from ...satellite.selecting import Request
from .opened import Opened
from .plan import Plan

__all__ = ["save_inputs"]


def save_inputs(
    opened: Opened,
    plan: Plan,
    *,
    copy: bool,
    progress: ProgressCallback | None,
    cancel: threading.Event | None,
) -> ReferenceReport:
    """Bring the official inputs of a run, with chains, tags and validity ranges of where they were found.

    Parameters
    ----------
    opened : `Opened`
        Where to.
    plan : `Plan`
        What was predicted to be read.
    copy : `bool`
        Whether to copy their files, too.
    progress, cancel
        As for `python_butler.satellite.Satellite.reference`.

    Returns
    -------
    report : `python_butler.satellite.report.ReferenceReport`
        What became of them; inputs that are the user's own are not among them.

    Raises
    ------
    python_butler.errors.OfficialServerError
        If the server, the token or the network is in trouble.
    """
    wanted = plan.overall_inputs()
    here = registered(opened.reader, wanted)
    own = here - official_here(opened.reader, here)
    refs = list(plan.refs(model for dataset_id, model in wanted.items() if dataset_id not in own))
    if not refs:
        return ReferenceReport()
    official = connect(opened.satellite.label)
    try:
        unknown = _types_unknown(official, refs)
        collections = [name for name in plan.components.header.inputs if _exists(official, name)]
    finally:
        disconnect(official)
    known = [ref for ref in refs if ref.datasetType.name not in unknown]
    report = ReferenceReport()
    if known:
        request = Request(known, collections=collections)
        report = reference(opened.satellite, request, copy=copy, progress=progress, cancel=cancel)
    report.add_problems(
        Problem(ref, Status.MISSING, "It was one of your own, and is not in your satellite any more.")
        for ref in refs
        if ref.datasetType.name in unknown
    )
    return report


def _types_unknown(official: RemoteButler, refs: list[DatasetRef]) -> set[str]:
    missing: list[str] = []
    official.registry.queryDatasetTypes({ref.datasetType.name for ref in refs}, missing=missing)
    return set(missing)


def _exists(official: RemoteButler, name: str) -> bool:
    try:
        official.collections.get_info(name)
    except MissingCollectionError:
        return False
    return True
