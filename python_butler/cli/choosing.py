"""How subcommands are told which datasets are meant."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from .output import number, print_table
from .satellites import root_option

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef

    from ..satellite import Satellite
    from ..satellite.report import Problem

__all__ = ["Choice", "choice_options", "choose", "chosen_here", "find_label", "print_problems", "value_of"]


@dataclass(frozen=True)
class Choice:
    """Which datasets a person means.

    Attributes
    ----------
    types : `list` [`str`]
        Names of dataset types, with wildcards.
    where : `str`
        Expression.
    bind : `dict`
        Values of the names in it.
    data_id : `dict`
        Values of dimensions.
    collections : `list` [`str`] or `None`
        Collections to search.
    limit : `int` or `None`
        Most datasets to take.
    """

    types: list[str]
    where: str
    bind: dict[str, Any]
    data_id: dict[str, Any]
    collections: list[str] | None
    limit: int | None


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a subcommand the arguments and options that say which datasets are meant.

    Parameters
    ----------
    command : callable
        Takes ``choice``, ``label`` and ``root`` beside what is its own.

    Returns
    -------
    command : callable
        Takes what the options give.
    """

    @functools.wraps(command)
    def chosen(
        *,
        what: tuple[str, ...],
        where: str,
        bind: tuple[str, ...],
        collections: tuple[str, ...],
        limit: int | None,
        label: str | None,
        **own: Any,
    ) -> Any:
        choice = choose(what, where, bind, collections, limit)
        return command(choice=choice, label=find_label(label), **own)

    for option in reversed(
        (
            click.argument("what", metavar="TYPE... [KEY=VALUE...]", nargs=-1, required=True),
            click.option(
                "--label", help="Label of the official repository.  [default: the only one you have]"
            ),
            root_option,
            click.option("--where", default="", help="Expression that the datasets must fulfil."),
            click.option(
                "--bind",
                metavar="NAME=VALUE",
                multiple=True,
                help="Value for :NAME in the expression; may be repeated. What looks like a number is one, "
                "except in quotes of its own: \"name='007'\".",
            ),
            click.option(
                "--collections",
                metavar="NAMES",
                multiple=True,
                help="Collections to search, in order, separated by commas; may be repeated.",
            ),
            click.option("--limit", type=click.IntRange(min=1), help="Stop after so many datasets."),
        )
    ):
        chosen = option(chosen)
    return chosen


def choose(
    what: Iterable[str], where: str, bind: Iterable[str], collections: Iterable[str], limit: int | None
) -> Choice:
    """Understand what a person wrote.

    Parameters
    ----------
    what : iterable of `str`
        Names of dataset types, and values of dimensions such as ``visit=42``.
    where, bind, collections, limit
        Options.

    Returns
    -------
    choice : `Choice`
        What is meant.

    Raises
    ------
    click.UsageError
        If it cannot be understood.
    """
    what = list(what)
    types = [word for word in what if "=" not in word]
    if not types:
        raise click.UsageError("Name at least one dataset type, or '*' for all.")
    names = [name for names in collections for name in names.split(",") if name]
    return Choice(
        types,
        where,
        dict(value_of(word, "--bind") for word in bind),
        dict(value_of(word, "KEY=VALUE") for word in what if "=" in word),
        names or None,
        limit,
    )


def value_of(word: str, option: str) -> tuple[str, int | float | str]:
    """Take apart what gives a name a value.

    Parameters
    ----------
    word : `str`
        Such as ``band=r``. What looks like a number is one, unless it is in quotes.
    option : `str`
        Where it was written.

    Returns
    -------
    name : `str`
        The name.
    value : `int`, `float` or `str`
        The value.

    Raises
    ------
    click.BadParameter
        If it is not of this form.
    """
    name, equals, text = word.partition("=")
    if not (name and equals):
        raise click.BadParameter(f"{word!r} is not of the form NAME=VALUE.", param_hint=option)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return name, text[1:-1]
    for kind in (int, float):
        try:
            return name, kind(text)
        except ValueError:
            continue
    return name, text


def find_label(label: str | None) -> str:
    """Label of the repository that a person means.

    Parameters
    ----------
    label : `str` or `None`
        What was said.

    Returns
    -------
    label : `str`
        That; or the only one of which there is a satellite, or the only one that is known here.

    Raises
    ------
    click.UsageError
        If it must be said.
    """
    if label is not None:
        return label
    from ..official import known_repositories
    from ..satellite import all_satellites

    mine = {info.label for info in all_satellites()}
    for labels in (mine, set(known_repositories())):
        if len(labels) == 1:
            return labels.pop()
        if labels:
            raise click.UsageError(
                f"Say which repository you mean: --label {' or --label '.join(sorted(labels))}."
            )
    raise click.UsageError("No official repository is known here: set DAF_BUTLER_REPOSITORY_INDEX.")


def chosen_here(satellite: Satellite, choice: Choice) -> list[DatasetRef]:
    """Datasets of a satellite that are meant.

    Parameters
    ----------
    satellite : `Satellite`
        The satellite.
    choice : `Choice`
        Which are meant.

    Returns
    -------
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        Datasets that are in it.
    """
    from ..satellite.selecting_here import select_here

    return select_here(
        satellite,
        choice.types,
        where=choice.where,
        bind=choice.bind,
        data_id=choice.data_id,
        collections=choice.collections,
        limit=choice.limit,
    )


def print_problems(problems: Sequence[Problem], shown: int = 20) -> None:
    """Tell which datasets are not fine.

    Parameters
    ----------
    problems : sequence of `Problem`
        What is not fine.
    shown : `int`, optional
        Most rows to print.
    """
    if not problems:
        return
    click.echo()
    print_table(
        ("status", "dataset type", "data ID", "reason"),
        [(p.status, p.ref.datasetType.name, str(p.ref.dataId), p.reason) for p in problems[:shown]],
    )
    if len(problems) > shown:
        click.echo(f"and {number(len(problems) - shown)} more; --json lists all.")
