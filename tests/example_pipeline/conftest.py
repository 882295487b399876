"""The example pipeline, run once by upstream's own executor on one patch of the demonstration."""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsst.daf.butler import Butler
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor

COLLECTION = "u/hypatia/example"
WHERE = "skymap = 'lsst_cells_v2' AND tract = 5063 AND patch = 15 AND band = 'r'"


@pytest.fixture(scope="session")
def official(repository: Path) -> Iterator[Butler]:
    """The demonstration's repository, read without a server."""
    with Butler.from_config(str(repository / "repo"), collections="dp2") as butler:
        yield butler


@pytest.fixture(scope="session")
def results(official: Butler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Butler]:
    """A repository with what the pipeline made of one patch in r."""
    pipeline = importlib.resources.files("python_butler.example_pipeline") / "pipeline.yaml"
    executor = SimplePipelineExecutor.from_pipeline_filename(
        str(pipeline), where=WHERE, butler=official, output=COLLECTION, output_run=f"{COLLECTION}/v1"
    )
    butler = executor.use_local_butler(str(tmp_path_factory.mktemp("results")))
    executor.run(register_dataset_types=True, save_versions=False)
    with butler.clone(collections=COLLECTION) as reader:
        yield reader
