"""What became of one save at each of several destinations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from lsst.daf.butler import DatasetRef

from ..credentials import scrub

__all__ = ["Saved"]


class Saved(Mapping[str, DatasetRef]):
    """The datasets that one save made, by destination.

    Parameters
    ----------
    refs : `dict` [`str`, `lsst.daf.butler.DatasetRef`]
        Destinations that have it.
    problems : `dict` [`str`, `Exception`]
        Destinations that have not, and why.

    Attributes
    ----------
    problems : `dict` [`str`, `Exception`]
        As above; empty if all went well.
    """

    def __init__(self, refs: Mapping[str, DatasetRef], problems: Mapping[str, Exception]) -> None:
        self._refs = dict(refs)
        self.problems = dict(problems)

    def __getitem__(self, destination: str) -> DatasetRef:
        if destination in self.problems:
            raise self.problems[destination]
        return self._refs[destination]

    def __iter__(self) -> Iterator[str]:
        return iter(self._refs)

    def __len__(self) -> int:
        return len(self._refs)

    def __str__(self) -> str:
        return "\n".join(f"{where}: {what}" for where, what, _ in self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(where)}</td><td>{'saved' if well else 'failed'}</td>"
            f"<td>{escape(what)}</td></tr>"
            for where, what, well in self._lines()
        )
        return f"<table><thead><tr><th>to</th><th></th><th></th></tr></thead><tbody>{rows}</tbody></table>"

    def _lines(self) -> Iterator[tuple[str, str, bool]]:
        for destination, ref in self._refs.items():
            yield destination, f"{ref.datasetType.name} {ref.dataId} in {ref.run}", True
        for destination, error in self.problems.items():
            yield destination, scrub(str(error)), False
