"""From a dataset to its table, opened without reading more than its end."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
from lsst.resources import ResourcePath

from ....datastore.path import ReferencePath
from ....datastore.remote_file import RemoteFileSystem
from ....errors import InvalidRequestError
from ....words import size as in_words
from ..opening import WHOLE, OpenedDataset
from .blocks import Kept
from .parquet import ParquetTable
from .source import Fetch, PartFile
from .table import OpenTable
from .whole import WholeTable, arrow_from, from_fits

__all__ = ["Location", "locate", "open_table"]

_PARQUET = b"PAR1"
_FITS = b"SIMPLE  ="
_TEXT = b"# %ECSV"
_GROWTH = 4
"""How many times its file a table in FITS needs in memory."""


@dataclass(frozen=True)
class Location:
    """Where the file of a dataset is.

    Attributes
    ----------
    word : `str`
        Differs if it is another file; not to be shown.
    size : `int`
        Bytes.
    """

    word: str
    size: int


def locate(opened: OpenedDataset) -> Location:
    """Find the file of a dataset.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset.

    Returns
    -------
    location : `Location`
        Where.

    Raises
    ------
    python_butler.errors.GoneError
        If it is not there.
    """
    path = opened.path()
    size = opened.size
    return Location(f"{path.scheme}:{path.path}#{path.fragment}", path.size() if size is None else size)


def open_table(opened: OpenedDataset, location: Location, blocks: Kept[pa.Array]) -> OpenTable:
    """Open a table.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset; the table can be used after it is closed.
    location : `Location`
        Where its file is.
    blocks : `Kept`
        Where decoded pieces of it are kept.

    Returns
    -------
    table : `OpenTable`
        The table.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If it is no table, or too large to be read as a whole where only that is possible.
    """
    path = opened.path()
    start = b"" if path.fragment else opened.head(16)
    if start.startswith(_PARQUET):
        fetch, give_back = _reader(path)
        try:
            return ParquetTable(PartFile(fetch, location.size), blocks, give_back)
        except BaseException:
            give_back()
            raise
    if start.startswith(_FITS):
        # Upstream would read catalogues with the science pipelines, which need not be installed here.
        return WholeTable(_fits(opened, location.size), "FITS", location.size)
    name = "ECSV" if start.startswith(_TEXT) else ""
    return WholeTable(arrow_from(opened.get()), name, location.size)


def _fits(opened: OpenedDataset, size: int) -> pa.Table:
    if size > WHOLE:
        raise InvalidRequestError(
            f"This format can only be read as a whole, and the file has {in_words(size)}; previews read "
            f"{in_words(WHOLE)} at most.",
            "Read it in a notebook.",
        )
    with opened.reserve(_GROWTH * size), opened.open() as file:
        return from_fits(io.BytesIO(file.read()))


def _reader(path: ResourcePath) -> tuple[Fetch, Callable[[], None]]:
    """What reads parts of a file, and what to call when it is not needed any more."""
    if isinstance(path, ReferencePath):
        # What an opened dataset gives counts what is read for one answer; this is to last for many.
        lasting = ReferencePath.of(path.label, path.dataset_id, path.component, path.official)
        return lasting.to_fsspec()[0].fetch, _nothing
    if path.isLocal:
        descriptor = os.open(path.ospath, os.O_RDONLY)
        return lambda start, stop: _read_all(descriptor, start, stop), lambda: os.close(descriptor)
    file_system, name = path.to_fsspec()
    if isinstance(file_system, RemoteFileSystem):
        return file_system.fetch, _nothing
    return lambda start, stop: bytes(file_system.cat_file(name, start=start, end=stop)), _nothing


def _read_all(descriptor: int, start: int, stop: int) -> bytes:
    # One call may read less than it could.
    parts = []
    while start < stop and (part := os.pread(descriptor, stop - start, start)):
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def _nothing() -> None:
    pass
