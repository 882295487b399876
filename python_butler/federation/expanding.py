"""Completing data IDs by dimension records without asking the satellite for each of them anew."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from lsst.daf.butler import DataCoordinate, DimensionElement, DimensionRecord
from lsst.daf.butler.direct_butler import DirectButler

from .records import expanded_in

__all__ = ["RecordMemory"]

_REMEMBERED = 20_000
"""Records that are kept, of all elements together."""

_SIBLINGS = 1_000
"""Records that are fetched at once, in the hope that they are asked for next."""

type _Key = tuple[Any, ...]


class RecordMemory:
    """Dimension records that a satellite was found to have: they stay as long as it does.

    What is saved one after the other often differs in one dimension alone: the detectors of a visit, the
    patches of a tract. When a second record is missed that differs from one before in one value, all that
    do are fetched. May be used by several threads.
    """

    def __init__(self) -> None:
        self._records: dict[tuple[str, _Key], DimensionRecord] = {}
        self._missed: set[tuple[str, int, _Key]] = set()
        self._fetched: set[tuple[str, int, _Key]] = set()
        self._lock = threading.Lock()

    def expand(self, butler: DirectButler, data_id: DataCoordinate) -> DataCoordinate | None:
        """Complete a data ID.

        Parameters
        ----------
        butler : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite.
        data_id : `lsst.daf.butler.DataCoordinate`
            A data ID without records.

        Returns
        -------
        expanded : `lsst.daf.butler.DataCoordinate` or `None`
            With its records; `None` if the satellite lacks one of them.
        """
        values = dict(data_id.required)
        known: dict[str, DimensionRecord] = {}
        agree = True
        for name in data_id.dimensions.lookup_order:
            element = data_id.universe[name]
            names = element.minimal_group.required
            if not _is_kept(element) or not all(each in values for each in names):
                continue
            key = tuple(values[each] for each in names)
            record = self._records.get((name, key)) or self._among_siblings(butler, element, names, key)
            if record is not None:
                known[name] = record
                for each in element.implied:
                    value = record.get(each.name)
                    agree &= values.setdefault(each.name, value) == value
        if agree and len(known) == len(data_id.dimensions.elements):
            full = tuple(values[name] for name in data_id.dimensions.data_coordinate_keys)
            return DataCoordinate.from_full_values(data_id.dimensions, full).expanded(known)
        expanded = expanded_in(butler, data_id, known)
        if expanded is not None:
            self._remember(
                record
                for name in data_id.dimensions.elements
                if name not in known and (record := expanded.records[name]) is not None
            )
        return expanded

    def _among_siblings(
        self, butler: DirectButler, element: DimensionElement, names: Iterable[str], key: _Key
    ) -> DimensionRecord | None:
        """Fetch a record with others that differ in one value, if such were asked for before."""
        # The first value is that of an instrument or a skymap: nobody goes through all of them.
        for place, varying in list(enumerate(names))[1:]:
            rest = (*key[:place], *key[place + 1 :])
            family = (element.name, place, rest)
            if family in self._fetched:
                continue
            if family in self._missed:
                data_id = {name: value for name, value in zip(names, key, strict=True) if name != varying}
                records = butler.query_dimension_records(
                    element.name, data_id=data_id, limit=_SIBLINGS, explain=False
                )
                self._remember(records)
                # Not a second time: what is not among them is asked for one by one.
                self._fetched.add(family)
                return self._records.get((element.name, key))
            self._missed.add(family)
        return None

    def _remember(self, records: Iterable[DimensionRecord]) -> None:
        with self._lock:
            if len(self._records) >= _REMEMBERED:
                self._records.clear()
                self._missed.clear()
                self._fetched.clear()
            for record in records:
                if _is_kept(record.definition):
                    self._records[record.definition.name, record.dataId.required_values] = record


def _is_kept(element: DimensionElement) -> bool:
    """Whether its records are few, and the same for ever: not those of all pixels of the sky."""
    return element.has_own_table or element.implied_union_target is not None
