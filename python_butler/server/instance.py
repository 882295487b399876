"""One life of the backend: its directory, its process and the lease it lives by."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable
from typing import Any

from tornado.httputil import HTTPHeaders

from ..errors import BackendUnavailableError
from .choose import CommandChoice, KernelChoice
from .directory import RuntimeDirectory
from .exchange import Endpoint, Exchange
from .launch import launch
from .output import Output, clean
from .process import ChildProcess

__all__ = ["BackendInstance"]

# How often a starting backend's socket is looked for; it costs microseconds.
_LOOK_SECONDS = 0.05
_END_GRACE = 2.0
_LEASE_BYTES = 64


class _Lease(Exchange):
    """The endless answer that tells the backend that its server lives."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.granted: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._told = b""

    def answer_began(self, status: int, headers: HTTPHeaders) -> Awaitable[None] | None:
        if not self.granted.done():
            self.granted.set_result(status)
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        # The last line counts; a chunk may end within one.
        self._told = (self._told + chunk)[-_LEASE_BYTES:]
        return None

    @property
    def busy(self) -> bool:
        """Whether the backend said last that it is at work."""
        *_, last, _ = [b"", *self._told.split(b"\n")]
        return last == b"busy"


class BackendInstance:
    """A backend from its start to its end.

    Parameters
    ----------
    choice : `CommandChoice` or `KernelChoice`
        How to start it.
    log : `logging.Logger`
        Told what the backend prints.
    parent : `traitlets.config.Configurable`, optional
        Whose configuration holds for kernels.

    Attributes
    ----------
    endpoint : `Endpoint`
        Where it listens.
    """

    def __init__(self, choice: CommandChoice | KernelChoice, log: logging.Logger, parent: Any = None) -> None:
        self._choice = choice
        self._parent = parent
        self._directory = RuntimeDirectory()
        secret = secrets.token_urlsafe(32)
        self.endpoint = Endpoint(self._directory.socket, secret)
        self._output = Output(self._directory.output, {secret}, log)
        self._secret = secret
        self._process: ChildProcess | None = None
        self._lease = _Lease(self.endpoint)
        self._lease_task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether it is at work for somebody who need not be there: it must not be stopped for idleness."""
        return self._lease.busy

    async def start(self, within: float) -> None:
        """Start the process and wait until it answers.

        Parameters
        ----------
        within : `float`
            Seconds to wait.

        Raises
        ------
        BackendUnavailableError
            If it does not come to life; then nothing of it is left.
        """
        try:
            async with asyncio.timeout(within):
                started = launch(self._choice, self._directory, self._output, self._secret, self._parent)
                async with started as (self._process, refused):
                    await self._first_of(self._process, refused)
        except TimeoutError as error:
            failure = self._failure(f"did not answer within {within:g} s")
            await self.stop()
            raise failure from error
        except BaseException:
            await self.stop()
            raise

    async def ended(self) -> BackendUnavailableError:
        """Wait until the backend has ended without having been told to.

        Returns
        -------
        error : `BackendUnavailableError`
            What is known of the reason.
        """
        assert self._process is not None
        assert self._lease_task is not None
        await _first(self._process.exited, self._lease_task)
        if not self._process.exited.done():
            # Without its lease it is about to end; do not wait for one that hangs.
            await self._process.end(_END_GRACE)
        return self._failure(f"ended unexpectedly ({_status(self._process.exited.result())})")

    async def stop(self) -> None:
        """End the process and leave nothing of it; nothing happens the second time."""
        self._lease.close()
        try:
            if self._process is not None:
                await self._process.end(_END_GRACE)
            if self._lease_task is not None:
                await asyncio.gather(self._lease_task, return_exceptions=True)
        finally:
            self._output.close()
            self._directory.remove()

    async def _first_of(self, process: ChildProcess, refused: asyncio.Future[str]) -> None:
        """Wait until the lease is granted, the process ends, or the kernel refuses."""
        look = asyncio.create_task(self._await_socket())
        try:
            await _first(look, process.exited, refused)
            if process.exited.done():
                raise self._failure(f"ended while it was starting ({_status(process.exited.result())})")
            if refused.done():
                raise self._failure(f"could not take the kernel's place ({clean(refused.result())})")
            look.result()
        finally:
            look.cancel()

    async def _await_socket(self) -> None:
        # A file system has no event that every platform could wait for.
        while not self.endpoint.socket.exists():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        while not self._lease.granted.done():
            # It listens a moment after its socket appears.
            self._lease_task = asyncio.create_task(self._hold_lease())
            await _first(self._lease.granted, self._lease_task)
            if not self._lease.granted.done():
                await asyncio.sleep(_LOOK_SECONDS)
        if (status := self._lease.granted.result()) != 200:
            raise self._failure(f"does not speak this version's protocol (status {status})")

    async def _hold_lease(self) -> None:
        try:
            await self._lease.run("GET", "/lease", {})
        except OSError:
            return  # not listening yet

    def _failure(self, what: str) -> BackendUnavailableError:
        tail = self._output.tail()
        last_words = f". Its last words:\n{tail}" if tail else "; it printed nothing."
        return BackendUnavailableError(
            f"The Butler backend, started {self._choice}, {what}{last_words}", self._choice.advice
        )


async def _first(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _status(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {-status}"
