"""`Plan`: what a graph says about order and inputs, read without importing any task."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Self
from uuid import UUID

import networkx
from lsst.daf.butler import DimensionUniverse
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.pipe.base.pipeline_graph import TaskImportMode
from lsst.pipe.base.quantum_graph import (
    PredictedDatasetModel,
    PredictedQuantumDatasetsModel,
    PredictedQuantumGraph,
    PredictedQuantumGraphComponents,
)

from ...datastore.path import ReferencePath, split_reference
from ...errors import InvalidRequestError
from ...satellite.configuration import REFERENCES
from ..workdir import WorkDirectory
from .ahead import File

__all__ = ["Plan"]

_LARGE = 16_000_000
"""Bytes of a file above which it is not fetched in advance for a task that may read a part of it."""


@dataclass(frozen=True)
class Plan:
    """What is to be executed.

    Attributes
    ----------
    graph : `networkx.DiGraph`
        Quanta, each after those whose outputs it reads.
    tasks : `dict` [`uuid.UUID`, `str`]
        Label of the task of each quantum; in the order in which they are best executed.
    data_ids : `dict` [`uuid.UUID`, `dict`]
        Required values of their data IDs.
    """

    graph: networkx.DiGraph
    tasks: dict[UUID, str]
    data_ids: dict[UUID, dict[str, Any]]
    _components: PredictedQuantumGraphComponents

    @property
    def universe(self) -> DimensionUniverse:
        """Dimensions of the graph."""
        return self._components.pipeline_graph.universe

    @classmethod
    def read(cls, workdir: WorkDirectory) -> Self:
        """Read the graph of a run.

        Parameters
        ----------
        workdir : `python_butler.processing.workdir.WorkDirectory`
            Directory of the run.

        Returns
        -------
        plan : `Plan`
            What it says.

        Raises
        ------
        InvalidRequestError
            If it lacks records of inputs: upstream's executor would take them for missing, do nothing,
            and report success.
        """
        with PredictedQuantumGraph.open(
            str(workdir.graph), import_mode=TaskImportMode.DO_NOT_IMPORT
        ) as reader:
            reader.read_thin_graph()
            reader.read_quantum_datasets()
            components = reader.components
        assembled = components.assemble()
        graph = assembled.quantum_only_xgraph
        rank = {label: i for i, label in enumerate(assembled.pipeline_graph.tasks)}
        order = sorted(
            graph, key=lambda each: (rank[graph.nodes[each]["task_label"]], _values(graph.nodes[each]))
        )
        plan = cls(
            graph,
            {quantum: graph.nodes[quantum]["task_label"] for quantum in order},
            {quantum: dict(graph.nodes[quantum]["data_id"].required) for quantum in order},
            components,
        )
        plan._check_records(workdir)
        return plan

    def _check_records(self, workdir: WorkDirectory) -> None:
        quanta = self._components.quantum_datasets.values()
        produced = {dataset_id for quantum in quanta for dataset_id in quantum.iter_output_dataset_ids()}
        for quantum in quanta:
            recorded = {
                dataset_id for data in quantum.datastore_records.values() for dataset_id in data.dataset_ids
            }
            for dataset in _inputs(quantum):
                if dataset.dataset_id not in produced and dataset.dataset_id not in recorded:
                    raise InvalidRequestError(
                        f"The graph in {workdir.path} does not say where the files of its inputs are, for "
                        f"example of a {dataset.dataset_type_name}.",
                        "Prepare the run anew, in another directory: satellite run prepare",
                    )

    def files(
        self, quanta: Collection[UUID], at_leisure: Mapping[str, Collection[str]]
    ) -> dict[UUID, list[File]]:
        """Find out which official files quanta will read as a whole.

        Parameters
        ----------
        quanta : `~collections.abc.Collection` [`uuid.UUID`]
            Those that will be executed.
        at_leisure : `~collections.abc.Mapping` [`str`, `~collections.abc.Collection` [`str`]]
            For each task the connections of which it may read parts.

        Returns
        -------
        files : `dict` [`uuid.UUID`, `list` [`File`]]
            Files of each quantum that reads any. Large ones of which parts may be read are left out.
        """
        found: dict[UUID, list[File]] = {}
        for quantum in quanta:
            model = self._components.quantum_datasets[quantum]
            records = model.deserialize_datastore_records().get(REFERENCES)
            if records is None:
                continue
            deferred = at_leisure.get(model.task_label, ())
            for connection, datasets in model.inputs.items():
                for dataset in datasets:
                    tables = records.records.get(dataset.dataset_id, {}).values()
                    for info in chain.from_iterable(tables):
                        assert isinstance(info, StoredFileInfo)
                        if connection in deferred and not 0 <= info.file_size <= _LARGE:
                            continue
                        found.setdefault(quantum, []).append(self._file(dataset, info.path, info.file_size))
        return found

    def _file(self, dataset: PredictedDatasetModel, path: str, size: int) -> File:
        ref = self._components.make_dataset_ref(dataset)
        label, dataset_id, component, official = split_reference(path)
        return File(
            ref.makeComponentRef(component) if component else ref,
            ReferencePath.of(label, dataset_id, component, official),
            size,
        )


def _inputs(quantum: PredictedQuantumDatasetsModel) -> list[PredictedDatasetModel]:
    return [dataset for datasets in quantum.inputs.values() for dataset in datasets]


def _values(node: Mapping[str, Any]) -> tuple[Any, ...]:
    values: tuple[Any, ...] = node["data_id"].required_values
    return values
