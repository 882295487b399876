"""How a Butler shows itself in a notebook: from what is remembered, without asking a server."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import PythonButlerError
from ..official import official_url
from .shared import Side

if TYPE_CHECKING:
    from .butler import SatelliteButler

__all__ = ["to_html"]

_SHOWN = 12
"""Collections in the list; of more, only the number is told."""

# Colours are those around it, so that light and dark notebooks both can be read.
_TABLE = "border-collapse: collapse; color: inherit; background: transparent;"
_CELL = "padding: 0.15em 0.8em 0.15em 0; text-align: left; vertical-align: top; background: transparent;"


def to_html(butler: SatelliteButler) -> str:
    """Describe a Butler as a small table.

    Parameters
    ----------
    butler : `SatelliteButler`
        The Butler.

    Returns
    -------
    html : `str`
        Both repositories, whether they can be used, and the collections that are searched. It holds no
        token and no signed address.
    """
    shared = butler._sides.shared
    rows = [
        ("Official", f"{escape(shared.label)} {_quiet(_official_state(butler))}"),
        ("Satellite", f"{escape(str(shared.root))} {_quiet(_personal_state(butler))}"),
        ("Searched", _searched(butler)),
        ("Run", escape(butler.run) if butler.run else _quiet("none: name one in each put")),
    ]
    if data_id := butler._defaults.get().dataId.to_simple(minimal=True).dataId:
        rows.append(("Data ID", escape(", ".join(f"{key}={value!r}" for key, value in data_id.items()))))
    body = "".join(
        f'<tr><th scope="row" style="{_CELL}">{name}</th><td style="{_CELL}">{content}</td></tr>'
        for name, content in rows
    )
    return f'<div><strong>SatelliteButler</strong><table style="{_TABLE}"><tbody>{body}</tbody></table></div>'


def _official_state(butler: SatelliteButler) -> str:
    shared = butler._sides.shared
    if butler._sides._closed:
        return "closed"
    try:
        where = f"at {urlsplit(official_url(shared.label)).netloc}"
    except PythonButlerError:
        where = "at an address that is not known any more"
    return f"{where}, cannot be reached" if shared.reach.last_seen_lost else f"{where}, read only"


def _personal_state(butler: SatelliteButler) -> str:
    if butler._sides._closed:
        return "closed"
    if butler._sides.shared.satellite is None:
        return "not there yet: the first put creates it" if butler.isWriteable() else "not there"
    return "can be written" if butler.isWriteable() else "opened read only"


def _searched(butler: SatelliteButler) -> str:
    names = list(butler.collections.defaults)
    if not names:
        return _quiet("nothing: name collections in each call")
    shown = names[:_SHOWN]
    sides = butler._sides
    official = sides.shared.collections[Side.OFFICIAL].recall(shown)
    personal = set() if sides._closed else set(sides.collections(Side.PERSONAL, shown))
    lines = [
        f"{escape(name)} {_quiet(Side.OFFICIAL if name in official else Side.PERSONAL)}"
        if name in official | personal
        else escape(name)
        for name in shown
    ]
    if len(names) > len(shown):
        lines.append(_quiet(f"and {len(names) - len(shown)} more"))
    return "<br>".join(lines)


def _quiet(text: str) -> str:
    return f'<span style="opacity: 0.7">{escape(text)}</span>'
