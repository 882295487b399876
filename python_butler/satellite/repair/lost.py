"""The directory ``lost+found`` of a satellite: what was moved away, and a list of all that was taken out."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["DIRECTORY", "LIST", "LostAndFound"]

DIRECTORY = "lost+found"
"""Its name."""

LIST = "list.jsonl"
"""Name of the list in it: one JSON document in each line, only ever appended to."""


class LostAndFound:
    """Takes in what repairing does not want to keep where it was. It makes its directory when needed.

    Parameters
    ----------
    root : `pathlib.Path`
        The satellite's directory.
    """

    def __init__(self, root: Path) -> None:
        self.directory = root / DIRECTORY
        self.stamp = time.strftime("%Y-%m-%dT%H.%M.%S")
        self.used = False

    def note(self, *entries: Mapping[str, Any]) -> None:
        """List what is about to be taken out; on the disk when this returns.

        Parameters
        ----------
        *entries : `dict`
            What it is, where it was, and where it will be: as JSON can express it.

        Raises
        ------
        OSError
            If the list cannot be written: then nothing must be taken out.
        """
        self.directory.mkdir(exist_ok=True)
        self.used = True
        lines = "".join(json.dumps({"when": self.stamp, **entry}) + "\n" for entry in entries)
        with (self.directory / LIST).open("a", encoding="utf-8") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())

    def place_for(self, name: str) -> Path:
        """Say where something may be moved, and make the directory.

        Parameters
        ----------
        name : `str`
            Where it was, relative to the satellite's directory.

        Returns
        -------
        path : `pathlib.Path`
            Free, as far as this examination goes.
        """
        path = self.directory / self.stamp / name
        path.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        while os.path.lexists(path):
            number += 1
            path = path.with_name(f"{Path(name).name}.{number}")
        return path
