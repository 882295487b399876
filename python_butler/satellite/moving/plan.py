"""What a move shall do: from what a person asked for, and from where the satellite is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from lsst.resources import ResourcePath

from ...errors import InvalidRequestError, SatelliteError
from ..layout import DATABASE, FILES, State, state_of
from ..spool.lock import this_process
from ..storage import Choice, Storage, storage_of
from .mark import Move, Stage, Where
from .switch import new_files, old_files

if TYPE_CHECKING:
    from ..place import Place

__all__ = ["FILES_HERE", "REGISTRY_HERE", "Plan", "make_plan"]

REGISTRY_HERE = "sqlite"
"""What is said for a registry in the satellite's directory."""

FILES_HERE = "files"
"""What is said for files in the satellite's directory."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes
    ----------
    move : `Move`
        As it is noted in the satellite's directory.
    choice : `python_butler.satellite.storage.Choice`
        The places, as a new satellite would be given them.
    by_rows : `bool`
        Whether the registry goes to another kind of database, or another server.
    files : `bool`
        Whether the files go elsewhere.
    again : `bool`
        Whether this was begun before.
    """

    move: Move
    choice: Choice
    by_rows: bool
    files: bool
    again: bool


def make_plan(
    satellite: Place,
    known: Move | None,
    registry: str | None,
    storage: str | Path | ResourcePath | None,
    namespace: str | None,
    root: Path | None,
    remove_old: bool,
) -> Plan:
    """Find out what is to be done.

    Parameters
    ----------
    satellite : `Place`
        The satellite.
    known : `Move` or `None`
        A move that was begun and stopped.
    registry, storage, namespace, root, remove_old
        As for `Satellite.migrate`.

    Returns
    -------
    plan : `Plan`
        What is to be done.

    Raises
    ------
    InvalidRequestError
        If it is there already, or this is not what was begun.
    SatelliteError
        If there is something in the new place.
    """
    here = storage_of(satellite)
    final = satellite.root if root is None else root
    asked = not (registry is None and storage is None and namespace is None and root is None)
    if known is not None and not asked:
        choice = Choice(known.new.registry, known.new.namespace, _path(known.new.files))
        move = known
    else:
        choice = _choice(satellite, here, registry, storage, namespace)
        move = _move(satellite, here, choice, final, remove_old)
        if known is not None:
            if (known.new, known.root) != (move.new, move.root):
                raise InvalidRequestError(
                    f"The satellite in {satellite.root} is on its way to {known.root}, with its registry in "
                    f"{known.new.registry or DATABASE} and its files in {known.new.files or FILES}.",
                    "Say nothing of where to, and it goes on; give it up with: satellite migrate --abandon.",
                )
            move = known
    process = this_process()
    update = {"remove_old": remove_old, "host": process.host, "process": process.pid, "stage": Stage.COPYING}
    move = move.model_copy(update=update)
    new_root = move.root != satellite.root
    by_rows = (move.old.registry, move.old.namespace) != (move.new.registry, move.new.namespace)
    files = old_files(satellite.root, move) != new_files(move)
    if not (new_root or by_rows or files):
        raise InvalidRequestError("The satellite is there already.", "Say where it is to go.")
    _check_free(satellite.root, move, new_root, by_rows, files)
    return Plan(move, choice, by_rows, files, known is not None)


def _choice(
    satellite: Place,
    here: Storage,
    registry: str | None,
    storage: str | Path | ResourcePath | None,
    namespace: str | None,
) -> Choice:
    if registry is None and not here.is_sqlite:
        registry, namespace = here.registry_url, namespace or here.namespace
    elif registry == REGISTRY_HERE:
        registry = None
    if storage is None and not here.files_inside:
        storage = here.files
    elif storage == FILES_HERE:
        storage = None
    return Choice.of(satellite.label, registry, storage, namespace)


def _move(satellite: Place, here: Storage, choice: Choice, final: Path, remove_old: bool) -> Move:
    process = this_process()
    return Move(
        id=uuid4().hex,
        stage=Stage.COPYING,
        root=final,
        old=Where(
            registry=None if here.is_sqlite else here.registry_url,
            namespace=here.namespace,
            files=None if here.files_inside else str(here.files),
        ),
        new=Where(
            registry=choice.registry,
            namespace=choice.namespace,
            files=None if choice.files is None else str(choice.files),
        ),
        remove_old=remove_old,
        began=datetime.now(UTC),
        host=process.host,
        process=process.pid,
    )


def _path(files: str | None) -> ResourcePath | None:
    return None if files is None else ResourcePath(files, forceDirectory=True)


def _check_free(root: Path, move: Move, new_root: bool, by_rows: bool, files: bool) -> None:
    """Make sure that what is made here is not in the way of anything."""
    if new_root:
        if move.root.is_relative_to(root) or root.is_relative_to(move.root):
            raise InvalidRequestError(
                f"{move.root} and {root} are one in the other.", "Choose a directory that is neither."
            )
        if state_of(move.root) is not State.ABSENT:
            raise SatelliteError(
                f"{move.root} holds something already; it was left as it is.",
                "Move it away, or choose another directory.",
            )
        return
    name = None
    if by_rows and move.new.registry is None and (root / DATABASE).exists():
        name = DATABASE
    if files and move.new.files is None and (root / FILES).is_dir() and any((root / FILES).iterdir()):
        name = FILES
    if name is not None:
        raise SatelliteError(
            f"{root / name} is there already; it was left as it is.", "Move it away, then try again."
        )
