"""Few tables are open at a time, and none for long when nobody looks at it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from astropy.table import Table
from lsst.daf.butler import Butler, DatasetType

from python_butler.backend.personal import PersonalRepository
from python_butler.backend.previews.tables.giving_up import Waiting
from python_butler.backend.previews.tables.models import TableView
from python_butler.backend.previews.tables.shelf import Shelf

from ..conftest import wait_until

Tables = tuple[PersonalRepository, list[UUID]]


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tables:
    """A personal repository with ten tables."""
    monkeypatch.setenv("PYTHON_BUTLER_ROOT", str(tmp_path))
    Butler.makeRepo(str(tmp_path / "dp2"))
    with Butler.from_config(str(tmp_path / "dp2"), writeable=True) as butler:
        ids = []
        for number in range(10):
            kind = DatasetType(f"t{number}", [], "ArrowAstropy", universe=butler.dimensions)
            butler.registry.registerDatasetType(kind)
            butler.registry.registerRun("u/me/t")
            ids.append(butler.put(Table({"x": np.arange(100) * number}), kind.name, run="u/me/t").id)
    return PersonalRepository("dp2"), ids


def test_the_longest_unused_is_closed_when_there_are_many(
    tables: Tables,
) -> None:
    repository, ids = tables
    shelf = Shelf()
    opened = []
    for each in ids:
        with shelf.using(repository, each, Waiting()) as table:
            opened.append(table)
            table.take(["x"], np.array([3]), Waiting())
            shelf.select(table, TableView(sort="x", descending=True), Waiting())
    assert len(shelf) == 6
    with shelf.using(repository, ids[-1], Waiting()) as table:
        assert table is opened[-1]
    with shelf.using(repository, ids[0], Waiting()) as table:
        assert table is not opened[0]
        assert table.take(["x"], np.array([3]), Waiting())["x"].to_pylist() == [0]
    shelf.clear()
    assert len(shelf) == shelf.blocks.size == shelf.selections.size == 0


def test_what_nobody_looks_at_is_closed_by_itself(tables: Tables) -> None:
    repository, ids = tables
    shelf = Shelf(idle=0.2)
    with shelf.using(repository, ids[0], Waiting()) as table:
        table.take(["x"], np.array([3]), Waiting())
        assert shelf.blocks.size > 0
    wait_until(lambda: len(shelf) == 0)
    assert shelf.blocks.size == 0


def test_an_order_is_found_out_once(tables: Tables) -> None:
    repository, ids = tables
    shelf = Shelf()
    view = TableView(sort="x", descending=True)
    with shelf.using(repository, ids[3], Waiting()) as table:
        first = shelf.select(table, view, Waiting())
        assert first.rows is not None
        assert first.rows[:3].tolist() == [99, 98, 97]
        assert shelf.select(table, view, Waiting()) is first
