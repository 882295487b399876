"""What all quanta of a task need in the output run, written once before any of them."""

from __future__ import annotations

from collections.abc import Iterator

from lsst.daf.butler import DatasetRef
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from ..workdir import WorkDirectory
from .journal import Journal
from .quantum import butler_config
from .reading import initialised

__all__ = ["initialise"]


def initialise(workdir: WorkDirectory, graph: PredictedQuantumGraph, journal: Journal) -> None:
    """Write configurations, versions of packages and all else that is written once, unless that was done.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    graph : `lsst.pipe.base.quantum_graph.PredictedQuantumGraph`
        Its graph, with tasks that were imported.
    journal : `python_butler.processing.execution.journal.Journal`
        Where it is noted.
    """
    if initialised(workdir):
        return
    with graph.make_init_qbb(butler_config(workdir)) as butler:
        refs = [ref for label in ("", *graph.pipeline_graph.tasks) for ref in _init_outputs(graph, label)]
        # An attempt that was ended may have left half of them.
        there = [ref for ref, stored in butler.stored_many(refs).items() if stored]
        butler.pruneDatasets(there, disassociate=True, unstore=True, purge=True)
        graph.init_output_run(butler)
    journal.note_initialised()


def _init_outputs(graph: PredictedQuantumGraph, label: str) -> Iterator[DatasetRef]:
    try:
        yield from graph.get_init_outputs(label).values()
    except KeyError:
        # A task without quanta, or a graph that does not hold versions of packages.
        return
