"""The quantum graph, by upstream's own builder over both repositories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from astropy.table import Table
from lsst.daf.butler import InvalidQueryError
from lsst.daf.butler.registry import DatasetTypeError
from lsst.pipe.base.all_dimensions_quantum_graph_builder import AllDimensionsQuantumGraphBuilder
from lsst.pipe.base.pipeline_graph import PipelineGraph, PipelineGraphError
from lsst.pipe.base.quantum_graph import PredictedQuantumGraphComponents
from lsst.pipe.base.quantum_graph_builder import QuantumGraphBuilderError

from ...errors import InvalidRequestError
from .planning import PlanningButler
from .reasons import Reasons
from .refusals import refuse_other_types
from .watching import Watching

__all__ = ["build"]


def build(
    graph: PipelineGraph,
    butler: PlanningButler,
    watching: Watching,
    reasons: Reasons,
    *,
    inputs: Sequence[str],
    chain: str,
    run: str,
    where: str,
    bind: Mapping[str, Any],
    skip_existing_in: Sequence[str],
    limit: int | None,
) -> PredictedQuantumGraphComponents:
    """Plan a pipeline.

    Parameters
    ----------
    graph : `lsst.pipe.base.pipeline_graph.PipelineGraph`
        The pipeline; its dataset types become those of the repositories.
    butler : `PlanningButler`
        Both repositories.
    watching : `Watching`
        Told how far it is.
    reasons : `Reasons`
        Told why there are fewer quanta than there could be.
    inputs : sequence of `str`
        Collections to search, in order.
    chain, run : `str`
        Where outputs go.
    where : `str`
        Expression that data IDs fulfil.
    bind : mapping
        Values of the names in it.
    skip_existing_in : sequence of `str`
        Collections with outputs that are not to be made again.
    limit : `int` or `None`
        Most data IDs of the task that the pipeline begins with.

    Returns
    -------
    components : `lsst.pipe.base.quantum_graph.PredictedQuantumGraphComponents`
        The graph, without datastore records. It may have no quanta.

    Raises
    ------
    InvalidRequestError
        If the pipeline's dataset types are not those of the repositories, a dataset that a task cannot do
        without is missing, or ``where`` cannot be understood.
    """
    watching.stage("looking at the pipeline")
    try:
        builder = AllDimensionsQuantumGraphBuilder(
            graph,
            butler,
            input_collections=inputs,
            output_run=run,
            where=where,
            bind=bind or None,
            skip_existing_in=skip_existing_in,
        )
    except (PipelineGraphError, DatasetTypeError, ValueError) as error:
        raise InvalidRequestError(
            f"The pipeline's dataset types are not those of the repositories: {_text(error)}",
            "Give the outputs of the task other names, or correct its connections.",
        ) from error
    builder.log = reasons.logger(builder.log)
    try:
        refuse_other_types(graph, butler._personal())
        if limit is not None:
            watching.stage("choosing data IDs")
            table = _first_data_ids(builder, graph, limit)
            if table is None:
                reasons.note("No data ID has all inputs of the first task.")
                return PredictedQuantumGraphComponents(pipeline_graph=graph)
            builder.data_id_tables = [table]
        watching.stage("planning")
        return builder.finish(output=chain, attach_datastore_records=False)
    except FileNotFoundError as error:
        raise InvalidRequestError(
            f"An input that a task cannot do without is missing: {_text(error)}",
            "Add the collection that has it to the inputs, such as that of calibrations, "
            "or leave these data IDs out.",
        ) from error
    except InvalidQueryError as error:
        raise InvalidRequestError(
            f"The expression cannot be used: {_text(error)}", "Correct --where or what is bound to its names."
        ) from error
    except QuantumGraphBuilderError as error:
        raise InvalidRequestError(
            f"No graph can be made of this pipeline and these inputs: {_text(error)}",
            "Correct the pipeline, or choose other inputs.",
        ) from error
    finally:
        # The builder has one of its own.
        builder.butler.close()


def _text(error: Exception) -> str:
    return f"{str(error).strip().rstrip('.')}."


def _first_data_ids(
    builder: AllDimensionsQuantumGraphBuilder, graph: PipelineGraph, limit: int
) -> Table | None:
    task = next(iter(graph.tasks.values()))
    dimensions = task.dimensions
    with builder.butler.query() as query:
        query = query.join_dimensions(dimensions)
        for edge in task.inputs.values():
            if graph.producer_of(edge.parent_dataset_type_name) is None:
                query = query.join_dataset_search(edge.parent_dataset_type_name, builder.input_collections)
        query = query.where(graph.data_id, builder.where, bind=builder.bind)
        found = query.data_ids(dimensions).order_by(*dimensions.required).limit(limit)
        rows = [data_id.required_values for data_id in found]
    return Table(rows=rows, names=list(dimensions.required)) if rows else None
