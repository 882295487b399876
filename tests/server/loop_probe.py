"""A Jupyter server extension that tells the longest time anything held the server's event loop."""

import asyncio
import json
import time

from jupyter_server.base.handlers import APIHandler
from tornado import web

LONGEST = {"seconds": 0.0, "callback": ""}


def watch_loop():
    """Time every callback of every event loop of this process, exactly."""
    run = asyncio.Handle._run

    def timed(handle):
        began = time.perf_counter()
        run(handle)
        seconds = time.perf_counter() - began
        if seconds > LONGEST["seconds"]:
            LONGEST.update(seconds=seconds, callback=repr(handle))

    asyncio.Handle._run = timed


class Probe(APIHandler):
    @web.authenticated
    def get(self):
        self.finish(json.dumps(LONGEST))
        LONGEST.update(seconds=0.0, callback="")


def _load_jupyter_server_extension(server):
    watch_loop()
    server.web_app.add_handlers(".*", [(f"{server.web_app.settings['base_url']}loop-probe", Probe)])
