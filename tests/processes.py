"""Processes that tests start: they end with the test, whatever happens, and nobody waits without end."""

from __future__ import annotations

import contextlib
import multiprocessing.context
import multiprocessing.forkserver
import os
import select
import signal
import subprocess
import traceback
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

__all__ = ["PATIENCE", "Forked", "running", "starting_by"]

PATIENCE = 120.0
"""Seconds after which something hangs, however much else the machine has to do."""


@contextlib.contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Start a program, which is killed at the end with all that it has started."""
    process = subprocess.Popen(command, text=True, process_group=0, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.wait(PATIENCE)


def starting_by(method: str) -> multiprocessing.context.BaseContext:
    """Multiprocessing by a start method, of processes that have the environment of this test.

    Python starts one fork server for all of a process's life, and whatever it forks has the environment of
    the test that came first.
    """
    if method == "forkserver":
        # Python's own tests stop it so: there is no public way.
        multiprocessing.forkserver._forkserver._stop()  # type: ignore[attr-defined]
    return multiprocessing.get_context(method)


class Forked:
    """A forked process that does something; as a context manager, at whose end it is killed.

    Forking while there are other threads, as in a test, may leave it waiting for one that it does not have.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.pid = os.fork()
        self._code: int | None = None
        if self.pid:
            return
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            self._reap()

    def wait(self) -> int:
        """Its exit code; a signal's number, negated, if one has ended it."""
        descriptor = os.pidfd_open(self.pid)
        try:
            assert select.select([descriptor], [], [], PATIENCE)[0], "the forked process hangs"
        finally:
            os.close(descriptor)
        return self._reap()

    def _reap(self) -> int:
        self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code
