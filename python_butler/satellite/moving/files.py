"""The files beside a satellite's database, on a disk or in an object store."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lsst.resources import ResourcePath

__all__ = ["inode_of", "opened"]

_SMALL = 16_000_000
"""Bytes of an object that is read into memory, with one request instead of several."""


@contextmanager
def opened(file: ResourcePath) -> Iterator[tuple[IO[bytes], int, float | None]]:
    """Open a file of a datastore, wherever it is.

    Parameters
    ----------
    file : `lsst.resources.ResourcePath`
        The file.

    Yields
    ------
    source : file
        What it holds.
    size : `int`
        Bytes.
    changed : `float` or `None`
        When it was changed, if that is known.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    if file.isLocal:
        with Path(file.ospath).open("rb") as source:
            status = os.fstat(source.fileno())
            yield source, status.st_size, status.st_mtime
        return
    # Whole at first, since its size comes before its content.
    if (length := file.size()) <= _SMALL:
        yield io.BytesIO(content := file.read()), len(content), None
        return
    with file.as_local() as local, Path(local.ospath).open("rb") as source:
        yield source, length, None


def inode_of(files: ResourcePath, path: str) -> int | None:
    """What tells a file from another one that has got its name.

    Parameters
    ----------
    files : `lsst.resources.ResourcePath`
        Root of the datastore.
    path : `str`
        The file, from the root.

    Returns
    -------
    inode : `int` or `None`
        `None` if it is not there, or in an object store, where nothing tells.
    """
    if not files.isLocal:
        return None
    try:
        return Path(files.join(path).ospath).stat().st_ino
    except FileNotFoundError:
        return None
