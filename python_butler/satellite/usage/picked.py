"""How many official datasets are in tags and calibration collections: counted by the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler import CollectionType

from ..presence import PINNED, is_pinned
from .amounts import Kind
from .tables import Tables

__all__ = ["official_in"]


def official_in(
    tables: Tables, collections: Collection[str], *, besides: Collection[str]
) -> Counter[tuple[str, Kind]]:
    """Count the official datasets in tags and calibration collections.

    Parameters
    ----------
    tables : `Tables`
        Those of the satellite.
    collections : collection of `str`
        Names of tags and calibration collections; those that it does not have are left out.
    besides : collection of `str`
        Runs whose datasets are not counted, since they are counted elsewhere.

    Returns
    -------
    counts : `~collections.Counter`
        By dataset type, and `Kind.REFERENCED` or `Kind.PINNED`. A dataset counts once, in however many of
        the collections it is.
    """
    counts: Counter[tuple[str, Kind]] = Counter()
    present = tables.collections(CollectionType.TAGGED, CollectionType.CALIBRATION)
    wanted = [key for key, name in present.items() if name in collections]
    associations = tables.associations()
    if not wanted or not associations:
        return counts
    members = sqlalchemy.union(
        *(
            sqlalchemy.select(each.table.columns.dataset_id).where(each.collection.in_(wanted))
            for each in associations
        )
    ).subquery()
    runs, names = tables.runs(), tables.dataset_types()

    def counted(run: Any) -> bool:
        return runs.get(run) not in besides

    dataset = tables.dataset.columns
    group = tables.run_id, dataset.dataset_type_id
    picked = tables.dataset.join(members, members.columns[0] == dataset.id)

    references = tables.references.columns
    query = (
        sqlalchemy.select(*group, sqlalchemy.func.count(dataset.id.distinct()))
        .select_from(picked.join(tables.references, references.dataset_id == dataset.id))
        .group_by(*group)
    )
    with tables.query(query) as rows:
        for run, kind, number in rows:
            if counted(run):
                counts[names[kind], Kind.REFERENCED] += number

    files = tables.personal.columns
    # Whether a file is a copy is told by its whole name.
    query = (
        sqlalchemy.select(dataset.id, files.path, *group)
        .select_from(picked.join(tables.personal, files.dataset_id == dataset.id))
        .where(files.path.startswith(f"{PINNED}/", autoescape=True))
    )
    seen: set[UUID] = set()
    with tables.query(query) as rows:
        for dataset_id, path, run, kind in rows:
            if counted(run) and dataset_id not in seen and is_pinned(dataset_id, path):
                seen.add(dataset_id)
                counts[names[kind], Kind.PINNED] += 1
    return counts
