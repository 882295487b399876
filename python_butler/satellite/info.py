"""What there is to say about a satellite, from cheap queries and without a server."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy
from lsst.daf.butler import CollectionType
from lsst.daf.butler.datastore import Datastore
from lsst.daf.butler.datastores.chainedDatastore import ChainedDatastore
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry.opaque import ByNameOpaqueTableStorage
from lsst.resources import ResourcePath
from pydantic import BaseModel, ConfigDict

from ..errors import UnknownRepositoryError
from ..official import official_url
from .configuration import PERSONAL, REFERENCES
from .layout import read_marker
from .presence import PINNED, is_pinned
from .storage import storage_of

__all__ = ["SatelliteInfo", "describe"]


class SatelliteInfo(BaseModel):
    """What is in a satellite."""

    model_config = ConfigDict(frozen=True)

    label: str
    """Label of the official repository."""

    root: Path
    """The satellite's directory."""

    registry: str
    """The database: a file, or an address without a password and a schema."""

    storage: str
    """Where the personal files are."""

    format: int
    """Format of the directory."""

    official_url: str | None
    """Address of the official repository's server; `None` if the label is not known here."""

    dimensions: str
    """Namespace and version of the dimension universe, for example ``daf_butler 7``."""

    database_bytes: int | None
    """Size of the registry; `None` if it cannot be told."""

    file_bytes: int
    """Size of all files of personal and pinned datasets."""

    runs: int
    """RUN collections."""

    collections: int
    """Collections of any kind."""

    dataset_types: int
    """Dataset types."""

    own_datasets: int
    """Datasets that are stored here alone."""

    references: int
    """Official datasets that are referred to, and whose files are on the official server."""

    pinned: int
    """Official datasets of which a copy is kept here instead."""


def describe(label: str, root: Path, reader: DirectButler) -> SatelliteInfo:
    """Describe a satellite.

    Parameters
    ----------
    label : `str`
        Label of the official repository.
    root : `pathlib.Path`
        The satellite's directory.
    reader : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite's repository.

    Returns
    -------
    info : `SatelliteInfo`
        What is in it.
    """
    store = _child(reader._datastore, PERSONAL)
    personal, references = _table(store), _table(_child(reader._datastore, REFERENCES))
    collections = reader.collections.query_info("*")
    copies = _copies(personal)
    where = storage_of(root)
    return SatelliteInfo(
        label=label,
        root=root,
        registry=where.registry_name,
        storage=str(where.local_files or where.files),
        format=read_marker(root).format,
        official_url=_official_url(label),
        dimensions=f"{reader.dimensions.namespace} {reader.dimensions.version}",
        database_bytes=where.database_bytes(),
        file_bytes=_size(personal, store.roots[PERSONAL] if store else None),
        runs=sum(info.type is CollectionType.RUN for info in collections),
        collections=len(collections),
        dataset_types=len(list(reader.registry.queryDatasetTypes())),
        own_datasets=_count(personal) - len(copies),
        references=_count(references),
        pinned=len(copies),
    )


def _child(datastore: Datastore, name: str) -> Datastore | None:
    """One of the satellite's datastores; one that is of an old format has not both."""
    children = datastore.datastores if isinstance(datastore, ChainedDatastore) else (datastore,)
    return next((child for child in children if child.name == name), None)


def _table(datastore: Datastore | None) -> ByNameOpaqueTableStorage | None:
    """Table of the files in a datastore; nobody may have written to it yet."""
    table = getattr(datastore, "_table", None)
    return table if isinstance(table, ByNameOpaqueTableStorage) else None


def _count(table: ByNameOpaqueTableStorage | None) -> int:
    """Datasets with files."""
    if table is None:
        return 0
    # A dataset that was taken apart has a row for each of its components.
    return _ask(table, sqlalchemy.select(sqlalchemy.func.count(table._table.columns.dataset_id.distinct())))


def _copies(table: ByNameOpaqueTableStorage | None) -> set[UUID]:
    """Official datasets among the personal files."""
    if table is None:
        return set()
    columns = table._table.columns
    query = sqlalchemy.select(columns.dataset_id, columns.path)
    with table._db.query(query.where(columns.path.startswith(f"{PINNED}/", autoescape=True))) as rows:
        return {dataset_id for dataset_id, path in rows if is_pinned(dataset_id, path)}


def _size(table: ByNameOpaqueTableStorage | None, root: ResourcePath | None) -> int:
    """Bytes of the files below the personal datastore's root."""
    if table is None or root is None:
        return 0
    columns = table._table.columns
    # Files that were ingested where they lay are not here.
    here = sqlalchemy.not_(columns.path.contains("://"))
    in_zip = columns.path.contains("#")
    total = _ask(
        table,
        sqlalchemy.select(sqlalchemy.func.sum(columns.file_size)).where(here, sqlalchemy.not_(in_zip)),
    )
    # The size in the row of a dataset in a zip file is its own, before it was compressed.
    with table._db.query(sqlalchemy.select(columns.path).where(here, in_zip)) as rows:
        zips = {path.partition("#")[0] for (path,) in rows}
    for path in zips:
        with contextlib.suppress(FileNotFoundError):
            total += root.join(path).size()
    return total


def _ask(table: ByNameOpaqueTableStorage, query: sqlalchemy.Select[Any]) -> int:
    with table._db.query(query) as result:
        return int(result.scalar() or 0)


def _official_url(label: str) -> str | None:
    try:
        return official_url(label)
    except UnknownRepositoryError:
        return None
