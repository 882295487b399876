"""What was written into a file with a dataset: the quantum, and the identifiers of its inputs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lsst.daf.butler import DatasetProvenance

from ..previews.opening import OpenedDataset

__all__ = ["FileProvenance", "provenance_in_file"]

_INPUT = re.compile(r"input\.(\d+)\.id")
_IMAGES = (".fits", ".fit", ".fz")
_TABLES = (".parq", ".parquet")


@dataclass(frozen=True)
class FileProvenance:
    """What a file tells.

    Parameters
    ----------
    quantum : `uuid.UUID` or `None`
        The quantum that was executed.
    inputs : `tuple` [`uuid.UUID`]
        The inputs, in order.
    total : `int`
        How many there were; more than `inputs` if the file does not name all.
    """

    quantum: UUID | None
    inputs: tuple[UUID, ...]
    total: int


def provenance_in_file(opened: OpenedDataset) -> FileProvenance | None:
    """Read what formatters write into files about where a dataset comes from.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset; only headers are read.

    Returns
    -------
    provenance : `FileProvenance` or `None`
        `None` if nothing was written.
    """
    header: Mapping[str, Any] = {}
    if opened.extension in _IMAGES:
        header = _of_fits(opened)
    elif opened.extension in _TABLES:
        header = _of_parquet(opened)
    return _understood(header)


def _of_fits(opened: OpenedDataset) -> Mapping[str, Any]:
    from astropy.io import fits

    with opened.open() as file:
        return dict(fits.Header.fromfile(file, endcard=True))


def _of_parquet(opened: OpenedDataset) -> Mapping[str, Any]:
    import pyarrow.parquet
    from astropy.table.meta import get_header_from_yaml

    with opened.open() as file:
        metadata = pyarrow.parquet.read_schema(file).metadata or {}
    text = metadata.get(b"table_meta_yaml")
    if text is None:
        return {}
    meta = get_header_from_yaml(text.decode().split("\n")).get("meta", {})
    return meta if isinstance(meta, Mapping) else {}


def _understood(header: Mapping[str, Any]) -> FileProvenance | None:
    # Upstream's own reading of these would fail on the first input that a repository does not know.
    keys = DatasetProvenance._find_provenance_keys_in_flat_dict(header)
    values = {standard: header[key] for key, standard in keys.items()}
    inputs = {
        int(match[1]): UUID(str(value))
        for standard, value in values.items()
        if (match := _INPUT.fullmatch(standard))
    }
    quantum = values.get("quantum")
    total = max(int(values.get("n_inputs", 0)), len(inputs))
    if total == 0 and quantum is None:
        return None
    return FileProvenance(
        quantum=None if quantum is None else UUID(str(quantum)),
        inputs=tuple(inputs[number] for number in sorted(inputs)),
        total=total,
    )
