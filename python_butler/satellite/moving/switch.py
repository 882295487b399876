"""The end of a move: the new place counts, in one step; then what is left behind is put away or removed.

All of it can be done again, by another process too, after it was interrupted anywhere.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from lsst.resources import ResourcePath

from ..durable import sync_directory
from ..layout import CONFIG, DATABASE, FALLBACK, FILES, MARKER, README, read_marker
from ..spool.desk import DIRECTORY
from ..storage import storage_of
from ..storage.claims import CLAIM, Claim
from ..storage.schemas import confirm_schema, drop_tables
from .files import inode_of
from .freeze import thaw
from .mark import MARK, Move, Stage, Where, remove_move, write_move
from .spooled import Spooled

__all__ = ["OLD", "aside_of", "building_of", "leave", "new_files", "old_files", "remove_files", "switch"]

_NOTE = "MOVED.md"
OLD = "old-"
"""Beginning of the names under which the old configuration is kept until it is put away."""


def building_of(root: Path, move: Move) -> Path:
    """Directory in which the new place is made.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    move : `Move`
        What is being done.
    """
    # On the same disk, since renaming is atomic within one file system only.
    return root / f"moving-{move.id}" if move.root == root else move.root.with_name(f"moving-{move.id}")


def aside_of(root: Path, move: Move) -> Path:
    """Directory to which goes what the satellite had in its own and has elsewhere now.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    move : `Move`
        What is being done.
    """
    return root / f"before-{move.began:%Y%m%d-%H%M%S}"


def old_files(root: Path, move: Move) -> ResourcePath:
    """Where the files are before the move.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory before.
    move : `Move`
        What is being done.
    """
    return _files(root, move.old)


def new_files(move: Move) -> ResourcePath:
    """Where the files are after the move.

    Parameters
    ----------
    move : `Move`
        What is being done.
    """
    return _files(move.root, move.new)


def switch(root: Path, move: Move) -> list[str]:
    """Make the new place count, and look after the old one.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory before.
    move : `Move`
        What was done; its new place is complete and checked.

    Returns
    -------
    left : `list` [`str`]
        What is left of the old place, as phrases.

    Raises
    ------
    SatelliteError, OSError
        If something cannot be done. Doing it again goes on.
    """
    building = building_of(root, move)
    new_root = move.root != root
    if new_root:
        if building.exists():
            building.rename(move.root)
            sync_directory(move.root.parent)
    elif building.exists():
        _replace(root, building, move)
    _confirm(move)
    if _same_registry(move):
        thaw(storage_of(move.root))
    if new_root:
        # Nobody looks at the old place any more: whoever uses the new one ends this if it is interrupted.
        if move.remove_old:
            write_move(move.root, move.model_copy(update={"stage": Stage.LEAVING, "left": root}))
        left = leave(root, move)
        if move.remove_old:
            remove_move(move.root)
    else:
        left = _put_away(root, move)
        shutil.rmtree(building, ignore_errors=True)
        remove_move(root)
    return left


def _replace(root: Path, building: Path, move: Move) -> None:
    """Bring what was made into the satellite's directory; the configuration last."""
    for name in (DATABASE, FILES):
        if (building / name).exists() and not _holds_something(root / name):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (root / name).rmdir()
            (building / name).rename(root / name)
    files = new_files(move)
    if _moves_files(root, move) and (building / CONFIG).exists():
        Spooled.read(root).settled(lambda path: inode_of(files, path)).write(root)
    for name in (FALLBACK, README):
        if (building / name).exists():
            (building / name).replace(root / name)
    sync_directory(root)
    if (building / CONFIG).exists():
        (building / CONFIG).replace(root / CONFIG)
    sync_directory(root)


def _confirm(move: Move) -> None:
    """Let the places outside of the directory know whose they are."""
    marker = read_marker(move.root)
    claim = Claim(id=marker.id, label=marker.label, root=move.root)
    if move.new.registry is not None and move.new.namespace is not None:
        confirm_schema(move.new.registry, move.new.namespace, claim)
    if move.new.files is not None:
        note = new_files(move).join(CLAIM, forceDirectory=False)
        note.write(claim.model_dump_json().encode(), overwrite=True)


