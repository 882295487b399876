"""Making a satellite: complete or not at all, whoever else is making it at the same time."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from uuid import uuid4

from lsst.daf.butler import Butler, Config, DimensionUniverse
from sqlalchemy.exc import SQLAlchemyError

from ..errors import SatelliteError
from .configuration import finish, locked, personal_datastore, reason, upgrade
from .layout import FILES, FORMAT, State, check_marker, state_of
from .storage import Choice, storage_of
from .storage.claims import Claim, claimed
from .storage.postgres import unreachable

__all__ = ["BUILDING", "build", "create"]

BUILDING = "building-"
"""How the name of a directory begins that is no satellite yet."""

_CONFUSING = re.compile(r"\?|%[0-9A-Fa-f]{2}")
"""What upstream's address of the database takes for its end, or for another character."""


def create(label: str, root: Path, universe: DimensionUniverse, choice: Choice | None = None) -> None:
    """Make the satellite of an official repository; harmless if it is there.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory. Missing parents are made.
    universe : `lsst.daf.butler.DimensionUniverse`
        Dimensions of the official repository: both must have the same.
    choice : `python_butler.satellite.storage.Choice`, optional
        Where its database and files are to be, in the directory if not given.

    Raises
    ------
    SatelliteError
        If the directory or another chosen place holds something else, or cannot be written, or if the
        installed packages cannot make a repository with these dimensions.
    """
    if strange := _CONFUSING.search(str(root)):
        raise SatelliteError(
            f"The satellite cannot be created in {root}: the database cannot be reached through a path "
            f"with {strange.group()!r}.",
            "Choose a directory without it, with PYTHON_BUTLER_ROOT.",
        )
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with locked(root.parent):
            _create(label, root, universe, choice or Choice())
    except OSError as error:
        raise SatelliteError(
            f"The satellite cannot be created in {root}: {error.strerror or error}.",
            "Free some space or choose another directory with PYTHON_BUTLER_ROOT.",
        ) from error
    except SatelliteError:
        raise
    except (SQLAlchemyError, RuntimeError) as error:
        # Upstream raises the latter for what is wrong with a database server, or with credentials.
        if choice is not None and choice.registry is not None:
            raise unreachable(choice.registry, error) from error
        raise SatelliteError(
            f"The database of the satellite cannot be made in {root}: {reason(error)}.",
            "Choose another directory with PYTHON_BUTLER_ROOT.",
        ) from error


def _create(label: str, root: Path, universe: DimensionUniverse, choice: Choice) -> None:
    if _is_there(label, root, choice):
        return
    claim = Claim(id=uuid4().hex, label=label, root=root)
    try:
        with claimed(choice, claim) as complete:
            building = build(label, root, universe, choice, claim.id)
            try:
                # Before the directory appears, so that at no time somebody may take what it needs.
                complete()
                building.rename(root)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
    except (OSError, SatelliteError):
        # Another process may have been quicker, where the file system could not keep it out.
        if not _is_there(label, root, choice):
            raise


def _is_there(label: str, root: Path, choice: Choice) -> bool:
    match state_of(root):
        case State.SATELLITE:
            if check_marker(root, label).format < FORMAT:
                upgrade(root)
            choice.check_same(storage_of(root))
            return True
        case State.FOREIGN:
            raise SatelliteError(
                f"{root} holds something that is not a satellite; it was left as it is.",
                "Move it away, or choose another directory with PYTHON_BUTLER_ROOT.",
            )
    return False


def build(label: str, root: Path, universe: DimensionUniverse, choice: Choice, satellite: str) -> Path:
    """Make all of a satellite beside the place where it is to appear.

    Parameters
    ----------
    label, root, universe, choice
        As for `create`. The places are taken already.
    satellite : `str`
        ID of the satellite.

    Returns
    -------
    building : `pathlib.Path`
        Directory that has it.
    """
    # A sibling, since renaming is atomic within one file system only.
    # Without a dot: upstream would take what follows it for the format of the configuration.
    building = root.with_name(f"{BUILDING}{uuid4().hex}")
    building.mkdir()
    try:
        Butler.makeRepo(
            # A plain path would be cut at a number sign.
            building.as_uri(),
            config=Config(
                {"datastore": personal_datastore(choice.files), "registry": choice.registry_section(building)}
            ),
            dimensionConfig=universe.dimensionConfig,
            forceConfigRoot=False,
        )
        if choice.files is None:
            (building / FILES).mkdir(exist_ok=True)
        finish(building, label, satellite)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return building
