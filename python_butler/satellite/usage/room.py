"""Whether what is to be written will fit; and when it did not, saying so and leaving nothing half there.

Before a write, `check_room` asks the file system. After a failure, `full_disk_explained` turns what
Python, the database or a formatter raised into `python_butler.errors.NoSpaceError`; `whole_or_not` takes
files away, too, that a database could not note because it was full.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Protocol
from uuid import uuid4

from lsst.daf.butler.datastore import DatastoreTransaction
from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.exc import SQLAlchemyError

from ...datastore import personal_of
from ...errors import LittleRoomWarning, NoSpaceError, SatelliteError
from ...fulldisk import NO_ROOM
from ...words import size
from ..configuration import reason
from ..storage import storage_of
from .quota import free_bytes

if TYPE_CHECKING:
    from ..place import Place

__all__ = [
    "bytes_of",
    "check_room",
    "check_room_for_files",
    "explains_write_failures",
    "full_disk_explained",
    "is_full",
    "no_space",
    "trouble_explained",
    "whole_or_not",
    "write_failures_explained",
]

_RESERVE = 4_000_000
"""Bytes for the database, its journal and what else a write brings."""

_FRESH = 1.0
"""Seconds for which an answer is used again if it was ample: a network file system takes long to give it."""

_AMPLE = 100
"""How many times over."""

_PROBE_BYTES = 65_536

_POSTGRES_FULL = "53100"
_WRITE_FAILURES = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        # What cannot be opened for writing is opened for reading.
        sqlite3.SQLITE_READONLY,
    }
)
_PRIMARY = 0xFF
"""The part of one of SQLite's codes that tells the kind of a failure."""

_PACKAGE = str(Path(__file__).parents[2])

_answers: dict[Path, tuple[float, int]] = {}


def check_room(place: Place, needed: int | None, *, sure: bool = False) -> None:
    """See whether what is about to be written to a satellite will fit, by what the file system says.

    Parameters
    ----------
    place : `Place`
        The satellite. Nothing is checked if its files are not on a file system.
    needed : `int` or `None`
        Bytes that are about to be written; `None` if nobody knows.
    sure : `bool`, optional
        Whether that is their number, and not an estimate.

    Raises
    ------
    NoSpaceError
        If the number is sure, and they do not fit. An estimate gives a `LittleRoomWarning` instead.
    """
    directory = _files_directory(place)
    if directory is None:
        return
    wanted = (needed or 0) + _RESERVE
    now = time.monotonic()
    since, free = _answers.get(directory, (-_FRESH, 0))
    if now - since < _FRESH and free > wanted * _AMPLE:
        return
    told = free_bytes(directory)
    if told is None:
        return
    _answers[directory] = (now, told)
    if told >= wanted:
        return
    about = "" if sure else "about "
    what = f"{about}{size(needed)}" if needed else "anything more"
    message = f"There is no room for {what} in {directory}: {size(told)} are free."
    if sure:
        raise NoSpaceError(message, _next_step(place))
    # It is about the line that asked for it, wherever that is.
    warnings.warn(LittleRoomWarning(f"{message} {_next_step(place)}"), skip_file_prefixes=(_PACKAGE,))


def check_room_for_files(
    place: Place, sources: Iterable[Path], *, transfer: str | None, sure: bool = False
) -> None:
    """See whether files that are about to be brought into a satellite will fit.

    Parameters
    ----------
    place : `Place`
        The satellite.
    sources : iterable of `pathlib.Path`
        The files; those that are not there are not counted.
    transfer : `str` or `None`
        How they come, as upstream calls it. Only copies take room, and what is moved from another disk.
    sure : `bool`, optional
        Whether all of them will come.

    Raises
    ------
    NoSpaceError
        If all will come, and they do not fit.
    """
    directory = _files_directory(place)
    if directory is None or transfer not in ("copy", "move"):
        return
    needed = 0
    with contextlib.suppress(FileNotFoundError):
        here = directory.stat().st_dev
        for source in sources:
            with contextlib.suppress(OSError):
                status = source.stat()
                if transfer == "copy" or status.st_dev != here:
                    needed += status.st_size
    if needed:
        check_room(place, needed, sure=sure)


