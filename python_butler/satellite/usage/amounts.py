"""How many datasets there are of each kind in each run, and how large they are: added up by the database."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy
from lsst.daf.butler.direct_butler import DirectButler
from lsst.resources import ResourcePath

from ...datastore import personal_of
from ..presence import PINNED, is_pinned
from .tables import Tables

__all__ = ["Added", "Kind", "added_up"]

_MEASURED = 10_000
"""Files whose size is asked of the file system, at most, where rows do not tell it."""


class Kind(StrEnum):
    """To whom the files of a dataset belong, and where they are."""

    OWN = "own"
    """Stored in the satellite alone."""

    PINNED = "pinned"
    """Official, with a copy in the satellite."""

    REFERENCED = "referenced"
    """Official, with files on the official server only."""

    ELSEWHERE = "elsewhere"
    """The user's own, taken into the satellite with files that stayed where they were."""


@dataclass
class Added:
    """Datasets of one kind and type in one run, together.

    Attributes
    ----------
    kind : `Kind`
        What they are.
    run, dataset_type : `str`
        Where they are, and of which type.
    datasets : `int`
        How many.
    bytes : `int`
        Size of their files.
    unknown : `int`
        How many of them have files of unknown size, which are not in ``bytes``.
    """

    kind: Kind
    run: str
    dataset_type: str
    datasets: int = 0
    bytes: int = 0
    unknown: int = 0


def added_up(butler: DirectButler, tables: Tables) -> list[Added]:
    """Add up what is in a satellite.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    tables : `Tables`
        Its tables.

    Returns
    -------
    added : `list` [`Added`]
        One for each kind, run and dataset type of which there is something.
    """
    sums = _Sums(tables)
    records = tables.personal.columns
    shared = (
        sqlalchemy.select(records.path).group_by(records.path).having(sqlalchemy.func.count() > 1)
    ).scalar_subquery()
    special = sqlalchemy.or_(
        records.path.startswith(f"{PINNED}/", autoescape=True),
        records.path.contains("://"),
        records.path.contains("#"),
        records.path.in_(shared),
        records.file_size.is_(None),
        records.file_size < 0,
    )
    sums.add(Kind.OWN, tables.personal, sqlalchemy.not_(special))
    sums.add(Kind.REFERENCED, tables.references, sqlalchemy.true())
    _look_at(butler, tables, special, sums)
    return sums.all()


class _Sums:
    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._runs = tables.runs()
        self._types = tables.dataset_types()
        self._found: dict[tuple[Kind, Any, int], Added] = {}

    def of(self, kind: Kind, run: Any, dataset_type: int) -> Added:
        key = kind, run, dataset_type
        if key not in self._found:
            # A run that was made since is told by its number.
            names = self._runs.get(run, str(run)), self._types.get(dataset_type, str(dataset_type))
            self._found[key] = Added(kind, *names)
        return self._found[key]

    def all(self) -> list[Added]:
        return list(self._found.values())

    def add(self, kind: Kind, table: sqlalchemy.Table, where: sqlalchemy.ColumnElement[bool]) -> None:
        """Add what the database can add up by itself."""
        size = sqlalchemy.case((table.columns.file_size > 0, table.columns.file_size), else_=0)
        unknown = sqlalchemy.case((table.columns.file_size >= 0, 0), else_=1)
        query = sqlalchemy.select(
            *_group(self._tables),
            # A dataset that was taken apart has a row for each of its components.
            sqlalchemy.func.count(table.columns.dataset_id.distinct()),
            sqlalchemy.func.sum(size),
            sqlalchemy.func.sum(unknown),
        )
        query = query.select_from(_joined(self._tables, table)).where(where).group_by(*_group(self._tables))
        with self._tables.query(query) as rows:
            for run, dataset_type, datasets, count, lacking in rows:
                added = self.of(kind, run, dataset_type)
                added.datasets += datasets
                added.bytes += int(count or 0)
                added.unknown += int(lacking or 0)


def _group(tables: Tables) -> tuple[sqlalchemy.Column[Any], sqlalchemy.Column[Any]]:
    return tables.run_id, tables.dataset.columns.dataset_type_id


def _joined(tables: Tables, records: sqlalchemy.Table) -> sqlalchemy.Join:
    return records.join(tables.dataset, tables.dataset.columns.id == records.columns.dataset_id)


@dataclass(frozen=True)
class _Row:
    dataset_id: Any
    path: str
    size: int
    run: Any
    dataset_type: int


def _look_at(
    butler: DirectButler, tables: Tables, special: sqlalchemy.ColumnElement[bool], sums: _Sums
) -> None:
    """Add what the database cannot: several datasets in one file, and sizes that it does not have."""
    records = tables.personal.columns
    query = sqlalchemy.select(records.dataset_id, records.path, records.file_size, *_group(tables))
    with tables.query(query.select_from(_joined(tables, tables.personal)).where(special)) as result:
        rows = [_Row(each[0], each[1], -1 if each[2] is None else each[2], *each[3:]) for each in result]
    by_file: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_file[row.path.partition("#")[0]].append(row)
    measure = _Measure(personal_of(butler).root)
    counted: set[tuple[Kind, Any]] = set()
    for file, members in by_file.items():
        for row, size in _shares(file, members, measure):
            kind = _kind(row)
            added = sums.of(kind, row.run, row.dataset_type)
            if (kind, row.dataset_id) not in counted:
                counted.add((kind, row.dataset_id))
                added.datasets += 1
            added.bytes += size or 0
            added.unknown += size is None


def _kind(row: _Row) -> Kind:
    if "://" in row.path:
        return Kind.ELSEWHERE
    return Kind.PINNED if is_pinned(row.dataset_id, row.path) else Kind.OWN


def _shares(file: str, members: list[_Row], measure: _Measure) -> Iterator[tuple[_Row, int | None]]:
    """Divide a file among its datasets, so that the sum is its size."""
    zipped = "#" in members[0].path
    # The sizes of members of a zip file are those that they had before.
    size = None if zipped or members[0].size < 0 else members[0].size
    if size is None:
        size = measure(file)
    if size is None:
        yield from ((row, None) for row in members)
        return
    given = 0
    total = sum(max(row.size, 0) for row in members) if zipped else 0
    parts = 0.0
    for row in members:
        parts += max(row.size, 0) / total if total else 1 / len(members)
        share = round(size * parts) - given
        given += share
        yield row, share


class _Measure:
    """Asks the file system or object store for sizes, a limited number of times."""

    def __init__(self, root: ResourcePath) -> None:
        self._root = root
        self._left = _MEASURED

    def __call__(self, path: str) -> int | None:
        if not self._left:
            return None
        self._left -= 1
        with contextlib.suppress(OSError):
            uri = ResourcePath(path) if "://" in path else self._root.join(path)
            return int(uri.size())
        return None
