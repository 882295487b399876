"""Jobs on the wire: what is asked for, what it would do, how far it is, what became of each dataset."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from ..models import (
    BusyEvent,
    DataIdValue,
    Dataset,
    EndEvent,
    ErrorEvent,
    ErrorReport,
    RepositoryKind,
    WireModel,
)
from ..queries.models import DatasetQuery
from ..runs.models import RunsEvent

__all__ = [
    "MAX_CHOSEN",
    "MAX_DATASETS",
    "MAX_PRESENCE",
    "AliveEvent",
    "ChangeEvent",
    "ChosenDatasets",
    "HeldType",
    "HeldTypes",
    "Job",
    "JobAction",
    "JobEvent",
    "JobList",
    "JobPhase",
    "JobPlan",
    "JobProgress",
    "JobRequest",
    "JobResult",
    "JobResultPage",
    "JobResultStatus",
    "JobState",
    "PlanEvent",
    "PlanGroup",
    "PlanProblem",
    "PlanRoom",
    "PlannedEvent",
    "Presence",
    "PresenceRequest",
    "ProgressEvent",
    "PruneRule",
    "RemovedEvent",
    "VersionsEvent",
]

MAX_CHOSEN = 50_000
"""Most datasets that may be named one by one."""

MAX_DATASETS = 200_000
"""Most datasets that one job takes on."""

MAX_PRESENCE = 2_000
"""Most datasets that may be looked up at once."""


def _require_all(schema: dict[str, Any]) -> None:
    schema["required"] = list(schema["properties"])


class _Asked(WireModel):
    """Part of a request: the browser sends every field; others may leave out those with defaults."""

    model_config = ConfigDict(json_schema_extra=_require_all)


class JobAction(StrEnum):
    """What is done."""

    REFERENCE = "reference"
    PIN = "pin"
    PREFETCH = "prefetch"
    UNPIN = "unpin"
    FORGET = "forget"
    RETIRE = "retire"
    PRUNE = "prune"


class JobState(StrEnum):
    """How a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    """The backend ended before the job did; it can be resumed."""


class JobPhase(StrEnum):
    """What a running job is doing."""

    STARTING = "starting"
    FINDING = "finding"
    CREATING = "creating"
    LOOKING = "looking"
    """Finding out what there is, how large it is, and what is there already."""
    REFERENCING = "referencing"
    COPYING = "copying"
    FETCHING = "fetching"
    REMOVING = "removing"
    CHECKING = "checking"
    """Looking what became of each dataset."""


class JobResultStatus(StrEnum):
    """What became of one dataset, or of one version."""

    DONE = "done"
    THERE = "there"
    """It was so before."""
    MISSING = "missing"
    REFUSED = "refused"
    LEFT = "left"
    """Nothing was done with it: the job ended before."""


class ChosenDatasets(_Asked):
    """Datasets of one type that a person chose one by one, as a list gave them."""

    kind: RepositoryKind
    collection: str | None = Field(default=None, description="In which they were found.")
    dataset_type: str = Field(min_length=1)
    datasets: Annotated[list[Dataset], Field(min_length=1, max_length=MAX_CHOSEN)]


class PruneRule(_Asked):
    """Which of one's own datasets are removed: those that all of this applies to."""

    older_than: str | None = Field(default=None, max_length=20, description="An age, such as `30d`.")
    keep_versions: int | None = Field(default=None, ge=0, le=1_000_000)
    dataset_types: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    collections: Annotated[list[str], Field(max_length=100)] = Field(default_factory=list)
    even_newest: bool = False
    even_tagged: bool = False
    pinned: bool = Field(default=False, description="Whether copies of official datasets are meant, too.")


class JobRequest(_Asked):
    """What a person wants done in the satellite of an official repository."""

    action: JobAction
    label: str
    chosen: ChosenDatasets | None = Field(default=None, description="Some datasets; or:")
    query: DatasetQuery | None = Field(default=None, description="All that a query finds; or:")
    versions: Annotated[list[str], Field(max_length=1_000)] = Field(
        default_factory=list, description="Runs of versions to retire; or:"
    )
    prune: PruneRule | None = Field(default=None, description="What to prune.")
    purge: bool = Field(default=False, description="Whether to delete retired versions for good.")
    create: bool = Field(default=False, description="Whether the satellite may be created.")
    most: int | None = Field(
        default=None, ge=0, description="Nothing is removed if that would be more datasets than this."
    )


class PlanGroup(WireModel):
    """Some of what would be done: the datasets of one type in one run."""

    run: str
    dataset_type: str
    datasets: int
    bytes: int
    oldest: str | None = Field(default=None, description="When the first was registered; ISO, TAI.")
    newest: str | None = None


class PlanProblem(WireModel):
    """Datasets with which it cannot or will not be done."""

    status: JobResultStatus
    reason: str
    datasets: int


