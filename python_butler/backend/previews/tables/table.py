"""What every opened table can do, whatever its file's format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ....errors import InvalidRequestError
from .giving_up import Waiting
from .models import TableColumn

__all__ = ["OpenTable", "find_columns"]


class OpenTable(Protocol):
    """A table that is open; its methods are called by one thread at a time."""

    rows: int
    columns: tuple[TableColumn, ...]
    format: str
    size: int
    memory: int
    selectable: bool
    held: int
    """Bytes that it holds in memory for as long as it is open, besides blocks."""

    @property
    def bytes_read(self) -> int:
        """Bytes of its file that were read so far."""

    def scan(self, columns: Sequence[str], stop: int, waiting: Waiting) -> Iterator[pa.RecordBatch]:
        """Read columns from the first row on, a batch at a time, up to a row."""

    def take(self, columns: Sequence[str], rows: npt.NDArray[np.int64], waiting: Waiting) -> pa.Table:
        """Read some cells; the rows may be in any order."""

    def close(self) -> None:
        """Give the file back."""


def find_columns(table: OpenTable, names: Sequence[str]) -> list[TableColumn]:
    """Find columns by their names.

    Parameters
    ----------
    table : `OpenTable`
        Where.
    names : sequence of `str`
        Their names.

    Returns
    -------
    columns : `list` [`TableColumn`]
        As many as names.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If there is none of that name.
    """
    known = {column.name: column for column in table.columns}
    for name in names:
        if name not in known:
            raise InvalidRequestError(f"The table has no column {name!r}.", "Choose one from its list.")
    return [known[name] for name in names]
