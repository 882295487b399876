"""How much memory a dataset takes when it is read whole, judged without reading it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .memory import FreeMemory, free_memory
from .models import MemoryCost
from .opening import OpenedDataset

if TYPE_CHECKING:
    import pyarrow

__all__ = ["memory_cost"]

_SHARE = 0.8
"""Part of the free memory that a dataset may take and still leave room to work with it."""
_EXTENSIONS = 200
"""Extensions of a FITS file that are looked at."""
_OBJECTS = 8
"""How many times its file a document may need: small objects of Python are large."""
_TEXTS = 60
"""Bytes that a text in a column takes beside its characters when it is an object of Python."""


def memory_cost(opened: OpenedDataset) -> MemoryCost:
    """Estimate what a dataset takes in memory, and look what there is.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset.

    Returns
    -------
    cost : `MemoryCost`
        Both.
    """
    needed, basis = _needed(opened)
    memory: FreeMemory = free_memory()
    return MemoryCost(
        file_size=opened.size,
        needed=needed,
        basis="unknown" if needed is None else "header" if basis else "size",
        free=memory.free,
        total=memory.total,
        limited=memory.limited,
        fits=None if needed is None else needed <= _SHARE * memory.free,
    )


def _needed(opened: OpenedDataset) -> tuple[int | None, bool]:
    """Give the bytes, and whether a header told them."""
    size = opened.size
    match opened.extension:
        case ".parq" | ".parquet":
            return _of_parquet(opened), True
        case ".fits" | ".fit" | ".fz":
            return _of_fits(opened), True
        case ".json" | ".yaml" | ".yml":
            return (None if size is None else _OBJECTS * size), False
        case ".png" | ".txt" | ".log":
            return (None if size is None else 2 * size), False
        case _:
            return None, False


def _of_parquet(opened: OpenedDataset) -> int:
    import pyarrow.parquet

    with opened.open() as file:
        metadata = pyarrow.parquet.read_metadata(file)
    schema = metadata.schema.to_arrow_schema()
    packed = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    fixed = 0
    texts = 0
    for field in schema:
        width = _width(field.type)
        if width is None:
            texts += 1
        else:
            fixed += width * int(metadata.num_rows)
    # What is not of fixed width has at least the bytes it has on disk, and one object a row.
    return fixed if texts == 0 else fixed + packed + texts * _TEXTS * int(metadata.num_rows)


def _width(kind: pyarrow.DataType) -> int | None:
    import pyarrow

    if pyarrow.types.is_fixed_size_list(kind):
        width = _width(kind.value_type)
        return None if width is None else width * int(kind.list_size)
    try:
        return max(1, math.ceil(int(kind.bit_width) / 8))
    except ValueError:
        return None


def _of_fits(opened: OpenedDataset) -> int:
    from astropy.io import fits

    total = 0
    with (
        opened.open() as file,
        fits.open(file, lazy_load_hdus=True, disable_image_compression=True, memmap=False) as extensions,
    ):
        for index in range(_EXTENSIONS):
            opened.check()
            try:
                header = extensions[index].header
            except IndexError:
                break
            total += _of_extension(header)
    return total


def _of_extension(header: Any) -> int:
    """Bytes of the data that a header announces, unpacked."""
    compressed = header.get("ZIMAGE", False)
    prefix = "Z" if compressed else ""
    axes = [int(header[f"{prefix}NAXIS{axis + 1}"]) for axis in range(header.get(f"{prefix}NAXIS", 0))]
    if not axes:
        return 0
    size = abs(int(header[f"{prefix}BITPIX"])) // 8 * math.prod(axes)
    if compressed and "ZQUANTIZ" in header:
        size = 4 * math.prod(axes)
    return size + (0 if compressed else int(header.get("PCOUNT", 0)))
