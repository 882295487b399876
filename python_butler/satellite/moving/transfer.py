"""The files of a satellite from one place to another, each compared when it is there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lsst.resources import ResourcePath

from ...errors import NoSpaceError, SatelliteError
from ...words import size
from ..durable import at_once, sync
from ..progress import Reporter
from .files import opened

__all__ = ["Wanted", "transfer_files"]

_GROUP = 64
"""Files that are copied before it is told how far it is."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """A file that is to be copied.

    Attributes
    ----------
    places : sequence of `str`
        Where it may be, from the root; it is copied to the first one.
    size : `int` or `None`
        Bytes it must have, if that is known.
    required : `bool`
        Whether it is an error if it is not there.
    """

    places: Sequence[str]
    size: int | None
    required: bool = True


def transfer_files(
    source: ResourcePath,
    target: ResourcePath,
    wanted: Mapping[str, Wanted],
    check: Callable[[], None],
    reporter: Reporter,
    *,
    again: bool = False,
) -> int:
    """Copy files, and read each again where it went to.

    Parameters
    ----------
    source, target : `lsst.resources.ResourcePath`
        Roots of the old and the new place.
    wanted : `dict` [`str`, `Wanted`]
        The files, by their paths from the root.
    check : callable
        Called again and again; raises to stop.
    reporter : `python_butler.satellite.progress.Reporter`
        Is told.
    again : `bool`, optional
        Whether some may be there already: those are only compared.

    Returns
    -------
    bytes : `int`
        Size of all of them.

    Raises
    ------
    SatelliteError
        If one of them is missing, or is not the same after it was copied; or if there is no room.
    OSError
        If something cannot be read or written.
    """
    _check_room(target, wanted)
    paths = list(wanted)
    total = 0
    for start in range(0, len(paths), _GROUP):
        check()
        group = paths[start : start + _GROUP]
        sizes: list[int] = []
        copied: list[ResourcePath] = []

        def bring(path: str, sizes: list[int] = sizes, copied: list[ResourcePath] = copied) -> None:
            found = _bring(source, target, path, wanted[path], again)
            if found is not None:
                sizes.append(found)
                copied.append(target.join(path))

        at_once([partial(bring, path) for path in group])
        if target.isLocal:
            files = [Path(each.ospath) for each in copied]
            sync(files, {each.parent for each in files})
        total += sum(sizes)
        reporter.tell("copying files", start + len(group), len(paths))
    return total


def _bring(source: ResourcePath, target: ResourcePath, path: str, wanted: Wanted, again: bool) -> int | None:
    new = target.join(path)
    for place in wanted.places:
        old = source.join(place)
        try:
            length, digest = _read(old)
        except FileNotFoundError:
            continue
        if wanted.size is not None and wanted.size != length:
            if wanted.required and place == wanted.places[-1]:
                raise SatelliteError(
                    f"{old} has {length} bytes, and should have {wanted.size}.",
                    "See what satellite check says of your satellite.",
                )
            continue
        for attempt in range(2):
            if attempt or not (again and new.exists() and new.size() == length):
                new.transfer_from(old, transfer="copy", overwrite=True)
            if _read(new) == (length, digest):
                return length
        raise SatelliteError(
            f"What was copied from {old} to {new} is not the same there.",
            "Try again, or choose another place.",
        )
    if wanted.required:
        raise SatelliteError(
            f"The file {source.join(path)} is missing.", "See what satellite check says of your satellite."
        )
    return None


def _read(file: ResourcePath) -> tuple[int, str]:
    digest = hashlib.sha256()
    length = 0
    with opened(file) as (stream, _, _):
        while data := stream.read(_CHUNK):
            digest.update(data)
            length += len(data)
    return length, digest.hexdigest()


def _check_room(target: ResourcePath, wanted: Mapping[str, Wanted]) -> None:
    if not target.isLocal:
        return
    place = Path(target.ospath)
    directory = next(each for each in (place, *place.parents) if each.is_dir())
    needed = sum(each.size or 0 for path, each in wanted.items() if not target.join(path).exists())
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise NoSpaceError(
            f"The files take {size(needed)}, and {directory} has {size(free)} left.",
            "Choose a place on another disk.",
        )
