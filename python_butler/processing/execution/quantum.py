"""`QuantumRunner`: executes a quantum with upstream's executor, with its own log and a line of journal."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import Any, override
from uuid import UUID

from lsst.daf.butler import ButlerConfig, DatasetRef, LimitedButler, Quantum, QuantumBackedButler
from lsst.daf.butler.logging import ButlerMDC
from lsst.pipe.base import PipelineTask, QuantumContext, QuantumSuccessCaveats, TaskFactory, TaskMetadata
from lsst.pipe.base.pipeline_graph import TaskNode
from lsst.pipe.base.quantum_graph import PredictedQuantumGraph
from lsst.pipe.base.single_quantum_executor import SingleQuantumExecutor
from lsst.resources import ResourcePath

from ...credentials import scrub
from ..workdir import WorkDirectory
from .journal import Event, Journal, State
from .trouble import NO_SPACE, Trouble, trouble_behind

__all__ = ["Attempt", "Outcome", "QuantumRunner", "SilentError", "butler_config"]

_LOG = logging.getLogger(__name__)
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Attempt(StrEnum):
    """What is known of earlier attempts to execute a quantum."""

    FIRST = "first"
    """There were none."""

    AGAIN = "again"
    """The last one came to an end."""

    AFTER_TEAR = "after tear"
    """The last one was cut off, so that its files may be half written."""


class SilentError(RuntimeError):
    """A task ended without an error and without outputs, and did not say that there was nothing to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of a quantum.

    Attributes
    ----------
    event : `python_butler.processing.execution.journal.Event`
        What the journal says.
    trouble : `python_butler.processing.execution.trouble.Trouble` or `None`
        What was the reason, if that lies outside of the quantum.
    failure : `BaseException` or `None`
        What was raised.
    """

    event: Event
    trouble: Trouble | None = None
    failure: BaseException | None = None


class _WatchedFactory(TaskFactory):
    """Makes tasks whose quanta fail if they end well without having done anything."""

    @override
    def makeTask(
        self, task_node: TaskNode, /, butler: LimitedButler, initInputRefs: Iterable[DatasetRef] | None
    ) -> PipelineTask:
        task = super().makeTask(task_node, butler, initInputRefs)
        run = task.runQuantum

        def watched(butlerQC: QuantumContext, inputRefs: Any, outputRefs: Any) -> None:  # noqa: N803
            run(butlerQC, inputRefs, outputRefs)
            if butlerQC.allOutputs and not butlerQC.outputsPut:
                names = ", ".join(sorted({dataset_type.name for dataset_type, *_ in butlerQC.allOutputs}))
                raise SilentError(
                    f"The task ended without writing any of its outputs ({names}). If there was nothing to "
                    "do for it, it must raise NoWorkFound."
                )

        task.runQuantum = watched  # type: ignore[method-assign]  # of this instance only
        return task


def butler_config(workdir: WorkDirectory) -> ButlerConfig:
    """Read the configuration of a run's satellite, once for many Butlers.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    """
    return ButlerConfig(ResourcePath(workdir.settings().satellite, forceDirectory=True))


