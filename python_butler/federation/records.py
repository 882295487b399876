"""Dimension records: bringing official ones to the satellite, and knowing which only one side has."""

from __future__ import annotations

from collections.abc import Iterable

from lsst.daf.butler import (
    Butler,
    ButlerUserError,
    DataCoordinate,
    DataIdValue,
    DimensionElement,
    DimensionGroup,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries.result_specs import DimensionRecordResultSpec
from lsst.daf.butler.queries.tree import make_identity_query_tree
from lsst.daf.butler.registry import DataIdError
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver
from lsst.utils.iteration import chunk_iterable

from .sides import Sides

__all__ = ["RecordLedger", "bring_records", "tables_of"]

_FEW = 5
"""Up to so many data IDs are expanded one by one, which tolerates missing regions."""

_UPLOAD_ROWS = 50_000
"""Rows in one upload; the server refuses more than 100,000."""


def tables_of(dimensions: DimensionGroup) -> frozenset[DimensionElement]:
    """Elements whose records a query over some dimensions reads from tables.

    Parameters
    ----------
    dimensions : `lsst.daf.butler.DimensionGroup`
        Dimensions of the query.

    Returns
    -------
    elements : `frozenset` [`lsst.daf.butler.DimensionElement`]
        Without those that are computed (pixelizations); ``band``, which has no table of its own, is
        replaced by the element whose table lists its values.
    """
    universe = dimensions.universe
    elements = set()
    for name in dimensions.elements:
        element = universe[name]
        if element in universe.skypix_dimensions:
            continue
        element = getattr(element, "implied_union_target", None) or element
        if element.has_own_table:
            elements.add(element)
    return frozenset(elements)


def bring_records(sides: Sides, data_ids: Iterable[DataCoordinate]) -> None:
    """Copy the official dimension records that data IDs need to the satellite.

    All elements of the data IDs are copied, and what belongs to them, such as the regions of a visit's
    detectors and the exposures that make a visit up. Data IDs that the official repository does not
    know are left alone: their records are the user's own.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    data_ids : iterable of `lsst.daf.butler.DataCoordinate`
        Data IDs of datasets that are about to be written.
    """
    writer = sides.writer
    bare = dict.fromkeys(map(_without_records, data_ids))
    lacking = [data_id for data_id in bare if not _complete(writer, data_id)]
    expanded = _expand_officially(sides.official, lacking)
    if not expanded:
        return
    writer.transfer_dimension_records_from(sides.official, expanded)
    sides.changed()


def _without_records(data_id: DataCoordinate) -> DataCoordinate:
    """A data ID that has to be looked up: one with records would be taken at its word."""
    return DataCoordinate.from_required_values(data_id.dimensions, data_id.required_values)


def _complete(butler: DirectButler, data_id: DataCoordinate) -> bool:
    """Whether a repository has the records of all elements of a data ID."""
    try:
        expanded = butler.registry.expandDataId(data_id, withDefaults=False)
    except DataIdError:
        return False
    elements = (butler.dimensions[name] for name in data_id.dimensions.elements)
    return all(expanded.records[e.name] is not None for e in elements if e.has_own_table)


def _expand_officially(official: Butler, data_ids: list[DataCoordinate]) -> list[DataCoordinate]:
    if len(data_ids) > _FEW:
        try:
            return official._expand_data_ids(data_ids)
        except (ButlerUserError, LookupError):
            pass  # at least one of them is unknown there: find out which
    expanded = []
    for data_id in data_ids:
        try:
            expanded.append(official.registry.expandDataId(data_id, withDefaults=False))
        except DataIdError:
            continue
    return expanded


class RecordLedger:
    """Which dimension records only one of the two repositories has.

    Queries can be answered by one repository alone, exactly, only as far as it has the records that
    the other one has. What has been compared once is remembered.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._common = sides.shared.common_records
        self._private = sides.shared.private_records

    def private(self, elements: Iterable[DimensionElement]) -> set[DimensionElement]:
        """Elements with records that only the satellite has.

        Parameters
        ----------
        elements : iterable of `lsst.daf.butler.DimensionElement`
            Elements to look at.

        Returns
        -------
        private : `set` [`lsst.daf.butler.DimensionElement`]
            Those of them with such records.
        """
        return {element for element in elements if self._private_keys(element)}

    def separate(self, dimensions: DimensionGroup) -> bool:
        """Tell whether no private record can go together with an official one.

        Parameters
        ----------
        dimensions : `lsst.daf.butler.DimensionGroup`
            Dimensions of a query.

        Returns
        -------
        separate : `bool`
            `True` if there is one governor, say the instrument, and all private records belong to
            instruments that are private themselves.
        """
        if len(dimensions.governors) != 1:
            return False
        (name,) = dimensions.governors
        governor = dimensions.universe.governor_dimensions[name]
        own = {key[0] for key in self._private_keys(governor)}
        for element in tables_of(dimensions):
            if keys := self._private_keys(element):
                required = list(element.minimal_group.required)
                if governor.name not in required:
                    return False
                position = required.index(governor.name)
                if any(key[position] not in own for key in keys):
                    return False
        return True

    def lacking(self, elements: Iterable[DimensionElement]) -> set[DimensionElement]:
        """Elements with records that only the official repository has.

        Parameters
        ----------
        elements : iterable of `lsst.daf.butler.DimensionElement`
            Elements to look at.

        Returns
        -------
        lacking : `set` [`lsst.daf.butler.DimensionElement`]
            Those of them with such records.
        """
        return {element for element in elements if self._is_lacking(element)}

    def _private_keys(self, element: DimensionElement) -> frozenset[tuple[DataIdValue, ...]]:
        version = self._sides.shared.satellite_version()
        known = self._private.get(element)
        if known is not None and known[0] == version and not self._sides.in_transaction:
            return known[1]
        common = self._common.setdefault(element, set())
        unknown = self._personal_keys(element) - common
        shared = self._officially_known(element, unknown)
        common |= shared
        private = frozenset(unknown - shared)
        self._private[element] = (version, private)
        return private

    def _is_lacking(self, element: DimensionElement) -> bool:
        self._private_keys(element)
        tree = make_identity_query_tree(element.universe).join_dimensions(element.minimal_group)
        count = self._official_driver().count(
            tree, DimensionRecordResultSpec(element=element), exact=True, discard=True
        )
        return count > len(self._common[element])

    def _personal_keys(self, element: DimensionElement) -> set[tuple[DataIdValue, ...]]:
        personal = self._sides.personal
        if personal is None:
            return set()
        tree = make_identity_query_tree(element.universe).join_dimensions(element.minimal_group)
        with personal._query_driver((), DataCoordinate.make_empty(element.universe)) as driver:
            pages = driver.execute(DimensionRecordResultSpec(element=element), tree)
            return {record.dataId.required_values for page in pages for record in page.rows}

    def _officially_known(
        self, element: DimensionElement, keys: set[tuple[DataIdValue, ...]]
    ) -> set[tuple[DataIdValue, ...]]:
        known: set[tuple[DataIdValue, ...]] = set()
        dimensions = element.minimal_group
        for chunk in chunk_iterable(sorted(keys), _UPLOAD_ROWS):
            driver = self._official_driver()
            key = driver.upload_data_coordinates(dimensions, chunk)
            tree = make_identity_query_tree(element.universe).join_data_coordinate_upload(key, dimensions)
            # Data IDs alone would be those of the upload, whether there are records or not.
            pages = driver.execute(DimensionRecordResultSpec(element=element), tree)
            known.update(record.dataId.required_values for page in pages for record in page.rows)
        return known

    def _official_driver(self) -> RemoteQueryDriver:
        # Without default data ID, which would hide other instruments' records.
        official = self._sides.shared.official
        return RemoteQueryDriver(official, official._connection)
