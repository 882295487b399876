"""What there is to say about the room that a satellite takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from .quota import Volume

__all__ = [
    "Amount",
    "BatchUsage",
    "CollectionUsage",
    "Shares",
    "TypeUsage",
    "Usage",
    "VersionUsage",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Amount(_Model):
    """Some datasets and their size."""

    datasets: int = 0
    """How many."""

    bytes: int = 0
    """Size of their files, as far as it is known."""

    unknown: int = 0
    """How many have files of unknown size."""


class Shares(_Model):
    """Datasets by where their files are."""

    own: Amount
    """Stored in the satellite alone."""

    pinned: Amount
    """Official ones with a copy in the satellite."""

    referenced: Amount
    """Official ones that take no room here; the size is that of the files on the official server."""

    elsewhere: Amount
    """Own ones whose files stayed where they were when they were ingested: they take no room here."""

    @property
    def bytes(self) -> int:
        """Bytes that they take in the satellite."""
        return self.own.bytes + self.pinned.bytes


class VersionUsage(_Model):
    """One version of a name."""

    run: str
    """The run that holds it."""

    number: int
    """Which one it is; the newest has the largest number."""

    written: datetime | None
    """When the last of its datasets was registered, in TAI; `None` if it has none."""

    total: Shares
    """What is in it."""


class CollectionUsage(_Model):
    """One run, or all the versions of one name."""

    name: str
    """The run; for versions, the chain that they belong to."""

    versions: list[VersionUsage]
    """Newest first; empty for a run that is no version."""

    total: Shares
    """What is in it."""


class TypeUsage(_Model):
    """One dataset type."""

    name: str
    """Its name."""

    total: Shares
    """What there is of it."""


class BatchUsage(_Model):
    """Datasets that were gathered and neither committed nor discarded."""

    id: str
    """What opens it again."""

    name: str
    """What it was called."""

    began: datetime
    """When it was begun."""

    datasets: int
    """How many it has."""

    bytes: int
    """Size of their files."""


class Usage(_Model):
    """What takes how much room in a satellite."""

    label: str
    """Label of the official repository."""

    root: Path
    """The satellite's directory."""

    storage: str
    """Where the files of datasets are."""

    total: Shares
    """All datasets."""

    collections: list[CollectionUsage]
    """The largest first."""

    dataset_types: list[TypeUsage]
    """The largest first."""

    database_bytes: int | None
    """Size of the registry; `None` if it cannot be told."""

    spool: Amount
    """Datasets that are safe on disk and wait to be registered."""

    batches: list[BatchUsage]
    """Batches that are open, or were left open by a process that ended."""

    trash: Amount
    """Datasets that were removed, and whose files are still to be: ``satellite prune`` ends that."""

    unfinished_bytes: int
    """Size of what is being downloaded, or was when a process was killed."""

    volume: Volume | None
    """The file system that the satellite's directory is on."""

    files_volume: Volume | None
    """The one that the files of datasets are on, if it is another one; `None` for an object store."""

    @property
    def bytes(self) -> int:
        """Bytes of all that is the satellite's, wherever it is stored."""
        waiting = self.spool.bytes + sum(batch.bytes for batch in self.batches)
        return (
            self.total.bytes + (self.database_bytes or 0) + waiting + self.trash.bytes + self.unfinished_bytes
        )
