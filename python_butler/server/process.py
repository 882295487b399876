"""One child process with everything it may have started, watched without polling."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading

__all__ = ["ChildProcess"]


class ChildProcess:
    """A process that leads its own session.

    Parameters
    ----------
    process : `subprocess.Popen`
        The process, started with ``start_new_session=True``.

    Attributes
    ----------
    exited : `asyncio.Future` [`int`]
        Done with the exit status when the process has ended; negative for a signal.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        threading.Thread(target=self._watch, name="python-butler-backend", daemon=True).start()

    @property
    def pid(self) -> int:
        """Identifier of the process and of its process group."""
        return self._process.pid

    async def end(self, grace: float) -> None:
        """End the process: politely first, by force after some time.

        Parameters
        ----------
        grace : `float`
            Seconds it has to end by itself.
        """
        if self._process.returncode is None:
            self._signal_group(signal.SIGTERM)
        try:
            await asyncio.wait_for(asyncio.shield(self.exited), grace)
        except TimeoutError:
            self._signal_group(signal.SIGKILL)
            await asyncio.shield(self.exited)

    def _watch(self) -> None:
        status = self._process.wait()
        # A wrapper that did not replace itself leaves its child behind when it is killed.
        self._signal_group(signal.SIGKILL)
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._tell, status)

    def _tell(self, status: int) -> None:
        if not self.exited.done():
            self.exited.set_result(status)

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)
