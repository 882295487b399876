"""Making a satellite: complete or not at all, whoever else is making it at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from lsst.daf.butler import Butler, Config, DimensionUniverse

from ..errors import SatelliteError
from .layout import FILES, MARKER, Marker, State, check_marker, state_of

__all__ = ["create"]

_DATASTORE = "lsst.daf.butler.datastores.fileDatastore.FileDatastore"


def create(label: str, root: Path, universe: DimensionUniverse) -> None:
    """Make the satellite of an official repository; harmless if it is there.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory. Missing parents are made.
    universe : `lsst.daf.butler.DimensionUniverse`
        Dimensions of the official repository: both must have the same.

    Raises
    ------
    SatelliteError
        If the directory holds something else, or cannot be written.
    """
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with _locked(root.parent):
            _create(label, root, universe)
    except OSError as error:
        raise SatelliteError(
            f"The satellite cannot be created in {root}: {error.strerror or error}.",
            "Free some space or choose another directory with PYTHON_BUTLER_ROOT.",
        ) from error


def _create(label: str, root: Path, universe: DimensionUniverse) -> None:
    match state_of(root):
        case State.SATELLITE:
            check_marker(root, label)
            return
        case State.FOREIGN:
            raise SatelliteError(
                f"{root} holds something that is not a satellite; it was left as it is.",
                "Move it away, or choose another directory with PYTHON_BUTLER_ROOT.",
            )
    # A sibling, since renaming is atomic within one file system only.
    # Without a dot: upstream would take what follows it for the format of the configuration.
    building = root.with_name(f"building-{uuid4().hex}")
    building.mkdir()
    try:
        _fill(building, label, universe)
        building.rename(root)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def _fill(directory: Path, label: str, universe: DimensionUniverse) -> None:
    config = Config(
        {
            "datastore": {
                "cls": _DATASTORE,
                # Rows in the registry name the datastore: without a name of its own it would be
                # called after its configuration, which may gain a second datastore.
                "name": "personal",
                "root": f"<butlerRoot>/{FILES}",
                "records": {"table": "file_datastore_records"},
            }
        }
    )
    Butler.makeRepo(
        str(directory), config=config, dimensionConfig=universe.dimensionConfig, forceConfigRoot=False
    )
    (directory / FILES).mkdir(exist_ok=True)
    (directory / MARKER).write_text(Marker(label=label).model_dump_json(indent=2) + "\n")


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems cannot lock a directory. The lock only spares the second process
        # the work: the rename decides.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
