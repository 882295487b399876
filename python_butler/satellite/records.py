"""Dimension records that datasets need: found officially in bulk, compared with what is here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter

from lsst.daf.butler import (
    DataCoordinate,
    DataIdValue,
    DatasetRef,
    Dimension,
    DimensionElement,
    DimensionGroup,
    DimensionRecord,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import DimensionRecordResultSpec, GeneralResultSpec
from lsst.daf.butler.queries.tree import make_identity_query_tree
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver
from lsst.utils.iteration import chunk_iterable

from .storage.uploads import upload

__all__ = ["RecordFinder", "Records", "insert_records", "lacking"]

type Key = tuple[DataIdValue, ...]
"""Values of an element's required dimensions."""

_UPLOAD_ROWS = 20_000
"""Keys in one query; the server refuses more than 100,000."""

_FIRST_OWNERS = 100
"""Owners in the first query for what belongs to them; later ones go by how much that was."""

_PIECE = 10_000
"""Records that one query for what belongs to others is meant to give. A camera has 189 regions for each
visit: those of some thousand visits at a time would fill the memory."""


@dataclass
class Records:
    """What a batch of datasets needs.

    Attributes
    ----------
    new : `dict` [`lsst.daf.butler.DimensionElement`, `list`]
        Official records that the satellite does not have.
    conflicts : `dict` [`str`, `dict`]
        Reason by key and name of element, for records that differ from those in the satellite, and
        for those that depend on such records.
    """

    new: dict[DimensionElement, list[DimensionRecord]] = field(default_factory=lambda: defaultdict(list))
    conflicts: dict[str, dict[Key, str]] = field(default_factory=lambda: defaultdict(dict))

    def conflict(self, ref: DatasetRef) -> str | None:
        """Return why the records that a dataset needs cannot be brought, if so.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.
        """
        if not self.conflicts:
            return None
        for name, keys in self.conflicts.items():
            required = ref.dataId.universe[name].required.names
            if set(required) <= set(ref.datasetType.dimensions.required) and (
                reason := keys.get(tuple(ref.dataId[dimension] for dimension in required))
            ):
                return reason
        return None

    @property
    def count(self) -> int:
        """Number of new records."""
        return sum(map(len, self.new.values()))

    def take(self, others: Records) -> None:
        """Add the new records of others.

        Parameters
        ----------
        others : `Records`
            More records, found by the same `RecordFinder`.
        """
        self.conflicts = others.conflicts
        for element, records in others.new.items():
            self.new[element] += records


