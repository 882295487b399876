"""Graphs that would not run, or whose outputs could not be kept, and what to do about them."""

from __future__ import annotations

from collections import Counter

from lsst.daf.butler import MissingDatasetTypeError
from lsst.daf.butler.direct_butler import DirectButler
from lsst.pipe.base.pipeline_graph import PipelineGraph
from lsst.pipe.base.quantum_graph import PredictedQuantumGraphComponents

from ...errors import InvalidRequestError
from ...words import counted
from .reasons import Reasons
from .recording import Inputs

__all__ = ["refuse_empty", "refuse_other_types", "refuse_without_records"]

_SHOWN = 5


def refuse_other_types(graph: PipelineGraph, satellite: DirectButler) -> None:
    """Refuse a pipeline whose dataset types are not those of the satellite.

    Parameters
    ----------
    graph : `lsst.pipe.base.pipeline_graph.PipelineGraph`
        The pipeline, with the dataset types of the repositories.
    satellite : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for reading.

    Raises
    ------
    InvalidRequestError
        If one of them is another one there.
    """
    for node in graph.dataset_types.values():
        try:
            there = satellite.get_dataset_type(node.name)
        except MissingDatasetTypeError:
            continue
        if there != node.dataset_type:
            raise InvalidRequestError(
                f"Dataset type {node.name} is ({', '.join(node.dimensions.required)}; "
                f"{node.storage_class_name}) in this pipeline, and ({', '.join(there.dimensions.required)}; "
                f"{there.storageClass_name}) in your satellite.",
                "Give the dataset type another name in the task's connections, or remove the one in your "
                f"satellite if nothing uses it: butler.registry.removeDatasetType({node.name!r}).",
            )


def refuse_empty(components: PredictedQuantumGraphComponents, reasons: Reasons) -> None:
    """Refuse a graph without anything to do.

    Parameters
    ----------
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        The graph.
    reasons : `Reasons`
        Why.

    Raises
    ------
    InvalidRequestError
        If there is nothing to do.
    """
    if components.quantum_datasets:
        return
    if (skipped := sum(reasons.skipped.values())) and not reasons.left_out:
        raise InvalidRequestError(
            f"There is nothing to do: all {skipped} quanta have succeeded before.",
            "Choose more data IDs, or leave skip_existing_in out to do it again.",
        )
    lines = [
        f"{task}: {count} left out, {reason}."
        for task, counts in reasons.left_out.items()
        for reason, count in counts.most_common(_SHOWN)
    ]
    lines += reasons.notes[:_SHOWN]
    raise InvalidRequestError(
        " ".join(["The graph would have no quanta.", *(line.rstrip(".") + "." for line in lines)]),
        "Choose other inputs, or an expression that fits them.",
    )


def refuse_without_records(inputs: Inputs) -> None:
    """Refuse a graph with inputs of which there is no file: it would silently do nothing.

    Parameters
    ----------
    inputs : `Inputs`
        What it begins with.

    Raises
    ------
    InvalidRequestError
        If there are such inputs.
    """
    if not inputs.missing:
        return
    counts = Counter(inputs.datasets[id].dataset_type_name for id in inputs.missing)
    first = inputs.datasets[inputs.missing[0]]
    kinds = ", ".join(f"{count} of {name}" for name, count in counts.most_common(_SHOWN))
    raise InvalidRequestError(
        f"{counted(len(inputs.missing), 'input')} of the graph cannot be read, since neither repository has "
        f"a file of them: {kinds}; the first is {first.dataset_id} in run {first.run}.",
        "Leave their data IDs or that run out; for a satellite of yours, see: satellite check LABEL",
    )
