"""Which dimension records only one of the two repositories has, and which differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lsst.daf.butler import (
    DataCoordinate,
    DataIdValue,
    DimensionElement,
    DimensionGroup,
    DimensionRecord,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import DimensionRecordResultSpec
from lsst.daf.butler.queries.tree import (
    DimensionKeyReference,
    Predicate,
    QueryTree,
    make_column_literal,
    make_identity_query_tree,
)
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver
from lsst.utils.iteration import chunk_iterable

from ..satellite.storage.growth import added_since, mark
from ..satellite.storage.uploads import upload
from .compared import Compared, Key, load, save
from .gathering import UPLOAD_ROWS
from .inexact import ConflictingRepositoriesError
from .sides import Sides
from .trees import tables_of

__all__ = ["RecordLedger"]

_FEW = 1_000
"""Private records that are compared again after each write to the satellite."""


class RecordLedger:
    """Which dimension records only one of the two repositories has.

    Queries can be answered by one repository alone, exactly, only as far as it has the records that
    the other one has. Records of the satellite are compared when that matters, each once: what was
    compared is kept beside the satellite.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    """

    def __init__(self, sides: Sides) -> None:
        self._sides = sides
        self._notes = sides.shared.records

    def private(
        self, elements: Iterable[DimensionElement], values: Mapping[str, DataIdValue]
    ) -> set[DimensionElement]:
        """Elements with records that only the satellite has.

        Parameters
        ----------
        elements : iterable of `lsst.daf.butler.DimensionElement`
            Elements to look at.
        values : `dict` [`str`, `int` or `str`]
            Governor dimensions, say the instrument, that are fixed; other records do not matter.

        Returns
        -------
        private : `set` [`lsst.daf.butler.DimensionElement`]
            Those of them with such records.
        """
        return {element for element in elements if self._private_keys(element, values)}

    def separate(self, dimensions: DimensionGroup, values: Mapping[str, DataIdValue]) -> bool:
        """Tell whether no private record can go together with an official one.

        Parameters
        ----------
        dimensions : `lsst.daf.butler.DimensionGroup`
            Dimensions of a query.
        values : `dict` [`str`, `int` or `str`]
            Governor dimensions that are fixed.

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
        own = {key[0] for key in self._private_keys(governor, values)}
        for element in tables_of(dimensions):
            if keys := self._private_keys(element, values):
                required = list(element.minimal_group.required)
                if governor.name not in required:
                    return False
                position = required.index(governor.name)
                if any(key[position] not in own for key in keys):
                    return False
        return True

    def lacking(
        self, elements: Iterable[DimensionElement], values: Mapping[str, DataIdValue]
    ) -> set[DimensionElement]:
        """Elements with records that only the official repository has.

        Parameters
        ----------
        elements : iterable of `lsst.daf.butler.DimensionElement`
            Elements to look at.
        values : `dict` [`str`, `int` or `str`]
            Governor dimensions that are fixed; other records do not matter.

        Returns
        -------
        lacking : `set` [`lsst.daf.butler.DimensionElement`]
            Those of them with such records.

        Raises
        ------
        ConflictingRepositoriesError
            If a record differs: then the satellite cannot answer for the official repository.
        """
        return {element for element in elements if self._is_lacking(element, values)}

    def forget(self, element: DimensionElement | str) -> None:
        """Compare an element anew, since records were changed in place: only new ones show by themselves.

        Parameters
        ----------
        element : `lsst.daf.butler.DimensionElement` or `str`
            The element, or its name.
        """
        name = element if isinstance(element, str) else element.name
        database = self._sides.shared.satellite_version().partition("-")[0]
        with self._notes.lock:
            self._load(database)
            self._notes.current.pop(name, None)
            if self._notes.compared.pop(name, None) is not None:
                save(self._sides.shared.root, database, self._notes.compared)

    def _is_lacking(self, element: DimensionElement, values: Mapping[str, DataIdValue]) -> bool:
        self._check_agreement(element, values)
        governors = {n: v for n, v in values.items() if n in element.minimal_group.governors}
        private = len(self._private_keys(element, governors))
        common = self._count_personal(element, governors) - private
        return self._count_official(element, governors) > common

    def _private_keys(self, element: DimensionElement, values: Mapping[str, DataIdValue]) -> set[Key]:
        return _with_values(element, self._compared(element).private, values)

    def _check_agreement(self, element: DimensionElement, values: Mapping[str, DataIdValue]) -> None:
        keys = _with_values(element, self._compared(element).differing, values)
        if keys:
            official, personal = self._both(element, [min(keys)])
            (key,) = official.keys() & personal.keys()
            label = self._sides.shared.label
            raise ConflictingRepositoriesError.of_records(label, official[key], personal[key])

    # Comparing

    def _compared(self, element: DimensionElement) -> Compared:
        """What is known of an element, up to date."""
        version = self._sides.shared.satellite_version()
        database = version.partition("-")[0]
        in_transaction = self._sides.in_transaction
        with self._notes.lock:
            self._load(database)
            if self._notes.current.get(element.name) == version and not in_transaction:
                return self._notes.compared[element.name]
            known = self._notes.compared.get(element.name, Compared()).copy()
        before = known.copy()
        self._compare(element, known)
        if not in_transaction:
            with self._notes.lock:
                self._notes.compared[element.name] = known
                self._notes.current[element.name] = version
                if known != before:
                    save(self._sides.shared.root, database, self._notes.compared)
        return known

    def _load(self, database: str) -> None:
        if self._notes.database != database:
            self._notes.database = database
            self._notes.compared = load(self._sides.shared.root, database)
            self._notes.current = {}

    def _compare(self, element: DimensionElement, known: Compared) -> None:
        database, names = self._personal._registry._db, list(element.schema.required.names)
        watermark = mark(database, element.name)
        new: set[Key] = set(added_since(database, element.name, names, known.watermark, watermark))
        # What differed, or was private, may have been mended meanwhile.
        again = known.differing | (known.private if len(known.private) <= _FEW else set())
        for chunk in chunk_iterable(sorted(new | again), UPLOAD_ROWS):
            official, personal = self._both(element, chunk)
            known.private -= set(chunk)
            known.differing -= set(chunk)
            known.private |= personal.keys() - official.keys()
            known.differing |= {
                key for key in personal.keys() & official.keys() if personal[key] != official[key]
            }
        known.watermark = watermark

    def _both(
        self, element: DimensionElement, keys: Iterable[Key]
    ) -> tuple[dict[Key, DimensionRecord], dict[Key, DimensionRecord]]:
        keys = list(keys)
        official = self._sides.shared.official
        # Without default data ID, which would hide other instruments' records.
        remote = RemoteQueryDriver(official, official._connection)
        with remote, self._personal._query_driver((), _nothing(element)) as personal:
            return _records(remote, element, keys), _records(personal, element, keys)

    # Counting

    def _count_official(self, element: DimensionElement, values: Mapping[str, DataIdValue]) -> int:
        key = (element.name, tuple(sorted(values.items())))
        stamp = self._sides.shared.official_stamp()
        known = self._notes.official_counts.get(key)
        if known is None or known[0] != stamp:
            official = self._sides.shared.official
            remote = RemoteQueryDriver(official, official._connection)
            with remote:
                known = (stamp, _count(remote, element, values))
            self._notes.official_counts[key] = known
        return known[1]

    def _count_personal(self, element: DimensionElement, values: Mapping[str, DataIdValue]) -> int:
        with self._personal._query_driver((), _nothing(element)) as driver:
            return _count(driver, element, values)

    # The satellite's tables

    @property
    def _personal(self) -> DirectButler:
        personal = self._sides.personal
        assert personal is not None, "otherwise the official repository answers alone"
        return personal


