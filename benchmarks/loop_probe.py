"""Jupyter server extension for benchmarks alone: how long single callbacks hold the event loop.

Every callback of an asyncio loop runs in ``asyncio.Handle._run``; timing that tells exactly how long
each one kept all others waiting, ours and the server's own alike. ``GET benchmarks/hold`` answers
the longest since it was last asked.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web


class _Longest:
    """The longest callback since the last look, and what it was."""

    def __init__(self) -> None:
        self.milliseconds = 0.0
        self.what = ""

    def watch(self) -> None:
        """Time every callback from now on."""
        original = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            start = time.perf_counter()
            try:
                original(handle)
            finally:
                held = (time.perf_counter() - start) * 1e3
                if held > self.milliseconds:
                    self.milliseconds, self.what = held, repr(handle)

        # There is no public way to see every callback.
        asyncio.Handle._run = timed  # type: ignore[method-assign]

    def take(self) -> dict[str, float | str]:
        """Longest callback in milliseconds, and forget it."""
        taken: dict[str, float | str] = {"milliseconds": self.milliseconds, "what": self.what}
        self.milliseconds, self.what = 0.0, ""
        return taken


_LONGEST = _Longest()


class _HoldHandler(JupyterHandler):
    @web.authenticated
    def get(self) -> None:
        self.finish(json.dumps(_LONGEST.take()))


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "benchmarks.loop_probe"}]


def _load_jupyter_server_extension(server: Any) -> None:
    _LONGEST.watch()
    application = server.web_app
    pattern = url_path_join(application.settings["base_url"], "benchmarks", "hold")
    application.add_handlers(".*$", [(pattern, _HoldHandler)])
