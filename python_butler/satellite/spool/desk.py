"""`Desk`: the directory of the slips; reads, publishes, lists and sets them aside."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from ...errors import NoSpaceError, SatelliteError
from ...fulldisk import NO_ROOM
from ..durable import make_directory, sync, sync_directory, write_new
from .slip import FORMAT, SUFFIX, Slip

__all__ = ["ASIDE", "BATCHES", "DIRECTORY", "Desk", "Unreadable", "refused"]

DIRECTORY = "spool"
"""Below the satellite's directory."""

ASIDE = "aside"
"""Directory, below, of slips that cannot be committed."""

BATCHES = "batches"
"""Directory, below, of batches."""

_LOG = logging.getLogger(__name__)
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV})

_slips: dict[Path, dict[str, tuple[tuple[int, int, int], Slip]]] = {}
"""Slips that were read, by directory and name, with what tells whether it is the same file."""

_complained: set[Path] = set()
"""Slips that could not be read, and that the log tells of."""


class Unreadable(Exception):
    """A slip cannot be understood; its text says why, as a phrase."""


class _Format(BaseModel):
    format: int


class Desk:
    """The directory of the slips.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.path = root / DIRECTORY
        self._read = _slips.setdefault(self.path, {})

    def prepare(self) -> None:
        """Make the directories.

        Raises
        ------
        SatelliteError
            If they cannot be made.
        """
        try:
            if changed := [
                each
                for below in (ASIDE, BATCHES)
                if not (path := self.path / below).is_dir()
                for each in make_directory(path, self._root)
            ]:
                sync((), set(changed))
        except OSError as error:
            raise refused(self._root, error) from error

    def names(self) -> list[str]:
        """List the slips: one look at the directory.

        Returns
        -------
        names : `list` [`str`]
            Names of their files.
        """
        try:
            with os.scandir(self.path) as entries:
                # A link keeps the name for a dataset that is written straight into the registry.
                return [
                    entry.name for entry in entries if entry.name.endswith(SUFFIX) and not entry.is_symlink()
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, name: str) -> Slip | None:
        """Read a slip, from memory if it is the same file as the last time.

        Parameters
        ----------
        name : `str`
            Its name.

        Returns
        -------
        slip : `Slip` or `None`
            `None` if it is no longer there.

        Raises
        ------
        Unreadable
            If it is damaged, was written by a newer version of this package, or may not be read.
        """
        path = self.path / name
        try:
            status = path.stat()
            sign = (status.st_ino, status.st_size, status.st_mtime_ns)
            known = self._read.get(name)
            if known is not None and known[0] == sign:
                return known[1]
            if not status.st_size:
                # Its name was made, and nothing more: nothing is acknowledged.
                return None
            content = path.read_bytes()
        except FileNotFoundError:
            self._read.pop(name, None)
            return None
        except OSError as error:
            raise Unreadable(f"{path} cannot be read ({error.strerror})") from error
        try:
            if _Format.model_validate_json(content).format > FORMAT:
                raise Unreadable("it was written by a newer version of python-butler: upgrade it")
            slip = Slip.model_validate_json(content)
        except ValidationError:
            raise Unreadable("it is damaged") from None
        self._read[name] = sign, slip
        return slip

    def all(self) -> Iterator[Slip]:
        """Read all slips that can be read; those that cannot are complained of in the log, once.

        Yields
        ------
        slip : `Slip`
            A slip.
        """
        names = self.names()
        for gone in set(self._read) - set(names):
            self._read.pop(gone, None)
        for name in names:
            try:
                slip = self.read(name)
            except Unreadable as error:
                if (self.path / name) not in _complained:
                    _complained.add(self.path / name)
                    _LOG.warning("A saved dataset cannot be shown: %s (%s).", error, self.path / name)
                continue
            if slip is not None:
                yield slip

    def publish(self, slip: Slip, others: list[Path]) -> bool:
        """Acknowledge a dataset: durably, completely or not at all.

        Parameters
        ----------
        slip : `Slip`
            Its slip.
        others : `list` [`pathlib.Path`]
            Files that must be durable before.

        Returns
        -------
        published : `bool`
            `False` if there is a slip for the same run, dataset type and data ID.

        Raises
        ------
        OSError
            If it cannot be written. The slip may be there nevertheless, and is to be withdrawn.
        """
        new = self.path / f".{uuid4().hex}.new"
        content = slip.model_dump_json(exclude_defaults=True).encode()
        # What has its default value is left out, but for what tells how to read the rest.
        content = b'{"format":%d,' % FORMAT + content[1:]
        path = self.path / slip.name
        try:
            write_new(new, content)
            sync([new, *others], {each.parent for each in others})
            try:
                os.link(new, path)
            except FileExistsError:
                return False
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                # No second names here: between looking and renaming there is a moment in which somebody
                # else might publish the same. Making the name first leaves no such moment.
                try:
                    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
                except FileExistsError:
                    return False
                new.rename(path)
        finally:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
        sync_directory(self.path)
        return True

    def withdraw(self, slip: Slip) -> None:
        """Take back a slip that was perhaps published; that of another dataset stays.

        Parameters
        ----------
        slip : `Slip`
            The slip.
        """
        with contextlib.suppress(Unreadable, OSError):
            there = self.read(slip.name)
            if there is not None and there.id == slip.id:
                (self.path / slip.name).unlink()

    def set_aside(self, name: str) -> None:
        """Put a slip where it waits for a person.

        Parameters
        ----------
        name : `str`
            Its name.
        """
        target = self.path / ASIDE / name
        while os.path.lexists(target):
            target = target.with_name(f"{uuid4().hex[:8]}-{name}")
        with contextlib.suppress(FileNotFoundError):
            (self.path / name).rename(target)


def refused(root: Path, error: OSError) -> SatelliteError:
    """Say that a satellite cannot be written.

    Parameters
    ----------
    root : `pathlib.Path`
        Its directory.
    error : `OSError`
        What happened.

    Returns
    -------
    error : `SatelliteError`
        To be raised.
    """
    what = f"The satellite in {root} cannot be written: {error.strerror or error}."
    if error.errno in NO_ROOM:
        return NoSpaceError(what, "Free some space: satellite usage shows what takes it.")
    return SatelliteError(what, "Check that the directory is there, complete and yours to write.")
