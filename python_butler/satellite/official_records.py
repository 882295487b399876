"""What every satellite needs of the official dimensions: the universe, instruments and skymaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata

from lsst.daf.butler import Butler, DimensionElement, DimensionRecord
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.remote_butler import RemoteButler

from ..credentials import scrub
from ..errors import InvalidRequestError, PythonButlerError, SatelliteError
from ..official import connect, disconnect

__all__ = ["Records", "add_records", "connected", "read_records"]

type Records = Mapping[DimensionElement, list[DimensionRecord]]
"""Dimension records by element, in an order in which they can be inserted."""

_BELONGING = {"instrument": ("detector", "physical_filter", "visit_system")}
"""Elements that are defined once and for all with the value of a governor dimension.

Not tracts and patches: a skymap of the whole sky has two million, which are brought when needed.
"""


@contextmanager
def connected(label: str) -> Iterator[RemoteButler]:
    """Connect to an official repository for as long as something is made of what it says.

    Parameters
    ----------
    label : `str`
        Label of the official repository.

    Yields
    ------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.

    Raises
    ------
    SatelliteError
        If the installed packages do not understand its dimensions.
    UnknownRepositoryError, OfficialServerError
        If its server cannot be asked.
    """
    try:
        official = connect(label)
    except PythonButlerError:
        raise
    except Exception as error:  # upstream fails in many ways on dimensions that it does not know
        version = metadata.version("lsst-daf-butler")
        raise SatelliteError(
            f"The installed lsst-daf-butler {version} does not understand the dimensions of {label}: "
            f"{type(error).__name__}: {' '.join(scrub(str(error)).split())[:300]}.",
            "Upgrade lsst-daf-butler, or use a kernel that was made for this release.",
        ) from None
    try:
        yield official
    finally:
        disconnect(official)


def read_records(official: Butler, names: Iterable[str] | None) -> Records:
    """Read the records of governor dimensions, and what belongs to them, from an official repository.

    Parameters
    ----------
    official : `lsst.daf.butler.Butler`
        The official repository.
    names : iterable of `str` or `None`
        Values of governor dimensions, such as ``LSSTCam`` or ``lsst_cells_v2``; `None` for all.

    Returns
    -------
    records : `dict` [`lsst.daf.butler.DimensionElement`, `list` [`lsst.daf.butler.DimensionRecord`]]
        Governors, and the detectors and physical filters of instruments.

    Raises
    ------
    InvalidRequestError
        If a name is not known there.
    OfficialServerError
        If the server, the token or the network is in trouble.
    """
    wanted = None if names is None else set(names)
    records: dict[DimensionElement, list[DimensionRecord]] = {}
    known: set[str] = set()
    for governor in official.dimensions.governor_dimensions:
        found = official.query_dimension_records(governor.name, limit=None, explain=False)
        values = {str(record.dataId[governor.name]) for record in found}
        known |= values
        chosen = values if wanted is None else values & wanted
        if not chosen:
            continue
        records[governor] = [record for record in found if record.dataId[governor.name] in chosen]
        for name in _BELONGING.get(governor.name, ()):
            if name not in official.dimensions.elements.names:
                continue
            belonging = official.query_dimension_records(name, limit=None, explain=False)
            records[official.dimensions[name]] = [
                record for record in belonging if record.dataId[governor.name] in chosen
            ]
    if wanted and (unknown := sorted(wanted - known)):
        raise InvalidRequestError(
            f"The official repository knows no {' or '.join(unknown)}.",
            f"Known names: {', '.join(sorted(known))}.",
        )
    return records


def add_records(writer: DirectButler, records: Records) -> None:
    """Insert records that a repository does not have yet, all or nothing.

    Parameters
    ----------
    writer : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.
    records : `dict`
        What `read_records` gave.
    """
    with writer.transaction():
        for element, rows in records.items():
            if rows:
                writer.registry.insertDimensionData(element, *rows, conform=False, skip_existing=True)
