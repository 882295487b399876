"""`WorkDirectory`: what lies where in the directory of a run, and who may work in it.

Everything is written beside its place and renamed, or appended: a stage that was killed at any moment can
be run again. Cheap to import: a process that shows states needs no lsst package.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import GoneError, InvalidRequestError, NoSpaceError, SatelliteError
from ..fulldisk import NO_ROOM
from ..satellite.durable import atomic_write
from ..satellite.runs import RUNS, SETTINGS, run_directories
from ..satellite.spool.lock import FileLock, any_alive

__all__ = ["FORMAT", "RunSettings", "WorkDirectory", "runs_of"]

FORMAT = 1
"""Version of the layout of the directory."""

_JOBS = "jobs"
_JOB = "[0-9a-f]" * 32
"""Where each job of a batch system has a lock, and how that is called."""

_REFUSED = 10.0
"""Seconds in which a process has ended that is refused since a job works on the run."""


class RunSettings(BaseModel):
    """What a run was prepared with. It holds no secret.

    Attributes
    ----------
    format : `int`
        Version of the layout of the directory.
    id : `uuid.UUID`
        Identifies the run in its satellite.
    label : `str`
        Label of the official repository.
    satellite : `pathlib.Path`
        The satellite's directory.
    name : `str`
        What the person calls it.
    pipeline : `str`
        Where the pipeline is from: a file, or a task class.
    config : `dict` [`str`, `object`]
        Values of configuration fields that were set in addition, by task label and field.
    inputs : `list` [`str`]
        Collections that were searched, in order.
    where, bind
        Expression that data IDs fulfil, and the values of the names in it.
    skip_existing_in : `list` [`str`]
        Collections with outputs that are not made again.
    limit : `int` or `None`
        Most data IDs of the task that the pipeline begins with.
    output : `str`
        Chain, ``u/<user name>/<name>``.
    output_run : `str`
        Run, ``u/<user name>/<name>/<time>``.
    created : `datetime.datetime`
        When the run was prepared.
    versions : `dict` [`str`, `str`]
        Of Python and the packages with which it was.
    site : `str` or `None`
        Batch system; `None` for this machine.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    id: UUID = Field(default_factory=uuid4)
    label: str
    satellite: Path
    name: str
    pipeline: str
    config: dict[str, Any] = Field(default_factory=dict)
    inputs: list[str]
    where: str = ""
    bind: dict[str, Any] = Field(default_factory=dict)
    skip_existing_in: list[str] = Field(default_factory=list)
    limit: int | None = None
    output: str
    output_run: str
    created: datetime
    versions: dict[str, str] = Field(default_factory=dict)
    site: str | None = None