def bytes_of(obj: Any) -> int | None:
    """Estimate how large an object is, without looking at its content.

    Parameters
    ----------
    obj
        Any object.

    Returns
    -------
    count : `int` or `None`
        Bytes of its arrays in memory, if it is of a kind that tells: of numpy, pandas, arrow and astropy,
        images, and lists and dictionaries of them at the first level. `None` if not.
    """
    known = _bytes_of(obj)
    if known is not None:
        return known
    parts: Any = ()
    if isinstance(obj, dict):
        parts = obj.values()
    elif isinstance(obj, list | tuple):
        parts = obj
    else:
        # An image of lsst.images or of the pipelines: its planes.
        parts = (getattr(obj, name, None) for name in ("image", "variance", "mask"))
    sizes = [count for part in parts if (count := _bytes_of(part)) is not None]
    return sum(sizes) if sizes else None


def _bytes_of(obj: Any) -> int | None:
    if isinstance(obj, str | bytes | bytearray):
        return len(obj)
    if isinstance(count := getattr(obj, "nbytes", None), int):
        return count
    if callable(usage := getattr(obj, "memory_usage", None)):
        return int(usage(deep=False).sum()) if hasattr(obj, "columns") else int(usage(deep=False))
    if isinstance(count := getattr(getattr(obj, "array", None), "nbytes", None), int):
        return count
    if callable(columns := getattr(obj, "itercols", None)):
        return sum(int(getattr(column, "nbytes", 0)) for column in columns())
    return None


