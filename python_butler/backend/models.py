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
    "CalibrationValidity",
    "Collection",
    "CollectionFolder",
    "CollectionPage",
    "CollectionPath",
    "CollectionStep",
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
    "PersonalUsage",
    "Repository",
    "RepositoryKind",
    "RepositoryList",
    "RepositoryState",
    "RowsEvent",
    "StoredFile",
    "VersionList",
    "WireModel",
]

DataIdValue = int | str
"""Value of a dimension in a data ID."""


class WireModel(BaseModel):
    """Base of everything that crosses the wire."""

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


class ErrorReport(WireModel):
    """One failure, told to a person and to a program."""

    kind: ErrorKind
    message: str = Field(description="What happened, to what: one sentence.")
    next_step: str = Field(default="", description="What the person can do about it.")
    retry_in: float | None = Field(default=None, description="Seconds after which to ask again.")
    request_id: str = Field(description="Identifier of the request, for a report to support.")


class BackendStatus(WireModel):
    """The backend process as it runs."""

    version: str
    python: str = Field(description="Version of the backend's Python.")
    packages: dict[str, str] = Field(description="Versions of the packages that matter.")
    pid: int


class Repository(WireModel):
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


class RepositoryList(WireModel):
    """All repositories known here, official ones first, each followed by its satellite."""

    repositories: list[Repository]


class Collection(WireModel):
    """One collection."""

    name: str
    type: CollectionType
    doc: str = ""
    children: list[str] | None = Field(default=None, description="Of a chain, in search order; else null.")


class CollectionFolder(WireModel):
    """Collections whose names begin alike, up to a slash."""

    type: Literal["FOLDER"] = "FOLDER"
    path: str = Field(description="What their names begin with, with the last slash.")
    count: int = Field(description="How many collections are in it, at any depth.")


class CollectionPage(WireModel):
    """A stretch of one level of the tree of collections."""

    entries: list[Collection | CollectionFolder]
    offset: int = Field(description="Position of the first of these entries at this level.")
    total: int = Field(description="How many entries there are at this level.")


class CollectionStep(WireModel):
    """One row on the way to a collection."""

    parent: str | None = Field(description="The chain that the level belongs to; null at the top.")
    folder: str | None = Field(description="The folder, empty for none; null if nothing is grouped.")
    entry: str = Field(description="Name of the collection, or path of the folder, at this level.")
    offset: int = Field(description="Its position at this level.")


class CollectionPath(WireModel):
    """The way from the top of the tree to a collection."""

    collection: Collection
    steps: list[CollectionStep] = Field(description="The last one is the collection itself.")


class PersonalUsage(WireModel):
    """How much room a personal repository takes."""

    bytes: int = Field(description="Own files, copies, the database and what waits to be registered.")
    quota: int | None = Field(description="Most bytes that its volume's quota allows; null if none is known.")
    room: int | None = Field(description="Bytes that may still be written; null if that cannot be told.")
    own: int = Field(description="Datasets written here.")
    referenced: int = Field(description="Official datasets that take no room.")
    pinned: int = Field(description="Official datasets with a copy here.")


class CalibrationValidity(WireModel):
    """The times for which the calibrations of one type in a collection are valid."""

    begin: str | None = Field(description="Earliest begin, TAI in ISO form; null if it is not bounded.")
    end: str | None = Field(description="Latest end, TAI in ISO form; null if it is not bounded.")
    ranges: int = Field(description="How many different ranges there are.")
    exact: bool = Field(description="False if only some of the calibrations were looked at.")


class DatasetType(WireModel):
    """A dataset type present in a collection."""

    name: str
    dimensions: list[str] = Field(description="Required dimensions, in the universe's order.")
    storage_class: str
    is_calibration: bool = False
    components: list[str] = Field(default_factory=list)
    parameters: list[str] = Field(
        default_factory=list, description="Read parameters of the storage class, such as `bbox` or `columns`."
    )


class DatasetTypeList(WireModel):
    """The dataset types actually present in a collection, from its summary."""

    dataset_types: list[DatasetType]


class DatasetCount(WireModel):
    """How many datasets of a type a collection holds."""

    count: int
    exact: bool = Field(description="False if counting stopped at a bound; then there are at least `count`.")


class Dataset(WireModel):
    """One row in a list of datasets."""

    id: UUID
    data_id: dict[str, DataIdValue] = Field(description="Required dimensions, in the universe's order.")
    run: str


class RowsEvent(WireModel):
    """Some more rows of a page."""

    event: Literal["rows"] = "rows"
    rows: list[Dataset]


class BusyEvent(WireModel):
    """The official server asked to come back later; the query goes on by itself."""

    event: Literal["busy"] = "busy"
    retry_in: float = Field(description="Seconds.")


class EndEvent(WireModel):
    """The page is complete."""

    event: Literal["end"] = "end"
    next_cursor: str | None = Field(
        description="Ask with this for the next page; null at the end of the list."
    )
    superseded: bool = Field(default=False, description="True if a newer query ended this one early.")


class ErrorEvent(WireModel):
    """The page cannot be completed."""

    event: Literal["error"] = "error"
    error: ErrorReport


DatasetEvent = Annotated[RowsEvent | BusyEvent | EndEvent | ErrorEvent, Field(discriminator="event")]
"""One line of the NDJSON stream of a page; the last line is always an end or an error."""


class DimensionRecord(WireModel):
    """One dimension record of a data ID."""

    element: str
    fields: dict[str, str | int | float | bool | None] = Field(
        description="Fields in the schema's order, without regions and other objects; "
        "times are TAI in ISO form."
    )


class StoredFile(WireModel):
    """One file of a dataset. Never an address: those are signed and secret."""

    name: str = Field(description="Path below the datastore's root, or the last part of the official path.")
    size: int | None = Field(description="Bytes; null if the datastore did not record it.")
    component: str | None = None
    formatter: str = ""
    checksum: str | None = Field(default=None, description="As the datastore recorded it, if it did.")
    place: RepositoryKind = Field(
        description="Whose storage it is in: a personal repository has official files by reference."
    )


class DatasetDetails(WireModel):
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


class VersionList(WireModel):
    """A word per personal repository that changes whenever its contents do."""

    versions: dict[str, str] = Field(description="By label of the repository.")
