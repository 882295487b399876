"""What must hold of a satellite after whatever has happened: looked at with upstream's eyes and with SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import numpy as np
from lsst.daf.butler import DatasetRef
from lsst.daf.butler.direct_butler import DirectButler

from python_butler.satellite import Satellite
from python_butler.satellite.layout import DATABASE
from python_butler.satellite.spool import Spool
from python_butler.satellite.storage import storage_of

from .works import STORAGE, Dataset, content, number_of


def check_readable(satellite: Satellite, expected: Iterable[Dataset]) -> None:
    """Make sure that acknowledged datasets can be read, and are equal, wherever they are."""
    with satellite.reader() as reader:
        waiting = Spool(satellite, reader.dimensions).acknowledged()
        for dataset in expected:
            # In this order: what was committed last may still have its slip, but no file beside it.
            ref = reader.get_dataset(UUID(dataset.id)) or waiting.get(UUID(dataset.id))
            assert ref is not None, f"{dataset} is lost"
            assert ref.run == dataset.run
            check_content(reader, ref)


def check_content(reader: DirectButler, ref: DatasetRef) -> None:
    """Make sure that a dataset holds what its name and data ID say."""
    name = ref.datasetType.name
    check_equal(reader.get(ref), content(name, number_of(ref)))


def check_equal(found: Any, expected: Any) -> None:
    if hasattr(expected, "colnames"):
        assert found.colnames == expected.colnames
        for column in expected.colnames:
            np.testing.assert_array_equal(found[column], expected[column])
    else:
        assert found == expected


def check_whole(satellite: Satellite, since: int = 0) -> set[str]:
    """Make sure that no dataset is half there, and read those from a number on; give the IDs of all."""
    root = satellite.root
    with sqlite3.connect(root / DATABASE) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        rows = database.execute("SELECT dataset_id, path FROM file_datastore_records").fetchall()
        datasets = {id for (id,) in database.execute("SELECT id FROM dataset")}
        locations = {id for (id,) in database.execute("SELECT dataset_id FROM dataset_location")}
        assert database.execute("SELECT count(*) FROM dataset_location_trash").fetchone() == (0,)
    database.close()
    assert {id for id, _ in rows} == datasets
    assert locations == datasets
    files = storage_of(satellite).local_files
    assert files is not None
    paths = {str(path.relative_to(files)) for path in files.rglob("*") if path.is_file()}
    # It says whose files these are, where they are not in the satellite's directory.
    paths.discard(".satellite.json")
    assert paths == {path for _, path in rows}
    with satellite.reader() as reader:
        for name in STORAGE:
            for ref in reader.query_datasets(name, "*", find_first=False, limit=None, explain=False):
                if number_of(ref) >= since:
                    check_content(reader, ref)
    return {str(UUID(str(id))) for id in datasets}
