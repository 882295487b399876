"""What previews send: always small, and telling what they leave out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..models import WireModel

__all__ = [
    "DocumentNode",
    "DocumentPreview",
    "FigurePreview",
    "LogPreview",
    "LogRecord",
    "MemoryCost",
    "ObjectPreview",
    "Preview",
    "TextPreview",
]


class DocumentNode(WireModel):
    """One value of a document, and some of those in it."""

    key: str = Field(description="Name or position in what holds it; empty for the whole.")
    type: str = Field(description="Kind of value, such as `dict`, `list`, `str`, or a class.")
    text: str | None = Field(default=None, description="A single value, as text; shortened if it is long.")
    size: int | None = Field(default=None, description="How many values are in it; null for a single value.")
    children: list[DocumentNode] = Field(
        default_factory=list, description="The first of them; there may be more."
    )


class DocumentPreview(WireModel):
    """Something with values inside values: a dictionary, JSON, a pydantic model."""

    form: Literal["document"] = "document"
    type: str = Field(description="Class of the whole.")
    path: list[str] = Field(description="Keys that lead to the root shown here.")
    offset: int = Field(description="How many of the root's values come before those given.")
    root: DocumentNode


class TextPreview(WireModel):
    """The beginning of a text."""

    form: Literal["text"] = "text"
    language: str = Field(description="Name of the language, such as `yaml`; empty for plain text.")
    text: str
    size: int | None = Field(description="Bytes in the whole file.")
    whole: bool = Field(description="Whether the text is all of it.")


class LogRecord(WireModel):
    """One line of a log."""

    time: str = Field(description="UTC in ISO form.")
    level: int = Field(description="As in Python's `logging`.")
    level_name: str
    name: str = Field(description="Name of the logger.")
    message: str


class LogPreview(WireModel):
    """A stretch of a log."""

    form: Literal["log"] = "log"
    records: list[LogRecord]
    offset: int = Field(description="How many of those asked for come before.")
    matching: int = Field(description="How many are of the level and with the words asked for.")
    levels: dict[str, int] = Field(description="How many there are of each level in the whole log.")


class FigurePreview(WireModel):
    """A picture, which is had from an address of its own."""

    form: Literal["figure"] = "figure"
    width: int = Field(description="Pixels of the whole.")
    height: int
    size: int = Field(description="Bytes of the whole file.")
    media_type: str


class ObjectPreview(WireModel):
    """Anything else: what Python says of it."""

    form: Literal["object"] = "object"
    type: str
    text: str
    whole: bool = Field(description="Whether the text is all that Python says.")


Preview = Annotated[
    DocumentPreview | TextPreview | LogPreview | FigurePreview | ObjectPreview,
    Field(discriminator="form"),
]
"""A look at what is in a dataset."""


class MemoryCost(WireModel):
    """What a dataset takes in memory when it is read whole, and what there is."""

    file_size: int | None = Field(description="Bytes of all files.")
    needed: int | None = Field(description="Bytes in memory, estimated; null if that cannot be told.")
    basis: Literal["header", "size", "unknown"] = Field(
        description="What the estimate rests on: the header of the file, or only its size."
    )
    free: int = Field(description="Bytes that a kernel on this machine could still take.")
    total: int = Field(description="Bytes that there are altogether, used ones too.")
    limited: bool = Field(description="Whether a container's limit is what counts.")
    fits: bool | None = Field(description="Whether it is likely to fit; null if that cannot be told.")
