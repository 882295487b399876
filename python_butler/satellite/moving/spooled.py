"""What waits in a satellite's spool, to be taken along: slips, batches, and the files that they name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..durable import atomic_write
from ..spool.desk import DIRECTORY
from ..spool.slip import SUFFIX

__all__ = ["Spooled", "WaitingFile"]


@dataclass(frozen=True)
class WaitingFile:
    """A file of a dataset that waits.

    Attributes
    ----------
    path : `str`
        Where it is, from the datastore's root.
    target : `str`
        Where it goes, and is already if a commit was interrupted where files have one name only.
    size : `int`
        Bytes.
    """

    path: str
    target: str
    size: int


class Spooled:
    """The texts in a satellite's spool, as they are at one moment.

    Parameters
    ----------
    texts : `dict` [`str`, `bytes`]
        Contents of slips and batches, by path from the satellite's directory.
    """

    def __init__(self, texts: dict[str, bytes]) -> None:
        self.texts = texts

    @classmethod
    def read(cls, root: Path) -> Spooled:
        """Read what is there.

        Parameters
        ----------
        root : `pathlib.Path`
            The satellite's directory.
        """
        texts = {}
        for directory, _, names in os.walk(root / DIRECTORY):
            for name in names:
                path = Path(directory, name)
                # Locks, and what is being written, belong to the process that has them.
                if path.suffix not in {SUFFIX, ".batch"} or name.startswith("."):
                    continue
                try:
                    texts[path.relative_to(root).as_posix()] = path.read_bytes()
                except FileNotFoundError:
                    # It was committed meanwhile.
                    continue
        return cls(texts)

    def write(self, root: Path) -> None:
        """Write them to a satellite's directory, in place of those with the same names.

        Parameters
        ----------
        root : `pathlib.Path`
            The directory.
        """
        for name, text in self.texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            atomic_write(root / name, text)

    @property
    def files(self) -> dict[str, WaitingFile]:
        """The files that are named, by path."""
        return {file.path: file for text in self.texts.values() for file in _files(text)}

    @property
    def datasets(self) -> dict[str, str]:
        """Names of the slips that are not in a batch, by ID of their dataset in hexadecimal digits."""
        return {
            str(document.get("id", "")).replace("-", ""): name
            for name, text in self.texts.items()
            if name.endswith(SUFFIX)
            for document in _documents(text)
        }

    def without(self, datasets: Collection[str]) -> Spooled:
        """Leave slips out, since their datasets are in the registry.

        Parameters
        ----------
        datasets : collection of `str`
            IDs of the datasets, in hexadecimal digits.
        """
        gone = {name for dataset, name in self.datasets.items() if dataset in datasets}
        return Spooled({name: text for name, text in self.texts.items() if name not in gone})

    def settled(self, inode_of: Callable[[str], int | None]) -> Spooled:
        """Say in all of them what tells their files from others where they are now.

        Parameters
        ----------
        inode_of : callable
            Gives that number for a path from the datastore's root; `None` in an object store.
        """
        return Spooled({name: _settled(text, inode_of) for name, text in self.texts.items()})


def _documents(text: bytes) -> Iterator[dict[str, Any]]:
    """Slips in a text; a batch has one in each line, and others."""
    for line in text.split(b"\n"):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict) and isinstance(document.get("files"), list):
            yield document


def _files(text: bytes) -> Iterator[WaitingFile]:
    for document in _documents(text):
        for file in document["files"]:
            yield WaitingFile(file["spooled"], file["path"], file["size"])


def _settled(text: bytes, inode_of: Callable[[str], int | None]) -> bytes:
    lines = text.split(b"\n")
    for place, line in enumerate(lines):
        for document in _documents(line):
            for file in document["files"]:
                file["inode"] = inode_of(file["spooled"])
            lines[place] = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return b"\n".join(lines)
