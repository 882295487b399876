"""The files below the root of a satellite's datastore: listed once, looked at again, removed, moved away."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, override

from lsst.resources import ResourcePath

from ...credentials import scrub
from ..durable import make_directory, sync, sync_directory
from ..storage import Storage, storage_failures
from ..storage.claims import CLAIM
from .lost import DIRECTORY, LostAndFound

__all__ = ["SPOOLED", "Files", "Stored", "files_of", "is_external", "listed"]

SPOOLED = ".spool"
"""Directory below the root in which the files of spooled datasets wait."""

_PLAIN = re.compile(r"[A-Za-z0-9._+/-]+")
_APART = (SPOOLED, DIRECTORY, CLAIM)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is to be known of a file.

    Attributes
    ----------
    size : `int`
        Bytes.
    changed : `float`
        When it was changed last, in seconds of the epoch.
    """

    size: int
    changed: float


class Files(Protocol):
    """The files below the root of a datastore. Paths are relative to it, without quoting."""

    root: ResourcePath

    def all(self) -> dict[str, Stored]:
        """List all files, but for those that wait in the spool or were moved away."""

    def spooled(self) -> dict[str, Stored]:
        """List the files that wait in the spool."""

    def look(self, path: str) -> Stored | None:
        """Look at one file; `None` if it is not there."""

    def remove(self, path: str) -> None:
        """Remove a file; harmless if it is not there."""

    def move(self, path: str, target: str) -> None:
        """Give a file the path that it should have, durably; nothing is there."""

    def move_away(self, path: str, lost: LostAndFound, why: str) -> str:
        """Move a file to where lost files are, list it there, and say where it is."""


