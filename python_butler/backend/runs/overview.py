"""`Runs`: reads the directories in which runs are prepared and executed, by other processes.

What was read of a run is kept until its files are others, and of journals only what was added is read:
they grow long, and are asked about each second while a page looks on. Importing this module takes as long
as the lsst packages do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from ...credentials import scrub
from ...errors import GoneError, PythonButlerError
from ...processing.execution.reading import Following
from ...processing.reporting import Status, report, status
from ...processing.workdir import RunSettings, WorkDirectory, runs_of
from ...satellite.runs import RUNS, SETTINGS
from ...settings import satellite_directory, satellite_root
from ..reports import report as report_of_error
from .models import (
    LOG_BYTES,
    MOST_FAILURES,
    MOST_RUNS,
    PipelineRun,
    RunCollected,
    RunCommands,
    RunFailure,
    RunList,
    RunLog,
    RunReport,
    TaskProgress,
)

__all__ = ["Runs"]

_LINES = 20
"""Last lines of the log of each failure."""


class Runs:
    """The runs of all satellites. To be used in threads, several at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Path, tuple[str, PipelineRun]] = {}
        # Of those alone that are being worked on: what is known of each quantum takes some memory.
        self._following: dict[Path, Following] = {}
        self._found: dict[str, tuple[str, list[WorkDirectory]]] = {}
        self._directories: dict[Path, tuple[str, Path | None]] = {}

    def word(self) -> str:
        """Give a word on all runs: cheap, only names, sizes and times of files are looked at.

        Returns
        -------
        word : `str`
            For comparison: another one tells that some run may stand otherwise.
        """
        words = [
            _word_of(workdir) for _, workdirs in self._by_satellite() for workdir in workdirs[:MOST_RUNS]
        ]
        return _hash(words)

    def newest(self) -> RunList:
        """List the newest runs.

        Returns
        -------
        runs : `RunList`
            Those of all satellites, the newest first.
        """
        found: list[tuple[str, WorkDirectory, RunSettings]] = []
        for label, workdirs in self._by_satellite():
            for workdir in workdirs:
                # It may have been removed a moment ago.
                with contextlib.suppress(PythonButlerError):
                    found.append((label, workdir, workdir.settings()))
        found.sort(key=lambda each: each[2].created, reverse=True)
        runs = [self._describe(*each) for each in found[:MOST_RUNS]]
        with self._lock:
            there = {workdir.path for _, workdir, _ in found}
            self._told = {path: told for path, told in self._told.items() if path in there}
            self._following = {path: each for path, each in self._following.items() if path in there}
        return RunList(runs=runs, total=len(found))

    def report(self, label: str, run_id: UUID) -> RunReport:
        """Tell what became of one run.

        Parameters
        ----------
        label : `str`
            Label of its satellite.
        run_id : `uuid.UUID`
            Which.

        Returns
        -------
        report : `RunReport`
            The counts, what failed, and what to type.

        Raises
        ------
        GoneError
            If there is no such run.
        InvalidRequestError
            If its files cannot be read.
        """
        workdir, settings = _find(label, run_id)
        with self._lock:
            following = self._following.get(workdir.path)
        found = report(workdir, lines=_LINES, most=MOST_FAILURES, following=following)
        failed = sum(task.failed + task.nothing for task in found.tasks)
        return RunReport(
            run=_run(label, workdir, settings, found),
            failures=[
                RunFailure(
                    quantum=each.quantum,
                    task=each.task,
                    data_id=each.data_id,
                    state="nothing" if each.state.value == "nothing" else "failed",
                    error=scrub(each.error),
                    log=str(each.log),
                    lines=[scrub(line) for line in each.lines],
                    command=each.command,
                )
                for each in found.failures
            ],
            more_failures=max(failed - len(found.failures), 0),
            commands=RunCommands(
                start=_command("start", workdir),
                collect=_command("collect", workdir),
                report=_command("report", workdir),
            ),
        )

    def log(self, label: str, run_id: UUID, quantum: UUID) -> RunLog:
        """Give the log of one quantum.

        Parameters
        ----------
        label : `str`
            Label of the run's satellite.
        run_id, quantum : `uuid.UUID`
            Which run, and which of its quanta.

        Returns
        -------
        log : `RunLog`
            The end of it, from the beginning of a line.

        Raises
        ------
        GoneError
            If there is no such run, or it has no log of that quantum.
        """
        workdir, _ = _find(label, run_id)
        for path in workdir.logs.glob(f"*/{quantum}.log"):
            with contextlib.suppress(FileNotFoundError):
                return _end_of(path)
        raise GoneError(
            f"There is no log of the quantum {quantum}.",
            f"Execute it again: {_command('start', workdir)} --quantum {quantum}",
        )

    def _by_satellite(self) -> Iterator[tuple[str, list[WorkDirectory]]]:
        """Find runs, reading their settings again only where something was prepared, moved or given up."""
        for pointers in sorted(satellite_root().glob(f"*/{RUNS}")):
            satellite = pointers.parent
            word = _hash([self._word_of_pointer(path) for path in sorted(pointers.glob("*.json"))])
            with self._lock:
                known = self._found.get(satellite.name)
            if known is None or known[0] != word:
                known = word, runs_of(satellite)
                with self._lock:
                    self._found[satellite.name] = known
            yield satellite.name, known[1]

    def _word_of_pointer(self, pointer: Path) -> str:
        """Give a word on a pointer, which comes before what it points to, and on that."""
        word = _stat_of(pointer)
        with self._lock:
            known = self._directories.get(pointer)
        if known is None or known[0] != word:
            directory = None
            with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
                directory = Path(json.loads(pointer.read_bytes())["directory"])
            known = word, directory
            with self._lock:
                self._directories[pointer] = known
        return word if known[1] is None else f"{word} {_stat_of(known[1] / SETTINGS)}"

    def _describe(self, label: str, workdir: WorkDirectory, settings: RunSettings) -> PipelineRun:
        # What is written meanwhile makes another word than this.
        word = _word_of(workdir)
        with self._lock:
            known = self._told.get(workdir.path)
            following = self._following.get(workdir.path) or Following(workdir)
        if known is not None and known[0] == word:
            return known[1]
        try:
            told = _run(label, workdir, settings, status(workdir, following))
        except (PythonButlerError, OSError) as error:
            told = _run(label, workdir, settings, error)
        with self._lock:
            self._told[workdir.path] = word, told
            if told.working:
                self._following[workdir.path] = following
            else:
                self._following.pop(workdir.path, None)
        return told


