"""`submit`: hands a run to a batch system, in a process of its own, and follows it as long as that lasts.

BPS and its plugins change directories, environment and logging of their process, and some of them execute
all jobs before they return: nothing for a notebook's kernel.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ...credentials import scrub
from ...errors import SatelliteError
from ...satellite.progress import Progress, ProgressCallback
from ...satellite.spool.lock import any_alive
from ..reporting.reports import Status, status
from ..workdir import WorkDirectory
from .lifeline import submission
from .withholding import secrets_withheld

__all__ = ["Submission", "submit"]

_LOOK = 1.0
"""Seconds after which it is looked how far the jobs are."""

_FAREWELL = 20.0
"""Seconds that a batch system on this machine has to end when that is wanted."""

_LINES = 15
"""Last lines of the log that an error shows."""


@dataclass(frozen=True)
class Submission:
    """A run that was handed to a batch system.

    Attributes
    ----------
    site : `str`
        The batch system.
    path : `pathlib.Path`
        Where BPS keeps what it has; ``bps report --id`` takes it for batch systems that know no other ID.
    log : `pathlib.Path`
        What BPS said, among it the ID that the batch system gave.
    status : `python_butler.processing.reporting.reports.Status`
        How far the run was when BPS returned: some systems execute everything before, some only take note.
    """

    site: str
    path: Path
    log: Path
    status: Status

    def __str__(self) -> str:
        return f"{self.status.headline()} BPS keeps its files in {self.path}."


def submit(
    workdir: WorkDirectory,
    site: str = "local",
    *,
    cores: int | None = None,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> Submission:
    """Let a batch system execute and collect a run; what succeeded before is not executed again.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run. Its machines must see it, and the satellite, under the same path.
    site : `str`, optional
        Batch system: see `python_butler.processing.batch.sites.read_site`.
    cores : `int`, optional
        Jobs at the same time, where the description of the batch system has ``cores``.
    progress : callable, optional
        Told how many quanta have succeeded.
    cancel : `threading.Event`, optional
        Set to end a batch system that runs on this machine; running again goes on.

    Returns
    -------
    submission : `Submission`
        Where BPS keeps its files, and how far the run is.

    Raises
    ------
    GoneError
        If no run is prepared in the directory.
    InvalidRequestError
        If the batch system is not known, or somebody else works on the run.
    SatelliteError
        If BPS fails; with the last it said.
    """
    from .configuration import write_configuration

    workdir.settings()
    path = workdir.submit / f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    log = path.with_suffix(".log")
    with workdir.locked():
        workdir.submit.mkdir(exist_ok=True)
        write_configuration(workdir, site, path, cores)
        workdir.note_site(site)
        with log.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(workdir.path)],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                cwd=workdir.submit,
                env=_environment(),
                # Ctrl-C is for us, who end everything in good order.
                start_new_session=True,
            )
    with _ended(workdir, process):
        _follow(workdir, process, progress, cancel or threading.Event())
    if process.returncode and not (cancel and cancel.is_set()):
        said = scrub("\n".join(log.read_text(errors="replace").splitlines()[-_LINES:]))
        how = "failed" if process.returncode > 0 else f"was ended by signal {-process.returncode}"
        raise SatelliteError(f"BPS {how} for {site}:\n{said}", f"{log} has all of it; then submit again.")
    return Submission(site, path, log, status(workdir))


def _environment() -> dict[str, str]:
    # Batch systems start programs that are installed beside this interpreter, also where nobody has
    # activated its environment.
    programs = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": os.pathsep.join([programs, os.environ.get("PATH", os.defpath)])}


def _follow(
    workdir: WorkDirectory,
    process: subprocess.Popen[bytes],
    progress: ProgressCallback | None,
    cancel: threading.Event,
) -> None:
    told = 0.0
    while process.poll() is None and not cancel.wait(0.1):
        if progress is not None and time.monotonic() - told > _LOOK:
            now = status(workdir)
            progress(Progress(now.succeeded, now.total, "executing by a batch system"))
            told = time.monotonic()


@contextmanager
def _ended(workdir: WorkDirectory, process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Unless a process has ended by itself, end it and all that it has started."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_FAREWELL)
        if process.poll() != 0:
            # Also if it was killed by somebody else: what it started would wait for it, and jobs for that.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            # Jobs on this machine notice by themselves.
            deadline = time.monotonic() + _FAREWELL
            while any_alive(workdir.job_locks) and time.monotonic() < deadline:
                time.sleep(_FAREWELL / 100)


def main(directory: str) -> None:
    """Submit what is configured in the directory of a run.

    Parameters
    ----------
    directory : `str`
        The directory.
    """
    from lsst.ctrl.bps.drivers import prepare_driver
    from lsst.ctrl.bps.submit import submit as submit_to_service

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        # Parsl lets its own loggers tell everything.
        handler.setLevel(logging.INFO)
    workdir = WorkDirectory(directory)
    lock = workdir.batch_lock
    if not lock.acquire():
        raise SystemExit("The run is with a batch system.")
    try:
        with secrets_withheld():
            config, workflow = prepare_driver(str(workdir.batch))
        with submission(workdir):
            workflow = submit_to_service(config, workflow) or workflow
        logging.getLogger(__name__).info("The batch system calls it %s.", workflow.run_id)
    finally:
        lock.release()


if __name__ == "__main__":
    main(sys.argv[1])
