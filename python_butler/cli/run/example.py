"""``satellite run example``: a package of tasks to start one's own from."""

from __future__ import annotations

import importlib.resources
import importlib.util
import keyword
from pathlib import Path

import click

from ...errors import InvalidRequestError
from ..output import json_option, print_json

__all__ = ["example"]

_ORIGINAL = "python_butler.example_pipeline"


@click.command("example")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", default="my_tasks", show_default=True, help="Name of the new Python package.")
@json_option
def example(directory: Path, name: str, as_json: bool) -> None:
    """Copy a small package of pipeline tasks into DIRECTORY, to start your own from.

    The tasks detect sources on visit images, match them over visits, and make coadds. A pipeline that runs
    the copy is put beside it. They are yours: change them as you like.
    """
    package, pipeline = _copy(directory, name)
    if as_json:
        print_json({"package": str(package), "pipeline": str(pipeline), "path": str(directory.resolve())})
        return
    click.echo(f"Tasks:    {package}")
    click.echo(f"Pipeline: {pipeline}")
    click.echo("\nLet Python find the package, in every terminal and notebook that uses it:")
    click.echo(f"  export PYTHONPATH={directory.resolve()}${{PYTHONPATH:+:$PYTHONPATH}}")
    click.echo("Prepare a run of it:")
    click.echo(f"  satellite run prepare RUN-DIRECTORY --pipeline {pipeline}")


def _copy(directory: Path, name: str) -> tuple[Path, Path]:
    """Write the package and its pipeline; nothing that is there is touched."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidRequestError(
            f"A Python package cannot be called {name!r}.",
            "Give it a name of letters, digits and underscores, such as --name my_tasks.",
        )
    package, pipeline = directory / name, directory / "pipeline.yaml"
    for path in (package, pipeline):
        if path.exists():
            raise InvalidRequestError(
                f"There is already {path}, which is left as it is.", "Choose another directory."
            )
    if importlib.util.find_spec(name) is not None:
        raise InvalidRequestError(
            f"There is already a Python package called {name}, which would be imported instead.",
            "Choose another name with --name.",
        )
    # Found without importing it, which would take the science packages and seconds.
    original = importlib.resources.files("python_butler") / "example_pipeline"
    package.mkdir(parents=True)
    for source in original.iterdir():
        if source.name.endswith(".py"):
            (package / source.name).write_bytes(source.read_bytes())
    text = (original / "pipeline.yaml").read_text()
    pipeline.write_text(text.replace(_ORIGINAL, name))
    return package, pipeline
