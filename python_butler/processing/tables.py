"""What is said in a sentence and tables, as a notebook shows it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Table", "html_of"]

type Table = tuple[Sequence[str], Sequence[Sequence[str]]]
"""Headings, and rows with as many cells."""


def html_of(headline: str, tables: Iterable[Table], notes: Iterable[str] = ()) -> str:
    """Say something in HTML.

    Parameters
    ----------
    headline : `str`
        Sentence above the tables.
    tables : iterable of `Table`
        Tables; those without rows are left out.
    notes : iterable of `str`, optional
        Sentences below them.

    Returns
    -------
    html : `str`
        Nothing in it is taken for markup that was none.
    """
    parts = [f"<div>{escape(headline)}</div>"]
    for columns, rows in tables:
        if not rows:
            continue
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    parts += [f"<div>{escape(note)}</div>" for note in notes]
    return "".join(parts)
