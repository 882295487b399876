"""Sorting more rows than are to be held in memory."""

from __future__ import annotations

import heapq
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from lsst.utils.iteration import chunk_iterable

__all__ = ["sorted_rows"]

ROWS_HELD = 20_000
"""Rows that are sorted in memory; more go to temporary files, so many in each."""

_ROWS_READ = 500


def sorted_rows[T](rows: Iterable[T], key: Callable[[T], Any]) -> Iterator[T]:
    """Sort rows, as `sorted` does, however many there are.

    Parameters
    ----------
    rows : iterable
        Rows that can be pickled.
    key : callable
        What they are sorted by. Rows that are equal in it stay in their order.

    Yields
    ------
    row : `object`
        The rows in order.

    Raises
    ------
    OSError
        If there are many, and no room for them in the directory of temporary files.
    """
    runs: list[IO[bytes]] = []
    held: list[T] = []
    try:
        for chunk in chunk_iterable(rows, ROWS_HELD):
            if held:
                runs.append(_written(held))
            held = sorted(chunk, key=key)
        yield from heapq.merge(*map(_read, runs), held, key=key)
    finally:
        for run in runs:
            run.close()


def _written(rows: list[Any]) -> IO[bytes]:
    """Write rows to a file that goes away when it is closed, also when the process is killed."""
    file = tempfile.TemporaryFile(prefix="python-butler-")  # noqa: SIM115  closed when all is read
    for chunk in chunk_iterable(rows, _ROWS_READ):
        # What the rows of a chunk have in common, such as the dataset type, is written once.
        pickle.dump(chunk, file, pickle.HIGHEST_PROTOCOL)
    file.seek(0)
    return file


def _read(file: IO[bytes]) -> Iterator[Any]:
    while True:
        try:
            # Our own file, which has no name that anybody else could open.
            rows = pickle.load(file)  # noqa: S301
        except EOFError:
            return
        yield from rows
