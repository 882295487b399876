"""An object store of one's own on loopback, for satellites whose files are there."""

from __future__ import annotations

import os
import secrets
import types
from pathlib import Path
from typing import Self

from .s3 import REGION
from .service import LOOPBACK, Service, clean_environment, reserve_port

__all__ = ["Buckets"]


class Buckets:
    """The platform's kind of object store with one empty bucket, as a context manager.

    Objects live in memory and go with it. Requests must be signed with its keys.

    Parameters
    ----------
    directory : `pathlib.Path`
        For its log; made if need be.

    Attributes
    ----------
    bucket : `str`
        Name of the bucket.
    environment : `dict` [`str`, `str`]
        Variables with which a client gets in.
    """

    def __init__(self, directory: Path) -> None:
        self.bucket = "rubin-dp2"
        self._reservation = reserve_port()
        port: int = self._reservation.getsockname()[1]
        access_key, secret_key = secrets.token_hex(10).upper(), secrets.token_urlsafe(30)
        self.environment = {
            "S3_ENDPOINT_URL": f"http://{LOOPBACK}:{port}",
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        empty = directory / "bucket"
        empty.mkdir(parents=True)
        self._service = Service(
            "object store",
            "python_butler.demo.s3",
            {
                "port": port,
                "bucket": str(empty),
                "access_key": access_key,
                "secret_key": secret_key,
                "latency": 0.0,
            },
            log=directory / "object-store.log",
            directory=directory,
            environment={**clean_environment(), "AWS_DEFAULT_REGION": REGION},
        )

    def __enter__(self) -> Self:
        try:
            self._service.wait_until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop it. Safe to call twice."""
        self._service.stop()
        self._reservation.close()
