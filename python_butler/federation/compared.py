"""What is known of a satellite's dimension records beside the official ones, kept in a small file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from lsst.daf.butler import DataIdValue
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

__all__ = ["Compared", "Key", "load", "save"]

FILE = "compared.json"
"""In the satellite's directory. It may be removed at any time: the records are compared anew then."""

_MOST = 10_000
"""Keys of one element that are kept in the file; with more, the element is compared anew."""

type Key = tuple[DataIdValue, ...]
"""Values of an element's required dimensions."""


@dataclass
class Compared:
    """What is known of the records of one element in a satellite."""

    watermark: int = 0
    """Row of the satellite's table up to which records were compared: those added later are compared next."""
    private: set[Key] = field(default_factory=set)
    """Records that the official repository lacks."""
    differing: set[Key] = field(default_factory=set)
    """Records that say something else than the official ones."""

    def copy(self) -> Compared:
        """Return one that can be changed."""
        return Compared(self.watermark, set(self.private), set(self.differing))


class _File(BaseModel):
    model_config = ConfigDict(frozen=True)

    database: str
    """Identity of the database file: another one has to be compared anew."""
    elements: dict[str, Compared]


_ADAPTER = TypeAdapter(_File)


def load(root: Path, database: str) -> dict[str, Compared]:
    """Read what was known when it was last kept.

    Parameters
    ----------
    root : `pathlib.Path`
        Directory of the satellite.
    database : `str`
        Identity of its database file.

    Returns
    -------
    compared : `dict` [`str`, `Compared`]
        By name of the element; empty if nothing is known of this database.
    """
    try:
        file = _ADAPTER.validate_json((root / FILE).read_bytes())
    except (OSError, ValidationError, ValueError):
        return {}
    return dict(file.elements) if file.database == database else {}


def save(root: Path, database: str, compared: dict[str, Compared]) -> None:
    """Keep what is known; a satellite that cannot be written goes without.

    Parameters
    ----------
    root : `pathlib.Path`
        Directory of the satellite.
    database : `str`
        Identity of its database file.
    compared : `dict` [`str`, `Compared`]
        By name of the element.
    """
    few = {n: c for n, c in compared.items() if len(c.private) + len(c.differing) <= _MOST}
    content = _ADAPTER.dump_python(_File(database=database, elements=few), mode="json")
    try:
        with NamedTemporaryFile("w", dir=root, prefix=f".{FILE}-", delete=False) as file:
            json.dump(content, file)
        Path(file.name).replace(root / FILE)
    except OSError:
        return