def _put_away(root: Path, move: Move) -> list[str]:
    """Of what was in the directory and is elsewhere now."""
    names = []
    if move.old.registry is None and move.new.registry is not None:
        names.append(DATABASE)
    if move.old.files is None and move.new.files is not None:
        names.append(FILES)
    left = [] if move.remove_old else _elsewhere(move)
    if move.remove_old:
        for name in names:
            _remove(root / name)
        _remove_elsewhere(root, move)
        return []
    if names:
        aside = aside_of(root, move)
        aside.mkdir(exist_ok=True)
        for name in names:
            if (root / name).exists():
                (root / name).rename(aside / name)
        for name in (CONFIG, FALLBACK):
            kept = building_of(root, move) / f"{OLD}{name}"
            if kept.exists():
                kept.replace(aside / name)
        (aside / _NOTE).write_text(_note(move))
        sync_directory(aside)
        left.insert(0, f"{', '.join(names)} in {aside}")
    return left


def leave(root: Path, move: Move) -> list[str]:
    """Look after a directory that is not the satellite's any more.

    Parameters
    ----------
    root : `pathlib.Path`
        The directory.
    move : `Move`
        What was done.

    Returns
    -------
    left : `list` [`str`]
        What is left of the old place, as phrases.
    """
    if not root.exists():
        return []
    if move.remove_old:
        _remove_elsewhere(root, move)
        # What makes it a satellite goes first: nobody shall take half of it for one. The note goes last.
        for name in (MARKER, CONFIG, FALLBACK, README, DATABASE, FILES, DIRECTORY, MARK):
            _remove(root / name)
        with contextlib.suppress(OSError):
            # Something of the user's may be in it.
            root.rmdir()
        return []
    (root / _NOTE).write_text(_note(move))
    write_move(root, move.model_copy(update={"stage": Stage.DONE}))
    return [str(root), *_elsewhere(move)]


def _elsewhere(move: Move) -> list[str]:
    left = []
    if move.old.registry is not None and not _same_registry(move):
        left.append(f"the schema {move.old.namespace} of {move.old.registry}")
    if move.old.files is not None and move.old.files != move.new.files:
        left.append(move.old.files)
    return left


def _remove_elsewhere(root: Path, move: Move) -> None:
    if move.old.registry is not None and move.old.namespace is not None and not _same_registry(move):
        drop_tables(move.old.registry, move.old.namespace)
    if move.old.files is not None and move.old.files != move.new.files:
        remove_files(old_files(root, move))


def remove_files(files: ResourcePath) -> None:
    """Remove all files of a satellite from a place that it had for itself.

    Parameters
    ----------
    files : `lsst.resources.ResourcePath`
        The place. Nothing is done if no satellite has claimed it.
    """
    note = files.join(CLAIM, forceDirectory=False)
    if not note.exists():
        return
    if files.isLocal:
        # The note last: until then it is known what the others are.
        directory = Path(files.ospath)
        for each in directory.iterdir():
            if each.name != CLAIM:
                _remove(each)
        _remove(directory)
        return
    found = [each for each in ResourcePath.findFileResources([files]) if each != note]
    # Last: until then it is known what the others are.
    for _, done in [*ResourcePath.mremove(found, do_raise=False).items()]:
        if not done.success and done.exception is not None:
            raise done.exception
    note.remove()


def _same_registry(move: Move) -> bool:
    if move.old.registry is None and move.new.registry is None:
        # In one directory it is the same file, in another one it is a copy.
        return True
    return (move.old.registry, move.old.namespace) == (move.new.registry, move.new.namespace)


def _moves_files(root: Path, move: Move) -> bool:
    return old_files(root, move) != new_files(move)


def _files(root: Path, where: Where) -> ResourcePath:
    if where.files is None:
        return ResourcePath(root / FILES, forceDirectory=True, forceAbsolute=True)
    return ResourcePath(where.files, forceDirectory=True)


def _holds_something(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and next(path.iterdir(), None) is not None)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _note(move: Move) -> str:
    return (
        f"# Moved\n\nThis is what was left behind when the satellite was moved on {move.began:%Y-%m-%d}.\n"
        f"The satellite is in `{move.root}`, with its registry in "
        f"`{move.new.registry or DATABASE}` and its files in `{move.new.files or FILES}`.\n\n"
        "All of it was compared with the new place. It is not needed any more, cannot be written, and may "
        "be removed as a whole.\n"
    )