def _with_values(element: DimensionElement, keys: set[Key], values: Mapping[str, DataIdValue]) -> set[Key]:
    required = list(element.minimal_group.required)
    fixed = [(required.index(name), value) for name, value in values.items() if name in required]
    fixed = [(i, value) for i, value in fixed if required[i] in element.minimal_group.governors]
    if not fixed or not keys:
        return keys
    return {key for key in keys if all(key[i] == value for i, value in fixed)}


def _records(driver: QueryDriver, element: DimensionElement, keys: list[Key]) -> dict[Key, DimensionRecord]:
    dimensions = element.minimal_group
    uploaded = upload(driver, dimensions, keys)
    tree = make_identity_query_tree(element.universe).join_data_coordinate_upload(uploaded, dimensions)
    # Data IDs alone would be those of the upload, whether there are records or not.
    pages = driver.execute(DimensionRecordResultSpec(element=element), tree)
    return {record.dataId.required_values: record for page in pages for record in page.rows}


def _count(driver: QueryDriver, element: DimensionElement, values: Mapping[str, DataIdValue]) -> int:
    tree: QueryTree = make_identity_query_tree(element.universe).join_dimensions(element.minimal_group)
    for name, value in values.items():
        dimension = DimensionKeyReference(dimension=element.universe.dimensions[name])
        tree = tree.where(Predicate.compare(dimension, "==", make_column_literal(value)))
    return driver.count(tree, DimensionRecordResultSpec(element=element), exact=True, discard=True)


def _nothing(element: DimensionElement) -> DataCoordinate:
    return DataCoordinate.make_empty(element.universe)
