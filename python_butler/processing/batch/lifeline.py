"""Jobs on the machine from which they were submitted end when the submission is killed before it is through.

Parsl keeps workers on this machine that outlive it, and go on with what is in their queue: whoever starts
the run again must not find them writing.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from ...satellite.spool.lock import Owner, this_process
from ..workdir import WorkDirectory

__all__ = ["end_with_submission", "submission"]

_VARIABLE = "PYTHON_BUTLER_SUBMISSION"
"""What jobs inherit: the process that submits them."""

_LOOK = 0.5
"""Seconds after which a job looks whether that is still alive."""


@contextmanager
def submission(workdir: WorkDirectory) -> Iterator[None]:
    """Submit in this context: if this process ends within it, jobs on this machine end, too.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    """
    owner = this_process()
    os.environ[_VARIABLE] = json.dumps(asdict(owner))
    yield
    # Other systems execute jobs after they were submitted.
    _submitted(workdir, owner).touch()


def end_with_submission(workdir: WorkDirectory, code: int) -> None:
    """Let this process, a job, end at once as soon as nobody waits for it any more.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    code : `int`
        Exit code then.
    """
    owner = Owner.read(os.environ.get(_VARIABLE, "").encode())
    if owner is None:
        return

    def look() -> None:
        # On another machine nobody knows. The file is looked for last: it is made before the process ends.
        if owner.alive() is False and not _submitted(workdir, owner).exists():
            os._exit(code)

    def watch() -> None:
        while not pause.wait(_LOOK):
            look()

    pause = threading.Event()
    look()
    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _submitted(workdir: WorkDirectory, owner: Owner) -> Path:
    return workdir.submit / f"{owner.token}.submitted"
