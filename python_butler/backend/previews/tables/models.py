"""What the table preview asks and is told. No lsst package is imported here."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from ...models import WireModel

__all__ = [
    "MAX_CELLS",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "ColumnKind",
    "ColumnSummary",
    "Histogram",
    "HistogramRange",
    "HistogramScale",
    "RowFilter",
    "SummaryRequest",
    "TableColumn",
    "TableOverview",
    "TablePage",
    "TableRequest",
    "TableView",
    "ValueCount",
]

MAX_ROWS = 1_000
"""Most rows in one answer."""

MAX_COLUMNS = 200
"""Most columns in one answer."""

MAX_CELLS = 20_000
"""Most cells in one answer: about a megabyte."""


class ColumnKind(StrEnum):
    """How the values of a column are shown and summarised."""

    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    OTHER = "other"
    """Lists, bytes and structures: shown, but neither sorted nor summarised."""


class TableColumn(WireModel):
    """One column of a table."""

    name: str
    kind: ColumnKind
    type: str = Field(description="Type of the values, such as `float32` or `float64[3]`.")
    unit: str = ""
    description: str = ""


class TableOverview(WireModel):
    """A table without its values."""

    rows: int
    columns: list[TableColumn]
    format: str = Field(description="Format of the file, such as `Parquet`.")
    size: int = Field(description="Bytes of the file.")
    memory: int = Field(description="About how many bytes the whole table takes in memory.")
    selectable: bool = Field(
        description="Whether code can read some columns only, naming them as they are named here."
    )
    documented_by: str = Field(
        default="", description="Where units and descriptions are from, if not from the file itself."
    )


def _require_all(schema: dict[str, Any]) -> None:
    schema["required"] = list(schema["properties"])


class _Asked(WireModel):
    """Part of a question: the browser sends every field, as it gets every one; others may leave some out."""

    model_config = ConfigDict(json_schema_extra=_require_all)


class RowFilter(_Asked):
    """Rows to keep, by the values in one column. Rows without a value are left out."""

    column: str
    low: float | None = Field(
        default=None, description="Least value; of times, milliseconds since 1970 in the column's own scale."
    )
    high: float | None = Field(default=None, description="Greatest value.")
    values: list[str] | None = Field(
        default=None, max_length=100, description="The only values, as texts: for texts, truths, integers."
    )


class TableView(_Asked):
    """Which rows of the table there are to see, in which order."""

    filters: list[RowFilter] = Field(default_factory=list, max_length=8)
    sort: str | None = Field(default=None, description="Column to sort by; null for the file's order.")
    descending: bool = False


class TableRequest(_Asked):
    """Asks for some cells."""

    view: TableView = Field(default_factory=TableView)
    columns: list[str] = Field(min_length=1, max_length=MAX_COLUMNS)
    start: int = Field(ge=0, description="First row of the view.")
    count: Annotated[int, Field(ge=1, le=MAX_ROWS)]


class TablePage(WireModel):
    """Some cells. They are texts that hold every digit; null is a missing value, `nan` is not a number."""

    start: int
    rows: int = Field(description="How many rows the view has.")
    considered: int = Field(
        description="How many rows from the beginning of the table were filtered or sorted: the view holds "
        "none of those after them."
    )
    total: int = Field(description="How many rows the table has.")
    columns: list[list[str | None]] = Field(description="Values of each column asked for, in that order.")
    row_numbers: list[int] | None = Field(
        description="Which rows of the table they are; null if they are those from `start` on."
    )
    bytes_read: int = Field(description="Bytes of the file that were read for this answer.")


class HistogramScale(StrEnum):
    """How bins follow each other."""

    LINEAR = "linear"
    LOG = "log"
    """By powers of ten: values that are not positive are counted as below."""


class HistogramRange(StrEnum):
    """Which values the bins span, if no bounds are given."""

    MOST = "most"
    """Without the outermost half percent on either side, if that makes the range much smaller."""
    ALL = "all"


class SummaryRequest(_Asked):
    """Asks for the summary of one column over the rows of a view; its order does not matter."""

    column: str
    filters: list[RowFilter] = Field(default_factory=list, max_length=8)
    bins: Annotated[int, Field(ge=2, le=200)] = 60
    scale: HistogramScale = HistogramScale.LINEAR
    range: HistogramRange = HistogramRange.MOST


class Histogram(WireModel):
    """Counts of numbers, or of times in milliseconds since 1970."""

    scale: HistogramScale
    edges: list[float] = Field(description="One more than there are bins.")
    counts: list[int]
    below: int = Field(description="Values below the first edge.")
    above: int = Field(description="Values above the last edge.")


class ValueCount(WireModel):
    """One value and how many rows have it."""

    value: str
    count: int


class ColumnSummary(WireModel):
    """Summary of one column. Numbers are texts with every digit, null where they have no meaning."""

    column: str
    kind: ColumnKind
    considered: int = Field(description="Rows from the beginning of the table that were looked at.")
    total: int = Field(description="Rows of the table.")
    rows: int = Field(description="Rows of those that pass the filters: what the summary is of.")
    count: int = Field(description="Values that are neither missing nor NaN nor infinite.")
    nulls: int
    nans: int
    infinities: int
    min: str | None = None
    max: str | None = None
    mean: str | None = None
    std: str | None = Field(default=None, description="With the number of values as the divisor, as numpy's.")
    median: str | None = None
    lower_quartile: str | None = None
    upper_quartile: str | None = None
    distinct: int | None = None
    common: list[ValueCount] = Field(
        default_factory=list, description="The most frequent values, most frequent first."
    )
    histogram: Histogram | None = None
    bytes_read: int
