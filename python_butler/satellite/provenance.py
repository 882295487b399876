"""Notes on where the datasets of a satellite come from: kept in its database, one for each dataset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler import Butler
from lsst.daf.butler.registry.opaque import ByNameOpaqueTableStorage

from ..datastore.chain import notes_of_datastore
from ..datastore.notes import NOTES_LENGTH
from ..errors import InvalidRequestError

__all__ = ["check_document", "made_from", "note", "notes_of"]


def note(writer: Butler, documents: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Write down where datasets come from, within the caller's transaction if there is one.

    Noting again replaces what was noted. When a dataset is removed its note is, too.

    Parameters
    ----------
    writer : `lsst.daf.butler.Butler`
        The satellite, open for writing; it must have the datasets.
    documents : `dict` [`uuid.UUID`, `dict`]
        For each dataset, what JSON can express.

    Raises
    ------
    InvalidRequestError
        If JSON cannot express a document, or it is too long.
    """
    if not documents:
        return
    table = notes_of_datastore(writer)
    if table is None:
        # A repository without our datastore, opened with its fallback configuration.
        return
    table.replace(
        *({"dataset_id": id, "document": check_document(document)} for id, document in documents.items())
    )


def notes_of(butler: Butler, dataset_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
    """Read where datasets come from.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        The satellite, open for reading or for writing.
    dataset_ids : iterable of `uuid.UUID`
        Datasets.

    Returns
    -------
    documents : `dict` [`uuid.UUID`, `dict`]
        What was noted, of those for which something was.
    """
    wanted = set(dataset_ids)
    table = notes_of_datastore(butler) if wanted else None
    if table is None:
        return {}
    return {row["dataset_id"]: json.loads(row["document"]) for row in table.fetch(dataset_id=wanted)}


def made_from(butler: Butler, dataset_id: UUID, limit: int) -> list[UUID]:
    """Find the datasets whose notes name one dataset among their inputs.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        The satellite, open for reading or for writing.
    dataset_id : `uuid.UUID`
        The input.
    limit : `int`
        Most datasets to find.

    Returns
    -------
    dataset_ids : `list` [`uuid.UUID`]
        What was made from it.

    Notes
    -----
    Reads all notes: there is no index of inputs. SQLite took 0.6 s for 100,000 notes of 1.7 kB.
    """
    table = notes_of_datastore(butler)
    if not isinstance(table, ByNameOpaqueTableStorage):
        return []
    columns = table._table.columns
    # As `check_document` writes it, which no other part of a document can look like.
    words = f'{{"id":"{dataset_id}",'
    sql = (
        sqlalchemy.select(columns["dataset_id"])
        .where(columns["document"].contains(words, autoescape=True))
        .limit(limit)
    )
    with table._db.query(sql) as rows:
        return list(rows.scalars())


def check_document(document: Mapping[str, Any]) -> str:
    """Express a note in JSON.

    Parameters
    ----------
    document : `dict`
        What is to be noted.

    Returns
    -------
    text : `str`
        One line.

    Raises
    ------
    InvalidRequestError
        If JSON cannot express it, or it is too long.
    """
    try:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"These notes cannot be kept: {error}.", "Use numbers, texts, lists and dictionaries of them."
        ) from None
    if len(text) > NOTES_LENGTH:
        raise InvalidRequestError(
            f"These notes have {len(text)} characters, {NOTES_LENGTH} are possible.", "Shorten them."
        )
    return text
