"""What the tasks of a run left behind for a data ID: logs, metadata and versions of software."""

from __future__ import annotations

import threading

from lsst.daf.butler import Butler, DatasetRef, MissingDatasetTypeError
from lsst.daf.butler import DatasetType as ButlerDatasetType

from ..models import RepositoryKind
from ..repository import BrowsedRepository
from ..streaming import Cancelled
from .models import ProvenanceNode, RunTask

__all__ = ["packages_of", "tasks_of"]

_METADATA = "_metadata"
_LOG = "_log"
_PACKAGES = "packages"
_TASKS = 8
"""Tasks that are looked for, those with the dimensions of the dataset first."""


def tasks_of(
    repository: BrowsedRepository, butler: Butler, ref: DatasetRef, cancelled: threading.Event
) -> list[RunTask]:
    """Find the tasks that ran in the run of a dataset, for its data ID or a part of it.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where it is.
    butler : `lsst.daf.butler.Butler`
        What `repository` gave.
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    cancelled : `threading.Event`
        Set when nobody waits any more.

    Returns
    -------
    tasks : `list` [`RunTask`]
        Those that left metadata or a log; which of them wrote the dataset is not recorded there.
    """
    names = _summary(repository, butler, ref.run)
    labels = sorted(
        {name.removesuffix(end) for end in (_METADATA, _LOG) for name in names if name.endswith(end)}
    )
    own = set(ref.datasetType.dimensions.required)
    # A task's own log and metadata come from it and from no other.
    for end in (_METADATA, _LOG):
        if ref.datasetType.name.endswith(end) and ref.datasetType.name.removesuffix(end) in labels:
            labels = [ref.datasetType.name.removesuffix(end)]
    found: list[tuple[bool, str, list[ButlerDatasetType]]] = []
    for label in labels:
        types = [
            kind
            for end in (_METADATA, _LOG)
            if label + end in names and (kind := _type(repository, butler, label + end)) is not None
        ]
        dimensions = set(types[0].dimensions.required) if types else set()
        if dimensions and dimensions <= own:
            found.append((dimensions == own, label, types))
    found.sort(key=lambda item: (not item[0], item[1]))
    tasks = []
    for same, label, types in found[:_TASKS]:
        if cancelled.is_set():
            raise Cancelled
        nodes = {kind.name.removeprefix(label): _find(repository, butler, kind, ref) for kind in types}
        if any(nodes.values()):
            tasks.append(
                RunTask(label=label, same_dimensions=same, metadata=nodes.get(_METADATA), log=nodes.get(_LOG))
            )
    return tasks


def packages_of(repository: BrowsedRepository, butler: Butler, ref: DatasetRef) -> ProvenanceNode | None:
    """Find the versions of the software of the run of a dataset.

    Parameters
    ----------
    repository, butler, ref
        As for `tasks_of`.

    Returns
    -------
    packages : `ProvenanceNode` or `None`
        The dataset that lists them.
    """
    if ref.datasetType.name == _PACKAGES or _PACKAGES not in _summary(repository, butler, ref.run):
        return None
    kind = _type(repository, butler, _PACKAGES)
    return None if kind is None else _find(repository, butler, kind, ref)


def _summary(repository: BrowsedRepository, butler: Butler, run: str) -> frozenset[str]:
    return repository.memory.get(
        ("run summary", run),
        lambda: frozenset(butler.collections.get_info(run, include_summary=True).dataset_types or ()),
        version=repository.version(),
    )


def _type(repository: BrowsedRepository, butler: Butler, name: str) -> ButlerDatasetType | None:
    def ask() -> tuple[ButlerDatasetType | None]:
        try:
            return (butler.get_dataset_type(name),)
        except MissingDatasetTypeError:
            return (None,)

    return repository.memory.get(("definition", name), ask, version=repository.version())[0]


def _find(
    repository: BrowsedRepository, butler: Butler, kind: ButlerDatasetType, ref: DatasetRef
) -> ProvenanceNode | None:
    data_id = ref.dataId.subset(kind.dimensions.required) if kind.dimensions.required else None
    found = butler.find_dataset(kind, data_id, collections=ref.run)
    # The dataset itself is no news.
    if found is None or found.id == ref.id:
        return None
    return ProvenanceNode(
        id=found.id,
        kind=RepositoryKind(repository.kind),
        dataset_type=kind.name,
        data_id=dict(found.dataId.required),
        run=found.run,
    )
