"""A satellite of one's own to write into, and to grow old."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from astropy.time import Time, TimeDelta
from lsst.daf.butler import CollectionType, DatasetRef
from lsst.daf.butler.time_utils import TimeConverter

from python_butler.satellite import Satellite


@dataclass
class Mine:
    """A satellite with a skymap of ten tracts, and ways to write into it."""

    satellite: Satellite

    def put(self, run: str, *tracts: int, dataset_type: str = "stars", size: int = 1) -> list[DatasetRef]:
        """Put a small dataset of each tract into a run; a version run gets its place in its chain."""
        with self.satellite.writer() as writer:
            writer.collections.register(run)
            name, _, last = run.rpartition("/")
            if last.startswith("v") and last[1:].isdigit():
                writer.collections.register(name, CollectionType.CHAINED)
                if run not in writer.collections.get_info(name).children:
                    writer.collections.prepend_chain(name, run)
            return [
                writer.put({"a": "x" * size}, dataset_type, skymap="sky", tract=tract, run=run)
                for tract in tracts
            ]

    def age(self, refs: Iterable[DatasetRef], days: float) -> None:
        """Let datasets have been registered some days ago, by the clock of that time."""
        date = Time.now().tai - TimeDelta(days, format="jd")
        nanoseconds = TimeConverter().astropy_to_nsec(date)
        with sqlite3.connect(self.satellite.root / "gen3.sqlite3") as database:
            for ref in refs:
                database.execute("UPDATE dataset SET ingest_date = ? WHERE id = ?", (nanoseconds, ref.id.hex))
        database.close()

    def there(self) -> set[tuple[str, str, int]]:
        """Run, type and tract of all datasets; each is read."""
        with self.satellite.reader() as reader:
            refs = reader.query_all_datasets("*", find_first=False)
            for ref in refs:
                reader.get(ref)
            return {(ref.run, ref.datasetType.name, int(ref.dataId["tract"])) for ref in refs}

    def files(self) -> list[Path]:
        """All files of datasets."""
        return sorted(path for path in (self.satellite.root / "files").rglob("*") if path.is_file())

    def trash(self) -> int:
        """How many rows there are in upstream's trash."""
        with sqlite3.connect(self.satellite.root / "gen3.sqlite3") as database:
            (count,) = database.execute("SELECT count(*) FROM dataset_location_trash").fetchone()
        database.close()
        return int(count)
