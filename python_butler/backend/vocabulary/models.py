"""What crosses the wire about words: dimensions, fields, functions, and completions."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from ..models import DataIdValue, WireModel

__all__ = [
    "Completion",
    "CompletionList",
    "CompletionTopic",
    "ExpressionFunction",
    "Vocabulary",
    "VocabularyElement",
    "VocabularyField",
]


class VocabularyField(WireModel):
    """One field that an expression may name."""

    name: str
    type: str = Field(description="`int`, `float`, `string`, `bool`, `region`, `timespan`, `datetime`, …")
    unit: str = Field(default="", description="As the field's documentation names it; empty if it does not.")
    doc: str = ""


class VocabularyElement(WireModel):
    """A dimension, or a combination of dimensions that has fields of its own."""

    name: str
    is_dimension: bool = Field(description="Whether data IDs have it; otherwise it has only fields.")
    key_type: str = Field(description="Type of a dimension's values; empty for a combination.")
    dimensions: list[str] = Field(description="Required dimensions, in the universe's order.")
    implied: list[str] = Field(description="Dimensions whose values follow from it.")
    fields: list[VocabularyField] = Field(description="Metadata, without keys of dimensions.")
    doc: str = ""


class ExpressionFunction(WireModel):
    """A function of where-expressions."""

    name: str
    signature: str = Field(description="With arguments by name, such as `POINT(ra, dec)`.")
    doc: str


class Vocabulary(WireModel):
    """What expressions about a repository may be made of."""

    elements: list[VocabularyElement] = Field(
        description="In the universe's order, without the pixels of the sky."
    )
    dataset_fields: list[VocabularyField] = Field(
        description="Fields of datasets, to be named after a dataset type: `bias.timespan`."
    )
    operators: list[str]
    functions: list[ExpressionFunction]
    instruments: list[str]
    skymaps: list[str]


class CompletionTopic(StrEnum):
    """What kind of word is wanted."""

    COLLECTION = "collection"
    DATASET_TYPE = "dataset_type"
    VALUE = "value"


class Completion(WireModel):
    """One word that fits."""

    value: DataIdValue
    note: str = Field(default="", description="What it is, in a few words.")
    dimensions: list[str] = Field(
        default_factory=list, description="Of a dataset type: required dimensions, in the universe's order."
    )


class CompletionList(WireModel):
    """Words that begin as asked, then those that only contain it."""

    items: list[Completion]
    capped: bool = Field(description="Whether there are more than were given.")
