"""`Conductor`: which quantum is executed next, and when there is nothing more to do."""

from __future__ import annotations

import queue
import threading
import time
from bisect import insort
from collections import Counter
from typing import Any
from uuid import UUID

from lsst.pipe.base.graph_walker import GraphWalker

from ...datastore.file_cache import FileCache
from ...errors import (
    ErrorKind,
    InvalidRequestError,
    NoSpaceError,
    PythonButlerError,
    SatelliteError,
    TokenError,
)
from ...satellite.progress import Progress, ProgressCallback
from ...words import number
from ..workdir import WorkDirectory
from .ahead import Ahead
from .blame import Blame
from .crew_client import Crew
from .journal import Event, Journal, State
from .messages import Word
from .plan import Plan
from .quantum import Attempt
from .reading import last_events
from .trouble import NO_SPACE, PASSING

__all__ = ["Conductor", "Heard"]

type Heard = queue.SimpleQueue[dict[str, Any] | None]
"""Answers of the crew, and `None` when there will be no more."""

_PAUSE = 5.0
"""Seconds after which a quantum is tried again that failed because of the server."""

_LOOK = 0.2
"""Seconds after which it is looked whether the run is to stop."""

_DRAW = 0.1
"""Seconds between two tellings of progress."""

_FATAL: dict[str, type[PythonButlerError]] = {
    ErrorKind.INVALID: InvalidRequestError,
    NO_SPACE: NoSpaceError,
    **PASSING,
}


