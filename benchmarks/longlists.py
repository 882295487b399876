"""A personal repository with very long lists, made by rows: through the butler it would take hours."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from uuid import UUID

COLLECTIONS = 100_000
"""Runs of many users."""

DATASETS = 1_600_000
"""Datasets of one type in one more run."""

RUN = "u/long/list"
DATASET_TYPE = "object_patch"

_USERS = 300
_SKYMAP = "lsst_cells_v2"
_PATCHES = 100
# Version 7, so that they sort as upstream's own do.
_FIRST_ID = UUID("019ba4e0-0000-7000-8000-000000000000").int


def make_repository(root: Path) -> None:
    """Make the repository, with a chain as the default collection.

    Parameters
    ----------
    root : `pathlib.Path`
        Its directory, which is not there yet.
    """
    from lsst.daf.butler import Butler, CollectionType, DatasetType

    Butler.makeRepo(str(root))
    with Butler.from_config(str(root), writeable=True) as butler:
        butler.collections.register("dp2", CollectionType.CHAINED)
        butler.registry.registerDatasetType(
            DatasetType(
                DATASET_TYPE, ("skymap", "tract", "patch"), "ArrowAstropy", universe=butler.dimensions
            )
        )
        butler.registry.insertDimensionData(
            "skymap",
            {
                "name": _SKYMAP,
                "hash": b"",
                "tract_max": DATASETS // _PATCHES,
                "patch_nx_max": 10,
                "patch_ny_max": 10,
            },
        )
    with closing(sqlite3.connect(root / "gen3.sqlite3")) as database, database:
        _add_runs(database, (f"u/user{number % _USERS:03}/run{number:06}" for number in range(COLLECTIONS)))
        _add_runs(database, (RUN,))
        _add_datasets(database)


def _add_runs(database: sqlite3.Connection, names: Iterable[str]) -> None:
    rows = [(name,) for name in names]
    database.executemany("INSERT INTO collection (name, type, doc) VALUES (?, 1, '')", rows)
    database.execute(
        "INSERT INTO run (collection_id)"
        " SELECT collection_id FROM collection WHERE type = 1"
        " AND collection_id NOT IN (SELECT collection_id FROM run)"
    )


def _add_datasets(database: sqlite3.Connection) -> None:
    (run,) = database.execute("SELECT collection_id FROM collection WHERE name = ?", (RUN,)).fetchone()
    dataset_type, table = database.execute(
        "SELECT id, tag_association_table FROM dataset_type WHERE name = ?", (DATASET_TYPE,)
    ).fetchone()
    database.executemany(
        "INSERT INTO dataset (id, dataset_type_id, ingest_date, run_id) VALUES (?, ?, ?, ?)",
        ((f"{_FIRST_ID + number:032x}", dataset_type, 0, run) for number in range(DATASETS)),
    )
    database.executemany(
        # The table's name is upstream's own, from the registry.
        f"INSERT INTO {table} (dataset_type_id, dataset_id, collection_id, skymap, tract, patch)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            (dataset_type, f"{_FIRST_ID + number:032x}", run, _SKYMAP, number // _PATCHES, number % _PATCHES)
            for number in range(DATASETS)
        ),
    )
    database.execute("INSERT INTO collection_summary_dataset_type VALUES (?, ?)", (run, dataset_type))
    database.execute("INSERT INTO collection_summary_skymap VALUES (?, ?)", (run, _SKYMAP))
