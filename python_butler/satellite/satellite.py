"""One personal repository, as a handle that holds nothing open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from lsst.daf.butler import Butler, DimensionUniverse
from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.exc import SQLAlchemyError

from ..errors import SatelliteError
from ..settings import satellite_directory
from .create import create
from .layout import DATABASE, State, check_marker, state_of

__all__ = ["Satellite"]


class Satellite:
    """A personal, writeable Butler repository beside an official one.

    Use `create` or `open`. The handle holds neither a file nor a connection, and can be pickled.

    Attributes
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory: any tool that opens Butler repositories opens it.
    """

    def __init__(self, label: str, root: Path) -> None:
        self.label = label
        self.root = root

    @classmethod
    def create(
        cls, label: str, root: Path | str | None = None, *, universe: DimensionUniverse | None = None
    ) -> Satellite:
        """Make the satellite of an official repository; harmless if it is there.

        Parameters
        ----------
        label : `str`
            Label of the official repository, for example ``dp2``.
        root : `pathlib.Path` or `str`, optional
            Its directory, ``~/butler/<label>`` if not given (see `python_butler.settings`).
        universe : `lsst.daf.butler.DimensionUniverse`, optional
            Dimensions of the official repository, if already known; otherwise its server is asked.

        Returns
        -------
        satellite : `Satellite`
            The satellite.

        Raises
        ------
        SatelliteError
            If the directory holds something else, or cannot be written.
        UnknownRepositoryError, OfficialServerError
            If the official server has to be asked and cannot be.
        """
        directory = _directory(label, root)
        if state_of(directory) is State.SATELLITE:
            check_marker(directory, label)
            return cls(label, directory)
        if universe is None:
            from ..official import connect, disconnect

            official = connect(label)
            try:
                universe = official.dimensions
            finally:
                disconnect(official)
        create(label, directory, universe)
        return cls(label, directory)

    @classmethod
    def open(cls, label: str, root: Path | str | None = None) -> Satellite:
        """Find the satellite of an official repository. The server is not asked.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        root : `pathlib.Path` or `str`, optional
            Its directory, ``~/butler/<label>`` if not given.

        Returns
        -------
        satellite : `Satellite`
            The satellite.

        Raises
        ------
        SatelliteError
            If there is none.
        """
        directory = _directory(label, root)
        match state_of(directory):
            case State.ABSENT:
                raise SatelliteError(
                    f"You have no satellite of {label} yet: {directory} does not exist.",
                    "The first put creates it.",
                )
            case State.FOREIGN:
                raise SatelliteError(
                    f"{directory} is not a satellite.",
                    "Move it away, or choose another directory with PYTHON_BUTLER_ROOT.",
                )
        check_marker(directory, label)
        return cls(label, directory)

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

    def reader(self) -> DirectButler:
        """Open the repository for reading: it never locks the database for long.

        Returns
        -------
        butler : `lsst.daf.butler.direct_butler.DirectButler`
            A read-only Butler without default collections. Close it when done.

        Raises
        ------
        SatelliteError
            If the repository is damaged.
        """
        return self._butler(writeable=False)

    @contextmanager
    def writer(self) -> Iterator[DirectButler]:
        """Open the repository for writing, for as short as possible.

        Every transaction of a writeable Butler locks the whole database, even one that only reads:
        write, and leave.

        Yields
        ------
        butler : `lsst.daf.butler.direct_butler.DirectButler`
            A writeable Butler without default collections or run.

        Raises
        ------
        SatelliteError
            If the repository is damaged or cannot be written.
        """
        butler = self._butler(writeable=True)
        try:
            yield butler
        finally:
            butler.close()

    def version(self) -> str:
        """Word that changes whenever the content of the repository does.

        Returns
        -------
        version : `str`
            Made of the database file's identity, size and time of change: cheap enough to ask at
            any time. On a network file system it may lag behind by some seconds.
        """
        # Never open the database file for this: closing a second descriptor of a file would drop
        # the locks that SQLite holds on it in this process.
        try:
            status = (self.root / DATABASE).stat()
        except OSError:
            return "absent"
        return f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"

    def _butler(self, *, writeable: bool) -> DirectButler:
        try:
            return cast(DirectButler, Butler.from_config(str(self.root), writeable=writeable))
        except (SQLAlchemyError, OSError) as error:
            raise SatelliteError(
                f"The satellite in {self.root} cannot be opened: {error}.",
                "Check that the directory is complete and yours to write.",
            ) from error

    def __repr__(self) -> str:
        return f"Satellite({self.label!r}, {str(self.root)!r})"


def _directory(label: str, root: Path | str | None) -> Path:
    return satellite_directory(label) if root is None else Path(root).expanduser().absolute()
