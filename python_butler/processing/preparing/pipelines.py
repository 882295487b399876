"""Pipelines as people have them: a file, a task class, or upstream's object."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from lsst.daf.butler.registry import DatasetTypeError
from lsst.pipe.base import Pipeline, PipelineTask
from lsst.pipe.base.pipeline_graph import PipelineGraph, PipelineGraphError
from lsst.resources import ResourcePath

from ...errors import InvalidRequestError
from ...satellite.durable import sync

__all__ = ["PipelineSource", "graph_of", "pipeline_of", "write_pipeline"]

type PipelineSource = str | Path | type[PipelineTask] | Pipeline
"""What people have: a YAML file, also with task labels as in ``file.yaml#first,second``; the class of one
task; or upstream's object."""

_UNFIT = (
    PipelineGraphError,
    DatasetTypeError,
    AttributeError,
    ValueError,
    TypeError,
    LookupError,
    OSError,
)


def pipeline_of(source: PipelineSource, config: Mapping[str, object]) -> tuple[Pipeline, str]:
    """Understand what a person wants to run.

    Parameters
    ----------
    source : `str`, `pathlib.Path`, `type` or `lsst.pipe.base.Pipeline`
        The pipeline.
    config : mapping
        Values of configuration fields, by ``<task label>:<field>``.

    Returns
    -------
    pipeline : `lsst.pipe.base.Pipeline`
        A pipeline of our own.
    name : `str`
        Where it is from.

    Raises
    ------
    InvalidRequestError
        If there is no such file, it is no pipeline, or other processes could not import the task.
    """
    if isinstance(source, Pipeline):
        pipeline, name = Pipeline.fromPipeline(source), "a Pipeline object"
    elif isinstance(source, type):
        pipeline, name = _of_task(source)
    else:
        pipeline, name = _of_file(source)
    for key, value in config.items():
        label, _, field = key.partition(":")
        if label not in pipeline.task_labels or not field:
            raise InvalidRequestError(
                f"{key!r} is not a field of a task in this pipeline.",
                f"Write TASK:FIELD; the tasks are {', '.join(sorted(pipeline.task_labels))}.",
            )
        pipeline.addConfigOverride(label, field, value)
    return pipeline, name


def _of_task(task: type[PipelineTask]) -> tuple[Pipeline, str]:
    name = f"{task.__module__}.{task.__qualname__}"
    if not issubclass(task, PipelineTask):
        raise InvalidRequestError(f"{name} is no PipelineTask.", "Name a class derived from PipelineTask.")
    if task.__module__ == "__main__" or "<locals>" in name:
        raise InvalidRequestError(
            f"{task.__qualname__} is defined in this notebook or program: other processes cannot import it.",
            "Move it into a file of its own, such as mytasks.py, and import it from there.",
        )
    pipeline = Pipeline(f"The task {name}.")
    pipeline.addTask(task, getattr(task, "_DefaultName", task.__name__))
    return pipeline, name


def _of_file(source: str | Path) -> tuple[Pipeline, str]:
    path = str(Path(source).expanduser()) if "://" not in str(source) else str(source)
    uri = ResourcePath(path)
    if not ResourcePath(uri.geturl().partition("#")[0]).exists():
        raise InvalidRequestError(
            f"There is no pipeline {path}.", "Name a YAML file, or the class of a task that can be imported."
        )
    try:
        pipeline = Pipeline.from_uri(uri)
    # Whatever is wrong with a file that people write.
    except Exception as error:
        raise InvalidRequestError(
            f"{path} is no pipeline that can be read: {type(error).__name__}: {error}".rstrip(".") + ".",
            "Correct the file.",
        ) from error
    return pipeline, str(Path(path).absolute()) if uri.isLocal else path


def graph_of(pipeline: Pipeline) -> PipelineGraph:
    """Import a pipeline's tasks, configure them, and see how they are connected.

    Parameters
    ----------
    pipeline : `lsst.pipe.base.Pipeline`
        The pipeline.

    Returns
    -------
    graph : `lsst.pipe.base.pipeline_graph.PipelineGraph`
        Its graph, without a repository's definitions of dataset types.

    Raises
    ------
    InvalidRequestError
        If a task cannot be imported or configured, or the tasks do not fit each other.
    """
    try:
        return pipeline.to_graph()
    except ImportError as error:
        raise InvalidRequestError(
            f"A task of the pipeline cannot be imported: {error}".rstrip(".") + ".",
            "Install its package in this environment, or put its directory into PYTHONPATH.",
        ) from error
    # Configuration is Python code of whoever wrote the pipeline.
    except _UNFIT as error:
        raise InvalidRequestError(
            f"The pipeline does not fit together: {error}".rstrip(".") + ".",
            "Correct the pipeline or its configuration.",
        ) from error


def write_pipeline(pipeline: Pipeline, path: Path) -> None:
    """Write a pipeline with all that it includes.

    Parameters
    ----------
    pipeline : `lsst.pipe.base.Pipeline`
        The pipeline.
    path : `pathlib.Path`
        The file; it is replaced.
    """
    new = path.with_name(f".{uuid4().hex}.yaml")
    try:
        pipeline.write_to_uri(new)
        sync([new])
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
