"""What crosses the wire between backend and browser: the one source of truth of the API.

These models become the committed OpenAPI document, and that the TypeScript types. They import no
lsst package, so that the document can be made anywhere.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from ..errors import ErrorKind

__all__ = [
    "BackendStatus",
    "BusyEvent",
    "Collection",
    "CollectionPage",
    "CollectionType",
    "DataIdValue",
    "Dataset",
    "DatasetCount",
    "DatasetDetails",
    "DatasetEvent",
    "DatasetType",
    "DatasetTypeList",
    "DimensionRecord",
    "EndEvent",
    "ErrorEvent",
    "ErrorReport",
    "Repository",
    "RepositoryKind",
    "RepositoryList",
    "RepositoryState",
    "RowsEvent",
    "StoredFile",
    "VersionList",
]

DataIdValue = int | str
"""Value of a dimension in a data ID."""


class _Model(BaseModel):
    # Every field is always sent, so that none is optional in the TypeScript types.
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class RepositoryKind(StrEnum):
    """Whose repository it is."""

    OFFICIAL = "official"
    PERSONAL = "personal"


class RepositoryState(StrEnum):
    """Whether a repository can be read now."""

    CONNECTED = "connected"
    ABSENT = "absent"
    """A personal repository that has not been created yet; the first write creates it."""
    BUSY = "busy"
    OFFLINE = "offline"
    TOKEN = "token"  # noqa: S105  the name of a state, no secret
    FORBIDDEN = "forbidden"
    ERROR = "error"


class CollectionType(StrEnum):
    """Kind of a collection, as ``lsst.daf.butler.CollectionType`` names them."""

    RUN = "RUN"
    TAGGED = "TAGGED"
    CHAINED = "CHAINED"
    CALIBRATION = "CALIBRATION"


class ErrorReport(_Model):
    """One failure, told to a person and to a program."""

    kind: ErrorKind
    message: str = Field(description="What happened, to what: one sentence.")
    next_step: str = Field(default="", description="What the person can do about it.")
    retry_in: float | None = Field(default=None, description="Seconds after which to ask again.")
    request_id: str = Field(description="Identifier of the request, for a report to support.")


class BackendStatus(_Model):
    """The backend process as it runs."""

    version: str
    python: str = Field(description="Version of the backend's Python.")
    packages: dict[str, str] = Field(description="Versions of the packages that matter.")
    pid: int


class Repository(_Model):
    """One repository in the list, and whether it can be read."""

    kind: RepositoryKind
    label: str
    state: RepositoryState
    error: ErrorReport | None = Field(default=None, description="Why it is not connected.")
    location: str = Field(description="Host of the official server, or directory of the personal repository.")
    default_collections: list[str] = Field(
        default_factory=list,
        description="Collections to search when none is named: the chain of the same name.",
    )
    writeable: bool = False


class RepositoryList(_Model):
    """All repositories known here, official ones first, each followed by its satellite."""

    repositories: list[Repository]


class Collection(_Model):
    """One collection."""

    name: str
    type: CollectionType
    doc: str = ""
    children: list[str] | None = Field(default=None, description="Of a chain, in search order; else null.")


class CollectionPage(_Model):
    """Collections at one level of the tree."""

    collections: list[Collection]
    total: int = Field(description="How many there are at this level.")
    capped: bool = Field(description="Whether some were left out; `total` tells how many.")


class DatasetType(_Model):
    """A dataset type present in a collection."""

    name: str
    dimensions: list[str] = Field(description="Required dimensions, in the universe's order.")
    storage_class: str
    is_calibration: bool = False
    components: list[str] = Field(default_factory=list)
    parameters: list[str] = Field(
        default_factory=list, description="Read parameters of the storage class, such as `bbox` or `columns`."
    )


class DatasetTypeList(_Model):
    """The dataset types actually present in a collection, from its summary."""

    dataset_types: list[DatasetType]


class DatasetCount(_Model):
    """How many datasets of a type a collection holds."""

    count: int
    exact: bool = Field(description="False if counting stopped at a bound; then there are at least `count`.")


class Dataset(_Model):
    """One row in a list of datasets."""

    id: UUID
    data_id: dict[str, DataIdValue] = Field(description="Required dimensions, in the universe's order.")
    run: str


class RowsEvent(_Model):
    """Some more rows of a page."""

    event: Literal["rows"] = "rows"
    rows: list[Dataset]


class BusyEvent(_Model):
    """The official server asked to come back later; the query goes on by itself."""

    event: Literal["busy"] = "busy"
    retry_in: float = Field(description="Seconds.")


class EndEvent(_Model):
    """The page is complete."""

    event: Literal["end"] = "end"
    next_cursor: str | None = Field(
        description="Ask with this for the next page; null at the end of the list."
    )
    superseded: bool = Field(default=False, description="True if a newer query ended this one early.")


class ErrorEvent(_Model):
    """The page cannot be completed."""

    event: Literal["error"] = "error"
    error: ErrorReport


DatasetEvent = Annotated[RowsEvent | BusyEvent | EndEvent | ErrorEvent, Field(discriminator="event")]
"""One line of the NDJSON stream of a page; the last line is always an end or an error."""


class DimensionRecord(_Model):
    """One dimension record of a data ID."""

    element: str
    fields: dict[str, str | int | float | bool | None] = Field(
        description="Fields in the schema's order, without regions and other objects; "
        "times are TAI in ISO form."
    )


class StoredFile(_Model):
    """One file of a dataset. Never an address: those are signed and secret."""

    name: str = Field(description="Path below the datastore's root, or the last part of the official path.")
    size: int | None = Field(description="Bytes; null if the datastore did not record it.")
    component: str | None = None
    formatter: str = ""


class DatasetDetails(_Model):
    """Everything a details pane shows of one dataset."""

    id: UUID
    dataset_type: DatasetType
    data_id: dict[str, DataIdValue] = Field(description="All dimension values known, implied ones too.")
    run: str
    records: list[DimensionRecord]
    files: list[StoredFile] = Field(description="Empty if the file is gone.")
    stored: bool = Field(
        description="False if the dataset is known to the registry but its file is not there."
    )


class VersionList(_Model):
    """A word per personal repository that changes whenever its contents do."""

    versions: dict[str, str] = Field(description="By label of the repository.")
