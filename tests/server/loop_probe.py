"""A Jupyter server extension that tells what held the server's event loop, and what garbage there is."""

import asyncio
import gc
import json
import time
from pathlib import Path

from jupyter_server.base.handlers import APIHandler
from tornado import web

LONGEST = {"seconds": 0.0, "callback": ""}

SCHEDULED = Path("/proc/thread-self/schedstat")


def now():
    """Seconds, without those in which this thread was ready to run and others had the processors."""
    return time.perf_counter() - int(SCHEDULED.read_bytes().split()[1]) / 1e9


def watch_loop():
    """Time every callback of every event loop of this process, exactly."""
    run = asyncio.Handle._run

    def timed(handle):
        began = now()
        run(handle)
        seconds = now() - began
        if seconds > LONGEST["seconds"]:
            LONGEST.update(seconds=seconds, callback=repr(handle))

    asyncio.Handle._run = timed


class Probe(APIHandler):
    @web.authenticated
    def get(self):
        self.finish(json.dumps(LONGEST))
        LONGEST.update(seconds=0.0, callback="")


class Garbage(APIHandler):
    """Collects the garbage and answers how much it was; with `hold`, collects none from then on."""

    @web.authenticated
    def get(self):
        found = gc.collect()
        (gc.disable if self.get_argument("hold", "") else gc.enable)()
        self.finish(json.dumps({"found": found}))


def _load_jupyter_server_extension(server):
    watch_loop()
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(".*", [(f"{base}loop-probe", Probe), (f"{base}garbage", Garbage)])
