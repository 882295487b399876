"""Rows are sorted as Python sorts them, with some of them on disk."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Iterator

import pytest

from python_butler.federation import sorting
from python_butler.federation.sorting import sorted_rows


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95])
def test_rows_come_as_from_sorted_and_equal_ones_in_their_order(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "ROWS_HELD", 10)
    monkeypatch.setattr(sorting, "_ROWS_READ", 3)
    generator = random.Random(count)
    rows = [(generator.randrange(5), number) for number in range(count)]
    assert list(sorted_rows(rows, lambda row: row[0])) == sorted(rows, key=lambda row: row[0])


def test_few_of_many_rows_are_in_memory() -> None:
    def rows() -> Iterator[tuple[float, bytes]]:
        generator = random.Random(0)
        for number in range(200_000):
            yield generator.random(), b"%0200d" % number

    tracemalloc.start()
    try:
        assert sum(1 for _ in sorted_rows(rows(), lambda row: row[0])) == 200_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # All of them would take four times as much.
    assert peak < 20_000_000


def test_whoever_takes_the_first_rows_only_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    write = sorting._written
    monkeypatch.setattr(sorting, "_written", lambda rows: files.append(write(rows)) or files[-1])
    rows = sorted_rows(range(100_000, 0, -1), lambda row: row)
    assert next(rows) == 1
    assert files
    assert not any(file.closed for file in files)
    rows.close()
    assert all(file.closed for file in files)
