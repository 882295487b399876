"""``satellite run prepare``: a pipeline becomes a graph that can be run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..choosing import find_label, value_of
from ..exits import finish
from ..output import json_option, print_json, print_table, watch
from ..satellites import root_option
from .group import directory_argument

__all__ = ["prepare"]

_NUMBERS = ("quanta", "done before", "left out", "datasets", "official", "size", "how many")
_TRUTH: dict[object, object] = {"True": True, "False": False, "None": None}


@click.command("prepare")
@directory_argument
@click.option(
    "--pipeline",
    metavar="FILE",
    help="YAML file of a pipeline, also with task labels as in FILE#first,second, or a task such as "
    "mytasks.MeasureTask that can be imported.",
)
@click.option("--label", help="Label of the official repository.  [default: the only one you have]")
@root_option
@click.option(
    "--inputs",
    metavar="NAMES",
    multiple=True,
    help="Collections to search, official and own, in order, separated by commas; may be repeated.  "
    "[default: the one named LABEL]",
)
@click.option(
    "--name",
    help="Outputs go to the chain u/USER/NAME, in a run of its own.  [default: the directory's name]",
)
@click.option("--where", help="Expression that data IDs must fulfil.")
@click.option(
    "--bind", metavar="NAME=VALUE", multiple=True, help="Value for :NAME in the expression; may be repeated."
)
@click.option(
    "--config",
    metavar="TASK:FIELD=VALUE",
    multiple=True,
    help="Value of a field of a task's configuration; may be repeated.",
)
@click.option(
    "--skip-existing-in",
    metavar="NAMES",
    multiple=True,
    help="Do not run what has succeeded in one of these collections of yours; may be repeated.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Plan only for the first so many data IDs of the task that the pipeline begins with.",
)
@click.option(
    "--extend",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Go on from a run that was collected: what is not said is as there, and what has succeeded "
    "is not run again.",
)
@json_option
def prepare(
    directory: Path,
    pipeline: str | None,
    label: str | None,
    root: Path | None,
    inputs: tuple[str, ...],
    name: str | None,
    where: str | None,
    bind: tuple[str, ...],
    config: tuple[str, ...],
    skip_existing_in: tuple[str, ...],
    limit: int | None,
    extend: Path | None,
    as_json: bool,
) -> None:
    """Plan a pipeline on official data, your own, or both, in the working directory DIRECTORY.

    Nothing is run, and nothing written to your satellite. What there is to do, and what is missing and
    why, is told, and kept in the directory with the graph and a picture of the pipeline.
    """
    from ... import processing
    from ...processing.preparing import PreparingStoppedError

    if pipeline is None and extend is None:
        raise click.UsageError("Name a pipeline with --pipeline, or a run with --extend.")
    if label is None and extend is None:
        label = find_label(label)
    source: Any = pipeline
    settings = [value_of(word, "--config") for word in config]
    if pipeline is not None and not Path(pipeline.partition("#")[0]).exists():
        source = _task(pipeline) or pipeline
    with watch() as watched:
        try:
            run = processing.prepare(
                source,
                directory=directory,
                label=label,
                root=root,
                inputs=_names(inputs) or None,
                name=name,
                where=where,
                bind=dict(value_of(word, "--bind") for word in bind),
                config={key: _TRUTH.get(value, value) for key, value in settings},
                skip_existing_in=_names(skip_existing_in),
                limit=limit,
                extend=extend,
                progress=watched.progress,
                cancel=watched.cancelled,
            )
        except PreparingStoppedError as error:
            click.echo(str(error), err=True)
            finish(cancelled=True)
    summary = run.summary
    if as_json:
        print_json({"directory": str(run.directory)} | summary.model_dump(mode="json"))
        return
    click.echo(summary.headline())
    for columns, rows in summary.tables():
        click.echo()
        print_table(columns, rows, right=_NUMBERS)
    for note in summary.notes:
        click.echo(note)
    click.echo(f"\nStart it: satellite run start {directory}")


def _names(words: tuple[str, ...]) -> list[str]:
    return [name for names in words for name in names.split(",") if name]


def _task(name: str) -> Any:
    """Class of a task, if this is the name of one."""
    from lsst.pipe.base import PipelineTask
    from lsst.utils import doImportType

    try:
        found = doImportType(name)
    except (ImportError, TypeError, ValueError):
        return None
    return found if issubclass(found, PipelineTask) else None
