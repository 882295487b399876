"""One step of provenance: what a dataset was made from, what was made from it, and how."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from lsst.daf.butler import (
    Butler,
    DatasetRef,
    EmptyQueryResultError,
    MissingCollectionError,
    MissingDatasetTypeError,
)

from ...errors import GoneError, OfficialServerError, PythonButlerError, SatelliteError
from ...satellite.provenance import made_from, notes_of
from ..models import RepositoryKind
from ..previews.opening import OpenedDataset, opened_dataset
from ..repository import BrowsedRepository
from .headers import FileProvenance, provenance_in_file
from .models import Maker, Provenance, ProvenanceNode, ProvenanceSource
from .tasks import packages_of, tasks_of

if TYPE_CHECKING:
    from ...processing.tracing import Provenance as RunProvenance
    from ...processing.tracing import TracedDataset

__all__ = ["describe_step"]

_LOG = logging.getLogger(__name__)

_NODES = 100
"""Inputs, and outputs, that are given to a page."""
_CELLS = "CellCoadd"
_CONTRIBUTING = ("visit_image", "preliminary_visit_image", "calexp")
"""Dataset types in which images contributing to a coadd are looked for, in order."""

_InputsAre = Literal["given", "read before", "recorded", "contributing"]


class _Places:
    """The two repositories of one label, of which one may not be there."""

    def __init__(self, repository: BrowsedRepository, other: BrowsedRepository | None) -> None:
        self.repository = repository
        self._by_kind = {one.kind: one for one in (repository, other) if one is not None}

    def butler(self, kind: RepositoryKind) -> Butler | None:
        """Give a butler; `None` if it cannot be had, which only hides where some datasets are."""
        repository = self._by_kind.get(kind)
        try:
            return None if repository is None else repository.butler()
        except (SatelliteError, OfficialServerError) as error:
            if repository is self.repository:
                raise
            _LOG.info("Provenance without the %s repository: %s", kind, error)
            return None

    def find(self, ids: Sequence[UUID]) -> dict[UUID, ProvenanceNode]:
        """Find datasets in either repository, the personal one first."""
        found: dict[UUID, ProvenanceNode] = {}
        for kind in (RepositoryKind.PERSONAL, RepositoryKind.OFFICIAL):
            rest = [id for id in ids if id not in found]
            butler = self.butler(kind) if rest else None
            if butler is None:
                continue
            try:
                found |= {ref.id: node(ref, kind) for ref in butler.get_many_datasets(rest)}
            except OfficialServerError as error:
                _LOG.info("Provenance without the official repository: %s", error)
        return found


def describe_step(
    repository: BrowsedRepository,
    other: BrowsedRepository | None,
    dataset_id: UUID,
    cancelled: threading.Event,
    *,
    most: int = _NODES,
    brief: bool = False,
) -> Provenance:
    """Tell where a dataset comes from and what was made from it.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where the dataset is.
    other : `BrowsedRepository` or `None`
        The other repository of the same label: inputs and outputs may be there.
    dataset_id : `uuid.UUID`
        The dataset.
    cancelled : `threading.Event`
        Set when nobody waits any more.
    most : `int`, optional
        Inputs, and outputs, to give at most.
    brief : `bool`, optional
        Whether only the maker is wanted, or the tasks among which it is if that was not recorded: no file
        is read, and neither inputs nor outputs are looked for.

    Returns
    -------
    provenance : `Provenance`
        What was recorded.

    Raises
    ------
    GoneError
        If there is no such dataset.
    """
    butler = repository.butler()
    ref = butler.get_dataset(dataset_id)
    if ref is None:
        raise GoneError(
            f"{repository.label} has no dataset {dataset_id}.", "Reload the list; it may have been removed."
        )
    places = _Places(repository, other)
    most = 0 if brief else most
    sources: list[ProvenanceSource] = []
    personal = places.butler(RepositoryKind.PERSONAL)
    document = notes_of(personal, [ref.id]).get(ref.id) if personal is not None else None
    inputs: list[ProvenanceNode] = []
    total = 0
    inputs_are: _InputsAre = "recorded"
    maker: Maker | None = None
    if document is not None:
        sources.append(ProvenanceSource.NOTES)
        noted = document.get("inputs", [])
        inputs = _noted(places, noted[:most])
        total = len(noted) + int(document.get("inputs_left_out", 0))
        inputs_are = "given" if document.get("inputs_are") == "given" else "read before"
        maker = _maker(document)
    elif traced := _traced(personal, ref):
        sources.append(ProvenanceSource.GRAPH)
        maker = _executed(traced)
        inputs = _noted(places, map(_as_noted, traced.inputs[:most]))
        total = len(traced.inputs)
    elif not brief:
        recorded, contributing = _in_file(repository, ref, cancelled)
        if recorded is not None:
            sources.append(ProvenanceSource.HEADER)
            maker = Maker(quantum=recorded.quantum)
            inputs = _identified(places, recorded.inputs[:most])
            total = recorded.total
        if contributing and not inputs:
            sources.append(ProvenanceSource.CELLS)
            inputs_are = "contributing"
            inputs = _contributing(places, contributing[:most])
            total = len(contributing)
    made = [] if brief or personal is None else _made_from(personal, ref.id, most + 1, cancelled)
    return Provenance(
        dataset=node(ref, repository.kind),
        sources=sources,
        inputs=inputs,
        inputs_left_out=max(0, total - len(inputs)),
        inputs_are=inputs_are,
        outputs=_identified(places, made[:most]),
        outputs_left_out=max(0, len(made) - most),
        maker=maker,
        tasks=[] if brief and maker is not None else tasks_of(repository, butler, ref, cancelled),
        packages=None if brief else packages_of(repository, butler, ref),
    )


def node(ref: DatasetRef, kind: RepositoryKind | None) -> ProvenanceNode:
    """Describe a dataset as a node of the graph.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        The dataset.
    kind : `RepositoryKind` or `None`
        Where it is.

    Returns
    -------
    node : `ProvenanceNode`
        The node.
    """
    return ProvenanceNode(
        id=ref.id,
        kind=kind,
        dataset_type=ref.datasetType.name,
        data_id=dict(ref.dataId.required),
        run=ref.run,
    )


def _identified(places: _Places, ids: Sequence[UUID]) -> list[ProvenanceNode]:
    found = places.find(ids)
    return [found.get(id) or ProvenanceNode(id=id, kind=None, dataset_type="") for id in ids]


def _noted(places: _Places, noted: Iterable[Mapping[str, Any]]) -> list[ProvenanceNode]:
    by_id = {UUID(one["id"]): one for one in noted}
    found = places.find(list(by_id))
    return [
        found.get(id)
        or ProvenanceNode(
            id=id, kind=None, dataset_type=one["dataset_type"], data_id=one["data_id"], run=one["run"]
        )
        for id, one in by_id.items()
    ]


def _traced(personal: Butler | None, ref: DatasetRef) -> RunProvenance | None:
    """What the graph of its run tells of a dataset."""
    if personal is None or not _has_graphs(personal):
        return None
    # What reads graphs takes seconds to import.
    from ...processing.tracing import provenance

    try:
        return provenance(personal, ref)
    except (OSError, LookupError, ValueError) as error:
        _LOG.info("Nothing read from the provenance graph of %s: %s", ref.run, error)
        return None


def _made_from(personal: Butler, dataset_id: UUID, limit: int, cancelled: threading.Event) -> list[UUID]:
    """What was put, and what runs made, from a dataset."""
    made = dict.fromkeys(made_from(personal, dataset_id, limit))
    if not _has_graphs(personal):
        return list(made)
    from ...processing.tracing import made_from as made_in_runs

    try:
        in_runs = made_in_runs(personal, dataset_id, limit, cancel=cancelled)
        made |= dict.fromkeys(each.id for each in in_runs)
    except (OSError, LookupError, ValueError) as error:
        _LOG.info("Nothing read from provenance graphs: %s", error)
    return list(made)[:limit]


def _has_graphs(personal: Butler) -> bool:
    """Whether any run was ever collected."""
    try:
        personal.get_dataset_type("run_provenance")
    except MissingDatasetTypeError:
        return False
    return True


def _as_noted(traced: TracedDataset) -> Mapping[str, Any]:
    return {
        "id": str(traced.id),
        "dataset_type": traced.dataset_type,
        "data_id": traced.data_id,
        "run": traced.run,
    }


def _executed(traced: RunProvenance) -> Maker:
    return Maker(
        quantum=traced.quantum,
        task=traced.task,
        task_class=traced.task_class,
        configuration=traced.config,
        seconds=traced.seconds,
        time="" if traced.started is None else traced.started.astimezone(UTC).isoformat(),
        python=traced.software.get("python", ""),
        software={name: version for name, version in traced.software.items() if name != "python"},
    )


def _maker(document: Mapping[str, Any]) -> Maker:
    code = document.get("code", {})
    return Maker(
        time=document.get("time", ""),
        user=document.get("user", ""),
        host=document.get("host", ""),
        python=document.get("python", ""),
        software=document.get("software", {}),
        code=code.get("cell", ""),
        execution=code.get("execution"),
        notebook=code.get("notebook", "").rpartition("/")[2],
        program=code.get("program", "").rpartition("/")[2],
        doc=document.get("doc", ""),
    )


_Image = dict[str, int | str]


def _in_file(
    repository: BrowsedRepository, ref: DatasetRef, cancelled: threading.Event
) -> tuple[FileProvenance | None, list[_Image]]:
    try:
        with opened_dataset(repository, ref.id, cancelled) as opened:
            recorded = provenance_in_file(opened)
            cells = ref.datasetType.storageClass_name == _CELLS
            return recorded, _images_in(opened) if cells else []
    except OfficialServerError:
        raise
    except PythonButlerError as error:
        # Without its file the rest can be told nevertheless.
        _LOG.info("Nothing read from the file of %s: %s", ref.id, error)
        return None, []


def _images_in(opened: OpenedDataset) -> list[_Image]:
    """List the images that contributed to a coadd."""
    table = opened.get("provenance").inputs
    return [
        {"instrument": str(row["instrument"]), "visit": int(row["visit"]), "detector": int(row["detector"])}
        for row in table
    ]


def _contributing(places: _Places, images: Sequence[_Image]) -> list[ProvenanceNode]:
    """Find contributing images among those of the release; only their data IDs are recorded."""
    found: dict[tuple[object, ...], ProvenanceNode] = {}
    butler = places.butler(RepositoryKind.OFFICIAL)
    if butler is not None:
        for name in _CONTRIBUTING:
            found = _images_of_type(butler, name, places.repository.label, images)
            if found:
                break
    return [
        found.get(tuple(image.values())) or ProvenanceNode(id=None, kind=None, dataset_type="", data_id=image)
        for image in images
    ]


def _images_of_type(
    butler: Butler, name: str, collection: str, images: Sequence[_Image]
) -> dict[tuple[object, ...], ProvenanceNode]:
    wanted = {tuple(image.values()) for image in images}
    try:
        refs = butler.query_datasets(
            name,
            collections=collection,
            data_id={"instrument": images[0]["instrument"]},
            where="visit IN (:visits) AND detector IN (:detectors)",
            bind={
                "visits": sorted({image["visit"] for image in images}),
                "detectors": sorted({image["detector"] for image in images}),
            },
            limit=len(images) * 50,
            explain=False,
        )
    except (MissingCollectionError, EmptyQueryResultError, LookupError):
        return {}
    keys = ("instrument", "visit", "detector")
    return {
        key: node(ref, RepositoryKind.OFFICIAL)
        for ref in refs
        if (key := tuple(ref.dataId[dimension] for dimension in keys)) in wanted
    }
