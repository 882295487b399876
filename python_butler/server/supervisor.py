"""One life of the backend after the other: begun on first use, ended when idle, mended after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from ..errors import BackendUnavailableError
from .directory import sweep
from .exchange import Endpoint
from .instance import BackendInstance

__all__ = ["BackendState", "Supervisor", "SupervisorSettings"]

# A backend that lived this long was well: what killed it is not what killed an earlier one.
_HEALTHY_SECONDS = 60.0


class BackendState(StrEnum):
    """What the backend is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True)
class SupervisorSettings:
    """Times and limits, in seconds.

    Attributes
    ----------
    idle_timeout : `float`
        A backend that nobody asked for this long is stopped; 0 means never.
    start_timeout : `float`
        How long a start may take.
    restart_limit : `int`
        How many crashes in a row are mended unasked.
    longest_pause : `float`
        After a failure requests fail at once for 1, 2, 4, … seconds, at most this many.
    """

    idle_timeout: float = 3600.0
    start_timeout: float = 120.0
    restart_limit: int = 3
    longest_pause: float = 10.0


class Supervisor:
    """Keeps one backend for whoever asks for it.

    Parameters
    ----------
    create : callable
        Makes a new `BackendInstance`, not yet started.
    settings : `SupervisorSettings`
        Times and limits.
    log : `logging.Logger`
        Told of starts, ends and failures.
    """

    def __init__(
        self,
        create: Callable[[], Awaitable[BackendInstance]],
        settings: SupervisorSettings,
        log: logging.Logger,
    ) -> None:
        self._create = create
        self._settings = settings
        self._log = log
        self._instance: BackendInstance | None = None
        self._starting: asyncio.Task[BackendInstance] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._error: BackendUnavailableError | None = None
        self._failures = 0
        self._retry_at = 0.0
        self._users = 0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._swept = False
        self._closed = False

    @property
    def state(self) -> BackendState:
        """What the backend is doing now."""
        if self._instance is not None:
            return BackendState.RUNNING
        if self._starting is not None:
            return BackendState.STARTING
        return BackendState.STOPPED if self._error is None else BackendState.FAILED

    @property
    def error(self) -> BackendUnavailableError | None:
        """Why there is no backend, if it is not simply stopped."""
        return self._error if self.state is BackendState.FAILED else None

    @property
    def retry_in(self) -> float:
        """Seconds until a request will try to start the backend again; 0 if it would now."""
        return max(0.0, self._retry_at - asyncio.get_running_loop().time())

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[Endpoint]:
        """Have the backend for the time of one request, starting it if need be.

        Yields
        ------
        endpoint : `Endpoint`
            Where it listens.

        Raises
        ------
        BackendUnavailableError
            If it cannot be started.
        """
        self._users += 1
        try:
            yield (await self._running()).endpoint
        finally:
            self._users -= 1
            self._set_idle_timer()

    async def stop(self) -> None:
        """Stop the backend and start no other."""
        self._closed = True
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        for task in (self._watching, self._starting):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        await self._end_instance()
        if self._stopping is not None:
            await self._stopping

    async def _running(self) -> BackendInstance:
        if self._closed:
            raise _shutting_down()
        if self._instance is not None:
            if self._instance.endpoint.socket.exists():
                return self._instance
            # Some machines clear their temporary directories of what is old: nobody can reach it now.
            await self._end_instance()
            return await self._running()  # others may have begun a new one meanwhile
        if self._starting is None:
            if self._error is not None and self.retry_in > 0:
                raise _again(self._error)
            self._begin()
        assert self._starting is not None
        try:
            # Others wait for the same start: one who gives up must not end it.
            return await asyncio.shield(self._starting)
        except BackendUnavailableError as error:
            raise _again(error) from None
        except asyncio.CancelledError:
            if self._closed:
                raise _shutting_down() from None
            raise

    def _begin(self) -> None:
        self._starting = asyncio.create_task(self._start())
        # Nobody may be waiting when it fails; `error` keeps the reason.
        self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _start(self) -> BackendInstance:
        try:
            if not self._swept:
                self._swept = True
                await asyncio.to_thread(sweep)
            instance = await self._create()
            await instance.start(self._settings.start_timeout)
        except BackendUnavailableError as error:
            self._fail(error)
            raise
        except Exception as error:
            self._log.exception("The Butler backend could not be started")
            failure = BackendUnavailableError(
                f"The Butler backend could not be started ({type(error).__name__}).",
                "The Jupyter server's log tells more.",
            )
            self._fail(failure)
            raise failure from error
        finally:
            self._starting = None
        self._log.info("The Butler backend runs")
        self._instance = instance
        self._error = None
        self._watching = asyncio.create_task(self._watch(instance))
        self._set_idle_timer()
        return instance

    async def _watch(self, instance: BackendInstance) -> None:
        began = asyncio.get_running_loop().time()
        error = await instance.ended()
        if asyncio.get_running_loop().time() - began >= _HEALTHY_SECONDS:
            self._failures = 0
        self._instance = None
        self._fail(error)
        await instance.stop()
        if self._failures > self._settings.restart_limit:
            return
        if self._failures > 1:
            await asyncio.sleep(self.retry_in)
        # Somebody may have asked, or the server stopped, during the pause.
        if self._instance is None and self._starting is None and not self._closed:
            self._begin()

    def _fail(self, error: BackendUnavailableError) -> None:
        self._failures += 1
        pause = min(2.0 ** (self._failures - 1), self._settings.longest_pause)
        self._retry_at = asyncio.get_running_loop().time() + pause
        self._error = error
        self._log.warning("%s", error)

    def _set_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if self._instance is not None and self._users == 0 and self._settings.idle_timeout > 0:
            self._idle_timer = asyncio.get_running_loop().call_later(
                self._settings.idle_timeout, self._stop_idle
            )

    def _stop_idle(self) -> None:
        if self._instance is not None and self._instance.busy:
            # Jobs go on when nobody looks.
            self._set_idle_timer()
            return
        if self._users == 0 and self._instance is not None:
            self._log.info("Nobody asked for the Butler backend for a while: it is stopped")
            self._stopping = asyncio.create_task(self._end_instance())

    async def _end_instance(self) -> None:
        instance, self._instance = self._instance, None
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if instance is not None:
            await instance.stop()


def _again(error: BackendUnavailableError) -> BackendUnavailableError:
    # One exception raised for many requests would gather their tracebacks.
    return BackendUnavailableError(error.message, error.next_step)


def _shutting_down() -> BackendUnavailableError:
    return BackendUnavailableError(
        "The Jupyter server is shutting down, and the Butler backend with it.",
        "Reload the page when the server is back.",
    )
