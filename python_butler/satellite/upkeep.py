"""What keeps a satellite in good order: what is in it, how much room it takes, whether all is well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from ..words import time_in
from .info import SatelliteInfo, describe
from .notebook import shows_progress
from .place import Place
from .progress import ProgressWish

if TYPE_CHECKING:
    from .repair import CheckReport, RepairReport
    from .usage.models import Usage
    from .usage.prune import PruneReport

__all__ = ["Upkeep"]


class Upkeep(Place):
    """The methods of a satellite that look after it."""

    def info(self) -> SatelliteInfo:
        """Describe what is in it, without asking a server.

        Returns
        -------
        info : `SatelliteInfo`
            Numbers of what it holds, and how much space that takes.

        Raises
        ------
        SatelliteError
            If the repository is damaged.
        """
        with self.reader() as reader:
            return describe(self.label, self.root, reader)

    def usage(self) -> Usage:
        """Find out what takes how much room, without asking a server.

        Returns
        -------
        usage : `python_butler.satellite.usage.models.Usage`
            Numbers and sizes by collection, by version and by dataset type, own, pinned and referenced
            ones apart; the database, the spool, open batches and the trash; and how much room there is.
            Added up by the database: no file is looked at unless its size is not known otherwise.

        Raises
        ------
        SatelliteError
            If the repository is damaged.
        """
        from .usage.usage import usage

        return usage(self)

    @shows_progress
    def prune(
        self,
        *,
        older_than: timedelta | str | None = None,
        keep_versions: int | None = None,
        dataset_types: Iterable[str] | str = (),
        collections: Iterable[str] | str = (),
        even_newest: bool = False,
        even_tagged: bool = False,
        pinned: bool = False,
        dry_run: bool = False,
        confirm: Callable[[PruneReport], bool] | None = None,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> PruneReport:
        """Remove old datasets of one's own, and their files: all that every given condition applies to.

        References, and what is official otherwise, are never removed. Of several versions with the same
        data ID, the newest is kept; so is what is in a run that is no version, which is its only one.
        What is tagged, certified or in a version that another chain names is kept, too. Runs of old
        versions that are empty then are removed with their place in the chain of their name.

        A dataset is not taken to be older than those that were registered before it, even if the clock
        was wrong then. It can be stopped, or killed, at any moment: no dataset is half there, and the
        next call removes what is left of those that were being removed.

        Parameters
        ----------
        older_than : `datetime.timedelta` or `str`, optional
            They were registered longer ago than this, for example ``"30d"``.
        keep_versions : `int`, optional
            There are at least so many newer versions. Needed if ``older_than`` is not given.
        dataset_types, collections : iterable of `str` or `str`, optional
            Their dataset type, and their run or the name that it is a version of, match one of these
            patterns. Without a pattern, runs outside of ``u/`` and ``g/`` are left alone.
        even_newest : `bool`, optional
            Whether the newest version is meant, too.
        even_tagged : `bool`, optional
            Whether those that are tagged, certified or named by another chain are meant, too.
        pinned : `bool`, optional
            Whether copies of official datasets are meant, too; they are referenced again.
        dry_run : `bool`, optional
            Only say what would be removed.
        confirm : callable, optional
            Told what is to be removed, before it is; nothing is unless it returns `True`.
        progress : callable or `False`, optional
            Told with a `python_butler.satellite.progress.Progress` how far it is. If not given, a bar
            appears in a notebook when this takes long, with `False` none does.
        cancel : `threading.Event`, optional
            Set to stop: what is removed stays so.

        Returns
        -------
        report : `python_butler.satellite.usage.prune.PruneReport`
            What was removed, what was kept and why, and what could not be removed.

        Raises
        ------
        InvalidRequestError
            If neither an age nor a number of versions is given, or they cannot be meant.
        SatelliteError
            If the satellite cannot be written.
        OfficialServerError
            If pinned copies are meant and the official server is in trouble: they are kept.
        """
        from .usage.choosing import Rule
        from .usage.prune import prune
        from .usage.room import trouble_explained

        rule = Rule(
            older_than=time_in(older_than) if isinstance(older_than, str) else older_than,
            keep_versions=keep_versions,
            dataset_types=_patterns(dataset_types),
            collections=_patterns(collections),
            even_newest=even_newest,
            even_held=even_tagged,
            pinned=pinned,
        )
        # Also to remove, a database writes first.
        with trouble_explained(self, "What is to be removed", "What is left can be pruned again."):
            return prune(
                self, rule, dry_run=dry_run, confirm=confirm, progress=progress or None, cancel=cancel
            )

    @shows_progress
    def check(
        self,
        *,
        official: bool = False,
        thorough: bool = False,
        min_age: float | None = None,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> CheckReport:
        """Look for what is wrong with it; nothing is changed. Others may use it meanwhile.

        A satellite whose configuration or marker is damaged cannot be opened: make the object with
        ``Satellite(label, directory)``.

        Parameters
        ----------
        official : `bool`, optional
            Whether to ask the official server which referenced datasets it still has.
        thorough : `bool`, optional
            Whether to read every file, and compare checksums where there are any.
        min_age : `float`, optional
            Seconds for which a file that no dataset has must not have changed to count as left over.
            Ten minutes if not given; a day in the spool, where nothing else tells whether it is in use.
        progress : callable or `False`, optional
            Told with a `python_butler.satellite.progress.Progress` how far it is. If not given a notebook
            shows a bar; `False` for none.
        cancel : `threading.Event`, optional
            Set to stop.

        Returns
        -------
        report : `python_butler.satellite.repair.CheckReport`
            What was found, and what could not be looked at.

        Raises
        ------
        SatelliteError
            If the directory is no satellite, was made by a newer version, or cannot be read.
        """
        from .repair import Options, check

        options = Options(official=official, thorough=thorough, min_age=min_age)
        return check(self, options, progress=progress or None, cancel=cancel)

    @shows_progress
    def repair(
        self,
        *,
        dry_run: bool = False,
        quarantine: bool = False,
        forget_lost: bool | Literal["all"] = False,
        empty_runs: bool = False,
        batches: Literal["commit", "discard"] | None = None,
        official: bool = False,
        thorough: bool = False,
        min_age: float | None = None,
        wait: float = 30.0,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> RepairReport:
        """Put right what is wrong with it. Others may use it meanwhile; doing it again is harmless.

        Without options it only does what loses nothing: it finishes what was interrupted, deletes what
        can be proved to be a leftover, and moves files of saves that never ended to ``lost+found``.

        Parameters
        ----------
        dry_run : `bool`, optional
            Whether only to tell what would be done.
        quarantine : `bool`, optional
            Whether to move also files to ``lost+found`` of which nothing is known.
        forget_lost : `bool` or ``"all"``, optional
            Whether to remove datasets whose files are missing or damaged, and references to what is no
            longer in the official repository. If that is most of them nothing is removed, since rather
            a volume is not mounted or a server is in trouble, unless ``"all"`` is given.
        empty_runs : `bool`, optional
            Whether to remove runs and chains with nothing in them.
        batches : ``"commit"`` or ``"discard"``, optional
            What to do with batches that nobody ended; if not given they are left.
        official, thorough, min_age
            As for `check`.
        wait : `float`, optional
            Seconds to wait for others who write.
        progress, cancel
            As for `check`.

        Returns
        -------
        report : `python_butler.satellite.repair.RepairReport`
            What was found, and what became of it.

        Raises
        ------
        SatelliteError
            If the directory is no satellite, was made by a newer version, is being moved, or cannot be
            read or written.
        """
        from .repair import Options, repair
        from .usage.room import trouble_explained

        options = Options(
            mend=not dry_run,
            quarantine=quarantine,
            forget_lost=forget_lost,
            empty_runs=empty_runs,
            batches=batches,
            official=official,
            thorough=thorough,
            min_age=min_age,
            wait=wait,
        )
        with trouble_explained(self, "What mends it", "Nothing is lost: repair it again."):
            return repair(self, options, dry_run=dry_run, progress=progress or None, cancel=cancel)


def _patterns(patterns: Iterable[str] | str) -> tuple[str, ...]:
    return (patterns,) if isinstance(patterns, str) else tuple(patterns)