class RecordFinder:
    """Finds the records that datasets need, each only once in its life.

    Parameters
    ----------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    satellite : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for reading.
    """

    def __init__(self, official: RemoteButler, satellite: DirectButler) -> None:
        self._official = official
        self._satellite = satellite
        self._universe = satellite.dimensions
        self._done: dict[DimensionElement, set[Key]] = defaultdict(set)
        self._populated: dict[DimensionElement, set[Key]] = defaultdict(set)
        self._conflicts: dict[str, dict[Key, str]] = defaultdict(dict)

    def find(self, refs: Iterable[DatasetRef]) -> Iterator[Records]:
        """Find what some datasets need and was not found before.

        The elements of their data IDs are found, those that these refer to, and those that belong to
        them, such as the exposures that make a visit up.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            The datasets.

        Yields
        ------
        records : `Records`
            Some thousand new records at most of those that belong to others, and all that they refer to
            and did not come before: to be inserted in this order, even if a dataset is not taken.
        """
        by_dimensions: dict[DimensionGroup, list[DatasetRef]] = defaultdict(list)
        for ref in refs:
            by_dimensions[ref.datasetType.dimensions].append(ref)
        result = Records(conflicts=self._conflicts)
        pending: dict[DimensionElement, set[Key]] = defaultdict(set)
        owners: dict[DimensionElement, dict[DimensionElement, set[Key]]] = defaultdict(dict)
        for dimensions, members in by_dimensions.items():
            self._collect(dimensions, [ref.dataId.required_values for ref in members], pending, owners)
        self._spread_conflicts(self._close(pending, result), result)
        yield result
        for element, by_owner in owners.items():
            for owner, keys in by_owner.items():
                yield from self._find_populated(element, owner, keys)

    def _collect(
        self,
        dimensions: DimensionGroup,
        rows: Sequence[Key],
        pending: dict[DimensionElement, set[Key]],
        owners: dict[DimensionElement, dict[DimensionElement, set[Key]]],
    ) -> None:
        """Learn from data IDs which records are needed."""
        required = tuple(dimensions.required)
        for name in dimensions.elements:
            element = self._universe[name]
            if not element.has_own_table or not set(element.required.names) <= set(required):
                continue
            keys = _project(rows, [required.index(key) for key in element.required.names])
            pending[element] |= keys
        for name in dimensions.required:
            for element in self._universe.get_elements_populated_by(self._universe.dimensions[name]):
                if element.name in dimensions.elements or not element.has_own_table:
                    continue
                owner = self._universe[name]
                keys = _project(rows, [required.index(key) for key in owner.required.names])
                owners[element].setdefault(owner, set()).update(keys)

    def _close(self, pending: dict[DimensionElement, set[Key]], result: Records) -> list[DimensionRecord]:
        """Find records, and those that they refer to, until nothing is left."""
        found: list[DimensionRecord] = []
        while pending:
            # The one that refers to others comes before those.
            element = self._universe.sorted(pending)[-1]
            keys = pending.pop(element) - self._done[element]
            if not keys:
                continue
            self._done[element] |= keys
            # Where there is nothing but a key there is nothing to compare, nor would a query look.
            compared = keys if element.schema.remainder.names or element.implied else ()
            here = {r.dataId.required_values: r for r in _fetch(self._satellite, element, compared)}
            records = list(_fetch(self._official, element, keys))
            for record in records:
                key = record.dataId.required_values
                if (other := here.get(key)) is None:
                    result.new[element].append(record)
                elif other != record:
                    result.conflicts[element.name][key] = _difference(record, other)
            self._refer(element, records, pending)
            found += records
        return found

    def _find_populated(
        self, element: DimensionElement, owner: DimensionElement, keys: set[Key]
    ) -> Iterator[Records]:
        """Find the records that belong to others, and what they refer to, in pieces."""
        left = list(keys - self._populated[element])
        self._populated[element].update(left)
        size = _FIRST_OWNERS
        while left:
            chunk, left = left[:size], left[size:]
            result = Records(conflicts=self._conflicts)
            records = list(_fetch(self._official, element, chunk, owner))
            size = min(_UPLOAD_ROWS, max(1, _PIECE * len(chunk) // max(1, len(records))))
            result.new[element] += records
            pending: dict[DimensionElement, set[Key]] = defaultdict(set)
            self._refer(element, records, pending)
            self._spread_conflicts(records + self._close(pending, result), result)
            yield result

    def _refer(
        self,
        element: DimensionElement,
        records: Sequence[DimensionRecord],
        pending: dict[DimensionElement, set[Key]],
    ) -> None:
        """Note the keys of the records that others refer to."""
        if not records:
            return
        for dimension in _targets(element):
            pending[dimension] |= {_key_of(record, dimension) for record in records}

    def _spread_conflicts(self, records: Iterable[DimensionRecord], result: Records) -> None:
        """What refers to a record that is different here cannot be brought either."""
        while result.conflicts:
            count = sum(map(len, result.conflicts.values()))
            for record in records:
                element = record.definition
                for dimension in _targets(element):
                    reason = result.conflicts.get(dimension.name, {}).get(_key_of(record, dimension))
                    if reason is not None:
                        result.conflicts[element.name].setdefault(record.dataId.required_values, reason)
            if count == sum(map(len, result.conflicts.values())):
                break
        for element in result.new if result.conflicts else ():
            bad = result.conflicts.get(element.name, {})
            result.new[element] = [r for r in result.new[element] if r.dataId.required_values not in bad]


def insert_records(satellite: DirectButler, records: Records) -> None:
    """Insert new records; whoever else inserted the same meanwhile does not matter.

    Parameters
    ----------
    satellite : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for writing.
    records : `Records`
        What was found.
    """
    for element in satellite.dimensions.sorted(records.new):
        satellite.registry.insertDimensionData(
            element, *records.new[element], conform=False, skip_existing=True
        )


def lacking(
    satellite: DirectButler, records: Mapping[DimensionElement, Sequence[DimensionRecord]]
) -> Records:
    """Compare records that are known with those that a satellite has.

    Parameters
    ----------
    satellite : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite, for reading.
    records : mapping [`lsst.daf.butler.DimensionElement`, sequence]
        Records by element, of elements that have a table.

    Returns
    -------
    lacking : `Records`
        Those that the satellite does not have, and reasons for those of which it has others.
    """
    result = Records()
    for element, rows in records.items():
        if not (element.schema.remainder.names or element.implied):
            # Nothing but a key: nothing to compare, and harmless to insert again.
            result.new[element] += rows
            continue
        by_key = {row.dataId.required_values: row for row in rows}
        here = {row.dataId.required_values: row for row in _fetch(satellite, element, by_key)}
        for key, row in by_key.items():
            if (other := here.get(key)) is None:
                result.new[element].append(row)
            elif other != row:
                result.conflicts[element.name][key] = _difference(row, other)
    return result


def _project(rows: Iterable[Key], places: Sequence[int]) -> set[Key]:
    if not places:
        return {()}
    if len(places) == 1:
        return {(value,) for value in set(map(itemgetter(places[0]), rows))}
    return set(map(itemgetter(*places), rows))


def _targets(element: DimensionElement) -> list[Dimension]:
    """Dimensions whose records an element's records refer to."""
    direct = [*element.required, *element.implied]
    return [dimension for dimension in direct if dimension != element and dimension.has_own_table]


def _key_of(record: DimensionRecord, dimension: Dimension) -> Key:
    values = dict(zip(record.definition.required.names, record.dataId.required_values, strict=True))
    return tuple(
        values[name] if name in values else getattr(record, name) for name in dimension.required.names
    )


def _fetch(
    butler: RemoteButler | DirectButler,
    element: DimensionElement,
    keys: Iterable[Key],
    owner: DimensionElement | None = None,
) -> Iterator[DimensionRecord]:
    """Records of an element, by their own keys or by those of what they belong to."""
    group = (owner or element).minimal_group
    fields = set(element.schema.remainder.names)
    spec: GeneralResultSpec | DimensionRecordResultSpec
    for chunk in chunk_iterable(keys, _UPLOAD_ROWS):
        with _query_driver(butler) as driver:
            uploaded = upload(driver, group, chunk)
            tree = make_identity_query_tree(butler.dimensions).join_data_coordinate_upload(uploaded, group)
            tree = tree.join_dimensions(element.minimal_group)
            if not fields:
                # Plain rows would be those of the upload, whether there are records or not.
                for page in driver.execute(DimensionRecordResultSpec(element=element), tree):
                    yield from page.rows
                continue
            # Plain rows cost a tenth of whole records, on both ends.
            spec = GeneralResultSpec(
                dimensions=element.minimal_group,
                dimension_fields={element.name: fields},
                dataset_fields={},
                find_first=False,
            )
            columns = list(spec.get_result_columns())
            wanted = {*element.required.names, *element.RecordClass.__slots__}
            names = [column.field or column.logical_table for column in columns]
            places = [(name, place) for place, name in enumerate(names) if name in wanted]
            for general in driver.execute(spec, tree):
                for row in general.rows:
                    yield element.RecordClass(**{name: row[place] for name, place in places})


@contextmanager
def _query_driver(butler: RemoteButler | DirectButler) -> Iterator[QueryDriver]:
    """A query without default data ID, which would hide other instruments' records."""
    if isinstance(butler, RemoteButler):
        driver = RemoteQueryDriver(butler, butler._connection)
        with driver:
            yield driver
    else:
        with butler._query_driver((), DataCoordinate.make_empty(butler.dimensions)) as personal:
            yield personal


def _difference(official: DimensionRecord, here: DimensionRecord) -> str:
    fields = [name for name in official.__slots__ if getattr(official, name) != getattr(here, name)]
    return (
        f"Your satellite has another record of {official.definition.name} {official.dataId}: "
        f"it differs in {', '.join(fields)}."
    )
