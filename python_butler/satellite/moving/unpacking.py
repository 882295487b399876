"""Reading a backup: whether it is whole is known when its end was reached."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from ...errors import SatelliteError
from .archive import CHUNK, FORMAT, INDEX, SUMS, Hashing, Index, parse_sum

__all__ = ["ArchiveReader", "Member"]


@dataclass(frozen=True)
class Member:
    """One file in a backup.

    Attributes
    ----------
    name : `str`
        Path in the satellite's directory; never one that leads out of it.
    size : `int`
        Bytes.
    changed : `float`
        When it was changed.
    source : file
        What it holds, to be read now or never.
    """

    name: str
    size: int
    changed: float
    source: IO[bytes]


class ArchiveReader:
    """Reads a backup from its beginning to its end, once; a context manager.

    Parameters
    ----------
    file : `pathlib.Path`
        The backup.
    check : callable, optional
        Called again and again; raises to stop.

    Raises
    ------
    SatelliteError
        If there is no such file, or it cannot be read.
    """

    def __init__(self, file: Path, check: Callable[[], None] | None = None) -> None:
        self._file = file
        self._check = check
        self._found: dict[str, str] = {}
        try:
            self._stream = file.open("rb")
        except OSError as error:
            raise SatelliteError(
                f"The backup {file} cannot be read: {error.strerror or error}.", "Name another file."
            ) from error

    def __enter__(self) -> ArchiveReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    @property
    def position(self) -> int:
        """Bytes of the file that were read so far."""
        return self._stream.tell()

    def read(self, take: Callable[[Member], None]) -> Index:
        """Hand over each file in it, and check all.

        Parameters
        ----------
        take : callable
            Is given each `Member`, and may read it. Of several with one name the last one counts, and
            none that the index says is superseded.

        Returns
        -------
        index : `Index`
            What the backup says of itself.

        Raises
        ------
        SatelliteError
            If it is no backup of a satellite, or was cut short or altered.
        """
        index = sums = None
        with self._telling():
            for name, member, source in self._members():
                if sums is not None:
                    raise self._bad("there is something behind its end")
                if name == SUMS:
                    sums = source.read()
                    continue
                hashing = Hashing(source, self._check)
                if name == INDEX:
                    index = hashing.read()
                else:
                    take(Member(name, member.size, member.mtime, hashing))  # type: ignore[arg-type]  # it reads, which is all
                while hashing.read(CHUNK):
                    pass
                self._found[name] = hashing.digest
        if index is None or sums is None:
            raise self._bad("its end is missing")
        self._compare(sums)
        return self._index(index)

    def _members(self) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes]]]:
        with tarfile.open(fileobj=self._stream, mode="r|*", bufsize=CHUNK) as tar:
            prefix = None
            for member in tar:
                path = PurePosixPath(member.name)
                if prefix is None:
                    prefix = path.parts[0] if path.parts else ""
                if member.isdir() and path.parts[:1] == (prefix,):
                    continue
                inner = path.parts[1:]
                if not member.isreg() or path.parts[0] != prefix or not inner or {"..", "/"} & set(inner):
                    raise self._bad(f"it holds {member.name!r}, which no backup does")
                source = tar.extractfile(member)
                assert source is not None
                yield "/".join(inner), member, source

    def _compare(self, sums: bytes) -> None:
        expected = dict(parse_sum(line) for line in sums.decode(errors="replace").splitlines())
        wrong = sorted(
            name
            for name in expected.keys() | self._found.keys()
            if expected.get(name) != self._found.get(name)
        )
        if wrong:
            others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise self._bad(f"the checksum of {wrong[0]}{others} is not what it should be")

    def _index(self, text: bytes) -> Index:
        try:
            index = Index.model_validate_json(text)
        except ValueError:
            raise self._bad(f"{INDEX} in it cannot be read") from None
        if index.format > FORMAT:
            raise SatelliteError(
                f"{self._file} was made by python-butler {index.version}, which is newer.",
                "Upgrade python-butler.",
            )
        return index

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise self._bad(" ".join(str(error).split()) or "it is not a tar file") from error

    def _bad(self, reason: str) -> SatelliteError:
        return SatelliteError(
            f"{self._file} is not a whole backup of a satellite: {reason}.",
            "It may have been cut short or altered; use another copy.",
        )
