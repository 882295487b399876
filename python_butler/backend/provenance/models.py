"""Provenance as it crosses the wire: one dataset, its inputs, its outputs, and how it was made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ..models import BusyEvent, CollectionType, DataIdValue, EndEvent, ErrorEvent, RepositoryKind, WireModel

__all__ = [
    "HoldingCollection",
    "HoldingEvent",
    "HoldingsEvent",
    "Maker",
    "Provenance",
    "ProvenanceNode",
    "ProvenanceSource",
    "RunTask",
    "Validity",
]


class ProvenanceSource(StrEnum):
    """Who told."""

    NOTES = "notes"
    """Notes that the personal repository keeps of what is put."""
    GRAPH = "graph"
    """The provenance graph of a run that was collected."""
    HEADER = "header"
    """What was written into the file with the dataset."""
    CELLS = "cells"
    """The list of contributing images in a coadd."""


class ProvenanceNode(WireModel):
    """One dataset in the graph."""

    id: UUID | None = Field(description="Null if only its data ID is known.")
    kind: RepositoryKind | None = Field(description="Where it can be opened; null if nowhere.")
    dataset_type: str = Field(description="Empty if it is not known.")
    data_id: dict[str, DataIdValue] = Field(default_factory=dict)
    run: str = ""


class Maker(WireModel):
    """How a dataset was made, as far as it was recorded."""

    quantum: UUID | None = Field(default=None, description="Identifier of the quantum that was executed.")
    task: str = Field(default="", description="Label of the task that was executed.")
    task_class: str = Field(default="", description="Its class.")
    configuration: str = Field(default="", description="Of the task, as Python statements.")
    seconds: float | None = Field(default=None, description="How long the quantum took.")
    time: str = Field(default="", description="UTC in ISO form.")
    user: str = ""
    host: str = ""
    python: str = ""
    software: dict[str, str] = Field(default_factory=dict, description="Versions by package.")
    code: str = Field(default="", description="The cell that ran.")
    execution: int | None = Field(default=None, description="Its number.")
    notebook: str = ""
    program: str = Field(default="", description="The file that ran, if it was no notebook.")
    doc: str = ""


class RunTask(WireModel):
    """A task that ran in the run of the dataset, for its data ID."""

    label: str
    same_dimensions: bool = Field(description="Whether one execution has exactly the dataset's data ID.")
    metadata: ProvenanceNode | None
    log: ProvenanceNode | None


class Provenance(WireModel):
    """One step of the graph in both directions."""

    dataset: ProvenanceNode
    sources: list[ProvenanceSource] = Field(description="Who told; empty if nobody recorded anything.")
    inputs: list[ProvenanceNode]
    inputs_left_out: int
    inputs_are: Literal["given", "read before", "recorded", "contributing"] = Field(
        description="Named by the user, read by the same process before, recorded by the pipeline, or images "
        "whose pixels went into it."
    )
    outputs: list[ProvenanceNode] = Field(
        description="In the personal repository, by its notes and the graphs of runs."
    )
    outputs_left_out: int
    maker: Maker | None
    tasks: list[RunTask] = Field(description="Tasks that left a log or metadata for this data ID.")
    packages: ProvenanceNode | None = Field(description="Versions of the software of the run.")


class Validity(WireModel):
    """When a calibration is to be used; TAI in ISO form, null for no bound."""

    begin: str | None
    end: str | None


class HoldingCollection(WireModel):
    """A collection in which the dataset is found."""

    name: str
    type: CollectionType
    validity: list[Validity] = Field(default_factory=list, description="Of a calibration collection.")


class HoldingsEvent(WireModel):
    """Some collections that hold the dataset."""

    event: Literal["holdings"] = "holdings"
    collections: list[HoldingCollection]


HoldingEvent = Annotated[HoldingsEvent | BusyEvent | EndEvent | ErrorEvent, Field(discriminator="event")]
"""One line of the stream of collections; the last is always an end or an error."""
