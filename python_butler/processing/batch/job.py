"""What a batch system executes: ``python -m python_butler.processing.batch.job init|run|collect DIRECTORY``.

``run`` is given the IDs of quanta, with commas between them. The exit code is 1 if a quantum failed, which
trying again would not change, and 3 if the server, the network or a disk was in trouble, which passes.
"""

from __future__ import annotations

import logging
import sys
import time
from uuid import UUID

import networkx
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph

from ...errors import PythonButlerError
from ..execution.initialising import initialise
from ..execution.journal import Event, Journal, State
from ..execution.quantum import Attempt, Outcome, QuantumRunner
from ..execution.reading import last_events
from ..execution.trouble import NO_SPACE, PASSING
from ..workdir import WorkDirectory
from .lifeline import end_with_submission

__all__ = ["main"]

FAILED = 1
"""Exit code if a quantum failed."""

IN_TROUBLE = 3
"""Exit code if something outside was in trouble."""

_LOG = logging.getLogger(__name__)
_PATIENCE = 180.0
_PAUSE = 5.0


def main(words: list[str]) -> int:
    """Do what one job does.

    Parameters
    ----------
    words : `list` [`str`]
        The arguments of the command.

    Returns
    -------
    code : `int`
        Exit code.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    workdir = WorkDirectory(words[1], in_batch=True)
    end_with_submission(workdir, IN_TROUBLE)
    try:
        match words:
            case ["init", _]:
                with workdir.job():
                    return _initialise(workdir)
            case ["run", _, quanta]:
                with workdir.job():
                    return _run(workdir, [UUID(each) for each in quanta.split(",")])
            case ["collect", _]:
                return _collect(workdir)
    except PythonButlerError as error:
        _LOG.error("%s %s", error.message, error.next_step)
        return IN_TROUBLE
    raise SystemExit("usage: job init|run|collect DIRECTORY [QUANTA]")


def _initialise(workdir: WorkDirectory) -> int:
    graph = PredictedQuantumGraph.read_execution_quanta(str(workdir.graph))
    with Journal(workdir) as journal:
        initialise(workdir, graph, journal)
    return 0


def _run(workdir: WorkDirectory, wanted: list[UUID]) -> int:
    graph = PredictedQuantumGraph.read_execution_quanta(str(workdir.graph), wanted)
    quanta = graph.quantum_only_xgraph
    before = last_events(workdir)
    failed: set[UUID] = set()
    with Journal(workdir) as journal:
        runner = QuantumRunner(workdir, graph, journal)
        for quantum in networkx.topological_sort(quanta):
            if quantum not in wanted:
                continue
            event = before.get(quantum)
            if event is not None and event.state is State.SUCCEEDED:
                continue
            blocked = failed.intersection(quanta.predecessors(quantum))
            if blocked:
                node = quanta.nodes[quantum]
                journal.append(
                    Event.now(
                        quantum,
                        node["task_label"],
                        State.SKIPPED,
                        dict(node["data_id"].required),
                        error=f"It needs {quanta.nodes[blocked.pop()]['task_label']}, which failed.",
                    )
                )
                failed.add(quantum)
                continue
            outcome = _patiently(runner, quantum, Attempt.FIRST if event is None else Attempt.AFTER_TEAR)
            if outcome.trouble is not None:
                return IN_TROUBLE
            if outcome.event.state is not State.SUCCEEDED:
                failed.add(quantum)
    return FAILED if failed else 0


def _patiently(runner: QuantumRunner, quantum: UUID, attempt: Attempt) -> Outcome:
    """Execute a quantum, and again while it is the official server that is in trouble."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        outcome = runner.run(quantum, attempt)
        passing = outcome.trouble is not None and outcome.trouble.kind != NO_SPACE
        if not passing or time.monotonic() + _PAUSE > deadline:
            return outcome
        attempt = Attempt.AFTER_TEAR
        time.sleep(_PAUSE)


def _collect(workdir: WorkDirectory) -> int:
    from ..collecting import collect

    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            _LOG.warning("%s", collect(workdir))
        except tuple(PASSING.values()) as error:
            if time.monotonic() + _PAUSE > deadline:
                raise
            _LOG.warning("%s It is tried again.", error.message)
            time.sleep(_PAUSE)
        else:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
