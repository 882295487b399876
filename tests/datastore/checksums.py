"""What the official repository has, to be compared with what it has later."""

from __future__ import annotations

import hashlib
from pathlib import Path

import boto3
from botocore.config import Config

from python_butler.demo.platform import Platform
from python_butler.demo.s3 import BUCKET

__all__ = ["digests", "listing"]


def digests(directory: Path) -> dict[Path, str]:
    """Checksums of all files below a directory, but for what SQLite leaves beside a database."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def listing(platform: Platform) -> dict[str, tuple[int, str]]:
    """All that the object store lists, with sizes and checksums."""
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{platform._s3_port}",
        region_name="us-east-1",
        aws_access_key_id=platform._access_key,
        aws_secret_access_key=platform._secret_key,
        config=Config(signature_version="s3v4"),
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    found = [entry for page in pages for entry in page["Contents"]]
    s3.close()
    return {entry["Key"]: (entry["Size"], entry["ETag"]) for entry in found}
