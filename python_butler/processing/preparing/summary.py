"""`Summary`: what a prepared run will do, with what, and what is missing and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ...words import counted, number, size

__all__ = ["Missing", "Summary", "TaskCount", "TypeCount"]

type Role = Literal["input", "prerequisite", "intermediate", "output", "record"]


class TaskCount(BaseModel):
    """What there is to do for one task.

    Attributes
    ----------
    label : `str`
        Label of the task.
    quanta : `int`
        How often it is run.
    skipped : `int`
        How many quanta had succeeded before, and are not run again.
    left_out : `int`
        How many quanta there are not for want of inputs.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    quanta: int
    skipped: int = 0
    left_out: int = 0


class TypeCount(BaseModel):
    """Datasets of one type.

    Attributes
    ----------
    name : `str`
        The dataset type.
    role : `str`
        ``input``; ``prerequisite``, an input that does not decide which quanta there are; ``intermediate``,
        which one task makes and another uses; ``output``; ``record``, which execution makes by itself, such
        as logs and metadata.
    datasets : `int`
        How many.
    official : `int`
        How many of them are read from the official repository.
    bytes : `int` or `None`
        Size of their files, where that is known beforehand.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    role: Role
    datasets: int
    official: int = 0
    bytes: int | None = None


class Missing(BaseModel):
    """Quanta that there are not.

    Attributes
    ----------
    task : `str`
        Label of the task.
    quanta : `int`
        How many.
    reason : `str`
        Why.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    quanta: int
    reason: str


class Summary(BaseModel):
    """What a prepared run will do.

    Attributes
    ----------
    output_run : `str`
        Run that its outputs go to.
    tasks : `list` [`TaskCount`]
        Tasks in the order of execution.
    types : `list` [`TypeCount`]
        Dataset types, inputs first.
    missing : `list` [`Missing`]
        What is missing, and why.
    notes : `list` [`str`]
        What else a person should know.
    """

    model_config = ConfigDict(frozen=True)

    output_run: str
    tasks: list[TaskCount]
    types: list[TypeCount]
    missing: list[Missing] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Summary:
        """Read what was written when the run was prepared.

        Parameters
        ----------
        path : `pathlib.Path`
            The file.

        Returns
        -------
        summary : `Summary`
            The summary.
        """
        return cls.model_validate_json(path.read_bytes())

    @property
    def quanta(self) -> int:
        """How many quanta there are of all tasks."""
        return sum(task.quanta for task in self.tasks)

    @property
    def input_bytes(self) -> int:
        """Size of the files of all inputs."""
        return sum(each.bytes or 0 for each in self.types)

    def headline(self) -> str:
        """Say it in one sentence.

        Returns
        -------
        text : `str`
            The sentence.
        """
        tasks = counted(sum(task.quanta > 0 for task in self.tasks), "task")
        inputs = [each for each in self.types if each.role in ("input", "prerequisite")]
        datasets = counted(sum(each.datasets for each in inputs), "input")
        quanta = "1 quantum" if self.quanta == 1 else f"{number(self.quanta)} quanta"
        return f"{quanta} of {tasks}, {datasets} of {size(self.input_bytes)}, into {self.output_run}."

    def tables(self) -> Iterator[tuple[Sequence[str], list[Sequence[str]]]]:
        """Say it in tables.

        Yields
        ------
        columns : sequence of `str`
            Headings.
        rows : `list` [sequence of `str`]
            Cells.
        """
        yield (
            ("task", "quanta", "done before", "left out"),
            [
                (task.label, number(task.quanta), number(task.skipped), number(task.left_out))
                for task in self.tasks
            ],
        )
        yield (
            ("dataset type", "role", "datasets", "official", "size"),
            [
                (
                    each.name,
                    each.role,
                    number(each.datasets),
                    number(each.official) if each.role in ("input", "prerequisite") else "",
                    "" if each.bytes is None else size(each.bytes),
                )
                for each in self.types
                if each.role != "record"
            ],
        )
        if self.missing:
            yield (
                ("missing quanta of", "how many", "why"),
                [(each.task, number(each.quanta), each.reason) for each in self.missing],
            )

    def __str__(self) -> str:
        return self.headline()

    def _repr_html_(self) -> str:
        parts = [f"<div>{escape(self.headline())}</div>"]
        for columns, rows in self.tables():
            head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
            body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        parts += [f"<div>{escape(note)}</div>" for note in self.notes]
        return "".join(parts)
