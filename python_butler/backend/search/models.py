"""What a search finds, as it crosses the wire."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ..models import BusyEvent, Collection, DataIdValue, DatasetType, EndEvent, ErrorEvent, WireModel

__all__ = [
    "CollectionMatch",
    "DatasetMatch",
    "DatasetTypeMatch",
    "DatasetTypePlace",
    "FoundEvent",
    "SearchEvent",
    "SummaryEvent",
]


class CollectionMatch(WireModel):
    """A collection whose name or documentation matches."""

    what: Literal["collection"] = "collection"
    collection: Collection
    by: Literal["name", "documentation"]


class DatasetTypeMatch(WireModel):
    """A dataset type whose name matches."""

    what: Literal["dataset-type"] = "dataset-type"
    dataset_type: DatasetType
    collection: Collection | None = Field(
        description="Where there are some: the default collection if possible; null if that is not known."
    )


class DatasetTypePlace(WireModel):
    """A collection with datasets of one type."""

    collection: Collection | None = Field(description="Null if there are none at all.")


class DatasetMatch(WireModel):
    """The dataset with the identifier that was searched for."""

    what: Literal["dataset"] = "dataset"
    id: UUID
    dataset_type: DatasetType
    data_id: dict[str, DataIdValue]
    collection: Collection = Field(description="The run that holds it.")


Match = Annotated[CollectionMatch | DatasetTypeMatch | DatasetMatch, Field(discriminator="what")]


class FoundEvent(WireModel):
    """Some more matches."""

    event: Literal["found"] = "found"
    request: str = Field(description="The word that the search was asked with.")
    matches: list[Match]


class SummaryEvent(WireModel):
    """Everything was looked at."""

    event: Literal["summary"] = "summary"
    request: str = Field(description="The word that the search was asked with.")
    total: int = Field(description="How many match.")
    capped: bool = Field(description="Whether some of them were left out.")


SearchEvent = Annotated[
    FoundEvent | SummaryEvent | BusyEvent | EndEvent | ErrorEvent, Field(discriminator="event")
]
"""One line of the NDJSON stream of a search; the last line is always an end or an error."""
