"""Tables in other formats than Parquet, which are read as a whole if they are small enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ....errors import InvalidRequestError
from .blocks import BLOCK_ROWS
from .columns import describe_columns
from .giving_up import Waiting

__all__ = ["WholeTable", "arrow_from", "from_fits"]


class WholeTable:
    """A table in memory.

    Parameters
    ----------
    table : `pyarrow.Table`
        All of it.
    format : `str`
        What it was read from.
    size : `int`
        Bytes that were read.
    """

    selectable = False

    def __init__(self, table: pa.Table, format: str, size: int) -> None:
        self._table = table
        self.rows: int = table.num_rows
        self.columns = tuple(describe_columns(table.schema))
        self.format = format
        self.size = size
        self.bytes_read = size
        self.memory = self.held = int(table.nbytes)

    def close(self) -> None:
        """Forget the table."""
        self._table = self._table.slice(0, 0)

    def scan(self, columns: Sequence[str], stop: int, waiting: Waiting) -> Iterator[pa.RecordBatch]:
        """Give columns from the first row on, a batch at a time; see `ParquetTable.scan`."""
        for batch in self._table.select(list(columns)).slice(0, stop).to_batches(BLOCK_ROWS):
            waiting.check()
            yield batch

    def take(self, columns: Sequence[str], rows: npt.NDArray[np.int64], waiting: Waiting) -> pa.Table:
        """Give some cells; see `ParquetTable.take`."""
        return self._table.select(list(columns)).take(pa.array(rows))


def arrow_from(value: Any) -> pa.Table:
    """Turn any table of Python's into one of Arrow.

    Parameters
    ----------
    value : `astropy.table.Table`, `pandas.DataFrame`, `pyarrow.Table`, `numpy.ndarray` or `dict`
        A table.

    Returns
    -------
    table : `pyarrow.Table`
        With units and descriptions.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If it is no table.
    """
    from lsst.daf.butler.formatters import parquet

    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__]
    if isinstance(value, pa.Table):
        return value
    if "astropy.table.table.Table" in names:
        return parquet.astropy_to_arrow(_plain(value))
    if any(name.endswith(".DataFrame") and name.startswith("pandas.") for name in names):
        return parquet.pandas_to_arrow(value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        return parquet.numpy_to_arrow(_little(value))
    if isinstance(value, dict) and value and all(isinstance(each, np.ndarray) for each in value.values()):
        return parquet.numpy_dict_to_arrow(value)
    raise InvalidRequestError(
        "The dataset is no table.", "Insert it into a notebook to see what it is; there is no preview of it."
    )


def from_fits(content: Any) -> pa.Table:
    """Read the first table of a FITS file.

    Parameters
    ----------
    content : file object
        The file.

    Returns
    -------
    table : `pyarrow.Table`
        With units, and with the comments of its columns as descriptions.
    """
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(content) as file:
        for number, unit in enumerate(file):
            if isinstance(unit, fits.BinTableHDU | fits.TableHDU):
                table = Table.read(file, hdu=number, format="fits")
                for index, name in enumerate(table.colnames, 1):
                    table[name].description = table[name].description or unit.header.get(f"TDOC{index}", "")
                return arrow_from(table)
    raise InvalidRequestError("The FITS file has no table.", "Look at it as an image.")


def _plain(table: Any) -> Any:
    """Make columns of all that astropy mixes into tables, in the byte order of this machine."""
    from astropy.table import Column, MaskedColumn, QTable, Table
    from astropy.table.serialize import represent_mixins_as_columns
    from astropy.time import Time

    shown = QTable(table, copy=False)
    for name in shown.colnames:
        if isinstance(shown[name], Time):
            shown[name] = Column(shown[name].isot, description=shown[name].info.description)
    plain = Table(represent_mixins_as_columns(shown), copy=False)
    plain.meta = {}
    for name in plain.colnames:
        column = plain[name]
        values: Any = np.ma.asarray(column) if isinstance(column, MaskedColumn) else np.asarray(column)
        if values.dtype.kind == "O":
            values = values.astype(str)
        kind = MaskedColumn if isinstance(column, MaskedColumn) else Column
        plain[name] = kind(_little(values), unit=column.unit, description=column.description)
    return plain


def _little(values: Any) -> Any:
    # Arrow knows this machine's byte order only; files in FITS have the other.
    return values.astype(values.dtype.newbyteorder("="), copy=False)
