"""The process that executes quanta in workers of its own; it is run as a program.

It loads the graph and all that reading and writing needs once, then forks workers, which share that memory;
it has one thread, so forking is safe. A worker that dies takes one quantum with it. It reads orders from
standard input and answers on standard output; when whoever started it is gone, all end at once: nobody else
may find them writing.
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from dataclasses import asdict
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from lsst.daf.butler import DatasetRef, QuantumBackedButler
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph
from lsst.utils.threads import disable_implicit_threading

from ...credentials import RenewedTokens, renew_tokens, scrub
from ...errors import ErrorKind, PythonButlerError
from ..workdir import WorkDirectory
from .initialising import initialise
from .journal import Event, Journal, State
from .messages import Word, receive, send
from .quantum import Attempt, QuantumRunner, butler_config
from .reading import last_events
from .trouble import NO_SPACE, trouble_behind

__all__ = ["main"]

_LOG = logging.getLogger(__name__)
_FORK = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG = 1

_ORDERS = 0
"""Descriptor of standard input."""


def main(directory: str, processes: int) -> None:
    """Execute quanta as ordered until standard input ends.

    Parameters
    ----------
    directory : `str`
        Directory of the run.
    processes : `int`
        Workers.
    """
    _die_with_parent()
    # Ctrl-C on a terminal comes to all: whoever started this one decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    # What a task's package prints when it is imported is no answer.
    os.dup2(2, 1)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    disable_implicit_threading()
    workdir = WorkDirectory(directory)
    try:
        graph = PredictedQuantumGraph.read_execution_quanta(str(workdir.graph))
        send(answers, word=Word.CONNECTIONS, connections=_read_at_leisure(graph))
        with Journal(workdir) as journal:
            initialise(workdir, graph, journal)
            _prepare_to_fork(graph)
            send(answers, word=Word.READY, lost=[str(each) for each in _lost(workdir, graph)])
            _Crew(workdir, graph, journal, answers, processes).work()
    except PythonButlerError as error:
        _fatal(answers, error.kind, error.message, error.next_step)
    except Exception as error:
        _LOG.exception("Nothing can be executed.")
        if trouble := trouble_behind(error, workdir):
            next_step = f"Free some space, then go on: satellite run start {workdir.path}"
            _fatal(answers, trouble.kind, trouble.message, next_step if trouble.kind == NO_SPACE else "")
            return
        _fatal(answers, ErrorKind.INTERNAL, f"{type(error).__name__}: {scrub(str(error))}", "")


def _fatal(answers: BinaryIO, kind: str, message: str, next_step: str) -> None:
    send(answers, word=Word.FATAL, kind=kind, message=message, next_step=next_step)


def _die_with_parent() -> None:
    """Let the system end this process when the one that started it ends, however that ends."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _read_at_leisure(graph: PredictedQuantumGraph) -> dict[str, list[str]]:
    """Inputs of each task that it reads when and as far as it likes, rather than all at once."""
    return {
        label: [
            name
            for name in node.inputs.keys() | node.prerequisite_inputs.keys()
            if getattr(node.get_connections(), name).deferLoad
        ]
        for label, node in graph.pipeline_graph.tasks.items()
    }


def _prepare_to_fork(graph: PredictedQuantumGraph) -> None:
    """Import here, once, what each worker would import when it reads or writes for the first time."""
    for node in graph.pipeline_graph.dataset_types.values():
        try:
            _ = node.dataset_type.storageClass.pytype
        except Exception as error:
            # Which may not matter: a task may read it as another type.
            _LOG.info("%s cannot be imported here: %s", node.name, error)
    graph.build_execution_quanta()


def _lost(workdir: WorkDirectory, graph: PredictedQuantumGraph) -> list[UUID]:
    """Quanta that succeeded, but whose outputs were removed since."""
    succeeded = [event.quantum for event in last_events(workdir).values() if event.state is State.SUCCEEDED]
    if not succeeded:
        return []
    metadata: dict[UUID, DatasetRef] = {}
    for quantum_id, quantum in graph.build_execution_quanta(succeeded).items():
        node = graph.quantum_only_xgraph.nodes[quantum_id]["pipeline_node"]
        (metadata[quantum_id],) = quantum.outputs[node.metadata_output.dataset_type_name]
    with QuantumBackedButler.from_predicted(
        butler_config(workdir),
        [],
        [ref.id for ref in metadata.values()],
        graph.pipeline_graph.universe,
        {},
    ) as butler:
        stored = butler.stored_many(metadata.values())
    return [quantum_id for quantum_id, ref in metadata.items() if not stored[ref]]


