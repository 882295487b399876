"""A backend that does what a test tells it: crash, hang, stream at a chosen pace, repeat what it was sent.

A real process on a real unix socket. The real backend cannot be made to misbehave like this on
demand; what does not need it is tested with the real one.
"""

import argparse
import asyncio
import json
import os
import sys
import time

from tornado import web
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_unix_socket

BEGAN = time.time()
GRACE = float(os.environ.get("STAND_IN_GRACE", "5"))
SEEN = {"leases": 0, "streamed": 0, "cancelled_at": 0.0, "opened": 0}


class Handler(web.RequestHandler):
    def prepare(self):
        if self.request.headers.get("X-Python-Butler-Secret") != os.environ["PYTHON_BUTLER_BACKEND_SECRET"]:
            raise web.HTTPError(403)

    def on_connection_close(self):
        SEEN["cancelled_at"] = time.time()


class Lease(Handler):
    async def get(self):
        SEEN["leases"] += 1
        self.gone = asyncio.Event()
        await self.flush()
        await self.gone.wait()
        SEEN["leases"] -= 1
        await asyncio.sleep(GRACE)
        if not SEEN["leases"]:
            os._exit(0)

    def on_connection_close(self):
        self.gone.set()


class Echo(Handler):
    """Answers with the request as it came, and with what this process is."""

    async def get(self):
        await asyncio.sleep(float(self.get_argument("delay", "0")))
        self.set_header("Set-Cookie", "stolen=1")
        self.set_header("Location", "https://elsewhere.example")
        self.set_header("X-Internal", "1")
        self.set_header("Cache-Control", "no-store")
        self.write(
            {
                "method": self.request.method,
                "uri": self.request.uri,
                "headers": dict(self.request.headers.get_all()),
                "body": self.request.body.decode(),
                "pid": os.getpid(),
                "process_group": os.getpgrp(),
                "socket": sys.argv[-1],
                "executable": sys.executable,
                "safe_path": sys.flags.safe_path,
                "variables": sorted(os.environ),
                "wrapped": os.environ.get("STAND_IN_WRAPPED"),
                "modules": sorted({name.partition(".")[0] for name in sys.modules}),
                "began": BEGAN,
            }
        )

    post = put = patch = delete = get


class Stream(Handler):
    """Streams chunks; with `die`, ends the process in the middle."""

    async def get(self):
        SEEN.update(streamed=0, cancelled_at=0.0)
        SEEN["opened"] += 1
        self.set_header("Content-Type", "application/x-ndjson")
        await self.flush()
        chunk = b"x" * (int(self.get_argument("bytes", "100000")) - 1) + b"\n"
        for _ in range(int(self.get_argument("chunks", "10"))):
            try:
                self.write(chunk)
                await self.flush()
            except StreamClosedError:
                SEEN["cancelled_at"] = time.time()
                return
            SEEN["streamed"] += len(chunk)
            await asyncio.sleep(float(self.get_argument("delay", "0")))
        if self.get_argument("die", ""):
            os._exit(7)


class Crash(Handler):
    async def get(self):
        print("the disk is on fire with gt-abcdefghijklmnop.secretsecret", file=sys.stderr, flush=True)
        os._exit(3)


class Hang(Handler):
    async def get(self):
        SEEN["opened"] += 1
        await asyncio.Event().wait()


class Seen(Handler):
    def get(self):
        self.write(SEEN)


class Empty(Handler):
    def get(self, status):
        self.set_status(int(status))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--start-delay", type=float, default=0.0)
    parser.add_argument("--count", type=argparse.FileType("a"), help="file that gets a line for each start")
    parser.add_argument("--socket", required=True)
    arguments = parser.parse_args()
    if arguments.count:
        arguments.count.write(json.dumps({"pid": os.getpid(), "socket": arguments.socket}) + "\n")
        arguments.count.flush()
    print("the stand-in starts", flush=True)
    await asyncio.sleep(arguments.start_delay)
    server = HTTPServer(
        web.Application(
            [
                ("/lease", Lease),
                ("/stream", Stream),
                ("/crash", Crash),
                ("/hang", Hang),
                ("/seen", Seen),
                (r"/empty/(\d+)", Empty),
                ("/.*", Echo),
            ]
        )
    )
    server.add_socket(bind_unix_socket(arguments.socket))
    await asyncio.Event().wait()


asyncio.run(main())