class QuantumRunner:
    """Executes quanta one after the other, in this process.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    graph : `lsst.pipe.base.quantum_graph.PredictedQuantumGraph`
        Graph with at least those quanta that will be executed, in full, and tasks that were imported.
    journal : `python_butler.processing.execution.journal.Journal`
        This process's file.
    take_over : `bool`, optional
        Whether all that this process and libraries in it write to standard output and error goes to the
        log of the quantum. Otherwise the log is shown there as well.
    """

    def __init__(
        self,
        workdir: WorkDirectory,
        graph: PredictedQuantumGraph,
        journal: Journal,
        *,
        take_over: bool = False,
    ) -> None:
        self._workdir = workdir
        self._graph = graph
        self._journal = journal
        self._take_over = take_over
        self._config = butler_config(workdir)
        self._types = {node.name: node.dataset_type for node in graph.pipeline_graph.dataset_types.values()}
        # Who succeeded is not asked again: whatever is there is of an attempt that did not. Before the first
        # attempt nothing is there, and nobody needs to look.
        self._executors = {
            first: SingleQuantumExecutor(
                task_factory=_WatchedFactory(),
                limited_butler_factory=self._butler,
                skip_existing=False,
                clobber_outputs=True,
                assume_no_existing_outputs=first,
            )
            for first in (False, True)
        }

    def _butler(self, quantum: Quantum) -> QuantumBackedButler:
        return QuantumBackedButler.initialize(
            self._config, quantum, self._graph.pipeline_graph.universe, dataset_types=self._types
        )

    def run(self, quantum_id: UUID, attempt: Attempt) -> Outcome:
        """Execute a quantum; what it left behind earlier is replaced.

        Parameters
        ----------
        quantum_id : `uuid.UUID`
            One of the graph.
        attempt : `Attempt`
            What is known of earlier ones.

        Returns
        -------
        outcome : `Outcome`
            What became of it; exceptions are told, not raised, unless it is a `KeyboardInterrupt`.
        """
        (quantum,) = self._graph.build_execution_quanta([quantum_id]).values()
        node = self._graph.quantum_only_xgraph.nodes[quantum_id]
        task, data_id = node["pipeline_node"], dict(node["data_id"].required)
        begin = time.monotonic()
        failure: BaseException | None = None
        no_work = False
        try:
            with self._logged(task, quantum_id, data_id):
                self._journal.append(Event.now(quantum_id, task.label, State.STARTED, data_id))
                if attempt is Attempt.AFTER_TEAR:
                    self._clear(quantum)
                executor = self._executors[attempt is Attempt.FIRST]
                result = executor.execute(task, quantum, quantum_id=quantum_id)
                no_work = _had_no_work(result.task_metadata)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failure = error
        trouble = trouble_behind(failure, self._workdir)
        event = Event.now(
            quantum_id,
            task.label,
            _state(failure),
            data_id,
            seconds=time.monotonic() - begin,
            error=None if failure is None else _told(failure),
            no_work=no_work,
            torn=trouble is not None and trouble.kind == NO_SPACE,
        )
        try:
            self._journal.append(event)
        except OSError as error:
            trouble = trouble or trouble_behind(error, self._workdir)
            if trouble is None:
                raise
        return Outcome(event, trouble, failure)

    def _clear(self, quantum: Quantum) -> None:
        """Remove what an attempt left that was cut off."""
        butler = self._butler(quantum)
        try:
            stored = butler.stored_many(chain.from_iterable(quantum.outputs.values()))
            butler.pruneDatasets(
                [ref for ref, there in stored.items() if there], disassociate=True, unstore=True, purge=True
            )
        finally:
            butler.close()

    @contextmanager
    def _logged(self, task: TaskNode, quantum_id: UUID, data_id: dict[str, Any]) -> Iterator[None]:
        path = self._workdir.log(task.label, quantum_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        root = logging.getLogger()
        # As upstream's own commands do: for libraries warnings, for tasks information. Their loggers are
        # below that of the package they are from.
        package = task.task_class.__module__.partition(".")[0]
        talkative = [logging.getLogger(name) for name in {"lsst", package}]
        levels = [logger.level for logger in talkative]
        with path.open("a", buffering=1) as file:
            values = ", ".join(f"{name}={value}" for name, value in data_id.items())
            file.write(
                f"--- {time.strftime('%Y-%m-%d %H:%M:%S%z')} {task.label} {values} process {os.getpid()}\n"
            )
            handlers: list[logging.Handler] = [logging.StreamHandler(file)]
            if self._take_over:
                # Also what C code prints, and where a crash happened.
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            else:
                handlers.append(logging.StreamHandler())
            for handler in handlers:
                handler.setFormatter(_Scrubbed(_FORMAT))
                root.addHandler(handler)
            for logger in talkative:
                logger.setLevel(logging.INFO)
            ButlerMDC.add_mdc_log_record_factory()
            try:
                yield
            except BaseException as error:
                _LOG.error("The quantum failed.", exc_info=error)
                raise
            finally:
                ButlerMDC.restore_log_record_factory()
                for logger, level in zip(talkative, levels, strict=True):
                    logger.setLevel(level)
                sys.stdout.flush()
                for handler in handlers:
                    root.removeHandler(handler)
                    handler.close()


class _Scrubbed(logging.Formatter):
    """Formats without tokens and signatures."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def _had_no_work(metadata: TaskMetadata | None) -> bool:
    """Whether a quantum that ended well said that there was nothing to do, and wrote nothing."""
    if metadata is None:
        return False
    caveats = QuantumSuccessCaveats(metadata["quantum"].getScalar("caveats"))
    return QuantumSuccessCaveats.NO_WORK | QuantumSuccessCaveats.ALL_OUTPUTS_MISSING in caveats


def _state(failure: BaseException | None) -> State:
    if failure is None:
        return State.SUCCEEDED
    return State.NOTHING if isinstance(failure, SilentError) else State.FAILED


def _told(failure: BaseException) -> str:
    name = type(failure).__name__
    text = scrub(str(failure)).strip()
    return f"{name}: {text}" if text else name
