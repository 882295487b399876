"""Tables for the tests of their preview, and repositories that need no server to be looked at."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from python_butler.backend.previews.tables.blocks import Kept
from python_butler.backend.previews.tables.giving_up import Waiting
from python_butler.backend.previews.tables.parquet import ParquetTable
from python_butler.backend.previews.tables.source import PartFile

GROUP = 50_000


@dataclass
class Counted:
    """A file whose reads are written down."""

    path: Path
    reads: list[tuple[int, int]] = field(default_factory=list)

    def fetch(self, start: int, stop: int) -> bytes:
        self.reads.append((start, stop))
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)

    @property
    def bytes(self) -> int:
        return sum(stop - start for start, stop in self.reads)

    def chunk(self) -> int:
        """Bytes of a column in a row group, at most."""
        metadata = pq.read_metadata(self.path)
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        return max(
            group.column(number).total_compressed_size
            for group in groups
            for number in range(group.num_columns)
        )

    def table(self, limit: int = 96_000_000) -> ParquetTable:
        return ParquetTable(PartFile(self.fetch, self.path.stat().st_size), Kept(limit))


def write(path: Path, columns: dict[str, Any], group: int = GROUP, **fields: dict[str, str]) -> Counted:
    table = pa.table(columns)
    schema = pa.schema([each.with_metadata(fields.get(each.name)) for each in table.schema])
    pq.write_table(table.cast(schema), path, row_group_size=group)
    return Counted(path)


def write_wide(path: Path, columns: int, rows: int, group: int) -> Counted:
    """Write a wide table, most columns of which are flags and every tenth a number, as in a catalogue."""
    flags = pa.array(np.random.default_rng(1).integers(0, 2, group) == 1)
    numbers = np.arange(group, dtype=np.float32)
    schema = pa.schema([pa.field(f"c{n:04}", pa.bool_() if n % 10 else pa.float32()) for n in range(columns)])
    with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as writer:
        for first in range(0, rows, group):
            here = [flags if n % 10 else pa.array(numbers + np.float32(first + n)) for n in range(columns)]
            writer.write_table(pa.table(here, schema=schema).slice(0, rows - first))
    return Counted(path)


def rows_of(table: ParquetTable, columns: Sequence[str], rows: Sequence[int]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = table.take(columns, np.array(rows, np.int64), Waiting()).to_pydict()
    return found


def left() -> Waiting:
    waiting = Waiting()
    waiting.cancelled.set()
    return waiting


def leaves_after(seconds: float) -> Waiting:
    waiting = Waiting()
    threading.Timer(seconds, waiting.cancelled.set).start()
    return waiting
