"""What journals tell of a run, while processes write them.

A line is complete or it is not taken into account: a process can be killed at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from ..workdir import WorkDirectory
from .journal import Event

__all__ = ["Following", "events", "initialised", "last_events"]


class Following:
    """What became of each quantum of a run, for whoever asks again and again: only what is new is read.

    To be used by several threads.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    """

    def __init__(self, workdir: WorkDirectory) -> None:
        self._directory = workdir.journal
        self._lock = threading.Lock()
        # How far each file was read; one that was replaced is another file.
        self._read: dict[Path, tuple[int, int]] = {}
        self._last: dict[UUID, Event] = {}

    def last(self) -> dict[UUID, Event]:
        """Find out what became of each quantum until now.

        Returns
        -------
        last : `dict` [`uuid.UUID`, `Event`]
            The last event of each quantum that has any.

        Raises
        ------
        OSError
            If a file cannot be read.
        """
        with self._lock:
            files = sorted(self._directory.glob("*.jsonl"))
            if not self._goes_on(files):
                self._read, self._last = {}, {}
            for path in files:
                self._read_on(path)
            return dict(self._last)

    def _goes_on(self, files: Sequence[Path]) -> bool:
        """Whether all that was read is there still."""
        if not self._read.keys() <= set(files):
            return False
        for path, (inode, position) in self._read.items():
            found = path.stat()
            if found.st_ino != inode or found.st_size < position:
                return False
        return True

    def _read_on(self, path: Path) -> None:
        with path.open("rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            _, position = self._read.get(path, (inode, 0))
            file.seek(position)
            for line in file:
                # What is being written is read again when it is whole.
                if line.endswith(b"\n"):
                    position += len(line)
                if (event := _event(line)) is not None:
                    self._take(event)
            self._read[path] = inode, position

    def _take(self, event: Event) -> None:
        before = self._last.get(event.quantum)
        # In the file of one process the later line counts, also within the same millisecond.
        if before is None or event.at >= before.at:
            self._last[event.quantum] = event


def last_events(workdir: WorkDirectory) -> dict[UUID, Event]:
    """Find out what became of each quantum.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.

    Returns
    -------
    last : `dict` [`uuid.UUID`, `Event`]
        The last event of each quantum that has any.
    """
    return Following(workdir).last()


def events(workdir: WorkDirectory) -> Iterator[Event]:
    """Read the journal.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.

    Yields
    ------
    event : `Event`
        In no order between processes.
    """
    for line in _lines(workdir):
        if (event := _event(line)) is not None:
            yield event


def initialised(workdir: WorkDirectory) -> bool:
    """Tell whether `Journal.note_initialised` was called for a run.

    Parameters
    ----------
    workdir : `python_butler.processing.workdir.WorkDirectory`
        Directory of the run.
    """
    return any("initialised" in _content(line) for line in _lines(workdir))


def _lines(workdir: WorkDirectory) -> Iterator[bytes]:
    for path in sorted(workdir.journal.glob("*.jsonl")):
        with path.open("rb") as file:
            yield from file


def _event(line: bytes) -> Event | None:
    content = _content(line)
    if "quantum" in content:
        with contextlib.suppress(TypeError, ValueError, KeyError):
            return Event.of(content)
    return None


def _content(line: bytes) -> dict[str, Any]:
    """What a line says; nothing if it is being written, or never will be whole."""
    with contextlib.suppress(ValueError):
        content = json.loads(line)
        if isinstance(content, dict):
            return content
    return {}
