"""The unmodified graph builder of `lsst.pipe.base` plans a pipeline on one Butler over both repositories."""

from __future__ import annotations

import pytest
from lsst.daf.butler import DatasetType
from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder
from lsst.pipe.base.pipeline_graph import PipelineGraph
from lsst.pipe.base.tests.mocks import (
    DynamicConnectionConfig,
    DynamicTestPipelineTask,
    DynamicTestPipelineTaskConfig,
)

from python_butler.errors import SatelliteError
from python_butler.federation import SatelliteButler

from .conftest import table


def connection(name: str, dimensions: set[str]) -> DynamicConnectionConfig:
    return DynamicConnectionConfig(
        dataset_type_name=name, dimensions=dimensions, storage_class="ArrowAstropy", mock_storage_class=False
    )


def pipeline() -> PipelineGraph:
    """First a table for each official visit; then, from that and personal ones, one for the instrument."""
    graph = PipelineGraph()
    measure = DynamicTestPipelineTaskConfig()
    measure.dimensions = {"instrument", "visit"}
    measure.inputs["source"] = connection("source", {"instrument", "visit"})
    measure.inputs["quality"] = connection("quality", {"instrument", "visit"})
    measure.outputs["measured"] = connection("measured", {"instrument", "visit"})
    graph.add_task("measure", DynamicTestPipelineTask, measure)
    gather = DynamicTestPipelineTaskConfig()
    gather.dimensions = {"instrument"}
    gather.inputs["measured"] = connection("measured", {"instrument", "visit"})
    gather.inputs["measured"].multiple = True
    gather.outputs["gathered"] = connection("gathered", {"instrument"})
    graph.add_task("gather", DynamicTestPipelineTask, gather)
    return graph


@pytest.mark.parametrize("where", ["", "instrument = 'Cam' AND visit > 101"])
def test_a_pipeline_is_planned_over_official_and_personal_datasets(
    own_run: SatelliteButler, where: str
) -> None:
    quality = DatasetType("quality", ("instrument", "visit"), "ArrowAstropy", universe=own_run.dimensions)
    own_run.registry.registerDatasetType(quality)
    for visit in (101, 102):
        own_run.put(table(visit), "quality", visit=visit)
    mine = own_run.put(table(1), "source", visit=101)
    builder = AllDimensionsQuantumGraphBuilder(
        pipeline(),
        own_run,
        where=where,
        input_collections=["u/me/mine", "dp2"],
        output_run="u/me/output",
    )
    graph = builder.finish().assemble()
    visits = {102} if where else {101, 102}
    quanta = graph.build_execution_quanta(task_label="measure")
    assert {quantum.dataId["visit"] for quantum in quanta.values()} == visits
    inputs = {
        quantum.dataId["visit"]: next(refs[0] for t, refs in quantum.inputs.items() if t.name == "source")
        for quantum in quanta.values()
    }
    # The own one comes first in the search; the other visit has an official one only.
    assert inputs[102].run == "Cam/runs/DRP/stage1"
    if not where:
        assert inputs[101] == mine
    (gather,) = graph.build_execution_quanta(task_label="gather").values()
    (measured,) = gather.inputs.values()
    assert {ref.dataId["visit"] for ref in measured} == visits


def test_a_pipeline_is_planned_without_a_satellite(butler: SatelliteButler) -> None:
    graph = PipelineGraph()
    measure = DynamicTestPipelineTaskConfig()
    measure.dimensions = {"instrument", "visit"}
    measure.inputs["source"] = connection("source", {"instrument", "visit"})
    measure.outputs["measured"] = connection("measured", {"instrument", "visit"})
    graph.add_task("measure", DynamicTestPipelineTask, measure)
    builder = AllDimensionsQuantumGraphBuilder(
        graph, butler, input_collections=["dp2"], output_run="u/me/output"
    )
    # Records are those of files that one has, and there is nothing yet.
    with pytest.raises(SatelliteError, match="no satellite of dp2 yet"):
        builder.finish()
    planned = builder.finish(attach_datastore_records=False).assemble()
    quanta = planned.build_execution_quanta(task_label="measure")
    official = butler.query_datasets("source", "dp2", instrument="Cam")
    assert {ref for quantum in quanta.values() for refs in quantum.inputs.values() for ref in refs} == set(
        official
    )
