"""`Satellite`: how one is made and found; what it can do is in the classes that it is made of."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler import DimensionUniverse, Timespan
from lsst.resources import ResourcePath

from ..errors import SatelliteError
from ..settings import satellite_directory
from .configuration import upgrade
from .create import create
from .layout import FORMAT, State, check_marker, state_of
from .official_records import Records, add_records, connected, read_records
from .progress import ProgressWish
from .referencing import Referencing
from .relocating import Relocating
from .storage import Choice, Locks, storage_of
from .upkeep import Upkeep

if TYPE_CHECKING:
    from .report import ReferenceReport

__all__ = ["Satellite"]

_LOG = logging.getLogger(__name__)


class Satellite(Referencing, Relocating, Upkeep):
    """A personal, writeable Butler repository beside an official one.

    Use `create` or `open`. The handle holds neither a file nor a connection, and can be pickled.

    Attributes
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory: any tool that opens Butler repositories opens it.
    calibrations : `python_butler.satellite.report.ReferenceReport` or `None`
        What became of the calibrations, if `create` was asked for some.
    """

    def __init__(self, label: str, root: Path) -> None:
        super().__init__(label, root)
        self.calibrations: ReferenceReport | None = None

    @classmethod
    def create(
        cls,
        label: str,
        root: Path | str | None = None,
        *,
        universe: DimensionUniverse | None = None,
        records: Iterable[str] | str | None = None,
        calibrations: str | tuple[str, Timespan] | None = None,
        registry: str | None = None,
        storage: str | Path | ResourcePath | None = None,
        namespace: str | None = None,
        locks: Locks | None = None,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> Satellite:
        """Make the satellite of an official repository, or add to one that is there.

        Creating twice is harmless: what is there stays, what is asked for and missing is added.

        Parameters
        ----------
        label : `str`
            Label of the official repository, for example ``dp2``.
        root : `pathlib.Path` or `str`, optional
            Its directory, ``~/butler/<label>`` if not given (see `python_butler.settings`).
        universe : `lsst.daf.butler.DimensionUniverse`, optional
            Dimensions of the official repository, if already known; otherwise its server is asked.
        records : iterable of `str`, or ``"all"``, optional
            Which instruments, skymaps and other governor dimensions to register, for example
            ``["LSSTCam"]``, with the detectors and physical filters of instruments; an empty one for
            none. If not given: all in a new satellite, unless its universe is given, since then no
            server is asked; none in one that is there.
        calibrations : `str` or `tuple` [`str`, `lsst.daf.butler.Timespan`], optional
            An official calibration collection whose datasets are referenced and certified as they are
            there, and the time at which they must be valid; any time if only the collection is given.
        registry : `str`, optional
            Address of a PostgreSQL database for the registry, for example
            ``postgresql://server/database``, without a password: that is read from the environment
            or from the usual files whenever it is needed. An SQLite file in the directory if not given.
        storage : `str`, `pathlib.Path` or `lsst.resources.ResourcePath`, optional
            Where the files are to be: another directory, or a place in an object store, for example
            ``s3://bucket/prefix``. A directory in the satellite's if not given.
        namespace : `str`, optional
            Schema for the tables in the PostgreSQL database, which may hold several satellites. Made of
            the user's name and the label if not given.
        locks : `str`, optional
            How those who use the SQLite file take turns: ``posix`` is SQLite's own way, ``files`` is for
            network file systems on which that does not work. Tried out if not given.
        progress : callable or `False`, optional
            Told with a `python_butler.satellite.progress.Progress` how far referencing calibrations is. If
            not given, a bar appears in a notebook when this takes long, with `False` none does.
        cancel : `threading.Event`, optional
            Set to stop referencing calibrations. Creating again goes on there.

        Returns
        -------
        satellite : `Satellite`
            The satellite. Its attribute ``calibrations`` tells of calibrations that could not be had.

        Raises
        ------
        SatelliteError
            If the directory, the schema or the storage holds something else, or cannot be written; if
            the satellite that is there is elsewhere than asked for; or if the installed packages do
            not understand the dimensions of the official repository, or the satellite that is there has
            others.
        InvalidRequestError
            If the official repository does not know a name in ``records``, or ``calibrations`` is no
            calibration collection; or if ``registry`` or ``storage`` is malformed or holds a password.
        UnknownRepositoryError, OfficialServerError
            If the official server has to be asked and cannot be.
        """
        directory = _directory(label, root)
        there = state_of(directory) is State.SATELLITE
        if there:
            check_marker(directory, label)
        choice = Choice.of(label, registry, storage, namespace, locks)
        if records is None:
            records = () if there or universe is not None else "all"
        names = (records,) if isinstance(records, str) else tuple(records)
        wanted: Records = {}
        if names or not (there or universe):
            # Before anything is made, so that trouble with the server leaves nothing half done.
            with connected(label) as official:
                universe = official.dimensions
                if names:
                    wanted = read_records(official, None if names == ("all",) else names)
        satellite = cls(label, directory)
        if there:
            satellite._bring_up_to_date()
            choice.check_same(storage_of(directory))
        elif universe is not None:
            create(label, directory, universe, choice)
        if wanted and universe is not None:
            satellite._add(wanted, universe)
        if calibrations is not None:
            # Not at the top: it needs the class that is defined here.
            from .calibrations import reference_calibrations

            collection, valid = (calibrations, None) if isinstance(calibrations, str) else calibrations
            report = reference_calibrations(satellite, collection, valid, progress=progress, cancel=cancel)
            satellite.calibrations = report
            if report.problems:
                _LOG.warning("Not all calibrations could be referenced: %s", report)
        return satellite

    @classmethod
    def open(cls, label: str, root: Path | str | None = None, *, missing_ok: bool = False) -> Satellite:
        """Find the satellite of an official repository. The server is not asked.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        root : `pathlib.Path` or `str`, optional
            Its directory, ``~/butler/<label>`` if not given.
        missing_ok : `bool`, optional
            Whether there need not be one yet: good for a dry run of `reference`.

        Returns
        -------
        satellite : `Satellite`
            The satellite.

        Raises
        ------
        SatelliteError
            If there is none, or something else in its place.
        """
        directory = _directory(label, root)
        match state_of(directory):
            case State.ABSENT:
                if missing_ok:
                    return cls(label, directory)
                raise SatelliteError(
                    f"You have no satellite of {label} yet: {directory} does not exist.",
                    f"The first put creates it, and so does: satellite create {label}",
                )
            case State.FOREIGN:
                raise SatelliteError(
                    f"{directory} is not a satellite.",
                    "Move it away, or choose another directory with PYTHON_BUTLER_ROOT.",
                )
        satellite = cls(label, directory)
        satellite._bring_up_to_date()
        return satellite

    @staticmethod
    def exists(label: str, root: Path | str | None = None) -> bool:
        """Tell whether there is a satellite, by a look at its directory.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        root : `pathlib.Path` or `str`, optional
            Its directory, ``~/butler/<label>`` if not given.

        Returns
        -------
        exists : `bool`
            Whether `open` would find one.
        """
        return state_of(_directory(label, root)) is State.SATELLITE

    def _bring_up_to_date(self) -> None:
        if check_marker(self.root, self.label).format < FORMAT:
            upgrade(self.root)

    def _add(self, records: Records, universe: DimensionUniverse) -> None:
        with self.writer() as writer:
            if writer.dimensions is not universe:
                raise SatelliteError(
                    f"The satellite in {self.root} has other dimensions than {self.label}: it was made for "
                    f"version {writer.dimensions.version}, the server has {universe.version}.",
                    "Move it away, then create it again.",
                )
            add_records(writer, records)


def _directory(label: str, root: Path | str | None) -> Path:
    return (satellite_directory(label) if root is None else Path(root).expanduser()).absolute()
