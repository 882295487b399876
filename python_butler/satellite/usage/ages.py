"""How old datasets are, whatever the clock said when they were written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.resources import ResourcePath

from .names import VersionRun
from .tables import Tables, now_in_nanoseconds

__all__ = ["Ages", "Copies"]


class Ages:
    """Which datasets are old, by a clock that may have been wrong for a while.

    A dataset is not older than any that was registered before it, nor than an earlier version of it:
    whatever the clock said when it was written. One that is dated in the future is not old.

    Parameters
    ----------
    tables : `Tables`
        Tables of the satellite.
    limit : `datetime.timedelta`
        What was registered longer ago is old.
    versions : `dict` [`str`, `VersionRun`]
        Runs that hold versions.
    """

    def __init__(self, tables: Tables, limit: timedelta, versions: dict[str, VersionRun]) -> None:
        now = now_in_nanoseconds()
        runs = tables.runs()
        self._limit = now - int(limit.total_seconds() * 1_000_000_000)
        self._future: set[UUID] = set()
        dataset = tables.dataset.columns
        order = tables.insertion_order()
        query = sqlalchemy.select(dataset.id, tables.run_id, tables.ingest_date(), order).order_by(order)
        latest = latest_before = -1
        place: Any = None
        by_run: dict[str, int] = {}
        rows: list[tuple[UUID, str | None, int]] = []
        with tables.query(query) as result:
            for dataset_id, run, date, position in result:
                if position != place:
                    # Those that were registered together are in no order.
                    place, latest_before = position, latest
                if date > now:
                    self._future.add(dataset_id)
                    continue
                latest = max(latest, date)
                name = runs.get(run)
                effective = max(date, latest_before)
                rows.append((dataset_id, name, effective))
                if name in versions:
                    by_run[name] = min(by_run.get(name, effective), effective)
        begun = _begun(by_run, versions)
        self._old = {
            dataset_id
            for dataset_id, name, date in rows
            if max(date, begun.get(name or "", date)) < self._limit
        }

    def is_old(self, dataset_id: UUID, *written: int) -> bool:
        """Whether a dataset, and a copy that was written at some time, are old enough."""
        return dataset_id in self._old and all(each < self._limit for each in written)

    def is_in_future(self, dataset_id: UUID) -> bool:
        """Whether a dataset bears a date that has not come."""
        return dataset_id in self._future


def _begun(by_run: dict[str, int], versions: dict[str, VersionRun]) -> dict[str, int]:
    """When each version was begun: not before the one before it."""
    begun: dict[str, int] = {}
    latest: dict[str, int] = {}
    for run in sorted(by_run, key=lambda each: versions[each].number):
        name = versions[run].name
        begun[run] = latest[name] = max(by_run[run], latest.get(name, by_run[run]))
    return begun


class Copies:
    """When copies of official datasets were made: later than these were registered, maybe.

    Parameters
    ----------
    root : `lsst.resources.ResourcePath`
        Where the satellite's files are.
    """

    def __init__(self, root: ResourcePath) -> None:
        self._root = root

    def written(self, path: str) -> int:
        """Time at which a copy was written, in nanoseconds; 0 if it cannot be told."""
        try:
            modified = self._root.join(path).get_info().last_modified
        except OSError:
            return 0
        return int(modified.timestamp() * 1e9) if modified is not None else 0