def is_full(error: BaseException, place: Place | None = None) -> bool:
    """Tell whether something failed because a disk, a quota or a database is full.

    Parameters
    ----------
    error : `BaseException`
        What was raised, by whomever.
    place : `Place`, optional
        The satellite. With it, a failure to write that gives no reason is looked into, by writing a
        little: a database does not tell an exceeded quota from a broken disk.

    Returns
    -------
    full : `bool`
        Whether that was the reason.
    """
    for each in _causes(error):
        if isinstance(each, NoSpaceError) or (isinstance(each, OSError) and each.errno in NO_ROOM):
            return True
        if _sqlite_code(each) == sqlite3.SQLITE_FULL:
            return True
        if (
            getattr(each, "sqlstate", None) == _POSTGRES_FULL
            or getattr(each, "pgcode", None) == _POSTGRES_FULL
        ):
            return True
    return place is not None and _is_write_failure(error) and _is_full_here(place.root)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, and those that led to it."""
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _sqlite_code(error: BaseException) -> int | None:
    code = getattr(error, "sqlite_errorcode", None) if isinstance(error, sqlite3.Error) else None
    return None if code is None else code & _PRIMARY


def _is_write_failure(error: BaseException) -> bool:
    """Whether SQLite could not write, for a reason that it does not tell."""
    return any(_sqlite_code(each) in _WRITE_FAILURES for each in _causes(error))


def _is_full_here(directory: Path) -> bool:
    probe = directory / f"probe-{uuid4().hex}"
    try:
        with probe.open("xb") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.errno in NO_ROOM
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return False


@contextlib.contextmanager
def full_disk_explained(
    place: Place, what: str = "This", left: str = "Nothing of it is there."
) -> Iterator[None]:
    """Say in one clear error that there was no room; all other errors pass.

    Parameters
    ----------
    place : `Place`
        The satellite that is written.
    what : `str`, optional
        What did not fit, as the beginning of a sentence.
    left : `str`, optional
        What is there now, as a sentence.

    Raises
    ------
    NoSpaceError
        If what is done in the context failed because a disk, a quota or a database is full.
    """
    try:
        yield
    except NoSpaceError:
        raise
    except Exception as error:
        if not is_full(error, place):
            raise
        raise no_space(place, what, left) from error


@contextlib.contextmanager
def trouble_explained(place: Place, what: str, left: str) -> Iterator[None]:
    """Say in one clear error that the database could not be written, for want of room or otherwise.

    Parameters
    ----------
    place, what, left
        As for `full_disk_explained`.

    Raises
    ------
    NoSpaceError
        If a disk, a quota or a database is full.
    SatelliteError
        If the database failed in another way.
    """
    try:
        with full_disk_explained(place, what, left):
            yield
    except SQLAlchemyError as error:
        raise SatelliteError(
            f"{what} could not be written to the database of the satellite of {place.label}: "
            f"{reason(error)}. {left}",
            f"If it happens again, look what is wrong: satellite check {place.label}",
        ) from error


@contextlib.contextmanager
def write_failures_explained(place: Place) -> Iterator[None]:
    """Say in one clear error that the disk of a satellite did not take what was written.

    Parameters
    ----------
    place : `Place`
        The satellite.

    Raises
    ------
    NoSpaceError
        If a disk, a quota or a database is full.
    SatelliteError
        If the database could not be written for another reason of the disk's. All else passes, such as
        what upstream raises of conflicts, or that the database is locked.
    """
    try:
        with full_disk_explained(place):
            yield
    except SQLAlchemyError as error:
        if not _is_write_failure(error):
            raise
        raise SatelliteError(
            f"The database of the satellite in {place.root} could not be written: {reason(error)}. Nothing "
            "that was saved before is lost.",
            "Check that the directory is there and yours to write, then try again; if it stays: "
            f"satellite check {place.label}",
        ) from error


class _HasPlace(Protocol):
    @property
    def _place(self) -> Place: ...


def explains_write_failures[S: _HasPlace, **P, R](
    method: Callable[Concatenate[S, P], R],
) -> Callable[Concatenate[S, P], R]:
    """Make a method that writes to a satellite explain it when the disk does not take it.

    Parameters
    ----------
    method : callable
        Method of an object that has its satellite as ``_place``.

    Returns
    -------
    explaining : callable
        The same within `write_failures_explained`.
    """

    @functools.wraps(method)
    def explaining(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with write_failures_explained(self._place):
            return method(self, *args, **kwargs)

    return explaining


def no_space(place: Place, what: str = "This", left: str = "Nothing of it is there.") -> NoSpaceError:
    """Make the error that says that there was no room.

    Parameters
    ----------
    place : `Place`
        The satellite that was to be written.
    what : `str`, optional
        What did not fit, as the beginning of a sentence.
    left : `str`, optional
        What is there now, as a sentence.

    Returns
    -------
    error : `NoSpaceError`
        To be raised.
    """
    directories = dict.fromkeys((_files_directory(place) or place.root, place.root))
    free = [(directory, free_bytes(directory)) for directory in directories]
    told = ", ".join(
        f"{size(count)} are free in {directory}" for directory, count in free if count is not None
    )
    _answers.clear()
    return NoSpaceError(
        f"{what} could not be written to the satellite of {place.label}: the disk, your quota or the "
        f"database is full ({told or 'how much is free is not known'}). {left}",
        _next_step(place),
    )


@contextlib.contextmanager
def whole_or_not(place: Place, writer: DirectButler) -> Iterator[None]:
    """Write datasets, and if there is no room for them or their rows, leave nothing of them.

    Upstream removes a file that could not be written, or whose rows could not be. It does not if the
    database finds out that it is full only when the transaction ends, or while upstream cleans up.

    Parameters
    ----------
    place : `Place`
        The satellite.
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite's repository. What is written in the context is one transaction.

    Raises
    ------
    NoSpaceError
        If a disk, a quota or a database is full.
    """
    personal = personal_of(writer)
    if personal._transaction is not None:
        # The outermost one looks after all.
        with full_disk_explained(place):
            yield
        return
    files = personal._transaction = DatastoreTransaction()
    try:
        with full_disk_explained(place):
            yield
    except NoSpaceError:
        # Only then it is certain that nothing was committed.
        files.rollback()
        raise
    finally:
        personal._transaction = None


def _files_directory(place: Place) -> Path | None:
    """Where the satellite's files are, if they are on a file system."""
    try:
        return storage_of(place).local_files
    except SatelliteError:
        # It is still to be made.
        return next((each for each in (place.root, *place.root.parents) if each.is_dir()), None)


def _next_step(place: Place) -> str:
    label = place.label
    return f"See what takes the room: satellite usage {label}. Make some: satellite prune {label}."
