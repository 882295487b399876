"""What a person narrows a list of datasets by, and what the backend makes of it; imports no lsst package."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from ..models import DataIdValue, RepositoryKind, WireModel

__all__ = [
    "BindValue",
    "DatasetFilter",
    "DatasetQuery",
    "DatasetSearch",
    "FacetDimension",
    "FacetValues",
    "QueryCall",
    "QueryCheck",
    "QueryProblem",
    "QueryShape",
    "SkyCircle",
    "TaiTime",
    "TimeRange",
]

MAX_CHOSEN = 1_000
"""Most values of one dimension that a filter may list."""

MAX_WHERE = 10_000
"""Longest expression."""


def _require_all(schema: dict[str, Any]) -> None:
    schema["required"] = list(schema["properties"])


class _Asked(WireModel):
    """Part of a question: the browser sends every field, as it gets every one; others may leave some out."""

    model_config = ConfigDict(json_schema_extra=_require_all)


class SkyCircle(_Asked):
    """A circle on the sky."""

    ra: float = Field(ge=0, lt=360, description="Right ascension of the centre, degrees, ICRS.")
    dec: float = Field(ge=-90, le=90, description="Declination of the centre, degrees, ICRS.")
    radius: float = Field(ge=0, le=90, description="Degrees; zero for the position itself.")


class TimeRange(_Asked):
    """A time range, open where an end is null."""

    begin: str | None = Field(default=None, description="ISO, TAI, such as `2025-12-03T01:00:00`.")
    end: str | None = Field(default=None, description="ISO, TAI; not included.")


class DatasetFilter(_Asked):
    """What datasets must be like to be listed, and in which order. All parts must hold."""

    data_id: dict[str, Annotated[list[DataIdValue], Field(max_length=MAX_CHOSEN)]] = Field(
        default_factory=dict,
        description="By dimension, required or implied, the values to choose from; "
        "an empty list is no condition.",
    )
    near: SkyCircle | None = Field(default=None, description="What the datasets' region must overlap.")
    time: TimeRange | None = Field(default=None, description="What the time of observation must overlap.")
    where: str = Field(
        default="", max_length=MAX_WHERE, description="An expression of the Butler's query language."
    )
    order_by: list[str] = Field(
        default_factory=list,
        max_length=8,
        description="Dimensions or fields such as `visit.exposure_time`, with `-` before it for descending "
        "order; the data ID decides where these are equal.",
    )
    limit: int | None = Field(default=None, ge=1, description="Most datasets; null for all.")
    find_first: bool | None = Field(
        default=None,
        description="Whether a data ID is shown once, as a search finds it; "
        "null for what suits the collection.",
    )


class DatasetSearch(_Asked):
    """Datasets of one type in one collection of a repository that is known."""

    collection: str = Field(min_length=1)
    dataset_type: str = Field(min_length=1)
    filter: DatasetFilter = Field(default_factory=DatasetFilter)


class DatasetQuery(DatasetSearch):
    """The same with the repository: whatever acts on "all that was found" takes this."""

    kind: RepositoryKind
    label: str


class FacetDimension(WireModel):
    """A dimension that datasets of a type can be narrowed by."""

    name: str
    type: Literal["int", "str"]
    implied: bool = Field(description="Whether it follows from others, as the band does from a visit.")


class QueryShape(WireModel):
    """How datasets of a type can be narrowed."""

    facets: list[FacetDimension]
    region: str | None = Field(description="The column that a sky position is compared with; null if none.")
    timespan: str | None = Field(description="The column that a time range is compared with; null if none.")


class FacetValues(WireModel):
    """Values of a dimension that occur, in order."""

    values: list[DataIdValue]
    capped: bool = Field(description="Whether there are more.")


class TaiTime(WireModel):
    """A moment among the values of a query."""

    tai: str = Field(description="ISO.")


BindValue = int | float | str | TaiTime | list[int | str]
"""A value that an expression refers to by name."""


class QueryCall(WireModel):
    """The arguments of ``Butler.query_datasets`` as the list uses them, apart from type and collection."""

    data_id: dict[str, DataIdValue] = Field(description="Keyword arguments.")
    where: str
    bind: dict[str, BindValue]
    order_by: list[str]
    limit: int | None
    find_first: bool


class QueryProblem(WireModel):
    """Why a filter cannot be used."""

    field: Literal["where", "order_by", "data_id", "near", "time"]
    message: str = Field(description="One sentence.")
    begin: int | None = Field(default=None, description="Where in the expression it begins, in characters.")
    end: int | None = Field(default=None, description="Where it ends.")


class QueryCheck(WireModel):
    """What the backend makes of a filter."""

    problems: list[QueryProblem]
    call: QueryCall | None = Field(description="Null while there are problems.")