class _Worker:
    """A process that executes quanta one after the other, as this one sees it."""

    def __init__(self, workdir: WorkDirectory, graph: PredictedQuantumGraph) -> None:
        self.pipe, theirs = _FORK.Pipe()
        self.quantum: UUID | None = None
        self.began = 0.0
        self._tokens = RenewedTokens()
        self.process: ForkProcess = _FORK.Process(target=_serve, args=(workdir, graph, theirs, self.pipe))
        self.process.start()
        theirs.close()

    def order(self, quantum: UUID, attempt: Attempt) -> None:
        self.quantum, self.began = quantum, time.monotonic()
        self.pipe.send_bytes(json.dumps([str(quantum), attempt, self._tokens.news()]).encode())


def _serve(
    workdir: WorkDirectory, graph: PredictedQuantumGraph, pipe: Connection, other_end: Connection
) -> None:
    """What a worker does: one quantum after the other, until it is told nothing more."""
    _die_with_parent()
    other_end.close()
    # What they would write to is the log of the quantum, which has its own.
    logging.getLogger().handlers.clear()
    # A task that asks a question must not read somebody's orders.
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), _ORDERS)
    # Where a crash happened is in the log of the quantum then.
    faulthandler.enable(file=2)
    with Journal(workdir) as journal:
        runner = QuantumRunner(workdir, graph, journal, take_over=True)
        while True:
            try:
                quantum, attempt, tokens = json.loads(pipe.recv_bytes())
            except EOFError:
                break
            renew_tokens(tokens)
            outcome = runner.run(UUID(quantum), Attempt(attempt))
            trouble = outcome.trouble and asdict(outcome.trouble)
            pipe.send_bytes(json.dumps({"event": outcome.event.line(), "trouble": trouble}).encode())
    # Nothing that this process shares with the others is torn down.
    os._exit(0)


class _Crew:
    """The workers, and who executes what."""

    def __init__(
        self,
        workdir: WorkDirectory,
        graph: PredictedQuantumGraph,
        journal: Journal,
        answers: BinaryIO,
        processes: int,
    ) -> None:
        self._workdir = workdir
        self._graph = graph
        self._journal = journal
        self._answers = answers
        self._processes = processes
        self._workers: list[_Worker] = []
        self._orders: deque[tuple[UUID, Attempt]] = deque()

    def work(self) -> None:
        """Carry out orders until there will be none any more."""
        try:
            self._work()
        finally:
            # Those who still execute something are not waited for: whoever wanted that did so.
            for worker in self._workers:
                worker.process.kill()

    def _work(self) -> None:
        rest = b""
        while True:
            by_pipe = {worker.pipe.fileno(): worker for worker in self._workers}
            for source in wait([_ORDERS, *by_pipe]):
                if source in by_pipe:
                    self._hear(by_pipe[source])
                    continue
                received = os.read(_ORDERS, 1 << 16)
                if not received:
                    return
                *lines, rest = (rest + received).split(b"\n")
                for line in lines:
                    order = receive(line)
                    renew_tokens(order["tokens"])
                    self._orders.append((UUID(order["run"]), Attempt(order["attempt"])))
            self._distribute()

    def _distribute(self) -> None:
        idle = deque(worker for worker in self._workers if worker.quantum is None)
        while self._orders:
            if not idle and len(self._workers) == self._processes:
                return
            if not idle:
                self._workers.append(_Worker(self._workdir, self._graph))
                idle.append(self._workers[-1])
            quantum, attempt = self._orders.popleft()
            idle.popleft().order(quantum, attempt)

    def _hear(self, worker: _Worker) -> None:
        try:
            answer = json.loads(worker.pipe.recv_bytes())
        except (EOFError, ConnectionError):
            self._bury(worker)
            return
        worker.quantum = None
        send(self._answers, word=Word.ENDED, **answer)

    def _bury(self, worker: _Worker) -> None:
        """Say which quantum was lost with a worker."""
        worker.process.join()
        self._workers.remove(worker)
        if worker.quantum is None:
            return
        node = self._graph.quantum_only_xgraph.nodes[worker.quantum]
        event = Event.now(
            worker.quantum,
            node["task_label"],
            State.FAILED,
            dict(node["data_id"].required),
            seconds=time.monotonic() - worker.began,
            error=_how_it_ended(worker.process.exitcode or 0),
            torn=True,
        )
        self._journal.append(event)
        send(self._answers, word=Word.ENDED, event=event.line(), trouble=None)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"The process that executed it ended with code {code}."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = " There may not have been enough memory." if name == "SIGKILL" else ""
    return f"The process that executed it was ended by {name}.{hint}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