class WorkDirectory:
    """The directory of a run: every path in it.

    Parameters
    ----------
    path : `pathlib.Path` or `str`
        The directory. It need not exist.
    in_batch : `bool`, optional
        Whether this is a job of the batch system that the run was handed to: others wait for that.

    Attributes
    ----------
    path : `pathlib.Path`
        Absolute path of the directory.
    """

    def __init__(self, path: Path | str, *, in_batch: bool = False) -> None:
        self.path = Path(path).expanduser().absolute()
        self._in_batch = in_batch

    @property
    def settings_file(self) -> Path:
        """What the run was prepared with; written last, so it says that preparing is complete."""
        return self.path / SETTINGS

    @property
    def pipeline(self) -> Path:
        """The whole pipeline, with all that it includes and configures."""
        return self.path / "pipeline.yaml"

    @property
    def picture_source(self) -> Path:
        """Picture of the pipeline for Mermaid."""
        return self.path / "pipeline.mmd"

    @property
    def picture(self) -> Path:
        """Picture of the pipeline."""
        return self.path / "pipeline.svg"

    @property
    def graph(self) -> Path:
        """The predicted quantum graph, with datastore records."""
        return self.path / "graph.qg"

    @property
    def summary(self) -> Path:
        """What there is to do, and what is missing."""
        return self.path / "summary.json"

    @property
    def journal(self) -> Path:
        """Directory of what became of quanta: JSON lines, a file for each process that writes."""
        return self.path / "journal"

    @property
    def logs(self) -> Path:
        """Directory of logs, with one below it for each task."""
        return self.path / "logs"

    def log(self, task: str, quantum: UUID) -> Path:
        """Log of one quantum.

        Parameters
        ----------
        task : `str`
            Label of the task.
        quantum : `uuid.UUID`
            The quantum.

        Returns
        -------
        path : `pathlib.Path`
            The file. It need not exist.
        """
        return self.logs / task / f"{quantum}.log"

    @property
    def collected(self) -> Path:
        """Which steps of collecting are complete."""
        return self.path / "collect.json"

    @property
    def provenance(self) -> Path:
        """The provenance quantum graph."""
        return self.path / "provenance.qg"

    @property
    def batch(self) -> Path:
        """Configuration for a batch system."""
        return self.path / "bps.yaml"

    @property
    def submit(self) -> Path:
        """Directory in which a batch system keeps what it has."""
        return self.path / "submit"

    @property
    def lock_file(self) -> Path:
        """Says which process works on the run."""
        return self.path / "lock"

    @property
    def batch_lock(self) -> FileLock:
        """Held by the process that hands the run to a batch system, until that returns."""
        return FileLock(self.submit / "lock")

    @contextmanager
    def job(self) -> Iterator[None]:
        """Let others know that a job of a batch system works on the run, wherever it is executed.

        Raises
        ------
        InvalidRequestError
            If a process that is no job works on it.
        """
        jobs = self.submit / _JOBS
        jobs.mkdir(parents=True, exist_ok=True)
        lock = FileLock(jobs / uuid4().hex)
        lock.acquire()
        try:
            self._wait_until_unlocked()
            yield
        finally:
            lock.release()

    def _wait_until_unlocked(self) -> None:
        """Let a process go that finds a job at work when it has the lock; refuse to work beside others."""
        deadline = time.monotonic() + _REFUSED
        while any_alive([FileLock(self.lock_file)]):
            if time.monotonic() > deadline:
                raise InvalidRequestError(
                    f"Another process works on the run in {self.path}.", "Submit again when it has ended."
                )
            time.sleep(_REFUSED / 100)

    @property
    def job_locks(self) -> list[FileLock]:
        """Held by jobs of a batch system, each as long as it works."""
        return [FileLock(path) for path in (self.submit / _JOBS).glob(_JOB)]

    @property
    def prepared(self) -> bool:
        """Whether preparing is complete."""
        return self.settings_file.is_file()

    def settings(self) -> RunSettings:
        """Read what the run was prepared with.

        Returns
        -------
        settings : `RunSettings`
            The settings.

        Raises
        ------
        GoneError
            If there is no prepared run here.
        InvalidRequestError
            If the file cannot be read, or was written by a newer version.
        """
        try:
            content = json.loads(self.settings_file.read_bytes())
            if content["format"] > FORMAT:
                raise InvalidRequestError(
                    f"The run in {self.path} was prepared by a newer version of python-butler.",
                    "Update python-butler, or prepare it anew in another directory.",
                )
            return RunSettings.model_validate(content)
        except (FileNotFoundError, NotADirectoryError):
            raise GoneError(
                f"No run is prepared in {self.path}.",
                f"Prepare one: satellite run prepare {self.path} --pipeline FILE",
            ) from None
        except (OSError, KeyError, TypeError, ValidationError, json.JSONDecodeError):
            raise InvalidRequestError(
                f"{self.settings_file} cannot be read.",
                "Prepare the run anew, in another directory.",
            ) from None

    def write_settings(self, settings: RunSettings) -> None:
        """Write what the run was prepared with, and tell its satellite where it is.

        Parameters
        ----------
        settings : `RunSettings`
            The settings.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        pointer = settings.satellite / RUNS / f"{settings.id}.json"
        pointer.parent.mkdir(exist_ok=True)
        content = json.dumps({"directory": str(self.path)}).encode()
        # One that leads nowhere is passed over; a run that the satellite does not know would be lost.
        if not pointer.exists() or pointer.read_bytes() != content:
            atomic_write(pointer, content)
        atomic_write(self.settings_file, settings.model_dump_json(indent=2).encode())

    def note_site(self, site: str | None) -> None:
        """Write down where the run is executed from now on.

        Parameters
        ----------
        site : `str` or `None`
            Batch system; `None` for this machine.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        settings = self.settings()
        if settings.site != site:
            self.write_settings(settings.model_copy(update={"site": site}))

    def forget(self, settings: RunSettings) -> None:
        """Tell the satellite that the run is no more; harmless if it does not know it.

        Parameters
        ----------
        settings : `RunSettings`
            The settings of the run.
        """
        (settings.satellite / RUNS / f"{settings.id}.json").unlink(missing_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only one who works on the run.

        Raises
        ------
        InvalidRequestError
            If somebody else does.
        SatelliteError
            If nothing can be written in the directory; a `NoSpaceError` if that is full.
        """
        lock = FileLock(self.lock_file)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            acquired = lock.acquire() or (not any_alive([lock]) and lock.acquire())
        except OSError as error:
            message = f"Nothing can be written in {self.path}: {error.strerror}."
            if error.errno in NO_ROOM:
                raise NoSpaceError(message, "Free some space there, then try again.") from error
            raise SatelliteError(message, "Choose another directory.") from error
        if not acquired:
            owner = lock.owner()
            who = f"process {owner.pid} on {owner.host}" if owner else "another process"
            raise InvalidRequestError(
                f"{who[0].upper()}{who[1:]} works on the run in {self.path}.",
                "Wait until it has ended, or stop it.",
            )
        try:
            if not self._in_batch and any_alive([self.batch_lock, *self.job_locks]):
                raise InvalidRequestError(
                    f"The run in {self.path} is with a batch system.",
                    "Wait until its jobs have ended, or end them; how far they are: "
                    f"satellite run status {self.path}",
                )
            yield
        finally:
            lock.release()

    @property
    def busy(self) -> bool:
        """Whether a process works on the run at present, as it seems: for a person who looks."""
        locks = (FileLock(self.lock_file), self.batch_lock, *self.job_locks)
        return any(lock.seems_held() for lock in locks)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"


def runs_of(satellite: Path) -> list[WorkDirectory]:
    """Find the runs of a satellite.

    Parameters
    ----------
    satellite : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    runs : `list` [`WorkDirectory`]
        Those that are prepared and still there, the newest first.
    """
    found: list[tuple[datetime, WorkDirectory]] = []
    for directory, _ in run_directories(satellite):
        # One of a newer version is for that to show.
        with contextlib.suppress(GoneError, InvalidRequestError):
            workdir = WorkDirectory(directory)
            found.append((workdir.settings().created, workdir))
    return [workdir for _, workdir in sorted(found, key=lambda each: each[0], reverse=True)]
