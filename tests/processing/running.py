"""Execution of prepared runs with upstream's parts alone, for tests of what comes after it."""

from __future__ import annotations

import networkx
from lsst.daf.butler import QuantumBackedButler
from lsst.pipe.base import TaskFactory
from lsst.pipe.base.quantum_graph import PredictedQuantumGraphReader
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor

from python_butler.processing.workdir import WorkDirectory

__all__ = ["execute"]


def execute(workdir: WorkDirectory, most: int | None = None) -> int:
    """Execute quanta one after the other, and those that failed before again.

    Parameters
    ----------
    workdir : `WorkDirectory`
        Directory of the run.
    most : `int`, optional
        Stop after so many quanta.

    Returns
    -------
    failed : `int`
        How many failed.
    """
    root = str(workdir.settings().satellite)
    with PredictedQuantumGraphReader.open(str(workdir.graph)) as reader:
        reader.read_all()
    graph = reader.finish()
    with graph.make_init_qbb(root) as init:
        graph.init_output_run(init)
    types = {node.name: node.dataset_type for node in graph.pipeline_graph.dataset_types.values()}

    executor = SingleQuantumExecutor(
        butler=None,
        task_factory=TaskFactory(),
        limited_butler_factory=lambda quantum: QuantumBackedButler.initialize(
            root, quantum, graph.pipeline_graph.universe, dataset_types=types
        ),
        skip_existing=True,
        clobber_outputs=True,
    )
    quanta = graph.build_execution_quanta()
    failed: set[object] = set()
    order = graph.quantum_only_xgraph
    for done, quantum_id in enumerate(networkx.topological_sort(order)):
        if most is not None and done >= most:
            break
        if failed & set(order.predecessors(quantum_id)):
            failed.add(quantum_id)
            continue
        task = graph.pipeline_graph.tasks[order.nodes[quantum_id]["task_label"]]
        try:
            executor.execute(task, quanta[quantum_id], quantum_id=quantum_id)
        except Exception:
            failed.add(quantum_id)
    return len(failed)