class LocalFiles:
    """Files in a local directory.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        Root of the datastore.
    """

    def __init__(self, root: ResourcePath) -> None:
        self.root = root
        self._root = Path(root.ospath)

    def all(self) -> dict[str, Stored]:
        return dict(_walk(self._root, "", _APART, set()))

    def spooled(self) -> dict[str, Stored]:
        return dict(_walk(self._root / SPOOLED, f"{SPOOLED}/", (), set()))

    def look(self, path: str) -> Stored | None:
        try:
            status = (self._root / path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stored(status.st_size, status.st_mtime)

    def remove(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)

    def move(self, path: str, target: str) -> None:
        there = self._root / target
        changed = make_directory(there.parent, self._root)
        (self._root / path).rename(there)
        sync([there], {*changed, there.parent})

    def move_away(self, path: str, lost: LostAndFound, why: str) -> str:
        source = self._root / path
        target = lost.place_for(f"files/{path}")
        lost.note({"why": why, "was": str(source), "is": str(target)})
        # The root may be on another file system.
        shutil.move(source, target)
        sync_directory(target.parent)
        return str(target)


def _walk(directory: Path, prefix: str, skip: tuple[str, ...], seen: set[tuple[int, int]]) -> Iterator[Any]:
    """Files below a directory; links to directories are followed, as upstream does."""
    try:
        entries = os.scandir(directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    below = []
    with entries:
        for entry in entries:
            if entry.name in skip:
                continue
            try:
                if entry.is_dir():
                    below.append(entry.name)
                    continue
                status = entry.stat()
            except FileNotFoundError:
                # It was removed meanwhile, or is a link that leads nowhere: no file in either case.
                continue
            yield prefix + entry.name, Stored(status.st_size, status.st_mtime)
    for name in below:
        status = (directory / name).stat()
        identity = (status.st_dev, status.st_ino)
        if identity not in seen:
            seen.add(identity)
            yield from _walk(directory / name, f"{prefix}{name}/", (), seen)


class RemoteFiles:
    """Files in an object store, or wherever else upstream can reach them.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        Root of the datastore.
    """

    def __init__(self, root: ResourcePath) -> None:
        self.root = root

    def all(self) -> dict[str, Stored]:
        with _as_usual():
            return {path: each for path, each in self._list("") if path.partition("/")[0] not in _APART}

    def spooled(self) -> dict[str, Stored]:
        with _as_usual():
            return dict(self._list(f"{SPOOLED}/"))

    def _list(self, below: str) -> Iterator[tuple[str, Stored]]:
        root = self.root.join(below, forceDirectory=True) if below else self.root
        for uri in ResourcePath.findFileResources([root]):
            info = uri.get_info()
            yield self._path(uri), Stored(info.size, _epoch(info.last_modified))

    def _path(self, uri: ResourcePath) -> str:
        return str(uri.relativeToPathRoot).removeprefix(str(self.root.relativeToPathRoot))

    def look(self, path: str) -> Stored | None:
        try:
            with _as_usual():
                info = self._uri(path).get_info()
        except FileNotFoundError:
            return None
        return Stored(info.size, _epoch(info.last_modified))

    def remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError), _as_usual():
            self._uri(path).remove()

    def move(self, path: str, target: str) -> None:
        with _as_usual():
            self._uri(target).transfer_from(self._uri(path), transfer="move")

    def move_away(self, path: str, lost: LostAndFound, why: str) -> str:
        source, target = self._uri(path), self._uri(f"{DIRECTORY}/{lost.stamp}/{path}")
        lost.note({"why": why, "was": str(source), "is": str(target)})
        with _as_usual():
            target.transfer_from(source, transfer="move", overwrite=True)
        return str(target)

    def _uri(self, path: str) -> ResourcePath:
        # As a relative address of its own, so that nothing in it is taken for quoting.
        return self.root.join(ResourcePath(path, forceAbsolute=False, forceDirectory=False))


class BucketFiles(RemoteFiles):
    """Files in an object store that speaks S3: a thousand of them in each answer."""

    @override
    def _list(self, below: str) -> Iterator[tuple[str, Stored]]:
        root: Any = self.root
        prefix = str(root.relativeToPathRoot)
        # Upstream's own walk asks once for each directory, and again for the size of each file.
        pages = root.client.get_paginator("list_objects_v2").paginate(
            Bucket=root._bucket, Prefix=prefix + below
        )
        for page in pages:
            for item in page.get("Contents", ()):
                path = item["Key"].removeprefix(prefix)
                if path and not path.endswith("/"):
                    yield path, Stored(item["Size"], _epoch(item["LastModified"]))


@contextlib.contextmanager
def _as_usual() -> Iterator[None]:
    """Turn what an object store raises into what a file system does."""
    try:
        yield
    except OSError:
        raise
    except storage_failures() as error:
        raise OSError(scrub(str(error))) from None


def _epoch(moment: Any) -> float:
    return 0.0 if moment is None else float(moment.timestamp())


def files_of(storage: Storage) -> Files:
    """Give the files of a satellite.

    Parameters
    ----------
    storage : `python_butler.satellite.storage.Storage`
        Where they are.

    Returns
    -------
    files : `Files`
        To be looked at.
    """
    if storage.local_files is not None:
        return LocalFiles(storage.files)
    return BucketFiles(storage.files) if storage.files.scheme == "s3" else RemoteFiles(storage.files)


def is_external(path: str) -> bool:
    """Tell whether a file was ingested where it lay.

    Parameters
    ----------
    path : `str`
        Path in its record.

    Returns
    -------
    external : `bool`
        Whether it is an address.
    """
    return "://" in path


def listed(path: str, files: Files) -> str:
    """Give the path of a record as a listing of files has it; the address of an external file as it is.

    Parameters
    ----------
    path : `str`
        Path in the record.
    files : `Files`
        The files of the satellite.

    Returns
    -------
    path : `str`
        Without quoting, and of the whole file if the record is of a part of it.
    """
    if is_external(path):
        return path.partition("#")[0]
    artifact = path[: path.rfind("#")] if "#" in path else path
    if _PLAIN.fullmatch(artifact):
        return artifact
    uri = files.root.join(ResourcePath(artifact, forceAbsolute=False, forceDirectory=False))
    return str(uri.relativeToPathRoot).removeprefix(str(files.root.relativeToPathRoot))
