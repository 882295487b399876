"""The backend lives as long as somebody holds its lease, and not longer.

The Jupyter server keeps one ``GET /lease`` open. When it dies, however hard, the kernel closes the stream,
and the backend ends itself a moment later: no orphans. The lines of the answer tell the holder whether the
backend is at work, ``busy``, or only waits to be asked, ``idle``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

__all__ = ["Lease"]


class Lease:
    """Counts who holds the lease, and calls when nobody does any more.

    Parameters
    ----------
    expired : callable
        Called once, in the event loop, when the lease has run out.
    grace : `float`, optional
        Seconds without a holder after the last one left.
    patience : `float`, optional
        Seconds to wait for the first holder.
    """

    def __init__(self, expired: Callable[[], None], *, grace: float = 5.0, patience: float = 60.0) -> None:
        self._expired = expired
        self._grace = grace
        self._patience = patience
        self._holders = 0
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._changed = asyncio.Condition()

    @property
    def is_held(self) -> bool:
        """Whether somebody holds the lease now."""
        return self._holders > 0

    async def tell(self, busy: bool) -> None:
        """Tell the holders whether there is work that must not be cut off because nobody asks for anything.

        Parameters
        ----------
        busy : `bool`
            Whether there is.
        """
        async with self._changed:
            self._busy = busy
            self._changed.notify_all()

    def start(self) -> None:
        """Begin to wait for the first holder; call it in the event loop."""
        self._wait(self._patience)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the lease until the client goes away.

        Parameters
        ----------
        scope, receive, send
            As ASGI says.
        """
        self._holders += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            # The first line tells the holder that the backend listens.
            await send({"type": "http.response.body", "body": b"held\n", "more_body": True})
            telling = asyncio.create_task(self._keep_telling(send))
            try:
                while (await receive())["type"] != "http.disconnect":
                    pass
            finally:
                telling.cancel()
        finally:
            self._holders -= 1
            if self._holders == 0:
                self._wait(self._grace)

    async def _keep_telling(self, send: Send) -> None:
        told = False
        async with self._changed:
            while True:
                if self._busy != told:
                    told = self._busy
                    line = b"busy\n" if told else b"idle\n"
                    await send({"type": "http.response.body", "body": line, "more_body": True})
                await self._changed.wait()

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expired)
