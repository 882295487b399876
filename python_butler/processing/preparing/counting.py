"""Counting what is in a graph, for its summary."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from uuid import UUID

from lsst.pipe.base.pipeline_graph import PipelineGraph
from lsst.pipe.base.quantum_graph import PredictedQuantumGraphComponents

from ...words import counted
from .reasons import Reasons
from .recording import Inputs
from .summary import Missing, Role, Summary, TaskCount, TypeCount

__all__ = ["summarize"]

_ORDER: tuple[Role, ...] = ("input", "prerequisite", "intermediate", "output", "record")


def summarize(components: PredictedQuantumGraphComponents, inputs: Inputs, reasons: Reasons) -> Summary:
    """Count what is in a graph.

    Parameters
    ----------
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        The graph.
    inputs : `Inputs`
        What it begins with.
    reasons : `Reasons`
        Why there is not more.

    Returns
    -------
    summary : `Summary`
        The counts.
    """
    graph = components.pipeline_graph
    quanta = Counter(each.task_label for each in components.quantum_datasets.values())
    tasks = [
        TaskCount(
            label=label,
            quanta=quanta[label],
            skipped=reasons.skipped.get(label, 0),
            left_out=reasons.left_out.get(label, Counter()).total(),
        )
        for label in graph.tasks
    ]
    missing = [
        Missing(task=label, quanta=count, reason=reason)
        for label, counts in reasons.left_out.items()
        for reason, count in counts.most_common()
    ]
    types = [*_input_types(graph, inputs), *_output_types(components)]
    return Summary(
        output_run=components.header.output_run,
        tasks=tasks,
        types=sorted(types, key=lambda each: (_ORDER.index(each.role), each.name)),
        missing=missing,
        notes=[*reasons.notes, *_outdated(graph, tasks)],
    )


def _outdated(graph: PipelineGraph, tasks: list[TaskCount]) -> list[str]:
    """What is not made again although there may be more to make it of."""
    quanta = {task.label: task.quanta for task in tasks}
    notes = []
    for task in tasks:
        names = [edge.parent_dataset_type_name for edge in graph.tasks[task.label].inputs.values()]
        makers = {maker.label for name in names if (maker := graph.producer_of(name)) is not None}
        new = " and ".join(sorted(label for label in makers if quanta[label]))
        if task.skipped and new:
            notes.append(
                f"{task.label} has succeeded before for {counted(task.skipped, 'data ID')} and is not run "
                f"again there, without what {new} will make now. To do it anew, prepare it alone under "
                "another name, with these outputs among the inputs."
            )
    return notes


def _input_types(graph: PipelineGraph, inputs: Inputs) -> list[TypeCount]:
    by_type: dict[str, list[UUID]] = {}
    for dataset in inputs.datasets.values():
        by_type.setdefault(dataset.dataset_type_name, []).append(dataset.dataset_id)
    return [
        TypeCount(
            name=name,
            role=_role_of_input(graph, name),
            datasets=len(ids),
            official=len(inputs.official.intersection(ids)),
            # Several datasets may be in one file.
            bytes=sum({path: size for id in ids for path, size in inputs.sizes.get(id, {}).items()}.values()),
        )
        for name, ids in by_type.items()
    ]


def _role_of_input(graph: PipelineGraph, name: str) -> Role:
    if graph.producer_of(name) is not None:
        # It was made before, by a quantum that is not run again.
        return "intermediate"
    edges = graph.consuming_edges_of(name)
    return "prerequisite" if edges and all(edge.is_prerequisite for edge in edges) else "input"


def _output_types(components: PredictedQuantumGraphComponents) -> list[TypeCount]:
    graph = components.pipeline_graph
    counts: Counter[str] = Counter()
    for quantum in chain(components.init_quanta.root, components.quantum_datasets.values()):
        for datasets in quantum.outputs.values():
            counts.update(dataset.dataset_type_name for dataset in datasets)
    regular = {
        edge.parent_dataset_type_name for task in graph.tasks.values() for edge in task.outputs.values()
    }
    regular |= {
        edge.parent_dataset_type_name for task in graph.tasks.values() for edge in task.init.outputs.values()
    }
    return [
        TypeCount(name=name, role=_role_of_output(graph, name, name in regular), datasets=count)
        for name, count in counts.items()
    ]


def _role_of_output(graph: PipelineGraph, name: str, regular: bool) -> Role:
    if not regular:
        return "record"
    return "intermediate" if graph.consumers_of(name) else "output"
