"""Tables in Parquet files, of which only what is asked for is read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from .blocks import BLOCK_ROWS, Kept
from .columns import describe_columns, is_selectable
from .giving_up import Waiting
from .models import TableColumn
from .source import PartFile

__all__ = ["ParquetTable"]

_AT_ONCE = 16_000_000
"""Bytes of a row group up to which its columns are read in as few requests as possible; more is streamed."""
_STREAM = 1 << 18
"""Bytes read at a time of what is streamed."""
_KEEP = 48_000_000
"""Bytes of a row group's columns up to which all that had to be decoded on the way is kept."""


class ParquetTable:
    """A table in a Parquet file.

    Parameters
    ----------
    file : `PartFile`
        The file.
    blocks : `Kept`
        Where decoded pieces are kept.
    on_close : callable, optional
        Gives the file back.
    """

    format = "Parquet"
    held = 0

    def __init__(
        self, file: PartFile, blocks: Kept[pa.Array], on_close: Callable[[], None] | None = None
    ) -> None:
        self._file = file
        self._blocks = blocks
        self._on_close = on_close
        # Nothing of the file is in memory but its footer.
        self._streamed = pq.ParquetFile(file, buffer_size=_STREAM)
        metadata = self._streamed.metadata
        self._at_once = pq.ParquetFile(file, metadata=metadata, pre_buffer=True)
        self._schema: pa.Schema = self._streamed.schema_arrow
        groups = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(groups, dtype=np.int64)])
        self._leaves = _leaves(metadata)
        self.rows: int = metadata.num_rows
        self.columns: tuple[TableColumn, ...] = tuple(describe_columns(self._schema))
        self.size = file.size
        self.memory = sum(
            metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups)
        )
        self.selectable = is_selectable(self._schema)

    @property
    def bytes_read(self) -> int:
        """Bytes of the file that were read so far."""
        return self._file.bytes_read

    def close(self) -> None:
        """Give the file back, and the memory of its pieces."""
        self._blocks.drop(self)
        with contextlib.suppress(Exception):
            self._streamed.close()
            self._at_once.close()
        if self._on_close is not None:
            self._on_close()

    def scan(self, columns: Sequence[str], stop: int, waiting: Waiting) -> Iterator[pa.RecordBatch]:
        """Read columns from the first row on, a batch at a time.

        Parameters
        ----------
        columns : sequence of `str`
            Which.
        stop : `int`
            Row before which to stop.
        waiting : `Waiting`
            Asked before each batch.

        Yields
        ------
        batch : `pyarrow.RecordBatch`
            Some rows.
        """
        left = min(stop, self.rows)
        with self._file.waited_for(waiting):
            for group in range(len(self._starts) - 1):
                for batch in self._batches(group, list(dict.fromkeys(columns))):
                    if left <= 0:
                        return
                    waiting.check()
                    yield batch.slice(0, left).select(list(columns))
                    left -= batch.num_rows

    def take(self, columns: Sequence[str], rows: npt.NDArray[np.int64], waiting: Waiting) -> pa.Table:
        """Read some cells.

        Parameters
        ----------
        columns : sequence of `str`
            Which columns.
        rows : `numpy.ndarray`
            Which rows, in any order.
        waiting : `Waiting`
            Asked now and then.

        Returns
        -------
        table : `pyarrow.Table`
            As many rows, in that order.
        """
        names = list(dict.fromkeys(columns))
        wanted, inverse = np.unique(rows, return_inverse=True)
        groups = np.searchsorted(self._starts, wanted, side="right") - 1
        parts: dict[str, list[pa.Array]] = {name: [] for name in names}
        with self._file.waited_for(waiting):
            for group in np.unique(groups):
                within = wanted[groups == group] - self._starts[group]
                numbers = within // BLOCK_ROWS
                blocks = self._read(int(group), names, sorted({int(each) for each in numbers}), waiting)
                for name in names:
                    for number in np.unique(numbers):
                        place = within[numbers == number] - number * BLOCK_ROWS
                        parts[name].append(blocks[name, int(number)].take(pa.array(place)))
        order = pa.array(inverse.ravel())
        found = [pa.chunked_array(parts[name], self._schema.field(name).type) for name in names]
        return pa.table([column.take(order) for column in found], names=names).select(list(columns))

    def _read(
        self, group: int, names: Sequence[str], numbers: Sequence[int], waiting: Waiting
    ) -> dict[tuple[str, int], pa.Array]:
        """Blocks of a row group, from the cache or from the file."""
        found: dict[tuple[str, int], pa.Array] = {}
        missing: list[str] = []
        for name in names:
            kept = {number: self._blocks.get((self, group, name, number)) for number in numbers}
            if any(block is None for block in kept.values()):
                missing.append(name)
            else:
                found |= {(name, number): block for number, block in kept.items()}
        if missing:
            keep_all = self._weight(group, missing, compressed=False) <= _KEEP
            for number, batch in self._cut(group, missing, last=numbers[-1]):
                waiting.check()
                if keep_all or number in numbers:
                    for name in missing:
                        block = batch[name]
                        self._blocks.keep((self, group, name, number), block)
                        if number in numbers:
                            found[name, number] = block
        return found

    def _cut(
        self, group: int, names: Sequence[str], *, last: int
    ) -> Iterator[tuple[int, dict[str, pa.Array]]]:
        """Cut columns of a row group into blocks, up to a block; batches may end anywhere."""
        number, pending, rows = 0, [], 0
        left = int(self._starts[group + 1] - self._starts[group])
        for batch in self._batches(group, names):
            while batch.num_rows:
                piece = batch.slice(0, BLOCK_ROWS - rows)
                batch = batch.slice(piece.num_rows)
                pending.append(piece)
                rows += piece.num_rows
                left -= piece.num_rows
                if rows == BLOCK_ROWS or left == 0:
                    yield number, _joined(pending, names)
                    if number == last:
                        return
                    number, pending, rows = number + 1, [], 0

    def _batches(self, group: int, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        few = self._weight(group, names, compressed=True) <= _AT_ONCE
        reader = self._at_once if few else self._streamed
        yield from reader.iter_batches(BLOCK_ROWS, row_groups=[group], columns=list(names), use_threads=False)

    def _weight(self, group: int, names: Sequence[str], *, compressed: bool) -> int:
        chunks = self._streamed.metadata.row_group(group)
        return sum(
            chunks.column(leaf).total_compressed_size
            if compressed
            else chunks.column(leaf).total_uncompressed_size
            for name in names
            for leaf in self._leaves.get(name, ())
        )


def _joined(pieces: Sequence[pa.RecordBatch], names: Sequence[str]) -> dict[str, pa.Array]:
    # Copied in any case: a slice keeps all that it is a slice of.
    joined = {name: pa.concat_arrays([piece.column(name) for piece in pieces]) for name in names}
    return {name: column if len(pieces) > 1 else _owned(column) for name, column in joined.items()}


def _owned(column: pa.Array) -> pa.Array:
    whole = column.offset == 0 and column.get_total_buffer_size() <= column.nbytes + 4096
    return column if whole else column.take(pa.array(np.arange(len(column))))


def _leaves(metadata: pq.FileMetaData) -> dict[str, list[int]]:
    """Which column chunks belong to a column: several, for those that hold lists or structures."""
    leaves: dict[str, list[int]] = {}
    schema = metadata.schema
    paths = [schema.column(index).path for index in range(metadata.num_columns)]
    names = schema.to_arrow_schema().names
    known = set(names)
    for index, path in enumerate(paths):
        # A flat column's name may itself have dots.
        name = path if path in known else path.partition(".")[0]
        leaves.setdefault(name, []).append(index)
    return leaves
