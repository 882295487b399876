"""Data IDs that queries join, sent to a satellite's database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy
from lsst.daf.butler import Butler, DataCoordinate, DatasetType
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries.result_specs import DatasetRefResultSpec
from lsst.daf.butler.queries.tree import DatasetSearch, make_identity_query_tree

from python_butler.satellite.storage.uploads import upload

DETECTORS = 3_000
"""Of which every other one is looked for: too many for upstream to make them part of the query."""


def test_sqlite_finds_each_of_many_uploaded_data_ids_without_reading_all_of_them(tmp_path: Path) -> None:
    Butler.makeRepo(tmp_path)
    with Butler.from_config(str(tmp_path), writeable=True) as butler:
        assert isinstance(butler, DirectButler)
        registry = butler.registry
        registry.insertDimensionData("instrument", {"name": "Cam", "detector_max": DETECTORS})
        registry.insertDimensionData(
            "detector", *({"instrument": "Cam", "id": i, "full_name": f"D{i}"} for i in range(DETECTORS))
        )
        dataset_type = DatasetType(
            "flaw", ("instrument", "detector"), "StructuredDataDict", universe=butler.dimensions
        )
        registry.registerDatasetType(dataset_type)
        butler.collections.register("run")
        dimensions = dataset_type.dimensions
        data_ids = [DataCoordinate.from_required_values(dimensions, ("Cam", i)) for i in range(DETECTORS)]
        refs = registry.insertDatasets(dataset_type, data_ids, run="run")
        plans: list[str] = []

        def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
            if statement.startswith("SELECT") and "tmp_" in statement:
                steps = cursor.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
                plans.extend(step[-1] for step in steps)

        engine = butler._registry._db._engine
        sqlalchemy.event.listen(engine, "before_cursor_execute", explain)
        with butler._query_driver((), DataCoordinate.make_empty(butler.dimensions)) as driver:
            key = upload(driver, dimensions, [("Cam", i) for i in range(0, DETECTORS, 2)])
            tree = make_identity_query_tree(butler.dimensions).join_data_coordinate_upload(key, dimensions)
            tree = tree.join_dataset("flaw", DatasetSearch(collections=("run",), dimensions=dimensions))
            spec = DatasetRefResultSpec(
                dataset_type_name="flaw",
                dimensions=dimensions,
                storage_class_name="StructuredDataDict",
                find_first=True,
            )
            found = [ref for page in driver.execute(spec, tree) for ref in page.rows]
        sqlalchemy.event.remove(engine, "before_cursor_execute", explain)
    assert {ref.id for ref in found} == {ref.id for ref in refs[::2]}
    assert sum("SCAN" in step for step in plans) <= 1, plans
    assert any("tmp_" in step and "USING COVERING INDEX" in step for step in plans), plans
