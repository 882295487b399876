"""Everything a details pane shows of one dataset."""

from __future__ import annotations

import contextlib
from uuid import UUID

import astropy.time
from lsst.daf.butler import DatasetRef, Timespan
from lsst.daf.butler import DimensionRecord as ButlerDimensionRecord

from ..errors import GoneError
from .dataset_types import convert
from .models import DatasetDetails, DimensionRecord
from .repository import BrowsedRepository

__all__ = ["describe_dataset"]

_Field = str | int | float | bool | None


def describe_dataset(repository: BrowsedRepository, dataset_id: UUID) -> DatasetDetails:
    """Describe one dataset.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    dataset_id : `uuid.UUID`
        Its identifier.

    Returns
    -------
    details : `DatasetDetails`
        The description.

    Raises
    ------
    GoneError
        If the repository has no such dataset.
    """
    butler = repository.butler()
    ref = butler.get_dataset(dataset_id, dimension_records=True)
    if ref is None:
        raise GoneError(
            f"{repository.label} has no dataset {dataset_id}.", "Reload the list; it may have been removed."
        )
    files, stored = repository.files(butler, ref)
    return DatasetDetails(
        id=ref.id,
        dataset_type=convert(ref.datasetType),
        data_id=dict(ref.dataId.mapping if ref.dataId.hasFull() else ref.dataId.required),
        run=ref.run,
        records=_records(ref),
        files=files,
        stored=stored,
    )


def _records(ref: DatasetRef) -> list[DimensionRecord]:
    if not ref.dataId.hasRecords():
        return []
    records = (_record(ref, element) for element in ref.dataId.dimensions.elements)
    return [
        DimensionRecord(element=record.definition.name, fields=_fields(record))
        for record in records
        if record is not None
    ]


def _record(ref: DatasetRef, element: str) -> ButlerDimensionRecord | None:
    # An official server does not mention an element that has no record, others say that it has none.
    with contextlib.suppress(KeyError):
        return ref.dataId.records[element]
    return None


def _fields(record: ButlerDimensionRecord) -> dict[str, _Field]:
    fields: dict[str, _Field] = {}
    for name, value in record.toDict().items():
        if isinstance(value, Timespan):
            fields[f"{name}.begin"] = _time(value.begin)
            fields[f"{name}.end"] = _time(value.end)
        elif value is None or isinstance(value, str | int | float | bool):
            fields[name] = value
    return fields


def _time(moment: object) -> str | None:
    # A validity range without an end has a marker there that is no time.
    return (
        str(astropy.time.Time(moment.tai, precision=3).isot)
        if isinstance(moment, astropy.time.Time)
        else None
    )
