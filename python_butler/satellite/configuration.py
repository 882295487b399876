"""The configuration of a satellite, and bringing older satellites up to the present format."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from lsst.daf.butler import Butler, Config
from lsst.resources import ResourcePath
from sqlalchemy.exc import SQLAlchemyError

from ..datastore.storage_classes import STORAGE_CLASSES
from ..errors import SatelliteError
from .layout import CONFIG, FALLBACK, FILES, FORMAT, MARKER, README, Marker, read_marker
from .readme import readme
from .storage import storage_of
from .storage.located import LOCK_FILES
from .storage.probing import Locks

__all__ = [
    "PERSONAL",
    "REFERENCES",
    "REFERENCES_TABLE",
    "fallback_of",
    "finish",
    "locked",
    "personal_datastore",
    "reason",
    "upgrade",
    "write_fallback",
    "write_locks",
]

PERSONAL = "personal"
"""Name of the datastore of the user's own files: rows in the registry bear it."""

REFERENCES = "references"
"""Name of the datastore of the references."""

REFERENCES_TABLE = "reference_datastore_records"
"""Table of its records; upstream names it beside a dataset's records."""

_CHAIN = "python_butler.datastore.SatelliteDatastore"
_FILE = "lsst.daf.butler.datastores.fileDatastore.FileDatastore"
_REFERENCES = {
    "cls": "python_butler.datastore.ReferenceDatastore",
    "name": REFERENCES,
    "records": {"table": REFERENCES_TABLE},
}
_HEADER = f"""\
# A personal Butler repository that refers to official datasets: see {README}.
# Needs the Python package python-butler; {FALLBACK} does without.
"""
_FALLBACK_HEADER = f"""\
# Opens the personal part of this repository, for reading, where python-butler is missing: see {README}.
"""
_LOG = logging.getLogger(__name__)


def personal_datastore(files: ResourcePath | None = None) -> dict[str, Any]:
    """Configuration of the datastore of the user's own files.

    Parameters
    ----------
    files : `lsst.resources.ResourcePath`, optional
        Root of the files, a directory of the satellite if not given.

    Returns
    -------
    configuration : `dict`
        As in the ``datastore`` section of a repository's configuration.
    """
    return {
        "cls": _FILE,
        # Rows in the registry name the datastore: without a name of its own it would be called after
        # its configuration, which may change.
        "name": PERSONAL,
        "root": f"<butlerRoot>/{FILES}" if files is None else str(files),
        "records": {"table": "file_datastore_records"},
    }


def finish(root: Path, label: str, satellite: str = "") -> None:
    """Make a Butler repository with a personal datastore a satellite; harmless if it was interrupted.

    Parameters
    ----------
    root : `pathlib.Path`
        Directory of the repository.
    label : `str`
        Label of the official repository.
    satellite : `str`, optional
        ID of the satellite, a new one if not given.

    Raises
    ------
    OSError
        If something cannot be written.
    sqlalchemy.exc.SQLAlchemyError
        If the database cannot be written.
    """
    configuration = Config((root / CONFIG).as_uri()).toDict()
    if configuration["datastore"]["cls"] == _FILE:
        write_fallback(root, configuration)
        configuration["datastore"] = {
            "cls": _CHAIN,
            # The references first: upstream's own datastore would refuse a transfer by reference with
            # an error that ends the search through the chain.
            "datastores": [{"datastore": _REFERENCES}, {"datastore": configuration["datastore"]}],
        }
    if configuration["datastore"].get("format") != FORMAT:
        # For whoever opens the repository with upstream's classes alone.
        configuration["datastore"]["format"] = FORMAT
        with _written_beside(root / CONFIG, _HEADER + _yaml(configuration)) as new:
            # The first writer makes the tables of the datastores. Who only reads must find them.
            Butler.from_config(new.as_uri(), writeable=True).close()
    if not (root / README).exists():
        _replace(root / README, readme(label, storage_of(root)))
    # Last, as it says that everything else is there.
    marker = Marker(format=FORMAT, label=label, id=satellite or uuid4().hex)
    _replace(root / MARKER, marker.model_dump_json(indent=2) + "\n")


def fallback_of(configuration: dict[str, Any]) -> dict[str, Any]:
    """Make the configuration that opens the personal part with upstream's packages alone.

    Parameters
    ----------
    configuration : `dict`
        That of the satellite.

    Returns
    -------
    configuration : `dict`
        With classes of upstream only, and with the storage classes that this package adds, which
        upstream would not know.
    """
    datastore = configuration["datastore"]
    while "datastores" in datastore:
        datastore = datastore["datastores"][-1]["datastore"]
    registry = {key: value for key, value in configuration["registry"].items() if key != "engines"}
    added = {name: {"pytype": python_type} for name, python_type in STORAGE_CLASSES.items()}
    return configuration | {"datastore": datastore, "registry": registry, "storageClasses": added}


def write_fallback(root: Path, configuration: dict[str, Any]) -> None:
    """Write the file that opens the personal part with upstream's packages alone.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    configuration : `dict`
        The satellite's configuration.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    _replace(root / FALLBACK, _FALLBACK_HEADER + _yaml(fallback_of(configuration)))


def write_locks(root: Path, locks: Locks) -> None:
    """Write into the configuration how users of the SQLite file take turns.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    locks : `str`
        ``posix`` or ``files``.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    configuration = yaml.safe_load((root / CONFIG).read_bytes())
    configuration["registry"].pop("engines", None)
    if locks == "files":
        configuration["registry"]["engines"] = {"sqlite": LOCK_FILES}
    _replace(root / CONFIG, _HEADER + _yaml(configuration))


def upgrade(root: Path) -> None:
    """Bring a satellite that an older version made up to the present format.

    One that cannot be written is left as it is: it can be read nevertheless, since it has no references.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.

    Raises
    ------
    SatelliteError
        If its marker cannot be read, or its database is damaged.
    """
    if not os.access(root, os.W_OK):
        return
    try:
        with locked(root):
            marker = read_marker(root)
            if marker.format < FORMAT:
                finish(root, marker.label, marker.id)
                _LOG.info("The satellite in %s was brought up to format %d.", root, FORMAT)
    except (SQLAlchemyError, OSError) as error:
        raise SatelliteError(
            f"The satellite in {root} cannot be brought up to date: {reason(error)}.",
            "Check that the directory is complete and yours to write, and that the disk is not full.",
        ) from error


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes from doing the same in a directory, where the file system can.

    Parameters
    ----------
    directory : `pathlib.Path`
        What to lock.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems cannot lock a directory. The lock only spares the second process
        # the work: renaming decides.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reason(error: Exception) -> str:
    """What a database or file system says is wrong, without the query or the address of a help page.

    Parameters
    ----------
    error : `Exception`
        What was raised.

    Returns
    -------
    text : `str`
        One line, without a full stop.
    """
    said = str(getattr(error, "orig", None) or error)
    return " ".join(said.split()).rstrip(".")


def _yaml(configuration: dict[str, Any]) -> str:
    return yaml.safe_dump(configuration, sort_keys=False)


def _replace(path: Path, text: str) -> None:
    with _written_beside(path, text):
        pass


@contextlib.contextmanager
def _written_beside(path: Path, text: str) -> Iterator[Path]:
    """A new file beside an old one, which it replaces at the end: at no moment is there half a file."""
    # Without a dot in front: upstream would take what follows it for the format of the configuration.
    new = path.with_name(f"building-{uuid4().hex}{path.suffix}")
    try:
        with new.open("w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        yield new
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
