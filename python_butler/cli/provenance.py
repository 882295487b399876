"""``satellite provenance``: what made a dataset, from what, how, and what was made from it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from ..errors import GoneError
from ..words import duration
from .choosing import Choice, choice_options, chosen_here
from .output import json_option, number, print_facts, print_json, print_table

if TYPE_CHECKING:
    from ..backend.provenance.models import Maker, Provenance, ProvenanceNode
    from ..backend.repository import BrowsedRepository

__all__ = ["provenance"]

_MOST = 100_000
"""Inputs, and outputs, of one dataset that are told to a program."""

_SHOWN = 20
"""Those that are told to a person."""

_HOW_KNOWN = {
    "given": "Made from, as its author says",
    "read before": "Made from, among what was read before",
    "recorded": "Made from",
    "contributing": "Images in it",
}


@click.command("provenance")
@choice_options
@click.option(
    "--full", is_flag=True, help="Print the configuration of the task, or the code, and all versions, too."
)
@json_option
def provenance(choice: Choice, label: str, root: Path | None, full: bool, as_json: bool) -> None:
    """Tell what made datasets, from what, with which configuration and versions; and what was made from them.

    TYPE can also be the ID of a dataset, which need not be in your satellite. All others are searched there.
    """
    from ..satellite import Satellite

    satellite = Satellite.open(label, root)
    ids, types = _ids_in(choice.types)
    if types:
        choice = Choice(types, choice.where, choice.bind, choice.data_id, choice.collections, choice.limit)
        ids += [ref.id for ref in chosen_here(satellite, choice) if ref.id not in ids]
    if not ids:
        raise GoneError(
            f"There is no such dataset in {satellite.root}.", f"See what is there: satellite usage {label}"
        )
    repositories = list(_repositories(label, satellite.root))
    told = [_describe(repositories, each) for each in ids]
    if as_json:
        print_json(told)
        return
    for i, each in enumerate(told):
        if i:
            click.echo()
        _print(each, full=full)


def _ids_in(words: Sequence[str]) -> tuple[list[UUID], list[str]]:
    """Which words are IDs, and which are not."""
    ids: dict[UUID, None] = {}
    rest: list[str] = []
    for word in words:
        try:
            ids[UUID(word)] = None
        except ValueError:
            rest.append(word)
    return list(ids), rest


def _repositories(label: str, root: Path) -> Iterator[BrowsedRepository]:
    """The satellite, and the official repository if it is known here."""
    from ..backend.official import OfficialRepository
    from ..backend.personal import PersonalRepository
    from ..official import known_repositories

    yield PersonalRepository(label, root)
    if label in known_repositories():
        yield OfficialRepository(label)


def _describe(repositories: Sequence[BrowsedRepository], dataset_id: UUID) -> Provenance:
    from ..backend.provenance.steps import describe_step

    never = threading.Event()
    first, second = [*repositories, None][:2]
    assert first is not None
    for repository, other in ((first, second), (second, first)):
        with contextlib.suppress(GoneError):
            if repository is not None:
                return describe_step(repository, other, dataset_id, never, most=_MOST)
    where = (
        f"Neither {first.label} nor your satellite of it has" if second else "Your satellite does not have"
    )
    raise GoneError(f"{where} a dataset {dataset_id}.", "It may have been removed.")


def _print(told: Provenance, *, full: bool) -> None:
    dataset, maker = told.dataset, told.maker
    facts = [("id", str(dataset.id)), ("collection", dataset.run)]
    if maker is not None:
        facts += _facts(maker)
    print_facts(_named(dataset), ((name, value) for name, value in facts if value))
    if not told.sources:
        click.echo("Nobody recorded what made it.")
    _print_datasets(f"{_HOW_KNOWN[told.inputs_are]}:", told.inputs, told.inputs_left_out)
    _print_datasets("Made from it:", told.outputs, told.outputs_left_out)
    if full and maker is not None:
        for title, text in (("Configuration", maker.configuration), ("Code", maker.code)):
            if text:
                click.echo(f"\n{title}:\n{text.rstrip()}")
        if maker.software:
            click.echo("\nVersions:")
            print_table(("package", "version"), sorted(maker.software.items()))


def _facts(maker: Maker) -> Iterator[tuple[str, str]]:
    task = f"{maker.task} ({maker.task_class})" if maker.task_class else maker.task
    yield "made by", task or maker.notebook or maker.program
    yield "quantum", str(maker.quantum or "")
    took = "" if maker.seconds is None else f", in {duration(maker.seconds)}"
    when = f"{datetime.fromisoformat(maker.time).astimezone():%Y-%m-%d %H:%M:%S}" if maker.time else ""
    yield "when", when + took if when else ""
    yield "who", " on ".join(each for each in (maker.user, maker.host) if each)
    yield "said", maker.doc
    packages = f"{number(len(maker.software))} packages" if maker.software else ""
    python = f"Python {maker.python.partition(' ')[0]}" if maker.python else ""
    yield "with", ", ".join(each for each in (python, packages) if each)


def _print_datasets(title: str, nodes: Sequence[ProvenanceNode], left_out: int) -> None:
    if not nodes:
        return
    click.echo(f"\n{title}")
    print_table(
        ("dataset type", "data ID", "collection", "id"),
        [
            (node.dataset_type or "not known here", _values(node), node.run, str(node.id or ""))
            for node in nodes[:_SHOWN]
        ],
    )
    if rest := left_out + len(nodes[_SHOWN:]):
        click.echo(f"and {number(rest)} more; --json lists them.")


def _named(node: ProvenanceNode) -> str:
    values = _values(node)
    return f"{node.dataset_type} {values}" if values else node.dataset_type


def _values(node: ProvenanceNode) -> str:
    return ", ".join(f"{name}={value}" for name, value in node.data_id.items())
