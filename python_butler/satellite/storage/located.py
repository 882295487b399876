"""`Storage`: where one satellite's database and files are, as its configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from lsst.resources import ResourcePath
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ...errors import SatelliteError
from ..layout import CONFIG
from .postgres import PostgresWatch, unreachable
from .probing import Locks

if TYPE_CHECKING:
    from ..place import Place

__all__ = ["ABSENT", "LOCK_FILES", "ONE_WRITER", "Storage", "opening_failed", "storage_of"]

LOCK_FILES = "python_butler.satellite.storage.lockfiles.LockFileDatabase"
"""Class of the database where users of an SQLite file take turns by files."""

ONE_WRITER = "python_butler.satellite.storage.server.OneWriterDatabase"
"""Class of the database on a PostgreSQL server."""

ABSENT = "absent"
"""Version of a satellite that is not there."""

_BUTLER_ROOT = "<butlerRoot>"

_read: dict[Path, _Read] = {}
"""What was read last for each satellite's directory."""


@dataclass(frozen=True)
class Storage:
    """Where a satellite's database and files are. Holds nothing open; can be pickled and compared."""

    root: Path
    """The satellite's directory."""

    registry_url: str
    """Address of the database as SQLAlchemy writes it, without a password."""

    namespace: str | None
    """Schema of the satellite's tables in a PostgreSQL database."""

    is_sqlite: bool
    """Whether the database is an SQLite file."""

    locks: Locks | None
    """How users of that file take turns; `None` for a database server."""

    database_path: Path | None
    """That file; `None` for a database server."""

    files: ResourcePath
    """Root of the personal datastore."""

    local_files: Path | None
    """The same as a local directory; `None` for an object store."""

    @property
    def files_inside(self) -> bool:
        """Whether the files are in the satellite's directory, and move with it."""
        return self.local_files is not None and self.local_files.is_relative_to(self.root)

    @property
    def registry_name(self) -> str:
        """What to call the database when speaking to a person."""
        if self.database_path is not None:
            return str(self.database_path)
        return f"{self.registry_url}, schema {self.namespace}"

    def database_bytes(self) -> int | None:
        """Size of the database.

        Returns
        -------
        size : `int` or `None`
            Bytes of the file, or of the schema's tables on a server; `None` if there is no such file.

        Raises
        ------
        SatelliteError
            If a database server cannot be asked.
        """
        if self.database_path is None:
            return PostgresWatch.of(self.registry_url, self.namespace or "").size()
        try:
            return self.database_path.stat().st_size
        except OSError:
            return None

    def version(self) -> str:
        """Word that changes whenever the content of the database does.

        Returns
        -------
        version : `str`
            What comes before the first dash tells the database from another one that replaces it.
            `ABSENT` if there is none. Cheap enough to ask at any time: SQLite's is made of the file's
            identity, size and time of change, and may lag behind by some seconds on a network file
            system; PostgreSQL's of the transactions that are visible, of whatever schema of the server.

        Raises
        ------
        SatelliteError
            If a database server cannot be asked.
        """
        if self.database_path is None:
            return PostgresWatch.of(self.registry_url, self.namespace or "").word() or ABSENT
        # Never open the database file for this: closing a second descriptor of a file would drop
        # the locks that SQLite holds on it in this process.
        try:
            status = self.database_path.stat()
        except OSError:
            return ABSENT
        return f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"


@dataclass(frozen=True)
class _Read:
    """What a configuration file said."""

    path: Path
    """The file; kept, since putting it together takes longer than the look at it."""

    identity: tuple[int, int, int]
    """Number, size and time of change of the file."""

    storage: Storage


def storage_of(place: Place | Path) -> Storage:
    """Find out where a satellite's database and files are: a look at one small file.

    Parameters
    ----------
    place : `python_butler.satellite.place.Place` or `pathlib.Path`
        The satellite, or its directory.

    Returns
    -------
    storage : `Storage`
        As the configuration says.

    Raises
    ------
    SatelliteError
        If the configuration is missing or cannot be understood.
    """
    root = place if isinstance(place, Path) else place.root
    known = _read.get(root)
    path = known.path if known is not None else root / CONFIG
    try:
        status = path.stat()
        identity = (status.st_ino, status.st_size, status.st_mtime_ns)
        if known is not None and known.identity == identity:
            return known.storage
        storage = _located(root, yaml.safe_load(path.read_bytes()))
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, ArgumentError):
        # The text of these may hold what the file does.
        raise SatelliteError(
            f"The configuration of the satellite, {path}, cannot be read.",
            "Restore this file from a backup of your satellite.",
        ) from None
    _read[root] = _Read(path, identity, storage)
    return storage


def _located(root: Path, configuration: Mapping[str, Any]) -> Storage:
    registry = configuration["registry"]
    url = make_url(str(registry["db"]).replace(_BUTLER_ROOT, str(root)))
    # Its method `set` takes no value for no change.
    url = url._replace(password=None)
    sqlite = url.get_backend_name() == "sqlite"
    files = _personal_root(configuration["datastore"])
    if files.startswith(_BUTLER_ROOT):
        # As a path, since what a user's directory is called may mean something in an address.
        where = ResourcePath(
            root / files.removeprefix(_BUTLER_ROOT).lstrip("/"), forceDirectory=True, forceAbsolute=True
        )
    else:
        where = ResourcePath(files, forceDirectory=True)
    return Storage(
        root=root,
        registry_url=url.render_as_string(),
        namespace=registry.get("namespace"),
        is_sqlite=sqlite,
        locks=_locks(registry) if sqlite else None,
        database_path=Path(url.database or "") if sqlite else None,
        files=where,
        local_files=Path(where.ospath) if where.isLocal else None,
    )


def _locks(registry: Mapping[str, Any]) -> Locks:
    return "files" if registry.get("engines", {}).get("sqlite") == LOCK_FILES else "posix"


def _personal_root(datastore: Mapping[str, Any]) -> str:
    """Root of the datastore of personal files, as written: the last of a chain."""
    while "datastores" in datastore:
        datastore = datastore["datastores"][-1]["datastore"]
    return str(datastore["root"])


def opening_failed(storage: Storage, error: Exception) -> SatelliteError:
    """What to tell a person whose satellite cannot be opened.

    Parameters
    ----------
    storage : `Storage`
        Where its database and files are.
    error : `Exception`
        What was raised.

    Returns
    -------
    error : `SatelliteError`
        To be raised.
    """
    if not storage.is_sqlite:
        return unreachable(storage.registry_url, error)
    said = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
    return SatelliteError(
        f"The satellite in {storage.root} cannot be opened: {said}.",
        "Check that the directory is complete and yours to write.",
    )
