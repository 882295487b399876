"""The note in a satellite's directory that it is being moved, or was: whoever wants to write looks for it."""

from __future__ import annotations

import os
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ...errors import SatelliteError
from ..durable import atomic_write, sync_directory

__all__ = [
    "LOCK",
    "MARK",
    "Move",
    "Stage",
    "Where",
    "read_move",
    "refuse_if_moving",
    "remove_move",
    "write_move",
]

MARK = "moving.json"
"""Name of the note: it is there from before the first dataset is copied."""

LOCK = "moving.lock"
"""Name of the lock file of the process that moves the satellite."""


class Stage(StrEnum):
    """How far a move is."""

    COPYING = "copying"
    """It is copied and checked; nothing may be written, and the old place counts."""

    PAUSED = "paused"
    """It was stopped: the old place counts and can be written. Moving again goes on."""

    SWITCHING = "switching"
    """All is in the new place and checked: whatever happens, that will count."""

    LEAVING = "leaving"
    """It is here, and the directory that it came from is being removed."""

    DONE = "done"
    """It is in another directory; what is left in this one cannot be written."""


class Where(BaseModel):
    """Where a satellite's database and files are."""

    model_config = ConfigDict(frozen=True)

    registry: str | None = None
    """Address of the database, without a password; `None` for an SQLite file in the directory."""

    namespace: str | None = None
    """Schema in that database."""

    files: str | None = None
    """Root of the files; `None` for a directory in the satellite's."""


class Move(BaseModel):
    """Where a satellite is going, and who moves it."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Differs from that of any other move."""

    stage: Stage
    root: Path
    """The satellite's directory afterwards."""

    old: Where
    new: Where
    remove_old: bool = False
    """Whether what is left behind is to be removed."""

    left: Path | None = None
    """The directory that is being removed."""

    began: datetime
    host: str
    process: int


def read_move(root: Path) -> Move | None:
    """Read whether a satellite is being moved, or was.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    move : `Move` or `None`
        `None` if it is not, and was not.

    Raises
    ------
    SatelliteError
        If the note is there but cannot be read.
    """
    try:
        text = (root / MARK).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise SatelliteError(
            f"{root / MARK} cannot be read: {error.strerror or error}.",
            "It says whether the satellite is being moved; make it readable.",
        ) from error
    try:
        return Move.model_validate_json(text)
    except ValidationError:
        raise SatelliteError(
            f"{root / MARK}, which says that the satellite is being moved, cannot be understood.",
            "If a newer version of python-butler wrote it, upgrade.",
        ) from None


def write_move(root: Path, move: Move) -> None:
    """Write the note, durably.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    move : `Move`
        What it shall say.
    """
    atomic_write(root / MARK, move.model_dump_json(indent=2).encode() + b"\n")


def remove_move(root: Path) -> None:
    """Remove the note, durably.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    """
    (root / MARK).unlink(missing_ok=True)
    sync_directory(root)


def refuse_if_moving(root: Path) -> None:
    """Let nobody write who could write to what is left behind; costs one look at the directory.

    To be asked before anything is written. Who makes something known without the database, such as the
    spool, asks again after that, and takes it back if it is refused then: what was there before the note
    is moved, what comes after it is not.

    If the process that moved the satellite is gone, its move is paused, or completed if it was checked
    already, and nobody is refused.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Raises
    ------
    SatelliteError
        If the satellite is being moved, or was moved elsewhere.
    """
    if not os.path.lexists(root / MARK):
        return
    move = read_move(root)
    if move is None or move.stage is Stage.PAUSED:
        return
    if move.stage is Stage.DONE:
        raise _moved(root, move)
    # Not at the top: both are made of what writes, which asks here first.
    from ..spool.lock import FileLock

    if FileLock(root / LOCK).held():
        if move.stage is Stage.LEAVING:
            return
        raise SatelliteError(
            f"The satellite in {root} is being moved since {move.began:%Y-%m-%d %H:%M} UTC "
            f"(process {move.process} on {move.host}): it can be read, not written.",
            "Wait for the end.",
        )
    from .recover import recover

    recover(root)
    if (rest := read_move(root)) is not None and rest.stage is Stage.DONE:
        raise _moved(root, rest)


def _moved(root: Path, move: Move) -> SatelliteError:
    return SatelliteError(
        f"The satellite in {root} was moved to {move.root}; what is left here cannot be written.",
        f"Open it there, for example with --root {move.root}.",
    )