class PlanRoom(WireModel):
    """Whether what is to be written fits."""

    needed: int = Field(description="Bytes.")
    free: int | None = Field(description="Bytes that may still be written, by all that is known.")
    fits: bool | None = Field(description="Null if nobody can tell.")
    place: Literal["disk", "cache"]
    location: str
    quota: int | None = Field(default=None, description="Bytes that the person may have there.")


class JobPlan(WireModel):
    """What a job would do, from a dry run."""

    action: JobAction
    label: str
    datasets: int = Field(description="How many are meant.")
    new: int = Field(description="With how many something would be done.")
    there: int = Field(description="How many are so already.")
    bytes: int = Field(description="Size of the files of those with which something would be done.")
    unknown: int = Field(default=0, description="How many of them are of unknown size.")
    reference_first: int = Field(default=0, description="How many would be referenced first.")
    creates_satellite: bool = False
    location: str = Field(description="Where the satellite is, or would be.")
    room: PlanRoom | None = None
    groups: list[PlanGroup] = Field(default_factory=list, description="At most a few hundred.")
    more_groups: int = 0
    problems: list[PlanProblem] = Field(default_factory=list)
    kept: list[PlanProblem] = Field(
        default_factory=list, description="What is kept although it could be meant."
    )
    irreversible: bool = Field(default=False, description="Whether nothing brings it back.")


class JobProgress(WireModel):
    """How far a job is."""

    phase: JobPhase
    done: int
    total: int | None
    seconds_left: float | None


class Job(WireModel):
    """One job as it stands."""

    id: UUID
    action: JobAction
    label: str
    kind: RepositoryKind = Field(description="Where the datasets were found.")
    dataset_type: str | None
    collection: str | None
    datasets: int | None = Field(description="How many are meant; null as long as that is not known.")
    state: JobState
    ahead: int = Field(description="How many jobs on the same satellite come before it.")
    progress: JobProgress | None
    created: str = Field(description="ISO, UTC.")
    began: str | None
    ended: str | None
    counts: dict[JobResultStatus, int] = Field(
        description="What became of the datasets; empty until it ended."
    )
    bytes: int = Field(description="Size of what was done.")
    notes: list[str] = Field(description="What there is to say beside, as sentences.")
    error: ErrorReport | None
    resumable: bool = Field(description="Whether it can be taken up where it ended.")


class JobList(WireModel):
    """All jobs known, newest first."""

    jobs: list[Job]


class JobResult(WireModel):
    """What became of one dataset, or of one version."""

    id: UUID | None
    dataset_type: str
    data_id: dict[str, DataIdValue]
    run: str
    status: JobResultStatus
    bytes: int | None
    reason: str


class JobResultPage(WireModel):
    """Some results, in the order in which the datasets were given."""

    results: list[JobResult]
    next_cursor: str | None


class ProgressEvent(WireModel):
    """How far the dry run is."""

    event: Literal["progress"] = "progress"
    progress: JobProgress


class PlannedEvent(WireModel):
    """What the job would do."""

    event: Literal["plan"] = "plan"
    plan: JobPlan


PlanEvent = Annotated[
    ProgressEvent | BusyEvent | PlannedEvent | EndEvent | ErrorEvent, Field(discriminator="event")
]
"""One line while a job is planned; the last line is always an end or an error."""


class JobEvent(WireModel):
    """A job is new, or stands otherwise than before."""

    event: Literal["job"] = "job"
    job: Job


class RemovedEvent(WireModel):
    """A job was taken off the list."""

    event: Literal["removed"] = "removed"
    id: UUID


class VersionsEvent(WireModel):
    """The contents of a personal repository changed."""

    event: Literal["versions"] = "versions"
    versions: dict[str, str] = Field(description="As `VersionList` has them.")


class AliveEvent(WireModel):
    """Nothing happened; the connection is good."""

    event: Literal["alive"] = "alive"


ChangeEvent = Annotated[
    JobEvent | RemovedEvent | VersionsEvent | RunsEvent | AliveEvent | EndEvent | ErrorEvent,
    Field(discriminator="event"),
]
"""One line of what changes; begins with how everything stands."""


class PresenceRequest(_Asked):
    """Datasets to look up in a satellite."""

    ids: Annotated[list[UUID], Field(max_length=MAX_PRESENCE)]


class HeldType(WireModel):
    """How many official datasets of one type a satellite has."""

    dataset_type: str
    referenced: int
    pinned: int


class HeldTypes(WireModel):
    """The dataset types of a collection of which a satellite has some official datasets."""

    types: list[HeldType]


class Presence(WireModel):
    """Which of some datasets a satellite has, official ones that is."""

    referenced: list[UUID] = Field(description="By reference: their files are on the official server.")
    pinned: list[UUID] = Field(description="With a copy of their files.")
