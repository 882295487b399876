"""What takes how much room in a satellite, from cheap queries and without a server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy
from lsst.daf.butler import CollectionType
from lsst.daf.butler.direct_butler import DirectButler

from ..configuration import PERSONAL
from ..spool import Spool
from ..storage import storage_of
from .amounts import Added, Kind, added_up
from .models import Amount, BatchUsage, CollectionUsage, Shares, TypeUsage, Usage, VersionUsage
from .names import VersionRun, version_runs
from .quota import volume_of
from .tables import Tables, time_of

if TYPE_CHECKING:
    from ..place import Place

__all__ = ["usage"]

_UNFINISHED = ("unfinished",)
"""Directories of the satellite with what is not complete yet."""


def usage(place: Place) -> Usage:
    """Find out what takes how much room: see `Satellite.usage`."""
    with place.reader() as reader:
        tables = Tables(reader)
        added = added_up(reader, tables)
        runs = set(tables.runs().values())
        chains = set(tables.collections(CollectionType.CHAINED).values())
        written = _written(tables)
        trash = _trash(tables)
        spool, batches = _waiting(place, reader)
    where = storage_of(place)
    volume = volume_of(place.root)
    files_volume = volume_of(where.local_files) if where.local_files is not None else None
    if volume is not None and files_volume is not None and files_volume.mounted_at == volume.mounted_at:
        files_volume = None
    return Usage(
        label=place.label,
        root=place.root,
        storage=str(where.local_files or where.files),
        total=_shares(added),
        collections=_collections(added, runs, chains, written),
        dataset_types=[
            TypeUsage(name=name, total=_shares(members))
            for name, members in _grouped(added, lambda each: each.dataset_type)
        ],
        database_bytes=where.database_bytes(),
        spool=spool,
        batches=batches,
        trash=trash,
        unfinished_bytes=sum(_size_of_tree(place.root / name) for name in _UNFINISHED),
        volume=volume,
        files_volume=files_volume,
    )


def _collections(
    added: list[Added], runs: set[str], chains: set[str], written: dict[str, datetime]
) -> list[CollectionUsage]:
    versions = version_runs(runs, chains)
    by_name: dict[str, list[VersionRun]] = {}
    for version in sorted(versions.values(), key=lambda each: -each.number):
        by_name.setdefault(version.name, []).append(version)
    grouped = dict(
        _grouped(added, lambda each: versions[each.run].name if each.run in versions else each.run)
    )
    # Also names of whose versions nothing is left.
    grouped.update({name: [] for name in sorted(by_name) if name not in grouped})
    return [
        CollectionUsage(
            name=name,
            total=_shares(members),
            versions=[
                VersionUsage(
                    run=version.run,
                    number=version.number,
                    written=written.get(version.run),
                    total=_shares(each for each in members if each.run == version.run),
                )
                for version in by_name.get(name, [])
            ],
        )
        for name, members in grouped.items()
    ]


def _grouped(added: list[Added], key: Callable[[Added], str]) -> Iterator[tuple[str, list[Added]]]:
    """Groups, those that take most room here first, then those that are largest elsewhere."""
    groups: dict[str, list[Added]] = {}
    for each in added:
        groups.setdefault(key(each), []).append(each)

    def weight(item: tuple[str, list[Added]]) -> tuple[int, int, str]:
        here = sum(each.bytes for each in item[1] if each.kind in (Kind.OWN, Kind.PINNED))
        return -here, -sum(each.bytes for each in item[1]), item[0]

    yield from sorted(groups.items(), key=weight)


def _shares(added: Iterable[Added]) -> Shares:
    added = list(added)

    def amount(kind: Kind) -> Amount:
        mine = [each for each in added if each.kind is kind]
        return Amount(
            datasets=sum(each.datasets for each in mine),
            bytes=sum(each.bytes for each in mine),
            unknown=sum(each.unknown for each in mine),
        )

    return Shares(**{kind.value: amount(kind) for kind in Kind})


def _written(tables: Tables) -> dict[str, datetime]:
    """When the last dataset of each run was registered."""
    runs = tables.runs()
    query = sqlalchemy.select(tables.run_id, sqlalchemy.func.max(tables.ingest_date()))
    found: dict[str, datetime] = {}
    with tables.query(query.group_by(tables.run_id)) as rows:
        for run, date in rows:
            if run in runs:
                found[runs[run]] = time_of(date).tai.to_datetime()
    return found


def _trash(tables: Tables) -> Amount:
    records, trash = tables.personal, tables.trash.columns
    joined = records.join(tables.trash, trash.dataset_id == records.columns.dataset_id)
    query = (
        sqlalchemy.select(
            sqlalchemy.func.count(records.columns.dataset_id.distinct()),
            sqlalchemy.func.sum(records.columns.file_size),
        )
        .select_from(joined)
        .where(trash.datastore_name == PERSONAL)
    )
    with tables.query(query) as rows:
        datasets, count = rows.one()
    return Amount(datasets=datasets, bytes=max(int(count or 0), 0))


def _waiting(place: Place, reader: DirectButler) -> tuple[Amount, list[BatchUsage]]:
    spool = Spool(place, reader.dimensions)
    refs = spool.acknowledged()
    infos: list[Any] = [
        info for ref in refs.values() for infos in (ref._datastore_records or {}).values() for info in infos
    ]
    size = sum(max(info.file_size or 0, 0) for info in infos)
    batches = [
        BatchUsage(id=each.id, name=each.name, began=each.began, datasets=each.datasets, bytes=each.size)
        for each in spool.batches()
    ]
    return Amount(datasets=len(refs), bytes=size), batches


def _size_of_tree(directory: Path) -> int:
    """Bytes in a directory that has few files."""
    total = 0
    for here, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(here) / name).stat().st_size
            except OSError:
                # It was finished meanwhile.
                continue
    return total
