"""Footprints as they cross the wire; imports no lsst package."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ..models import BusyEvent, DataIdValue, EndEvent, ErrorEvent, WireModel

__all__ = [
    "Footprint",
    "FootprintDataset",
    "FootprintEvent",
    "FootprintsBatch",
    "FootprintsBegin",
    "FootprintsSummary",
]

Ring = list[tuple[float, float]]
"""Vertices of a polygon whose sides are great circles."""


class Footprint(WireModel):
    """A region on the sky, which any number of datasets share."""

    values: list[DataIdValue] = Field(
        description="Of the dimensions that the beginning names as the region's."
    )
    rings: list[Ring] = Field(
        description="Polygons that together make the region: vertices as right ascension and declination in "
        "degrees, ICRS, counter-clockwise as seen from outside the sphere, not closed, with great circles "
        "between them."
    )
    approximate: bool = Field(default=False, description="Whether the region has another shape than these.")


class FootprintDataset(WireModel):
    """A dataset, and where it is."""

    id: UUID
    values: list[DataIdValue] = Field(description="Of the dataset type's required dimensions, in order.")
    region: int = Field(description="Which of all regions in the order in which they came, from 0.")


class FootprintsBegin(WireModel):
    """What follows; the first event."""

    event: Literal["begin"] = "begin"
    element: str | None = Field(
        description="Dimension element whose regions these are, such as `visit_detector_region`; null if "
        "datasets of this type have no place on the sky, and then nothing follows."
    )
    region_dimensions: list[str]
    dimensions: list[str] = Field(description="Required dimensions of the dataset type.")


class FootprintsBatch(WireModel):
    """Some more regions, and some more datasets in the order of the list."""

    event: Literal["footprints"] = "footprints"
    regions: list[Footprint]
    datasets: list[FootprintDataset]


class FootprintsSummary(WireModel):
    """What there was and what was left out; the last event before the end."""

    event: Literal["summary"] = "summary"
    capped: bool = Field(description="Whether there may be more datasets than were asked for.")
    without_region: int = Field(
        description="Datasets whose dimension records have no region; zero where it was not looked at since "
        "the list was capped."
    )


FootprintEvent = Annotated[
    FootprintsBegin | FootprintsBatch | FootprintsSummary | BusyEvent | EndEvent | ErrorEvent,
    Field(discriminator="event"),
]
"""One line of the NDJSON stream of footprints; the last line is always an end or an error."""
