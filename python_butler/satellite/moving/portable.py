"""A satellite as a backup has it: as if its database and files were in its directory, wherever they are."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lsst.daf.butler.direct_butler import DirectButler

from ..create import build
from ..layout import CONFIG, DATABASE, FALLBACK, FILES, MARKER, README, read_marker
from ..place import Place
from ..progress import Reporter
from ..storage import Choice, storage_of
from .snapshot import Artifact, Snapshot, copy_database
from .tables import artifacts_of, check_same_schema, copy_rows, steady

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Portable", "portable"]

_TEXTS = (MARKER, CONFIG, FALLBACK, README)


class Portable:
    """A satellite as a directory that can be taken anywhere would have it.

    Parameters
    ----------
    texts : `dict` [`str`, `bytes`]
        Small files by name.
    copy : callable
        Copies the registry, as it is at that moment, to an SQLite file. Given a function, too, that it
        calls again and again, and that raises to stop.
    artifacts : callable
        Tells which files the registry names at that moment.
    """

    def __init__(
        self,
        texts: dict[str, bytes],
        copy: Callable[[Path, Callable[[], None]], None],
        artifacts: Callable[[], Mapping[str, Artifact]],
    ) -> None:
        self.texts = texts
        self.copy_database = copy
        self._artifacts = artifacts

    def still_there(self, snapshot: Snapshot) -> bool:
        """Tell whether nothing was removed since a copy was made.

        Parameters
        ----------
        snapshot : `Snapshot`
            The copy.

        Returns
        -------
        unchanged : `bool`
            Whether all files in it are named still, with the same datasets in them.
        """
        now = self._artifacts()
        return all(now.get(path) == artifact for path, artifact in snapshot.artifacts.items())


@contextmanager
def portable(satellite: Place) -> Iterator[Portable]:
    """Look at a satellite so that it could be taken anywhere.

    Parameters
    ----------
    satellite : `Place`
        The satellite.

    Yields
    ------
    portable : `Portable`
        What there is to copy besides its datasets' files.

    Raises
    ------
    SatelliteError
        If its registry cannot be read, or was made by another version of upstream.
    """
    storage = storage_of(satellite)
    with contextlib.ExitStack() as stack:
        directory = satellite.root
        if storage.database_path != directory / DATABASE or storage.local_files != directory / FILES:
            scratch = stack.enter_context(tempfile.TemporaryDirectory())
            with contextlib.closing(satellite.reader()) as reader:
                universe = reader.dimensions
            marker = read_marker(satellite.root)
            # One that has all in its directory: its configuration is the one to be taken along.
            directory = build(marker.label, Path(scratch, "satellite"), universe, Choice(), marker.id)
        texts = {name: (directory / name).read_bytes() for name in _TEXTS if (directory / name).exists()}
        database = storage.database_path
        if database is not None:
            source = database
            yield Portable(
                texts,
                lambda target, check: copy_database(source, target, check),
                lambda: Snapshot(source).artifacts,
            )
            return
        reader = stack.enter_context(contextlib.closing(satellite.reader()))
        copy = Place(satellite.label, directory)

        def copied(target: Path, check: Callable[[], None]) -> None:
            _copy(reader, copy)
            copy_database(directory / DATABASE, target, check)

        yield Portable(texts, copied, lambda: artifacts_of(reader))


def _copy(reader: DirectButler, copy: Place) -> None:
    with contextlib.closing(copy._butler(writeable=True)) as writer, steady(reader):
        check_same_schema(reader, writer)
        copy_rows(reader, writer, Reporter())
