"""How every subcommand answers: tables for people, JSON for programs, a bar for what takes long.

Answers go to standard output; progress and errors to standard error.
"""

from __future__ import annotations

import signal
import sys
import threading
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter

from ..words import duration, number, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from ..satellite.progress import Progress, ProgressCallback

__all__ = ["Watch", "json_option", "number", "print_facts", "print_json", "print_table", "size", "watch"]

json_option = click.option("--json", "as_json", is_flag=True, help="Answer with JSON, for programs.")
"""Option that every subcommand with an answer has; the parameter is called ``as_json``."""


def print_json(document: Any) -> None:
    """Answer with JSON.

    Parameters
    ----------
    document
        Anything that pydantic can serialize: models, and lists and dictionaries of them.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(type(document))
    click.echo(adapter.dump_json(document, indent=2, serialize_as_any=True).decode())


def print_facts(title: str, facts: Iterable[tuple[str, str]]) -> None:
    """Answer with what there is to say about one thing.

    Parameters
    ----------
    title : `str`
        First line.
    facts : iterable of `tuple` [`str`, `str`]
        What is described, and how it is.
    """
    click.echo(title)
    rows = list(facts)
    width = max((len(name) for name, _ in rows), default=0)
    for name, value in rows:
        click.echo(f"  {name:<{width}}  {value}".rstrip())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[str] = ()) -> None:
    """Answer with a table: drawn on a terminal, otherwise aligned columns that are never cut off.

    Parameters
    ----------
    columns : sequence of `str`
        Headings.
    rows : iterable of sequence of `str`
        Cells, as many in each row as there are columns.
    right : iterable of `str`, optional
        Headings of the columns that are aligned to the right, such as numbers.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=terminal)
    aligned = set(right)
    for column in columns:
        table.add_column(
            Text(column),
            justify="right" if column in aligned else "left",
            overflow="fold",
            no_wrap=not terminal,
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    _print(table, terminal)


def _print(table: RenderableType, terminal: bool) -> None:
    from rich.console import Console

    if terminal:
        Console().print(table)
        return
    console = Console(width=10_000, color_system=None)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


@dataclass(frozen=True)
class Watch:
    """What work that takes long is given while it is watched.

    Attributes
    ----------
    progress : callable
        To be called with a `python_butler.satellite.progress.Progress`.
    cancelled : `threading.Event`
        Set by Ctrl-C.
    """

    progress: ProgressCallback
    cancelled: threading.Event

    def confirm(self, question: str) -> bool:
        """Ask a person, before the work begins; Ctrl-C then ends the command at once.

        Parameters
        ----------
        question : `str`
            To be answered with yes or no.

        Returns
        -------
        yes : `bool`
            The answer.
        """
        previous = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return click.confirm(question, err=True)
        finally:
            signal.signal(signal.SIGINT, previous)


@contextmanager
def watch() -> Iterator[Watch]:
    """Watch work that takes long: a bar on a terminal, and Ctrl-C ends the work in good order.

    A second Ctrl-C ends the command at once.

    Yields
    ------
    watch : `Watch`
        What to hand to the work.
    """
    cancelled = threading.Event()

    def interrupt(signum: int, frame: types.FrameType | None) -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        cancelled.set()

    # Only the main thread may set handlers; elsewhere nobody presses keys.
    main = threading.current_thread() is threading.main_thread()
    previous = signal.signal(signal.SIGINT, interrupt) if main else None
    try:
        with _bar() as draw:
            yield Watch(draw, cancelled)
    finally:
        if main:
            signal.signal(signal.SIGINT, previous or signal.SIG_DFL)


@contextmanager
def _bar() -> Iterator[ProgressCallback]:
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[left]}", markup=False),
    )
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    tasks = [bar.add_task("", total=None, left="")]

    def draw(progress: Progress) -> None:
        rows = (progress, *progress.parts)
        while len(tasks) < len(rows):
            tasks.append(bar.add_task("", total=None, left=""))
        for task, row in zip(tasks, rows, strict=False):
            left = "" if row.seconds_left is None else f"{duration(row.seconds_left)} left"
            bar.update(task, description=row.what, completed=row.done, total=row.total, left=left)
        # Not before there is something to draw: a person may be asked something first.
        bar.start()

    try:
        yield draw
    finally:
        bar.stop()
