"""A copy of a satellite's SQLite database as it is at one moment, while others go on writing."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ...errors import SatelliteError
from ..configuration import reason
from ..storage.direct import reading

__all__ = ["RECORDS", "Artifact", "Snapshot", "copy_database", "group_artifacts"]

_PAGES = 2_000
"""Pages that are copied before it is asked whether to go on."""

RECORDS = "file_datastore_records"
"""Table of the records of the personal datastore."""


@dataclass(frozen=True)
class Artifact:
    """A file of personal datasets, as the database names it.

    Attributes
    ----------
    path : `str`
        Path below the datastore's root.
    size : `int` or `None`
        Bytes; `None` if it is a zip file, of which only the contents' sizes are known.
    datasets : `frozenset` [`str`]
        IDs of the datasets that are in it: a file with the same path but of another dataset is another.
    removed : `bool`
        Whether these datasets were removed, and the file is to be, or was.
    """

    path: str
    size: int | None
    datasets: frozenset[str]
    removed: bool = False


def group_artifacts(
    rows: Iterable[tuple[str, int | None, str]], trash: Collection[str]
) -> tuple[dict[str, Artifact], int]:
    """Find the files that the records of a datastore name.

    Parameters
    ----------
    rows : iterable of `tuple`
        Path, size and dataset ID, in hexadecimal digits, of each record.
    trash : collection of `str`
        IDs of datasets that were removed.

    Returns
    -------
    artifacts : `dict` [`str`, `Artifact`]
        Files below the datastore's root by path.
    elsewhere : `int`
        Datasets whose files are not below it.
    """
    sizes: dict[str, int | None] = {}
    datasets: defaultdict[str, set[str]] = defaultdict(set)
    elsewhere: set[str] = set()
    for path, size, dataset in rows:
        if "://" in path:
            elsewhere.add(dataset)
            continue
        name, mark, _ = path.partition("#")
        sizes[name] = None if mark or size is None or size < 0 else size
        datasets[name].add(dataset)
    artifacts = {
        path: Artifact(path, size, frozenset(datasets[path]), datasets[path] <= set(trash))
        for path, size in sizes.items()
    }
    return artifacts, len(elsewhere)


def copy_database(source: Path, target: Path, check: Callable[[], None]) -> None:
    """Copy a database with SQLite's own means: readers are not hindered, writers wait meanwhile.

    Parameters
    ----------
    source : `pathlib.Path`
        The database.
    target : `pathlib.Path`
        Where to; replaced if it is there.
    check : callable
        Called again and again; raises to stop.

    Raises
    ------
    SatelliteError
        If the database is damaged, or somebody keeps writing.
    OSError
        If the copy cannot be written.
    """
    target.unlink(missing_ok=True)
    try:
        # Reading in a transaction keeps writers from changing what was copied already: SQLite would
        # begin anew each time, perhaps for ever.
        with reading(source) as here, closing(sqlite3.connect(target)) as there:
            there.execute("PRAGMA synchronous = OFF")
            here.backup(there, pages=_PAGES, progress=lambda *_: check())
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            raise OSError(28, "No space left on device", str(target)) from error
        raise SatelliteError(
            f"The database {source} cannot be copied: {reason(error)}.",
            "Try again later; if it is damaged, satellite check tells more.",
        ) from error


class Snapshot:
    """What a copied database says there is.

    Parameters
    ----------
    database : `pathlib.Path`
        The copy, or a database that is not written meanwhile.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self.elsewhere = 0
        """Datasets whose files are not below the datastore's root."""

        self.artifacts: dict[str, Artifact] = {}
        """Files by path."""

        self._read()

    def _read(self) -> None:
        with reading(self._database) as connection:
            self.datasets: int = connection.execute("SELECT count(*) FROM dataset").fetchone()[0]
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if RECORDS not in tables:
                return
            trash = {row[0] for row in connection.execute("SELECT dataset_id FROM dataset_location_trash")}
            rows = connection.execute(
                f"SELECT path, file_size, dataset_id FROM {RECORDS}"  # noqa: S608  a constant
            )
            self.artifacts, self.elsewhere = group_artifacts(rows, trash)

    def registered(self, datasets: Iterable[str]) -> set[str]:
        """Tell which datasets the registry has.

        Parameters
        ----------
        datasets : iterable of `str`
            IDs in hexadecimal digits.

        Returns
        -------
        known : `set` [`str`]
            Those it has.
        """
        with reading(self._database) as connection:
            query = "SELECT 1 FROM dataset WHERE id = ?"
            return {each for each in datasets if connection.execute(query, (each,)).fetchone()}

    def check(self) -> None:
        """Make sure that the database is whole.

        Raises
        ------
        SatelliteError
            If it is damaged.
        """
        try:
            with reading(self._database) as connection:
                found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
        except sqlite3.DatabaseError as error:
            found = [str(error)]
        if found != ["ok"]:
            raise SatelliteError(
                f"The copy of the database is damaged: {'; '.join(found)}.",
                "satellite check tells more about the satellite that it is of.",
            )
