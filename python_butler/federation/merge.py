"""Putting the rows of several parts of a query together: each once, in one order, up to the limit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from typing import Any

from lsst.daf.butler import DataCoordinate, DimensionElement, DimensionRecordSet
from lsst.daf.butler.queries.driver import (
    DataCoordinateResultPage,
    DatasetRefResultPage,
    DimensionRecordResultPage,
    GeneralResultPage,
    ResultPage,
)
from lsst.daf.butler.queries.result_specs import (
    DataCoordinateResultSpec,
    DatasetRefResultSpec,
    DimensionRecordResultSpec,
    GeneralResultSpec,
    ResultSpec,
)
from lsst.daf.butler.queries.tree import ColumnSet, DimensionKeyReference, Predicate
from lsst.utils.iteration import chunk_iterable

from .ordering import (
    Row,
    RowReader,
    UnmergeableError,
    direction,
    is_missing_possible,
    is_portable,
    portable_ties,
)
from .sorting import sorted_rows

__all__ = ["Merger", "Rows"]

_PAGE_ROWS = 2_000

Rows = Callable[[ResultSpec, Predicate], Iterator[Row]]
"""Asks a part for the rows that fit a specification and fulfil one more condition."""

_ALL = Predicate.from_bool(True)


class Merger:
    """Merges the rows of the parts of one query.

    Parameters
    ----------
    spec : `lsst.daf.butler.queries.result_specs.ResultSpec`
        What rows are asked for, in which order, and how many.
    pinned : collection of `str`, optional
        Dimensions that have one value in all rows.
    copies : `int` or `None`, optional
        How often a part may give the same row at most; `None` if nobody knows.

    Raises
    ------
    UnmergeableError
        If the rows are to be ordered by what they do not hold.
    """

    def __init__(self, spec: ResultSpec, pinned: Collection[str] = (), copies: int | None = 1) -> None:
        self._spec = spec
        self._copies = copies
        self._records: dict[DimensionElement, DimensionRecordSet] = {}
        # Terms by which the databases sort as well as we: rows are merged by them as they come.
        self._prefix = list(itertools.takewhile(is_portable, spec.order_by))
        # Only the first may be missing in some rows: these are asked for apart.
        missing = [i for i, term in enumerate(self._prefix) if i and is_missing_possible(term)]
        self._prefix = self._prefix[: missing[0]] if missing else self._prefix
        self._part_spec = self._for_parts(spec, pinned)
        self._reader = RowReader(spec, self._part_spec)

    @property
    def is_ordered(self) -> bool:
        """Whether rows come in an order, for which all parts have to be asked at the same time."""
        return bool(self._spec.order_by)

    @property
    def is_find_first(self) -> bool:
        """Whether of datasets with one data ID only the first is asked for."""
        return self._spec.find_first_dataset is not None

    def in_order(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Sort rows as those of a part are expected.

        Parameters
        ----------
        rows : iterable
            Rows of a part that could not be asked for in order.

        Returns
        -------
        rows : iterable
            The rows in order.
        """
        return sorted_rows(rows, self._reader.key(self._prefix)) if self._prefix else rows

    def note(self, page: ResultPage) -> None:
        """Keep the dimension records that come beside the rows of a general query.

        Parameters
        ----------
        page : `lsst.daf.butler.queries.driver.ResultPage`
            A page of a part.
        """
        if isinstance(page, GeneralResultPage) and page.dimension_records is not None:
            for element, records in page.dimension_records.items():
                self._records.setdefault(element, DimensionRecordSet(element)).update(records)

    def pages(self, parts: Iterable[Rows]) -> Iterator[ResultPage]:
        """Merge rows.

        Parameters
        ----------
        parts : iterable of callable
            Each gives rows of a part. If rows come in no order, the parts are called one after the
            other, since an official server allows few queries at once.

        Yields
        ------
        page : `lsst.daf.butler.queries.driver.ResultPage`
            Some more rows. Those that are ordered by texts first, or by fields of datasets, come when all
            have been read and sorted, on disk if they are many; others are streamed.
        """
        parts = list(parts)
        rows = self._ordered(parts) if self._spec.order_by else self._unordered(parts)
        for chunk in chunk_iterable(rows, _PAGE_ROWS):
            yield self._page(list(chunk))

    def unique(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Leave out repetitions: identifiers alone are kept.

        Parameters
        ----------
        rows : iterable
            Rows of parts.

        Yields
        ------
        row : `Row`
            Each row once.
        """
        seen: set[Hashable] = set()
        for row in rows:
            identity = self._reader.identity(row)
            if identity not in seen:
                seen.add(identity)
                yield row

    def _unordered(self, parts: Sequence[Rows]) -> Iterator[Row]:
        limit = self._spec.limit
        seen: set[Hashable] = set()
        given = 0
        for number, part in enumerate(parts, 1):
            spec = self._part_spec
            if limit is not None:
                if given >= limit:
                    return
                # Rows of earlier parts may hide as many of this one.
                spec = spec.model_copy(update={"limit": self._asked_for(limit + len(seen))})
            is_last = number == len(parts)
            for row in part(spec, _ALL):
                identity = self._reader.identity(row)
                if identity in seen:
                    continue
                if not is_last or self._repeats:
                    seen.add(identity)
                yield row
                given += 1
                if limit is not None and given >= limit:
                    return

    @property
    def _repeats(self) -> bool:
        """Whether a part may give a row twice that is one."""
        return self._copies != 1 or not isinstance(self._spec, DatasetRefResultSpec)

    def _asked_for(self, limit: int) -> int | None:
        """How many rows of a part surely hold so many different ones."""
        return None if self._copies is None else limit * self._copies

    def _ordered(self, parts: Sequence[Rows]) -> Iterator[Row]:
        rows: Iterator[Row]
        if self._prefix and is_missing_possible(self._prefix[0]):
            expression, is_descending = direction(self._prefix[0])
            absent = Predicate.is_null(expression)
            phases = [(absent, self._prefix[1:]), (absent.logical_not(), self._prefix)]
            if is_descending:
                phases.reverse()
            rows = itertools.chain.from_iterable(
                self._merged(parts, condition, prefix) for condition, prefix in phases
            )
        else:
            rows = self._merged(parts, _ALL, self._prefix)
        yield from itertools.islice(rows, self._spec.limit)

    def _merged(self, parts: Sequence[Rows], condition: Predicate, prefix: Sequence[Any]) -> Iterator[Row]:
        """Merge streams that are sorted by the first terms; rows that are equal in these are sorted here."""
        rest = self._spec.order_by[len(self._prefix) :]
        coarse, fine = self._reader.key(prefix), self._reader.key(rest)
        streams = [itertools.groupby(part(self._part_spec, condition), coarse) for part in parts]
        heads = [next(stream, None) for stream in streams]
        while any(head is not None for head in heads):
            first = min(head[0] for head in heads if head is not None)
            equal = [i for i, head in enumerate(heads) if head is not None and head[0] == first]
            groups = [head[1] for head in heads if head is not None and head[0] == first]
            rows: Iterator[Row] = itertools.chain.from_iterable(groups)
            if self.is_find_first:
                # Of several datasets with one data ID, the one of the first part counts.
                rows = self.unique(rows)
                yield from sorted_rows(rows, fine) if rest else rows
            else:
                # Of the same dataset in several collections, the one that sorts first counts.
                yield from self.unique(sorted_rows(rows, fine) if rest else rows)
            for i in equal:
                heads[i] = next(streams[i], None)

    def _for_parts(self, spec: ResultSpec, pinned: Collection[str]) -> ResultSpec:
        """What to ask of each part, so that its rows can be compared with those of others."""
        if not spec.order_by:
            return spec
        needed = ColumnSet(spec.dimensions)
        for term in spec.order_by:
            term.gather_required_columns(needed)
        order_by: tuple[Any, ...] = tuple(self._prefix)
        update: dict[str, Any] = {"order_by": order_by, "limit": None}
        dataset_fields: dict[str, set[str]] = {
            str(name): {*fields} for name, fields in needed.dataset_fields.items() if fields
        }
        dimension_fields = {name: set(fields) for name, fields in needed.dimension_fields.items() if fields}
        if isinstance(spec, GeneralResultSpec):
            if spec.find_first and (dataset_fields.keys() - spec.dataset_fields.keys()):
                raise UnmergeableError("rows are ordered by fields of a dataset that is not returned")
            update["dataset_fields"] = _united(spec.dataset_fields, dataset_fields)
            update["dimension_fields"] = _united(spec.dimension_fields, dimension_fields)
        else:
            held = (
                {spec.dataset_type_name: {"dataset_id", "run"}}
                if isinstance(spec, DatasetRefResultSpec)
                else {}
            )
            for name, fields in dataset_fields.items():
                if beyond := fields - held.get(name, set()):
                    raise UnmergeableError(f"rows are ordered by {name}.{min(beyond)}")
            if isinstance(spec, DimensionRecordResultSpec):
                if beyond := dimension_fields.keys() - {spec.element.name}:
                    raise UnmergeableError(f"rows are ordered by fields of {min(beyond)}")
            elif dimension_fields:
                update["include_dimension_records"] = True
        ties = portable_ties(spec.dimensions, pinned)
        if spec.limit is not None and len(self._prefix) == len(spec.order_by) and ties is not None:
            # The first rows of all are among the first rows of each part, since every part breaks ties
            # in the same way.
            dimensions = spec.dimensions.universe.dimensions
            last = (DimensionKeyReference.model_construct(dimension=dimensions[name]) for name in ties)
            update |= {"order_by": (*order_by, *last), "limit": self._asked_for(spec.limit)}
        return spec.model_copy(update=update)

    @property
    def _has_more_records(self) -> bool:
        """Whether parts give records by which rows are sorted, and which nobody asked for."""
        match self._spec, self._part_spec:
            case (DataCoordinateResultSpec() as asked, DataCoordinateResultSpec() as given):
                return asked.include_dimension_records != given.include_dimension_records
            case (DatasetRefResultSpec() as asked, DatasetRefResultSpec() as given):
                return asked.include_dimension_records != given.include_dimension_records
        return False

    def _page(self, rows: list[Row]) -> ResultPage:
        match self._spec:
            case DataCoordinateResultSpec():
                if self._has_more_records:
                    rows = [_bare(row) for row in rows]
                return DataCoordinateResultPage(spec=self._spec, rows=rows)
            case DimensionRecordResultSpec():
                return DimensionRecordResultPage(spec=self._spec, rows=rows)
            case DatasetRefResultSpec():
                if self._has_more_records:
                    rows = [row.expanded(_bare(row.dataId)) for row in rows]
                return DatasetRefResultPage(spec=self._spec, rows=rows)
            case GeneralResultSpec():
                asked = [self._reader.asked(row) for row in rows]
                records = self._records if self._spec.include_dimension_records else None
                return GeneralResultPage(spec=self._spec, rows=asked, dimension_records=records)
        raise AssertionError(f"Unknown result specification {self._spec!r}")


def _bare(data_id: DataCoordinate) -> DataCoordinate:
    """A data ID without its dimension records."""
    return DataCoordinate.from_full_values(data_id.dimensions, data_id.full_values)


def _united(asked: Any, needed: dict[str, set[str]]) -> dict[str, set[str]]:
    united = {name: set(fields) for name, fields in asked.items()}
    for name, fields in needed.items():
        united.setdefault(name, set()).update(fields)
    return united