class Conductor:
    """Says which quantum is executed next, and when there is nothing more to do.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run, which nobody else works on.
    crew : `python_butler.processing.execution.crew_client.Crew`
        Who executes them.
    heard : `queue.SimpleQueue`
        What the crew says.
    processes, progress, cancel, patience
        As for `python_butler.processing.execution.start`.
    """

    def __init__(
        self,
        workdir: WorkDirectory,
        crew: Crew,
        heard: Heard,
        processes: int,
        progress: ProgressCallback | None,
        cancel: threading.Event,
        patience: float,
    ) -> None:
        self._workdir = workdir
        self._crew = crew
        self._heard = heard
        self._processes = processes
        self._progress = progress
        self._cancel = cancel
        self._patience = patience
        self._before = last_events(workdir)
        self._done = {each for each, event in self._before.items() if event.state is State.SUCCEEDED}
        self._running: set[UUID] = set()
        # Those that wait for nothing but a worker and their files, by their place in the plan.
        self._waiting: list[tuple[int, UUID]] = []
        self._later: list[tuple[float, UUID]] = []
        self._blame = Blame(patience)
        self._failed = 0
        self._failing_since: float | None = None
        self._trouble = ""
        self._error: PythonButlerError | None = None
        self._begin = self._told = time.monotonic()
        self._at_first = 0

    def run(self) -> PythonButlerError | None:
        """Execute what is left to do.

        Returns
        -------
        error : `python_butler.errors.PythonButlerError` or `None`
            What stopped it when all that was being executed had come to its end, if anything did.

        Raises
        ------
        python_butler.errors.PythonButlerError
            If it cannot even begin, or the crew is gone.
        """
        self._tell("starting", force=True)
        self._plan = Plan.read(self._workdir)
        self._place = {quantum: i for i, quantum in enumerate(self._plan.tasks)}
        self._done &= self._plan.tasks.keys()
        imported = self._wait_for(Word.CONNECTIONS)
        if imported is None:
            return None
        todo = [quantum for quantum in self._plan.tasks if quantum not in self._done]
        self._ahead = Ahead(
            self._plan.files(todo, imported["connections"]),
            todo,
            FileCache(self._plan.universe),
            lambda: self._heard.put({}),
            self._blame,
            self._patience,
        )
        # Files come while the crew gets ready.
        with self._ahead, Journal(self._workdir) as self._journal:
            ready = self._wait_for(Word.READY)
            if ready is None:
                return None
            self._done -= {UUID(each) for each in ready["lost"]}
            self._at_first, self._begin = len(self._done), time.monotonic()
            self._execute()
        return self._error

    def _wait_for(self, word: Word) -> dict[str, Any] | None:
        """What the crew says with this word; `None` if the run is to stop meanwhile."""
        while not self._cancel.is_set():
            answer = self._hear()
            if answer.get("word") == word:
                return answer
        return None

    def _hear(self) -> dict[str, Any]:
        """What the crew says next; nothing if that takes long."""
        try:
            answer = self._heard.get(timeout=_LOOK)
        except queue.Empty:
            return {}
        match answer:
            case None:
                raise SatelliteError(
                    "The process that executes quanta has ended unexpectedly.",
                    f"{self._crew.log} may say why; start the run again to go on.",
                )
            case {"word": Word.FATAL, "kind": kind, "message": message, "next_step": next_step}:
                error = _FATAL.get(kind, SatelliteError)
                raise error(message, next_step or f"{self._crew.log} says more.")
        return answer

    # The order of things

    def _execute(self) -> None:
        self._walker: GraphWalker[UUID] = GraphWalker(self._plan.graph.copy())
        for quantum in self._plan.tasks:
            if quantum in self._done:
                self._walker.finish(quantum)
        self._take_unblocked()
        while True:
            if not self._ending():
                self._distribute()
            if not self._running and (self._ending() or not (self._waiting or self._later)):
                break
            self._tell(self._what())
            answer = self._hear()
            if answer.get("word") == Word.ENDED:
                self._take(Event.of(answer["event"]), answer["trouble"])
            self._look_ahead()
        self._tell("executing", force=True)

    def _ending(self) -> bool:
        return self._error is not None or self._cancel.is_set()

    def _what(self) -> str:
        if self._ending():
            return f"stopping, waiting for {len(self._running)} of"
        return f"executing ({self._trouble})" if self._trouble else "executing"

    def _take_unblocked(self) -> None:
        for quantum in next(self._walker, ()):
            # One whose outputs were lost does not make those anew that were made from them.
            if quantum not in self._done:
                insort(self._waiting, (self._place[quantum], quantum))

    def _distribute(self) -> None:
        now = time.monotonic()
        for when, quantum in list(self._later):
            if when <= now:
                self._later.remove((when, quantum))
                insort(self._waiting, (self._place[quantum], quantum))
        while len(self._running) < self._processes:
            found = next((each for each in self._waiting if self._ahead.ready(each[1])), None)
            if found is None:
                return
            self._waiting.remove(found)
            self._running.add(found[1])
            self._crew.order(found[1], self._attempt(found[1]))

    def _attempt(self, quantum: UUID) -> Attempt:
        event = self._before.get(quantum)
        if event is None:
            return Attempt.FIRST
        if event.state is State.STARTED or event.torn:
            return Attempt.AFTER_TEAR
        return Attempt.AGAIN

    def _take(self, event: Event, trouble: dict[str, str] | None) -> None:
        """Draw conclusions from the end of a quantum."""
        quantum = event.quantum
        self._running.discard(quantum)
        self._before[quantum] = event
        if trouble is not None and not self._is_to_blame(quantum, trouble["kind"]):
            self._take_trouble(quantum, trouble)
            return
        self._ahead.ended(quantum)
        if event.state is State.SUCCEEDED:
            self._failing_since, self._trouble = None, ""
            self._done.add(quantum)
            self._walker.finish(quantum)
            self._take_unblocked()
            return
        self._failed += 1
        values = ", ".join(f"{name}={value}" for name, value in event.data_id.items())
        for blocked in self._walker.fail(quantum):
            if blocked in self._done:
                continue
            self._failed += 1
            self._ahead.ended(blocked)
            skipped = Event.now(
                blocked,
                self._plan.tasks[blocked],
                State.SKIPPED,
                self._plan.data_ids[blocked],
                error=f"It needs {event.task} ({values}), which failed.",
            )
            self._journal.append(skipped)

    def _is_to_blame(self, quantum: UUID, kind: str) -> bool:
        """Whether trouble is with what one quantum reads, while the server serves others."""
        if kind in (NO_SPACE, TokenError.kind):
            return False
        return self._blame.note_failure(quantum) or self._ahead.lacks(quantum)

    def _take_trouble(self, quantum: UUID, trouble: dict[str, str]) -> None:
        message = trouble["message"]
        now = time.monotonic()
        if trouble["kind"] == NO_SPACE:
            self._error = NoSpaceError(message, self._go_on("Free some space"))
            return
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since > self._patience:
            self._give_up(PASSING[trouble["kind"]](message))
        self._trouble = message
        self._later.append((now + _PAUSE, quantum))

    def _look_ahead(self) -> None:
        """See whether files arrive."""
        if self._ahead.given_up is not None:
            self._give_up(self._ahead.given_up)
        elif self._ahead.trouble is not None:
            self._trouble = self._ahead.trouble.message
        elif not self._later:
            self._trouble = ""

    def _give_up(self, error: PythonButlerError) -> None:
        if self._error is None:
            first = "Renew the token" if isinstance(error, TokenError) else "Wait until it is well again"
            self._error = type(error)(error.message, self._go_on(first))

    def _go_on(self, first: str) -> str:
        return f"{first}, then go on: satellite run start {self._workdir.path}"

    # What a person sees

    def _tell(self, what: str, *, force: bool = False) -> None:
        now = time.monotonic()
        if self._progress is None or (now - self._told < _DRAW and not force):
            return
        self._told = now
        if not hasattr(self, "_plan"):
            self._progress(Progress(0, None, what))
            return
        totals = Counter(self._plan.tasks.values())
        done = Counter(self._plan.tasks[quantum] for quantum in self._done)
        new = len(self._done) - self._at_first
        left = None
        if new:
            left = (now - self._begin) / new * (totals.total() - len(self._done) - self._failed)
        if self._failed:
            what = f"{what} ({number(self._failed)} failed or skipped)"
        parts = tuple(Progress(done[task], total, task) for task, total in totals.items())
        self._progress(Progress(len(self._done), totals.total(), what, left, parts))
