"""Datasets that were used, as they cross the wire; imports no lsst package."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from ..models import DataIdValue, Dataset, WireModel

__all__ = ["MAX_USED", "UsedDataset", "UsedList", "UsedQuestion", "UsedState"]

MAX_USED = 1_000
"""Most datasets in one question."""


class UsedQuestion(WireModel):
    """Datasets that were found in one collection."""

    collection: str = Field(min_length=1, description="Where they were found.")
    ids: list[UUID] = Field(max_length=MAX_USED)


class UsedState(StrEnum):
    """What became of a dataset."""

    CURRENT = "current"
    STALE = "stale"
    """The collection now gives another dataset for the same data ID."""
    GONE = "gone"
    """The registry knows it, but its file is not there."""
    UNKNOWN = "unknown"
    """The registry does not know it any more."""


class UsedDataset(WireModel):
    """One of them."""

    id: UUID
    state: UsedState
    dataset_type: str | None = Field(description="Null if it is unknown.")
    data_id: dict[str, DataIdValue]
    run: str | None = Field(description="Null if it is unknown.")
    newer: Dataset | None = Field(description="What the collection gives instead, if it is another one.")


class UsedList(WireModel):
    """In the order of the question, each once."""

    datasets: list[UsedDataset]
