"""Exceptions for queries over both repositories that cannot be answered exactly."""

from __future__ import annotations

from typing import Self

from lsst.daf.butler import DatasetType, DimensionRecord, InvalidQueryError

from ..errors import InvalidRequestError

__all__ = ["ConflictingRepositoriesError", "InexactQueryError"]


class InexactQueryError(InvalidRequestError, InvalidQueryError):
    """A query over both repositories that cannot be answered exactly with bearable effort."""


class ConflictingRepositoriesError(InexactQueryError):
    """The two repositories say different things of what must be the same in both."""

    @classmethod
    def of_records(cls, label: str, official: DimensionRecord, personal: DimensionRecord) -> Self:
        """Error for two dimension records with the same key.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        official, personal : `lsst.daf.butler.DimensionRecord`
            The records.

        Returns
        -------
        error : `ConflictingRepositoriesError`
            Says in what they differ.
        """
        name = official.definition.name
        mine, theirs = personal.toDict(), official.toDict()
        fields = [field for field, value in theirs.items() if mine[field] != value]
        said = ", ".join(
            f"{field} is {_short(theirs[field])} in {label} and {_short(mine[field])} in your satellite"
            for field in fields[:3]
        )
        key = dict(official.dataId.required)
        return cls(
            f"The record of {name} {key} differs: {said}.",
            f"Take over the official one with butler.registry.syncDimensionData({name!r}, record, "
            "update=True), or give your own another name or number.",
        )

    @classmethod
    def of_dataset_types(cls, label: str, official: DatasetType, personal: DatasetType) -> Self:
        """Error for two dataset types of the same name.

        Parameters
        ----------
        label : `str`
            Label of the official repository.
        official, personal : `lsst.daf.butler.DatasetType`
            The dataset types.

        Returns
        -------
        error : `ConflictingRepositoriesError`
            Says in what they differ.
        """
        return cls(
            f"Dataset type {official.name!r} is defined differently: {_definition(official)} in {label}, "
            f"{_definition(personal)} in your satellite.",
            "Search collections of one of them only, or put your own datasets again under another name.",
        )


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _definition(dataset_type: DatasetType) -> str:
    calibration = ", calibration" if dataset_type.isCalibration() else ""
    dimensions = ", ".join(dataset_type.dimensions.required)
    return f"({dimensions}; {dataset_type.storageClass_name}{calibration})"
