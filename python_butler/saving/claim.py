"""Claiming datasets that are being written, so that nobody spools the same ones meanwhile."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

from lsst.daf.butler import DatasetRef
from lsst.daf.butler.registry import ConflictingDefinitionError

from ..satellite.durable import at_once, remove
from ..satellite.processes import running
from ..satellite.spool.desk import DIRECTORY
from ..satellite.spool.slip import name_of

__all__ = ["Claims", "held"]

_TARGET = re.compile(r"being-written-by-(?P<pid>\d+)-on-(?P<host>.+)")


class Claims:
    """What one transaction claims: each dataset once, until the transaction has ended."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._stack = contextlib.ExitStack()

    def claim(self, root: Path, refs: Iterable[DatasetRef]) -> None:
        """Claim datasets, as `held` does; those that this transaction has claimed before are no trouble.

        Parameters
        ----------
        root, refs
            As for `held`.

        Raises
        ------
        lsst.daf.butler.registry.ConflictingDefinitionError
            If one of them is in the spool, or being written by somebody else.
        """
        named = _named(refs)
        new = named.keys() - self._names
        self._stack.enter_context(held(root, [named[name] for name in new]))
        self._names |= new

    def release(self) -> None:
        """Give everything up; harmless if there is nothing."""
        self._names.clear()
        self._stack.close()


@contextlib.contextmanager
def held(root: Path, refs: Iterable[DatasetRef]) -> Iterator[None]:
    """Keep everybody from spooling datasets while they are written straight into the registry.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    refs : iterable of `lsst.daf.butler.DatasetRef`
        The datasets: their runs, types and data IDs matter.

    Raises
    ------
    lsst.daf.butler.registry.ConflictingDefinitionError
        If one of them is in the spool, or being written by somebody else.
    """
    process = os.getpid()
    claimed: list[Path] = []
    try:
        at_once(
            [partial(_claim, root / DIRECTORY / name, ref, claimed) for name, ref in _named(refs).items()]
        )
        yield
    finally:
        # After a fork there are two that think so.
        if os.getpid() == process:
            with contextlib.suppress(OSError):
                remove(claimed)


def _named(refs: Iterable[DatasetRef]) -> dict[str, DatasetRef]:
    return {name_of(ref.datasetType.name, ref.dataId, ref.run): ref for ref in refs}


def _claim(path: Path, ref: DatasetRef, claimed: list[Path]) -> None:
    # In the place of its slip: a link that leads nowhere, which those who look for slips pass over.
    try:
        try:
            _link(path)
        except FileExistsError:
            if not _removed_dead(path):
                raise
            _link(path)
    except FileExistsError:
        raise ConflictingDefinitionError(f"{ref} is in the spool, or being written.") from None
    except OSError:
        # No links here, or no room for one more name: only this race is then not excluded.
        return
    claimed.append(path)


def _link(path: Path) -> None:
    # Tells others whether the process is still alive.
    target = f"being-written-by-{os.getpid()}-on-{socket.gethostname()}"
    try:
        path.symlink_to(target)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target)


def _removed_dead(path: Path) -> bool:
    """Give back the name that a process kept which has ended; say whether it had one."""
    if not _is_dead(path):
        return False
    aside = path.with_name(f".{uuid4().hex}.stale")
    try:
        # Renaming takes away whatever is there by now: look at it, and give it back if need be.
        path.rename(aside)
    except FileNotFoundError:
        return True
    dead = _is_dead(aside)
    if not dead:
        with contextlib.suppress(FileExistsError):
            os.link(aside, path, follow_symlinks=False)
    aside.unlink()
    return dead


def _is_dead(path: Path) -> bool:
    try:
        claim = _TARGET.fullmatch(str(path.readlink()))
    except OSError:
        # A slip, or not there any more.
        return False
    return claim is not None and running(claim["host"], int(claim["pid"])) is False
