"""The file that describes an open batch: a line on the batch, then one for each dataset."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import SatelliteError
from ..durable import write_new
from .lock import Owner, this_process
from .slip import FORMAT, Slip

__all__ = [
    "SUFFIX",
    "BatchInfo",
    "DamagedBatchError",
    "append",
    "cut_unfinished",
    "describe",
    "read",
    "start",
    "understood",
]

SUFFIX = ".batch"
"""How the names of these files end."""


class DamagedBatchError(SatelliteError):
    """The file of a batch cannot be understood: perhaps the machine lost its power."""


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: int
    name: str = ""
    began: datetime
    owner: dict[str, Any]


@dataclass(frozen=True)
class BatchInfo:
    """A batch that was begun, and neither committed nor discarded.

    Attributes
    ----------
    id : `str`
        What `Spool.open_batch` wants.
    name : `str`
        What it was called.
    began : `datetime.datetime`
        When.
    host : `str`
        Machine of the process that began it.
    pid : `int`
        Number of that process.
    alive : `bool` or `None`
        Whether the process still runs; `None` if that cannot be known here.
    datasets : `int`
        How many it has.
    size : `int`
        Bytes in their files.
    """

    id: str
    name: str
    began: datetime
    host: str
    pid: int
    alive: bool | None
    datasets: int
    size: int


def start(path: Path, name: str) -> None:
    """Describe a new batch of this process.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.
    name : `str`
        What the batch is called.
    """
    header = _Header(format=FORMAT, name=name, began=datetime.now(UTC), owner=vars(this_process()))
    write_new(path, header.model_dump_json().encode() + b"\n")


def append(path: Path, slip: Slip) -> None:
    """Add a dataset: wholly or not at all.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.
    slip : `Slip`
        The dataset.
    """
    line = slip.model_dump_json().encode() + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    try:
        written = os.write(descriptor, line)
        if written < len(line):
            # The next line must not follow half of this one.
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - written)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def read(path: Path) -> tuple[Owner, list[Slip]]:
    """Read whose batch it is, and what is in it.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    owner : `Owner`
        The process that began it.
    slips : `list` [`Slip`]
        The datasets.

    Raises
    ------
    DamagedBatchError
        If it is damaged.
    SatelliteError
        If a newer version of this package wrote it.
    """
    header, slips = _read(path)
    return Owner(**header.owner), slips


def understood(path: Path) -> list[Slip]:
    """Read as much of what is in a batch as can be understood.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    slips : `list` [`Slip`]
        The datasets.
    """
    slips = []
    for line in path.read_bytes().split(b"\n")[1:-1]:
        with contextlib.suppress(ValidationError):
            slips.append(Slip.model_validate_json(line))
    return slips


def describe(path: Path) -> BatchInfo:
    """Describe a batch for people.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.

    Returns
    -------
    info : `BatchInfo`
        The description.

    Raises
    ------
    SatelliteError
        As `read`.
    """
    header, slips = _read(path)
    owner = Owner(**header.owner)
    size = sum(file.size for slip in slips for file in slip.files)
    return BatchInfo(
        path.stem, header.name, header.began, owner.host, owner.pid, owner.alive(), len(slips), size
    )


def cut_unfinished(path: Path) -> None:
    """Remove the beginning of a line whose writer was killed: another one may be added.

    Parameters
    ----------
    path : `pathlib.Path`
        The file.
    """
    content = path.read_bytes()
    end = content.rfind(b"\n") + 1
    if end < len(content):
        os.truncate(path, end)


def _read(path: Path) -> tuple[_Header, list[Slip]]:
    first, *lines = path.read_bytes().split(b"\n")
    try:
        if json.loads(first)["format"] > FORMAT:
            raise SatelliteError(
                f"The batch {path.stem} was begun by a newer version of python-butler.", "Upgrade it."
            )
        header = _Header.model_validate_json(first)
        # What follows the last end of a line was being written when the process was killed.
        return header, [Slip.model_validate_json(line) for line in lines[:-1]]
    except (ValidationError, ValueError, KeyError, TypeError):
        raise DamagedBatchError(
            f"The description of the batch {path.stem} is damaged ({path}).",
            "Its datasets were not committed. satellite repair --quarantine moves what is left of them to "
            "lost+found.",
        ) from None
