"""Looks at datasets that are neither images nor tables: documents, texts, logs, figures, anything else."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...credentials import scrub
from .documents import document, is_document
from .figures import describe_figure, is_figure
from .models import LogPreview, LogRecord, ObjectPreview, Preview, TextPreview
from .opening import OpenedDataset

__all__ = ["Wish", "look"]

_TEXT = 200_000
"""Bytes of a text that are shown."""
_READ = 8_000_000
"""Bytes of a file that are read whole in order to show some of it."""
_YAML = 300_000
"""Bytes of YAML that are understood, not only shown."""
_RECORDS = 500
"""Lines of a log in one answer."""
_MESSAGE = 4_000
"""Characters of one message."""
_LANGUAGES = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".py": "python",
    ".xml": "xml",
    ".html": "html",
    ".md": "markdown",
    ".txt": "",
    ".log": "",
    ".csv": "",
    ".ecsv": "",
    ".list": "",
}


@dataclass(frozen=True)
class Wish:
    """Which part of a dataset a person wants to see.

    Parameters
    ----------
    path : sequence of `str`
        Keys that lead into a document.
    offset : `int`
        How many values, or lines of a log, to skip.
    level : `int`
        Lines of a log of this level or above.
    words : `str`
        Words that lines of a log must have, in either case.
    """

    path: Sequence[str] = ()
    offset: int = 0
    level: int = 0
    words: str = ""


def look(opened: OpenedDataset, wish: Wish) -> Preview:
    """Show what is in a dataset.

    Parameters
    ----------
    opened : `OpenedDataset`
        The dataset.
    wish : `Wish`
        Which part of it.

    Returns
    -------
    preview : `Preview`
        In the form that suits it.
    """
    if is_figure(opened):
        return describe_figure(opened)
    if opened.storage_class.name == "ButlerLogRecords":
        return _log(opened.get(limit=4 * _READ), wish)
    if opened.extension in _LANGUAGES and not _is_readable_document(opened):
        return _text(opened)
    return _object(opened, wish)


def _is_readable_document(opened: OpenedDataset) -> bool:
    if opened.size is None:
        return False
    if opened.extension == ".json":
        return opened.size <= _READ
    # YAML takes long to read, and may name classes that are not here.
    plain = opened.storage_class.name.startswith("StructuredData")
    return plain and opened.extension in (".yaml", ".yml") and opened.size <= _YAML


def _text(opened: OpenedDataset) -> TextPreview:
    content = opened.head(_TEXT + 1)
    whole = len(content) <= _TEXT
    text = content[:_TEXT].decode("utf-8", errors="replace" if whole else "ignore")
    return TextPreview(language=_LANGUAGES[opened.extension], text=scrub(text), size=opened.size, whole=whole)


def _object(opened: OpenedDataset, wish: Wish) -> Preview:
    try:
        thing = opened.get(limit=_READ)
    except ImportError:
        # Its class is not installed here, but JSON can be shown without.
        if opened.extension != ".json":
            raise
        thing = json.loads(opened.head(_READ))
    if type(thing).__name__ == "TaskMetadata":
        # Its fields are how it is stored; what it means is a dictionary.
        thing = thing.to_dict()
    if is_document(thing):
        return document(thing, wish.path, wish.offset)
    kind = type(thing)
    text = thing if isinstance(thing, str) else repr(thing)
    return ObjectPreview(
        type=f"{kind.__module__}.{kind.__qualname__}",
        text=scrub(text[:_TEXT]),
        whole=len(text) <= _TEXT,
    )


def _log(records: Any, wish: Wish) -> LogPreview:
    levels = Counter(record.levelname for record in records)
    words = wish.words.casefold().split()
    matching = [
        record
        for record in records
        if record.levelno >= wish.level
        and all(word in f"{record.name} {record.message}".casefold() for word in words)
    ]
    return LogPreview(
        records=[_line(record) for record in matching[wish.offset : wish.offset + _RECORDS]],
        offset=wish.offset,
        matching=len(matching),
        levels=dict(sorted(levels.items(), key=lambda item: logging.getLevelNamesMapping().get(item[0], 0))),
    )


def _line(record: Any) -> LogRecord:
    message = record.message if len(record.message) <= _MESSAGE else f"{record.message[:_MESSAGE]} …"
    return LogRecord(
        time=record.asctime.isoformat(timespec="milliseconds"),
        level=record.levelno,
        level_name=record.levelname,
        name=record.name,
        message=scrub(message),
    )