def _run(
    label: str, workdir: WorkDirectory, settings: RunSettings, found: Status | PythonButlerError | OSError
) -> PipelineRun:
    if isinstance(found, Status):
        working, tasks, problem = found.working, found.tasks, None
    else:
        working, tasks, problem = _is_busy(workdir), [], report_of_error(found)
    return PipelineRun(
        id=settings.id,
        label=label,
        name=settings.name,
        directory=str(workdir.path),
        pipeline=settings.pipeline,
        output=settings.output,
        output_run=settings.output_run,
        created=settings.created,
        site=settings.site,
        working=working,
        collected=_collected(workdir),
        tasks=[TaskProgress(**task.model_dump()) for task in tasks],
        problem=problem,
    )


def _collected(workdir: WorkDirectory) -> RunCollected:
    """What of a run was collected, as collecting itself noted."""
    if not workdir.collected.is_file():
        return RunCollected.NOTHING
    from ...processing.collecting.ledger import Ledger

    try:
        ledger = Ledger.read(workdir.collected)
        journal = sum(path.stat().st_size for path in workdir.journal.glob("*.jsonl"))
    except OSError:
        return RunCollected.NOTHING
    if "chain" not in ledger.done:
        return RunCollected.NOTHING
    return RunCollected.ALL if ledger.complete and ledger.journal == journal else RunCollected.PARTLY


def _find(label: str, run_id: UUID) -> tuple[WorkDirectory, RunSettings]:
    for workdir in runs_of(satellite_directory(label)):
        with contextlib.suppress(GoneError):
            settings = workdir.settings()
            if settings.id == run_id:
                return workdir, settings
    raise GoneError(
        "The directory of this run is not there any more.",
        "What was collected of it is in your repository; if the directory was moved, move it back.",
    )


def _end_of(path: Path) -> RunLog:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        left_out = max(0, size - LOG_BYTES)
        file.seek(left_out)
        content = file.read(LOG_BYTES)
    if left_out:
        # A line of which half is missing would be taken for whole, and half a character cannot be shown.
        begin = content.find(b"\n") + 1
        content, left_out = content[begin:], left_out + begin
    text = scrub(content.decode(errors="replace"))
    return RunLog(path=str(path), text=text, bytes=size, left_out=left_out)


def _word_of(workdir: WorkDirectory) -> str:
    files = [workdir.settings_file, workdir.summary, workdir.collected]
    journals = sorted(workdir.journal.glob("*.jsonl"))
    return _hash([str(_is_busy(workdir)), *(_stat_of(path) for path in [*files, *journals])])


def _is_busy(workdir: WorkDirectory) -> bool:
    # A lock that a dead process left, and that cannot be removed, is told of by whoever wants to work.
    with contextlib.suppress(PythonButlerError, OSError):
        return workdir.busy
    return False


def _stat_of(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path}: none"
    return f"{path}: {found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _hash(words: list[str]) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def _command(verb: str, workdir: WorkDirectory) -> str:
    return f"satellite run {verb} {shlex.quote(str(workdir.path))}"
