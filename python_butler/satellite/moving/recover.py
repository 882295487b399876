"""What becomes of a move whose process is gone: it is paused, or completed if only the end was missing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import SatelliteError
from ..layout import MARKER, read_marker
from ..spool.lock import FileLock
from ..storage import storage_of
from ..storage.schemas import claim_of, drop_tables
from .freeze import thaw
from .mark import LOCK, Move, Stage, read_move, remove_move, write_move
from .switch import building_of, leave, new_files, remove_files, switch

__all__ = ["abandon", "end_leaving", "forget", "moving_alone", "pause", "recover"]


@contextmanager
def moving_alone(root: Path) -> Iterator[FileLock]:
    """Be the only one who moves a satellite.

    Parameters
    ----------
    root : `pathlib.Path`
        Its directory.

    Yields
    ------
    lock : `python_butler.satellite.spool.lock.FileLock`
        What it is known by.

    Raises
    ------
    SatelliteError
        If another process is moving it.
    """
    lock = FileLock(root / LOCK)
    if not lock.acquire():
        owner = lock.owner()
        who = f" (process {owner.pid} on {owner.host})" if owner is not None else ""
        raise SatelliteError(f"The satellite in {root} is being moved{who}.", "Wait for the end.")
    try:
        yield lock
    finally:
        lock.release()
        if not (root / MARKER).exists():
            # What was left behind was removed, but for the lock.
            with contextlib.suppress(OSError):
                root.rmdir()


def recover(root: Path) -> None:
    """Look after a move whose process is gone; harmless if there is none.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Raises
    ------
    SatelliteError
        If the databases cannot be reached.
    """
    with moving_alone(root):
        move = read_move(root)
        if move is None:
            return
        if move.stage is Stage.COPYING:
            pause(root, move)
        elif move.stage is Stage.SWITCHING:
            switch(root, move)
        elif move.stage is Stage.LEAVING:
            end_leaving(root, move)


def end_leaving(root: Path, move: Move) -> None:
    """End removing the directory that a satellite came from.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory now.
    move : `Move`
        What was done.
    """
    if move.left is not None and _is_left(move.left, move):
        with moving_alone(move.left):
            leave(move.left, move)
    remove_move(root)


def _is_left(root: Path, move: Move) -> bool:
    """Whether a directory is still what a move left, and nobody else's."""
    there = read_move(root)
    if there is not None:
        return there.id == move.id
    # Its note goes last, but for the lock.
    return root.is_dir() and [path.name for path in root.iterdir()] == [LOCK]


def pause(root: Path, move: Move) -> None:
    """Let the old place be written again; what was copied stays, so that moving again is quick.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    move : `Move`
        What was being done.
    """
    thaw(storage_of(root))
    write_move(root, move.model_copy(update={"stage": Stage.PAUSED}))


def forget(root: Path, move: Move) -> None:
    """Have a move not begun that came to nothing.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    move : `Move`
        What was to be done; nothing was copied that would be worth keeping.
    """
    thaw(storage_of(root))
    shutil.rmtree(building_of(root, move), ignore_errors=True)
    remove_move(root)


def abandon(root: Path) -> bool:
    """Give up a move that was stopped: all is as before, and what was copied is removed.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Returns
    -------
    abandoned : `bool`
        Whether there was one.

    Raises
    ------
    SatelliteError
        If it is going on, or so far that it can only be completed, or something cannot be removed.
    """
    with moving_alone(root):
        move = read_move(root)
        if move is None:
            return False
        if move.stage is Stage.LEAVING:
            end_leaving(root, move)
            return False
        if move.stage in (Stage.SWITCHING, Stage.DONE):
            raise SatelliteError(
                f"The satellite in {root} has been moved to {move.root} already.",
                "Move it back if you want it here."
                if move.stage is Stage.DONE
                else "Move it again: it goes on.",
            )
        if move.stage is Stage.COPYING:
            pause(root, move)
        shutil.rmtree(building_of(root, move), ignore_errors=True)
        if (move.new.registry, move.new.namespace) != (move.old.registry, move.old.namespace):
            _drop(root, move)
        if move.new.files is not None and move.new.files != move.old.files:
            remove_files(new_files(move))
        remove_move(root)
        return True


def _drop(root: Path, move: Move) -> None:
    """Remove what was copied to a database, if it is of this satellite."""
    if move.new.registry is None or move.new.namespace is None:
        return
    claim = claim_of(move.new.registry, move.new.namespace)
    if claim is not None and claim.id == read_marker(root).id:
        drop_tables(move.new.registry, move.new.namespace)
