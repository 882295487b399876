"""Where one personal repository lies, and how it is opened: a handle that holds nothing open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from lsst.daf.butler import Butler
from lsst.daf.butler.direct_butler import DirectButler
from sqlalchemy.exc import SQLAlchemyError

from ..errors import SatelliteError
from .configured import configured
from .layout import CONFIG, read_marker
from .moving.mark import refuse_if_moving
from .storage import ABSENT, opening_failed, storage_of
from .storage.unfinished import undo_always, undo_unfinished

__all__ = ["Place"]


class Place:
    """A personal repository: its label, its directory, and Butlers that open it.

    It holds neither a file nor a connection, and can be pickled.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory: any tool that opens Butler repositories opens it.
    """

    def __init__(self, label: str, root: Path) -> None:
        self.label = label
        self.root = root

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
        database = storage_of(self).database_path
        if database is None:
            return self._butler(writeable=False)
        undo_unfinished(database)
        reader = self._butler(writeable=False)
        undo_always(reader, database)
        return reader

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
            If the repository is damaged or cannot be written, or is being moved.
        """
        refuse_if_moving(self.root)
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
            See `python_butler.satellite.storage.Storage.version`.

        Raises
        ------
        SatelliteError
            If a database server cannot be asked.
        """
        try:
            storage = storage_of(self)
        except SatelliteError:
            if (self.root / CONFIG).exists():
                raise
            return ABSENT
        return storage.version()

    def _butler(self, *, writeable: bool) -> DirectButler:
        # Before the database is touched: it may not be of a format that this version understands.
        read_marker(self.root)
        try:
            return cast(DirectButler, Butler.from_config(configured(self.root), writeable=writeable))
        except SatelliteError:
            raise
        # What upstream finds wrong with a database server or with credentials are runtime errors.
        except (SQLAlchemyError, OSError, RuntimeError, ModuleNotFoundError) as error:
            raise opening_failed(storage_of(self), error) from error

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label!r}, {str(self.root)!r})"
