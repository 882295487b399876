"""What made a dataset, from what, with which configuration and versions; and what was made from it.

Runs that were collected keep this as a dataset of their own, ``run_provenance``, as upstream's tools do.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import batched
from typing import Any
from uuid import UUID

from lsst.daf.butler import (
    Butler,
    CollectionType,
    DatasetNotFoundError,
    DatasetRef,
    MissingCollectionError,
    MissingDatasetTypeError,
)
from lsst.pipe.base import automatic_connection_constants as acc
from lsst.pipe.base.quantum_graph import ProvenanceQuantumGraphReader

from ..errors import GoneError
from ..satellite.durable import at_once

__all__ = ["Provenance", "TracedDataset", "made_from", "provenance"]

_TOGETHER = 64
"""Graphs that are looked into at the same time."""

_NODES = "nodes.addr"
"""Member of a provenance graph that begins each row with the ID of a node."""


@dataclass(frozen=True)
class TracedDataset:
    """A dataset that took part.

    Attributes
    ----------
    id : `uuid.UUID`
        Its identifier.
    dataset_type : `str`
        Name of its type.
    data_id : `dict` [`str`, `int` or `str`]
        Required values of its data ID.
    run : `str`
        Collection that it was in.
    connection : `str`
        What the task calls it.
    """

    id: UUID
    dataset_type: str
    data_id: dict[str, Any]
    run: str
    connection: str = ""


@dataclass(frozen=True)
class Provenance:
    """How a dataset was made.

    Attributes
    ----------
    dataset : `uuid.UUID`
        The dataset.
    run : `str`
        Collection with the outputs of the run that made it.
    task, task_class : `str`
        Label of the task in the pipeline, and the class that was executed.
    quantum : `uuid.UUID`
        Which execution of the task.
    data_id : `dict` [`str`, `int` or `str`]
        For what it was executed.
    status : `str`
        What became of it; empty of what is written once for a whole task.
    attempts : `int`
        How often it was tried.
    started : `datetime.datetime` or `None`
        When it began.
    seconds : `float` or `None`
        How long it took, in seconds.
    inputs, outputs : `tuple` [`TracedDataset`]
        What it read, and all that it wrote.
    config : `str`
        Configuration of the task, as Python statements.
    software : `dict` [`str`, `str`]
        Versions of Python and of packages, as the run noted them.
    pipeline : `tuple` [`str`]
        Labels of all tasks of the run.
    """

    dataset: UUID
    run: str
    task: str
    task_class: str
    quantum: UUID
    data_id: dict[str, Any]
    status: str = ""
    attempts: int = 0
    started: datetime | None = None
    seconds: float | None = None
    inputs: tuple[TracedDataset, ...] = ()
    outputs: tuple[TracedDataset, ...] = ()
    config: str = field(default="", repr=False)
    software: dict[str, str] = field(default_factory=dict, repr=False)
    pipeline: tuple[str, ...] = ()


def provenance(butler: Butler, dataset: DatasetRef | UUID) -> Provenance | None:
    """Tell how a dataset of a collected run was made.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        What has it: as `python_butler.open` gives it, or any that opens the satellite.
    dataset : `lsst.daf.butler.DatasetRef` or `uuid.UUID`
        The dataset.

    Returns
    -------
    provenance : `Provenance` or `None`
        `None` if its run keeps no provenance, or knows nothing of it.

    Raises
    ------
    python_butler.errors.GoneError
        If there is no such dataset.
    """
    ref = dataset if isinstance(dataset, DatasetRef) else butler.get_dataset(dataset)
    if ref is None:
        raise GoneError(f"There is no dataset {dataset}.", "It may have been removed.")
    graph = _graph_of(butler, ref.run)
    if graph is None:
        return None
    with _opened(butler, graph) as reader:
        if not _read_dataset(reader, ref.id):
            return None
        xgraph = reader.graph.bipartite_xgraph
        quantum_id = next(iter(xgraph.predecessors(ref.id)), None)
        if quantum_id is None:
            return None
        try:
            reader.read_quanta([quantum_id])
        except LookupError:
            # It wrote what a task writes once, before anything else.
            reader.read_init_quanta()
        info: Any = xgraph.nodes[quantum_id]
        task = reader.graph.pipeline_graph.tasks[info["task_label"]]
        inputs, outputs = list(xgraph.predecessors(quantum_id)), list(xgraph.successors(quantum_id))
        reader.read_datasets(
            each for each in [*inputs, *outputs] if "dataset_type_name" not in xgraph.nodes[each]
        )
        usage, status = info.get("resource_usage"), info.get("status")
        return Provenance(
            dataset=ref.id,
            run=reader.header.output_run,
            task=task.label,
            task_class=task.task_class_name,
            quantum=quantum_id,
            data_id=dict(info["data_id"].required),
            status="" if status is None else status.name.lower(),
            attempts=len(info.get("attempts", ())),
            started=None if usage is None else usage.start,
            seconds=None if usage is None else usage.prep_time + usage.init_time + usage.run_time,
            inputs=tuple(_traced(xgraph, each, (each, quantum_id)) for each in inputs),
            outputs=tuple(_traced(xgraph, each, (quantum_id, each)) for each in outputs),
            config=task.get_config_str(),
            software=_software(butler, ref.run),
            pipeline=tuple(reader.graph.pipeline_graph.tasks),
        )


def made_from(
    butler: Butler, dataset_id: UUID, limit: int | None = None, *, cancel: threading.Event | None = None
) -> list[TracedDataset]:
    """Find what collected runs made from a dataset, which need not be in the repository.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A Butler that opens the satellite.
    dataset_id : `uuid.UUID`
        The dataset.
    limit : `int`, optional
        Most datasets to find; all if not given.
    cancel : `threading.Event`, optional
        Set to stop with what was found so far.

    Returns
    -------
    datasets : `list` [`TracedDataset`]
        What was made from it in one step, by the newest run first; logs and metadata are left out.
    """
    found: list[TracedDataset] = []
    try:
        graphs = butler.query_datasets(
            acc.PROVENANCE_DATASET_TYPE_NAME,
            butler.collections.query("*", CollectionType.RUN),
            find_first=False,
            explain=False,
            limit=None,
        )
    except (MissingDatasetTypeError, MissingCollectionError):
        return found
    # The names of runs end in their time.
    newest = sorted(graphs, key=lambda graph: graph.run.rpartition("/")[2], reverse=True)
    for some in batched(newest, _TOGETHER):
        for graph in _naming(butler, some, dataset_id):
            if (cancel is not None and cancel.is_set()) or (limit is not None and len(found) >= limit):
                return found[:limit]
            found += _outputs_from(butler, graph, dataset_id)
    return found[:limit]


def _naming(butler: Butler, graphs: Sequence[DatasetRef], dataset_id: UUID) -> list[DatasetRef]:
    """Choose the graphs in which a dataset may be: opening one takes a hundred times as long as this."""
    uris = {graph: butler.getURI(graph) for graph in graphs}
    named: set[DatasetRef] = set()

    def look(graph: DatasetRef) -> None:
        with uris[graph].open("rb") as stream, zipfile.ZipFile(stream) as archive:
            if _NODES not in archive.namelist() or dataset_id.bytes in archive.read(_NODES):
                named.add(graph)

    at_once([partial(look, graph) for graph in graphs])
    return [graph for graph in graphs if graph in named]


def _outputs_from(butler: Butler, graph: DatasetRef, dataset_id: UUID) -> list[TracedDataset]:
    """What one run made from a dataset."""
    with _opened(butler, graph) as reader:
        if not _read_dataset(reader, dataset_id):
            return []
        xgraph = reader.graph.bipartite_xgraph
        quanta = list(xgraph.successors(dataset_id))
        reader.read_quanta(quanta)
        outputs = {each: quantum for quantum in quanta for each in xgraph.successors(quantum)}
        reader.read_datasets(each for each in outputs if "dataset_type_name" not in xgraph.nodes[each])
        traced = [
            _traced(xgraph, each, (quantum, each))
            for each, quantum in outputs.items()
            if xgraph.nodes[each].get("produced", False)
        ]
    return [each for each in traced if each.connection not in _OF_EACH]


_OF_EACH = (acc.LOG_OUTPUT_CONNECTION_NAME, acc.METADATA_OUTPUT_CONNECTION_NAME)


def _graph_of(butler: Butler, run: str) -> DatasetRef | None:
    try:
        return butler.find_dataset(acc.PROVENANCE_DATASET_TYPE_NAME, collections=[run])
    except (MissingDatasetTypeError, MissingCollectionError):
        return None


@contextmanager
def _opened(butler: Butler, graph: DatasetRef) -> Iterator[ProvenanceQuantumGraphReader]:
    # Only what is asked for is read of it.
    with ProvenanceQuantumGraphReader.open(butler.getURI(graph)) as reader:
        yield reader


def _read_dataset(reader: ProvenanceQuantumGraphReader, dataset_id: UUID) -> bool:
    """Read one dataset's node; whether the graph has it."""
    try:
        reader.read_datasets([dataset_id])
    except LookupError:
        return False
    return dataset_id in reader.graph.bipartite_xgraph


def _traced(xgraph: Any, dataset_id: UUID, edge: tuple[UUID, UUID]) -> TracedDataset:
    info = xgraph.nodes[dataset_id]
    edges: Iterable[Any] = xgraph.edges[edge].get("pipeline_edges", ())
    return TracedDataset(
        id=dataset_id,
        dataset_type=info["dataset_type_name"],
        data_id=dict(info["data_id"].required),
        run=info["run"],
        connection=next((each.connection_name for each in edges), ""),
    )


def _software(butler: Butler, run: str) -> dict[str, str]:
    """Versions as they were when the run was started: the graph has those of who collected it."""
    try:
        packages = butler.get(acc.PACKAGES_INIT_OUTPUT_NAME, collections=[run])
    except (DatasetNotFoundError, MissingDatasetTypeError, FileNotFoundError):
        return {}
    return {str(name): str(version) for name, version in sorted(packages.items())}
