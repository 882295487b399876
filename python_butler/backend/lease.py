"""The backend lives as long as somebody holds its lease, and not longer.

The Jupyter server keeps one ``GET /lease`` open. When it dies, however hard, the kernel closes the stream,
and the backend ends itself a moment later: no orphans.
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
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._holders -= 1
            if self._holders == 0:
                self._wait(self._grace)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expired)
