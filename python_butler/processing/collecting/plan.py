"""`Plan`: what a run was predicted to read and to make, as its quantum graph says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from uuid import UUID

import networkx
from lsst.daf.butler import DataCoordinate, DatasetRef, DatasetType, DimensionElement, DimensionRecord
from lsst.pipe.base import automatic_connection_constants as acc
from lsst.pipe.base.pipeline_graph import TaskImportMode
from lsst.pipe.base.quantum_graph import (
    PredictedDatasetModel,
    PredictedQuantumDatasetsModel,
    PredictedQuantumGraphComponents,
    PredictedQuantumGraphReader,
)

__all__ = ["Plan"]


class Plan:
    """A predicted quantum graph, read whole.

    Parameters
    ----------
    path : `pathlib.Path`
        Its file.

    Attributes
    ----------
    path : `pathlib.Path`
        Its file.
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        What is in it. No task is imported.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with PredictedQuantumGraphReader.open(str(path), import_mode=TaskImportMode.DO_NOT_IMPORT) as reader:
            reader.read_thin_graph()
            reader.read_init_quanta()
            reader.read_dimension_data()
            reader.read_quantum_datasets()
        self.components: PredictedQuantumGraphComponents = reader.components

    @property
    def init_quanta(self) -> list[PredictedQuantumDatasetsModel]:
        """Those that write configurations, versions and what tasks write before anything else."""
        return self.components.init_quanta.root

    @property
    def quanta(self) -> dict[UUID, PredictedQuantumDatasetsModel]:
        """All others, by their IDs."""
        return self.components.quantum_datasets

    def in_order(self) -> tuple[list[PredictedQuantumDatasetsModel], dict[UUID, set[UUID]]]:
        """Give quanta so that each comes after those whose outputs it reads.

        Returns
        -------
        quanta : `list`
            The quanta.
        before : `dict` [`uuid.UUID`, `set` [`uuid.UUID`]]
            For each, those whose outputs it reads.
        """
        edges = networkx.DiGraph(self.components.thin_graph.edges)
        edges.add_nodes_from(self.quanta)
        order = [self.quanta[each] for each in networkx.topological_sort(edges)]
        return order, {each: set(edges.predecessors(each)) for each in edges}

    def overall_inputs(self) -> dict[UUID, PredictedDatasetModel]:
        """Datasets that are read and that the run does not make itself."""
        everything = list(chain(self.init_quanta, self.quanta.values()))
        made = {each.dataset_id for quantum in everything for each in outputs_of(quantum)}
        return {
            each.dataset_id: each
            for quantum in everything
            for each in chain.from_iterable(quantum.inputs.values())
            if each.dataset_id not in made
        }

    def refs(self, models: Iterable[PredictedDatasetModel]) -> Iterator[DatasetRef]:
        """Make references with dimension records, in any order.

        Parameters
        ----------
        models : iterable of `lsst.pipe.base.quantum_graph.PredictedDatasetModel`
            Datasets, as the graph has them.

        Yields
        ------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.
        """
        groups: defaultdict[str, list[PredictedDatasetModel]] = defaultdict(list)
        for model in models:
            groups[model.dataset_type_name].append(model)
        for name, members in groups.items():
            dataset_type = self.dataset_type(name)
            dimensions = dataset_type.dimensions
            data_ids = [
                DataCoordinate.from_full_values(dimensions, tuple(each.data_coordinate)) for each in members
            ]
            if self.components.dimension_data is not None:
                data_ids = self.components.dimension_data.attach(dimensions, data_ids)
            for model, data_id in zip(members, data_ids, strict=True):
                yield DatasetRef(dataset_type, data_id, model.run, id=model.dataset_id)

    def dataset_type(self, name: str) -> DatasetType:
        """Definition of a dataset type.

        Parameters
        ----------
        name : `str`
            Its name.

        Returns
        -------
        dataset_type : `lsst.daf.butler.DatasetType`
            As the pipeline has it.
        """
        graph = self.components.pipeline_graph
        if name == acc.PACKAGES_INIT_OUTPUT_NAME:
            return graph.packages_dataset_type
        return graph.dataset_types[name].dataset_type

    def records(self) -> dict[DimensionElement, list[DimensionRecord]]:
        """Dimension records of all data IDs, by element, in an order in which they can be inserted."""
        data = self.components.dimension_data
        if data is None:
            return {}
        universe = self.components.pipeline_graph.universe
        found: dict[DimensionElement, list[DimensionRecord]] = {}
        for element in universe.sorted(data.records):
            if not element.has_own_table:
                continue
            # What was read from a file becomes records when it is looked at, and not before.
            lazy = data.deserializers.get(element.name)
            if rows := list(lazy) if lazy is not None else list(data.records[element.name]):
                found[element] = rows
        return found


def outputs_of(quantum: PredictedQuantumDatasetsModel) -> Iterator[PredictedDatasetModel]:
    """Give the datasets that a quantum may write."""
    return chain.from_iterable(quantum.outputs.values())
