"""The platform's object store: moto's S3 over files on disk, behind the checks a real store makes.

Run as a service by `platform`. Objects that were put while it runs live in memory only: what lies
on disk is never changed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, datetime, timedelta
from io import BufferedReader
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from .child import run_service
from .signatures import Credentials, Refusal, Request, check_signature
from .trouble import CLOCK_OFFSET, Troublesome

__all__ = ["BUCKET", "ObjectStore", "build_store"]

BUCKET = "rubin-dp2"
"""Name of the bucket with the official data."""

REGION = "us-east-1"


def build_store(directory: Path, bucket: str = BUCKET) -> Any:
    """Make moto's S3 application, with the files of a directory as the objects of one bucket.

    Parameters
    ----------
    directory : `pathlib.Path`
        A file's path below it is its key. Files are read when they are asked for.
    bucket : `str`, optional
        Name of the bucket.

    Returns
    -------
    application : callable
        WSGI application. It checks no signatures.
    """
    # Read by moto when it is imported: a real object store allows no web page of another origin.
    os.environ["MOTO_DISABLE_GLOBAL_CORS"] = "true"
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.moto_server.werkzeug_app import create_backend_app
    from moto.s3.exceptions import MissingKey
    from moto.s3.models import FakeKey, s3_backends

    class FileKey(FakeKey):
        """An object whose body stays on disk until it is asked for."""

        def __init__(self, name: str, path: Path) -> None:
            super().__init__(name, b"", DEFAULT_ACCOUNT_ID, REGION, version_id="null", bucket_name=bucket)
            status = path.stat()
            self._path = path
            self.contentsize = status.st_size
            self.last_modified = datetime.fromtimestamp(status.st_mtime, UTC).replace(tzinfo=None)

        @property
        def value(self) -> bytes:
            with self._body() as body:
                return body.read()

        @value.setter
        def value(self, new_value: bytes) -> None:
            """Ignore the empty body that the base class begins with; others make a key of their own."""

        @property
        def etag(self) -> str:
            if self._etag is None:
                with self._body() as body:
                    self._etag = hashlib.file_digest(body, "md5").hexdigest()
            return f'"{self._etag}"'

        def _body(self) -> BufferedReader:
            try:
                return self._path.open("rb")
            except FileNotFoundError:
                # Removed since this service was started.
                raise MissingKey(self.name) from None

    store = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    keys = store.create_bucket(bucket, REGION).keys
    for parent, _, names in directory.walk():
        for name in names:
            path = parent / name
            key = path.relative_to(directory).as_posix()
            keys.setlist(key, [FileKey(key, path)])
    return create_backend_app("s3")


class ObjectStore:
    """ASGI application that lets only properly signed requests through to moto.

    Parameters
    ----------
    application : callable
        WSGI application.
    credentials : `Credentials`
        The only keys that may sign.
    latency : `float`, optional
        Seconds by which every request is delayed.
    """

    def __init__(self, application: Any, credentials: Credentials, latency: float = 0.0) -> None:
        from a2wsgi import WSGIMiddleware

        self._application: Any = WSGIMiddleware(application)
        self._credentials = credentials
        self._latency = latency

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        await asyncio.sleep(self._latency)
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("ascii"),
            query=scope["query_string"].decode("ascii"),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        )
        try:
            now = datetime.now(UTC) + timedelta(seconds=scope.get(CLOCK_OFFSET, 0.0))
            check_signature(request, self._credentials, now)
        except Refusal as refusal:
            await _refuse(refusal, request, send)
        else:
            await self._application(scope, receive, send)

    def command(self, command: dict[str, Any]) -> str:
        """Change the latency: ``{"latency": seconds}``."""
        self._latency = float(command["latency"])
        return "ok"


async def _refuse(refusal: Refusal, request: Request, send: Any) -> None:
    document = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        f"<Resource>{escape(request.path)}</Resource></Error>"
    ).encode()
    headers = [(b"content-type", b"application/xml"), (b"content-length", str(len(document)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else document})


def _build(settings: dict[str, Any]) -> Troublesome:
    credentials = Credentials(settings["access_key"], settings["secret_key"])
    store = ObjectStore(build_store(Path(settings["bucket"])), credentials, settings["latency"])
    return Troublesome(store, "store")


def main() -> None:
    """Run as a service."""
    run_service(_build)
