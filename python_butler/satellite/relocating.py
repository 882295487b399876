"""Where a satellite goes: to another place, into a backup and out of it, to another way of locking."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..settings import satellite_directory
from .notebook import shows_progress
from .place import Place
from .progress import ProgressWish

if TYPE_CHECKING:
    from lsst.resources import ResourcePath

    from .moving.backup import BackupReport
    from .moving.migrate import MoveReport
    from .storage.probing import Locks

__all__ = ["Relocating"]


class Relocating(Place):
    """The methods of a satellite that move it, or copy it as a whole."""

    @shows_progress
    def backup(
        self,
        file: Path | str,
        *,
        overwrite: bool = False,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> BackupReport:
        """Write all of it to one file, as it is at one moment; others may go on writing meanwhile.

        The file is a tar file with checksums: `restore` makes a satellite of it, here or elsewhere, and
        ``tar`` and ``sha256sum`` can look into it. It holds the files of your own datasets, of pinned
        copies, and of what waits in the spool. References stay references. Files that were ingested
        where they lay are not in it.

        Parameters
        ----------
        file : `pathlib.Path` or `str`
            Where to. Compressed if its name ends with ``.gz`` or ``.tgz``, which is rarely worth the time.
        overwrite : `bool`, optional
            Whether it may replace a file; that stays until the new one is complete.
        progress : callable, optional
            Told with a `python_butler.satellite.progress.Progress` how far it is.
        cancel : `threading.Event`, optional
            Set to stop: then there is no file.

        Returns
        -------
        report : `python_butler.satellite.moving.backup.BackupReport`
            What is in it, and what is missing because the satellite is damaged.

        Raises
        ------
        InvalidRequestError
            If there is a file already, or it would be in the satellite itself.
        SatelliteError
            If it does not fit on the disk, or something cannot be read or written: then there is no file.
        """
        from .moving.backup import backup

        where = Path(file).expanduser().absolute()
        return backup(self, where, overwrite=overwrite, progress=progress or None, cancel=cancel)

    @shows_progress
    def migrate(
        self,
        *,
        registry: str | None = None,
        storage: str | Path | ResourcePath | None = None,
        namespace: str | None = None,
        root: Path | str | None = None,
        remove_old: bool = False,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> MoveReport:
        """Move it to another database, other storage or another directory; what is not named stays.

        All is kept: identifiers, collections, tags, validity ranges, dimension records, references, notes,
        what waits in the spool. Everything is compared before the new place counts. Meanwhile it can be
        read, and nobody can write to it.

        If this is stopped, whatever by, the old place counts and can be written; moving again goes on.
        `abandon_migration` removes what was copied.

        Parameters
        ----------
        registry : `str`, optional
            Address of a PostgreSQL database, or ``"sqlite"`` for a file in the directory.
        storage : `str`, `pathlib.Path` or `lsst.resources.ResourcePath`, optional
            Where the files go, for example ``"s3://bucket/prefix"``, or ``"files"`` for the directory.
        namespace : `str`, optional
            Schema in the PostgreSQL database.
        root : `pathlib.Path` or `str`, optional
            Another directory, with nothing in it.
        remove_old : `bool`, optional
            Whether to remove what is left behind. Otherwise it stays, where nobody can write to it.
        progress : callable, optional
            Told with a `python_butler.satellite.progress.Progress` how far it is.
        cancel : `threading.Event`, optional
            Set to stop.

        Returns
        -------
        report : `python_butler.satellite.moving.migrate.MoveReport`
            What was moved, and what is left behind.

        Raises
        ------
        InvalidRequestError
            If it is there already, or an address cannot be used, or it was on its way to another place.
        SatelliteError
            If there is something in the new place, another process is moving it, something cannot be
            read or written, or something is missing or differs in the end.
        """
        from .moving.migrate import migrate
        from .usage.room import trouble_explained

        directory = None if root is None else Path(root).expanduser().absolute()
        with trouble_explained(self, "The move", "Nothing is lost: move it again, which goes on."):
            return migrate(
                self,
                registry=registry,
                storage=storage,
                namespace=namespace,
                root=directory,
                remove_old=remove_old,
                progress=progress or None,
                cancel=cancel,
            )

    def abandon_migration(self) -> bool:
        """Give up a move that was stopped, and remove what it copied.

        Returns
        -------
        abandoned : `bool`
            Whether there was one.

        Raises
        ------
        SatelliteError
            If it is going on, or complete, or something cannot be removed.
        """
        from .moving.recover import abandon

        return abandon(self.root)

    def change_locks(self, locks: Locks | None = None) -> Locks:
        """Change how those who use the SQLite file take turns, for example after a move to another volume.

        Parameters
        ----------
        locks : `str`, optional
            ``posix`` for SQLite's own locks, or ``files`` for volumes without them; if not given, what the
            file system is good for.

        Returns
        -------
        locks : `str`
            What holds now.

        Raises
        ------
        InvalidRequestError
            If there is no such way, or the registry is in PostgreSQL.
        SatelliteError
            If it is in use, or being moved.
        """
        from .moving.locks import change_locks

        return change_locks(self, locks)

    @classmethod
    @shows_progress
    def restore(
        cls,
        file: Path | str,
        label: str | None = None,
        root: Path | str | None = None,
        *,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> Self | None:
        """Make a satellite of a backup: complete and checked, or not at all.

        Its database and files are in its directory, wherever those of the one that was backed up were. It
        is a satellite of its own: both may be used, and nothing of the other belongs to it.

        Parameters
        ----------
        file : `pathlib.Path` or `str`
            The backup.
        label : `str`, optional
            Label of the official repository, to be sure that it is of that one.
        root : `pathlib.Path` or `str`, optional
            The new directory, ``~/butler/<label>`` if not given. There must be nothing in it.
        progress : callable, optional
            Told with a `python_butler.satellite.progress.Progress` how far it is.
        cancel : `threading.Event`, optional
            Set to stop: then there is nothing.

        Returns
        -------
        satellite : `Satellite` or `None`
            The satellite; `None` if it was cancelled.

        Raises
        ------
        InvalidRequestError
            If the backup is of another official repository.
        SatelliteError
            If the directory holds something, or cannot be written, or does not have the room; if the
            file is no backup, or was cut short or altered.
        """
        from .moving.restore import label_in, restore

        source = Path(file).expanduser().absolute()
        if label is None:
            label = label_in(source)
        directory = satellite_directory(label) if root is None else Path(root).expanduser()
        if not restore(source, label, directory.absolute(), progress=progress or None, cancel=cancel):
            return None
        return cls(label, directory.absolute())
