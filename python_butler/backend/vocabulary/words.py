"""The vocabulary of a repository: its dimension universe, and the language of where-expressions."""

from __future__ import annotations

import re

from lsst.daf.butler import Butler, Dimension, DimensionElement, SkyPixDimension

from ..repository import BrowsedRepository, QueryWatcher
from .models import ExpressionFunction, Vocabulary, VocabularyElement, VocabularyField

__all__ = ["describe_vocabulary"]

_UNIT = re.compile(r"(?:\bin |\()(seconds|degrees)\b")
_UNITS = {"seconds": "s", "degrees": "deg"}

_OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN", "OVERLAPS", "AND", "OR", "NOT"]

_FUNCTIONS = [
    ExpressionFunction(
        name="POINT", signature="POINT(ra, dec)", doc="A position in degrees, for OVERLAPS with a region."
    ),
    ExpressionFunction(
        name="CIRCLE", signature="CIRCLE(ra, dec, radius)", doc="A circle on the sky, all in degrees."
    ),
    ExpressionFunction(
        name="BOX", signature="BOX(ra, dec, width, height)", doc="A box around a center, all in degrees."
    ),
    ExpressionFunction(
        name="POLYGON", signature="POLYGON(ra1, dec1, ra2, dec2, ra3, dec3)", doc="Vertices in degrees."
    ),
    ExpressionFunction(name="REGION", signature="REGION(pos)", doc="A region, written as in IVOA's POS."),
    ExpressionFunction(
        name="GLOB",
        signature="GLOB(column, pattern)",
        doc="Whether a text matches a pattern with * and ?.",
    ),
]

_DATASET_FIELDS = [
    VocabularyField(name="dataset_id", type="uuid", doc="Identifier of the dataset."),
    VocabularyField(name="ingest_date", type="datetime", doc="When it came into the repository (TAI)."),
    VocabularyField(name="run", type="string", doc="The run that holds it."),
    VocabularyField(name="collection", type="string", doc="The collection in which it was found."),
    VocabularyField(name="timespan", type="timespan", doc="Validity range in a calibration collection."),
]


def describe_vocabulary(repository: BrowsedRepository, watcher: QueryWatcher) -> Vocabulary:
    """Describe what expressions about a repository may be made of.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    watcher : `QueryWatcher`
        Told how to end the query for the names of instruments and skymaps.

    Returns
    -------
    vocabulary : `Vocabulary`
        The description.
    """

    def ask() -> Vocabulary:
        with repository.query(watcher) as butler:
            instruments, skymaps = _names(butler, "instrument"), _names(butler, "skymap")
        return Vocabulary(
            elements=[
                _element(element)
                for element in butler.dimensions.elements
                if not isinstance(element, SkyPixDimension)
            ],
            dataset_fields=_DATASET_FIELDS,
            operators=_OPERATORS,
            functions=_FUNCTIONS,
            instruments=instruments,
            skymaps=skymaps,
        )

    return repository.memory.get("vocabulary", ask, version=repository.version())


def _names(butler: Butler, dimension: str) -> list[str]:
    with butler.query() as query:
        return sorted(str(data_id[dimension]) for data_id in query.data_ids([dimension]))


def _element(element: DimensionElement) -> VocabularyElement:
    is_dimension = isinstance(element, Dimension)
    return VocabularyElement(
        name=element.name,
        is_dimension=is_dimension,
        key_type=element.primary_key.type if isinstance(element, Dimension) else "",
        dimensions=list(element.required.names),
        implied=list(element.implied.names),
        fields=[_field(column.name, column.type, column.doc) for column in element.schema.remainder],
        doc=" ".join(element.documentation.split()),
    )


def _field(name: str, kind: str, doc: str) -> VocabularyField:
    text = " ".join(doc.split())
    unit = _UNIT.search(text)
    return VocabularyField(name=name, type=kind, unit=_UNITS[unit[1]] if unit else "", doc=text)
