"""What is told of the versions of one name, and how two of them differ."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, overload
from uuid import UUID

from ..words import size

__all__ = ["Comparison", "Contents", "Version", "Versions", "compare", "facts_of", "made_at"]


@dataclass(frozen=True)
class Version:
    """One version of a name.

    Attributes
    ----------
    version : `int` or `str`
        Its number; ``m<number>`` if it is in memory.
    run : `str`
        The run that it is.
    datasets : `int`
        How many it has.
    when : `datetime.datetime` or `None`
        When the last one was saved.
    state : `str`
        ``current``, ``older``, ``retired`` or ``in memory``.
    """

    version: int | str
    run: str
    datasets: int
    when: datetime.datetime | None
    state: str


class Versions(Sequence[Version]):
    """The versions of one name, newest first.

    Parameters
    ----------
    name : `str`
        The name.
    versions : iterable of `Version`
        Its versions.
    """

    def __init__(self, name: str, versions: Iterable[Version]) -> None:
        self.name = name
        self._versions = list(versions)

    @overload
    def __getitem__(self, index: int) -> Version: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Version]: ...
    def __getitem__(self, index: int | slice) -> Version | Sequence[Version]:
        return self._versions[index]

    def __len__(self) -> int:
        return len(self._versions)

    def __str__(self) -> str:
        if not self._versions:
            return f"Nothing is saved under {self.name!r}."
        rows = [_HEAD, *map(_row, self._versions)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self._versions:
            return f"<p>{escape(str(self))}</p>"
        return _table(_HEAD, map(_row, self._versions))


_HEAD = ("version", "saved", "datasets", "state", "run")


def _row(version: Version) -> tuple[str, ...]:
    when = version.when.astimezone().strftime("%Y-%m-%d %H:%M:%S") if version.when else ""
    return str(version.version), when, str(version.datasets), version.state, version.run


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def made_at(dataset_ids: Iterable[UUID]) -> datetime.datetime | None:
    """Tell when the newest of some datasets was made, by their identifiers.

    Parameters
    ----------
    dataset_ids : iterable of `uuid.UUID`
        Datasets.

    Returns
    -------
    when : `datetime.datetime` or `None`
        `None` if there are none, or their identifiers are not of the kind that holds the time.
    """
    times = [id.int >> 80 for id in dataset_ids if id.version == 7]
    return datetime.datetime.fromtimestamp(max(times) / 1000, datetime.UTC) if times else None


@dataclass(frozen=True)
class Contents:
    """What one version has, as far as it is compared.

    Attributes
    ----------
    version : `Version`
        The version.
    data_ids : `frozenset` [`str`]
        Data IDs in words.
    inputs : `frozenset` [`str`]
        What its datasets were made from, in words.
    facts : `dict` [`str`, `str`]
        Other things in words, such as the user, the size and the storage class.
    software : `dict` [`str`, `str`]
        Versions of packages.
    code : `str`
        The cell or program that made its last dataset.
    """

    version: Version
    data_ids: frozenset[str]
    inputs: frozenset[str]
    facts: Mapping[str, str]
    software: Mapping[str, str]
    code: str


@dataclass(frozen=True)
class Comparison:
    """How two versions of a name differ.

    Attributes
    ----------
    name : `str`
        The name.
    first, second : `Version`
        The versions.
    changed : `dict` [`str`, `tuple` [`str`, `str`]]
        What both tell of, with different values; empty texts for what one does not tell of.
    removed, added : `dict` [`str`, `list` [`str`]]
        Under ``data ID`` and ``input``, what only the first, and only the second version has.
    code : `str`
        Difference of the code, as ``diff -u`` shows it.
    """

    name: str
    first: Version
    second: Version
    changed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    removed: Mapping[str, list[str]] = field(default_factory=dict)
    added: Mapping[str, list[str]] = field(default_factory=dict)
    code: str = ""

    def __bool__(self) -> bool:
        return bool(self.changed or any(self.removed.values()) or any(self.added.values()) or self.code)

    def rows(self) -> list[tuple[str, str, str]]:
        """Give the differences as rows: what, in the first version, in the second.

        Returns
        -------
        rows : `list` [`tuple` [`str`, `str`, `str`]]
            Without the code.
        """
        rows = [(what, a, b) for what, (a, b) in self.changed.items()]
        for what in self.removed:
            rows += [(what, each, "") for each in self.removed[what]]
            rows += [(what, "", each) for each in self.added[what]]
        return rows

    def __str__(self) -> str:
        head = f"{self.name}, version {self.first.version} and version {self.second.version}:"
        if not self:
            return f"{head} no difference"
        lines = [f"  {what}: {a or '-'} -> {b or '-'}" for what, a, b in self.rows()]
        return "\n".join([head, *lines, *([self.code] if self.code else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{escape(str(self))}</p>"
        head = (self.name, f"version {self.first.version}", f"version {self.second.version}")
        code = f"<pre>{escape(self.code)}</pre>" if self.code else ""
        return _table(head, self.rows()) + code


def compare(name: str, first: Contents, second: Contents) -> Comparison:
    """Find out how two versions differ.

    Parameters
    ----------
    name : `str`
        The name.
    first, second : `Contents`
        What they have.

    Returns
    -------
    comparison : `Comparison`
        The differences.
    """
    changed = _changed(first.facts, second.facts) | _changed(first.software, second.software)
    code = "\n".join(
        difflib.unified_diff(
            first.code.splitlines(),
            second.code.splitlines(),
            f"version {first.version.version}",
            f"version {second.version.version}",
            lineterm="",
        )
    )
    sets = {"data ID": (first.data_ids, second.data_ids), "input": (first.inputs, second.inputs)}
    return Comparison(
        name,
        first.version,
        second.version,
        changed,
        {what: sorted(a - b) for what, (a, b) in sets.items()},
        {what: sorted(b - a) for what, (a, b) in sets.items()},
        code,
    )


def _changed(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {
        key: (first.get(key, ""), second.get(key, ""))
        for key in dict.fromkeys([*first, *second])
        if first.get(key, "") != second.get(key, "")
    }


def facts_of(notes: Mapping[str, Any], *, bytes_: int | None, storage_class: str) -> dict[str, str]:
    """Put what is noted of a version's last dataset into words.

    Parameters
    ----------
    notes : `dict`
        Its notes.
    bytes_ : `int` or `None`
        Size of the whole version.
    storage_class : `str`
        Its storage class.

    Returns
    -------
    facts : `dict` [`str`, `str`]
        As `Contents` has them.
    """
    facts = {key: str(notes[key]) for key in ("user", "host", "python", "doc") if key in notes}
    if bytes_ is not None:
        facts["size"] = size(bytes_)
    return facts | {"storage class": storage_class}
