"""Where the files of all inputs are, kept in the graph: whoever runs it needs no registry.

Upstream's builder asks the one datastore that its Butler has. Here inputs are in two places: what the
satellite has, by reference or as files, it tells itself; for the rest the official server is asked, in as
few requests as it allows. Nothing is written to the satellite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from lsst.daf.butler.datastore.record_data import DatastoreRecordData
from lsst.daf.butler.datastore.stored_file_info import StoredFileInfo
from lsst.daf.butler.registry.interfaces import FakeDatasetRef
from lsst.daf.butler.remote_butler.server_models import GetFileTransferInfoRequestModel
from lsst.pipe.base.quantum_graph import (
    PredictedDatasetModel,
    PredictedQuantumDatasetsModel,
    PredictedQuantumGraphComponents,
)
from lsst.utils.iteration import chunk_iterable

from ...datastore import references_of, signer_for
from ...federation import SatelliteButler
from .watching import Watching

__all__ = ["Inputs", "attach_records", "overall_inputs"]


@dataclass
class Inputs:
    """What a graph begins with, and where it is.

    Attributes
    ----------
    datasets : `dict` [`uuid.UUID`, `lsst.pipe.base.quantum_graph.PredictedDatasetModel`]
        All datasets that are used and not made.
    official : `set` [`uuid.UUID`]
        Those that are read from the official repository.
    missing : `list` [`uuid.UUID`]
        Those of which nobody has a file.
    sizes : `dict` [`uuid.UUID`, `dict` [`str`, `int`]]
        For each dataset its files, and their sizes in bytes.
    """

    datasets: dict[UUID, PredictedDatasetModel]
    official: set[UUID] = field(default_factory=set)
    missing: list[UUID] = field(default_factory=list)
    sizes: dict[UUID, dict[str, int]] = field(default_factory=dict)


def _quanta(components: PredictedQuantumGraphComponents) -> Iterator[PredictedQuantumDatasetsModel]:
    return chain(components.init_quanta.root, components.quantum_datasets.values())


def overall_inputs(components: PredictedQuantumGraphComponents) -> dict[UUID, PredictedDatasetModel]:
    """Find the datasets that a graph uses and does not make.

    Parameters
    ----------
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        The graph.

    Returns
    -------
    datasets : `dict` [`uuid.UUID`, `lsst.pipe.base.quantum_graph.PredictedDatasetModel`]
        The datasets.
    """
    made = {id for quantum in _quanta(components) for id in quantum.iter_output_dataset_ids()}
    return {
        dataset.dataset_id: dataset
        for quantum in _quanta(components)
        for dataset in chain.from_iterable(quantum.inputs.values())
        if dataset.dataset_id not in made
    }


def attach_records(
    components: PredictedQuantumGraphComponents, butler: SatelliteButler, watching: Watching
) -> Inputs:
    """Give every quantum the datastore records of its inputs.

    Parameters
    ----------
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        The graph, which is changed.
    butler : `SatelliteButler`
        Both repositories.
    watching : `Watching`
        Told how far it is.

    Returns
    -------
    inputs : `Inputs`
        What there is of the inputs.

    Raises
    ------
    python_butler.errors.OfficialServerError
        If the server, the token or the network is in trouble.
    """
    watching.stage("locating inputs")
    inputs = Inputs(overall_inputs(components))
    satellite = butler._personal()
    by_store = dict(satellite._datastore.export_records([FakeDatasetRef(id) for id in inputs.datasets]))
    known = {id for records in by_store.values() for id, tables in records.records.items() if tables}
    label = butler._sides.shared.label
    references = references_of(satellite)
    official = by_store.setdefault(references.name, DatastoreRecordData())
    rest = [id for id in inputs.datasets if id not in known]
    done = len(known)
    for chunk in chunk_iterable(rest, GetFileTransferInfoRequestModel.MAX_ITEMS_PER_REQUEST):
        watching.done(done, len(inputs.datasets))
        official.update(references.records_of(label, signer_for(label).files(chunk)))
        done += len(chunk)
    inputs.official = set(official.records)
    inputs.missing = [id for id in rest if id not in official.records]
    for store in by_store.values():
        for id, tables in store.records.items():
            files = [info for infos in tables.values() for info in infos if isinstance(info, StoredFileInfo)]
            inputs.sizes.setdefault(id, {}).update({file.path: file.file_size for file in files})
    for quantum in _quanta(components):
        needed = set(quantum.iter_input_dataset_ids())
        subsets = {name: store.subset(needed) for name, store in by_store.items()}
        quantum.datastore_records = {
            name: subset.to_simple() for name, subset in subsets.items() if subset is not None
        }
    return inputs
