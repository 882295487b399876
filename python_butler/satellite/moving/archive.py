"""The one file that a satellite is backed up in: a tar file with a checksum of everything in it.

``tar -xf`` unpacks it to a directory that is the satellite, and ``sha256sum -c SHA256SUMS`` in there checks
it. The checksums come last, so that a file that was cut short has none.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from pydantic import BaseModel, ConfigDict

__all__ = [
    "CHUNK",
    "FORMAT",
    "INDEX",
    "SUMS",
    "ArchiveWriter",
    "Hashing",
    "Index",
    "compressed",
    "parse_sum",
]

SUMS = "SHA256SUMS"
"""Last of the file: the checksums of all before, as ``sha256sum`` writes them."""

INDEX = "backup.json"
"""Last but one: what the backup is."""

FORMAT = 1
"""Of such files."""

CHUNK = 1 << 20
"""Bytes that are read at a time."""


class Index(BaseModel):
    """What a backup says of itself."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    label: str
    """Label of the official repository."""

    made: datetime
    version: str
    """Of this package."""

    files: int
    """Files of datasets, those that wait in the spool among them."""

    bytes: int
    """Size of these files."""

    datasets: int
    """Datasets in the registry, references among them."""

    elsewhere: int = 0
    """Datasets whose files were not copied, since they were ingested where they lay."""

    missing: tuple[str, ...] = ()
    """Files that the registry names and that were not there."""

    superseded: tuple[str, ...] = ()
    """Names in the file that do not count: what was removed from the satellite while it was copied."""


def compressed(file: Path) -> bool:
    """Whether a file's name says that it is compressed.

    Parameters
    ----------
    file : `pathlib.Path`
        Where a backup is, or is to be.

    Returns
    -------
    compressed : `bool`
        Whether it ends with ``.gz`` or ``.tgz``.
    """
    return file.suffix in {".gz", ".tgz"}


class Hashing:
    """Reads from something, with a checksum of what was read.

    Parameters
    ----------
    source : file
        What is read.
    check : callable, optional
        Called before each piece; raises to stop.
    """

    def __init__(self, source: IO[bytes], check: Callable[[], None] | None = None) -> None:
        self._source = source
        self._check = check
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read a piece, or all of it."""
        if self._check is not None:
            self._check()
        data = self._source.read(size)
        self._hash.update(data)
        return data

    @property
    def digest(self) -> str:
        """Checksum of what was read so far."""
        return self._hash.hexdigest()


class ArchiveWriter:
    """Writes the file, from its beginning to its end; a context manager.

    Parameters
    ----------
    stream : file
        Where to.
    prefix : `str`
        Name of the directory to which ``tar`` unpacks it.
    compress : `bool`, optional
        Whether to compress it.
    check : callable, optional
        Called again and again; raises to stop.
    """

    def __init__(
        self,
        stream: IO[bytes],
        prefix: str,
        *,
        compress: bool = False,
        check: Callable[[], None] | None = None,
    ) -> None:
        self._zip = gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=3) if compress else None
        self._tar = tarfile.open(  # noqa: SIM115  closed with this object
            fileobj=self._zip or stream,
            mode="w|",
            format=tarfile.PAX_FORMAT,
            bufsize=CHUNK,
        )
        self._prefix = prefix
        self._check = check
        self._sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was not finished has no checksums, so that it is never taken for whole.
        with contextlib.suppress(OSError) if kind is not None else contextlib.nullcontext():
            self._close()

    def add(self, name: str, source: IO[bytes], size: int, changed: float | None = None) -> None:
        """Add a file; a later one of the same name counts instead of an earlier one.

        Parameters
        ----------
        name : `str`
            Path in the satellite's directory.
        source : file
            What it holds.
        size : `int`
            Its size in bytes.
        changed : `float`, optional
            When it was changed; now if not given.

        Raises
        ------
        OSError
            If the source has fewer bytes, or the file cannot be written.
        """
        hashing = Hashing(source, self._check)
        member = tarfile.TarInfo(f"{self._prefix}/{name}")
        member.size = size
        member.mtime = time.time() if changed is None else changed
        member.mode = 0o644
        self._tar.addfile(member, hashing)
        self._sums[name] = hashing.digest

    def add_bytes(self, name: str, data: bytes) -> None:
        """Add a small file.

        Parameters
        ----------
        name : `str`
            Path in the satellite's directory.
        data : `bytes`
            What it holds.
        """
        self.add(name, io.BytesIO(data), len(data))

    def finish(self, index: Index) -> None:
        """Write what comes last. Only a file that was finished can be read.

        Parameters
        ----------
        index : `Index`
            What the backup says of itself.
        """
        self.add_bytes(INDEX, index.model_dump_json(indent=2).encode() + b"\n")
        lines = [_line(name, digest) for name, digest in sorted(self._sums.items())]
        self.add_bytes(SUMS, "".join(lines).encode())
        self._close()

    def _close(self) -> None:
        self._tar.close()
        if self._zip is not None:
            self._zip.close()


def _line(name: str, digest: str) -> str:
    """One line as ``sha256sum`` writes it: with a backslash in front if there are any in the name."""
    quoted = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return f"{'' if quoted == name else chr(92)}{digest}  {quoted}\n"


def parse_sum(line: str) -> tuple[str, str]:
    """Understand one line of the checksums.

    Parameters
    ----------
    line : `str`
        As ``sha256sum`` writes it.

    Returns
    -------
    name, digest : `str`
        The file and its checksum.
    """
    escaped = line.startswith("\\")
    digest, _, name = line.removeprefix("\\").partition("  ")
    if escaped:
        pieces = name.split("\\\\")
        name = "\\".join(piece.replace("\\n", "\n").replace("\\r", "\r") for piece in pieces)
    return name, digest
