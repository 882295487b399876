"""The registry interface of one Butler over both repositories: reading merges, writing is personal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast, override

from lsst.daf.butler import (
    Butler,
    CollectionType,
    DataCoordinate,
    DataId,
    DatasetId,
    DatasetIdGenEnum,
    DatasetRef,
    DatasetType,
    Dimension,
    DimensionElement,
    DimensionGroup,
    DimensionRecord,
    MissingCollectionError,
    Timespan,
)
from lsst.daf.butler.registry import (
    CollectionSummary,
    CollectionTypeError,
    ConflictingDefinitionError,
    DataIdError,
    NoDefaultCollectionError,
    OrphanedRecordError,
    Registry,
    RegistryDefaults,
)
from lsst.daf.butler.remote_butler._defaults import DefaultsHolder
from lsst.daf.butler.remote_butler._http_connection import RemoteButlerHttpConnection
from lsst.daf.butler.remote_butler._registry import RemoteButlerRegistry
from lsst.utils.iteration import ensure_iterable

from ..errors import OfficialRunError
from ..satellite.registering import register_dataset_type
from .arguments import check_dataset_type_expression, collection_terms
from .shared import Side

if TYPE_CHECKING:
    from .butler import SatelliteButler

__all__ = ["SatelliteRegistry"]


class _OfficialTypeError(OfficialRunError, OrphanedRecordError):
    """An attempt to remove an official dataset type, for code that expects upstream's exception."""


class SatelliteRegistry(RemoteButlerRegistry):
    """Registry of an official repository and its satellite.

    Parameters
    ----------
    butler : `SatelliteButler`
        Butler whose registry this is.
    defaults : `lsst.daf.butler.remote_butler._defaults.DefaultsHolder`
        Holds default collections, run and data ID.
    """

    def __init__(self, butler: SatelliteButler, defaults: DefaultsHolder) -> None:
        # What upstream's class asks of a connection is answered here, from both sides.
        super().__init__(butler, defaults, cast(RemoteButlerHttpConnection, None))
        self._satellite_butler = butler
        self._sides = butler._sides

    @property
    @override
    def defaults(self) -> RegistryDefaults:
        return self._defaults.get()

    @defaults.setter
    def defaults(self, value: RegistryDefaults) -> None:
        value.finish(self)
        self._defaults.set(value)
        self._sides.use_default_data_id(value.dataId)

    # Reading

    @override
    def refresh(self) -> None:
        self._sides.refresh()

    @override
    def resetConnectionPool(self) -> None:
        personal = self._sides.personal
        if personal is not None:
            personal.registry.resetConnectionPool()

    @override
    def getCollectionSummary(self, collection: str) -> CollectionSummary:
        self._sides.spooled.settle()
        # What exists officially is read officially: the satellite, which takes long to open, is not asked.
        if self._sides.collections(Side.OFFICIAL, [collection]) or self._sides.personal is None:
            return self._sides.official.registry.getCollectionSummary(collection)
        found = []
        if self._sides.collections(Side.PERSONAL, [collection]):
            found.append(self._sides.personal.registry.getCollectionSummary(collection))
        located = self._satellite_butler.collections.locate([collection])[collection]
        if located.home is Side.PERSONAL:
            # The children of a personal chain may be official ones, of which the satellite knows nothing.
            found.extend(self.getCollectionSummary(child) for child in located.info.children)
        return CollectionSummary.union(*found)

    @override
    def expandDataId(
        self,
        dataId: DataId | None = None,
        *,
        dimensions: Iterable[str] | DimensionGroup | None = None,
        records: Mapping[str, DimensionRecord | None] | None = None,
        withDefaults: bool = True,
        **kwargs: Any,
    ) -> DataCoordinate:
        standardized = DataCoordinate.standardize(
            dataId,
            dimensions=dimensions,
            universe=self.dimensions,
            defaults=self.defaults.dataId if withDefaults else None,
            **kwargs,
        )
        if standardized.hasRecords():
            return standardized
        if not standardized.dimensions:
            return standardized.expanded({})
        # Opening a satellite takes longer than asking the server, and asking one that is open does not.
        if self._sides.personal_is_open or self._sides.offline:
            personal = self._sides.personal
            if personal is not None:
                with contextlib.suppress(DataIdError):
                    expanded = personal.registry.expandDataId(
                        standardized, records=records, withDefaults=False
                    )
                    if all(expanded.records[name] is not None for name in expanded.dimensions.elements):
                        return expanded
        self._sides.shared.reach.demand(f"Data ID {standardized}")
        try:
            return self._sides.official.registry.expandDataId(standardized, withDefaults=False)
        except DataIdError:
            personal = self._sides.personal
            if personal is None:
                raise
            # The records may be the user's own, and complete without those that are not required.
            return personal.registry.expandDataId(standardized, records=records, withDefaults=False)

    @override
    def queryDatasetTypes(
        self,
        expression: Any = ...,
        *,
        components: bool = False,
        missing: list[str] | None = None,
    ) -> Iterable[DatasetType]:
        check_dataset_type_expression(expression)
        found: dict[str, DatasetType] = {}
        missed: list[set[str]] = []
        for side in Side:
            butler = self._sides.butler(side)
            if butler is None:
                continue
            missed_here: list[str] = []
            ask = partial(butler.registry.queryDatasetTypes, expression, missing=missed_here)
            types = self._sides.unless_lost(ask)
            if types is None:
                continue
            for dataset_type in types:
                found.setdefault(dataset_type.name, dataset_type)
            missed.append(set(missed_here))
        if missing is not None:
            missing.extend(sorted(set.intersection(*missed)))
        return list(found.values())

    # Writing collections

    @override
    def registerCollection(
        self, name: str, type: CollectionType = CollectionType.TAGGED, doc: str | None = None
    ) -> bool:
        return self._satellite_butler.collections.register(name, type, doc)

    @override
    def registerRun(self, name: str, doc: str | None = None) -> bool:
        return self._satellite_butler.collections.register(name, CollectionType.RUN, doc)

    @override
    def removeCollection(self, name: str) -> None:
        self._sides.spooled.settle()
        with self._writing(name) as registry:
            registry.removeCollection(name)

    @override
    def setCollectionChain(self, parent: str, children: Any, *, flatten: bool = False) -> None:
        names = collection_terms(children)
        if flatten:
            names = list(self._satellite_butler.collections.flatten(names))
        if self.getCollectionType(parent) is not CollectionType.CHAINED:
            raise CollectionTypeError(f"Collection '{parent}' is not CHAINED.")
        self._satellite_butler.collections.redefine_chain(parent, names)

    @override
    def setCollectionDocumentation(self, collection: str, doc: str | None) -> None:
        with self._writing(collection) as registry:
            registry.setCollectionDocumentation(collection, doc)

    @override
    def refresh_collection_summaries(self) -> None:
        with self._writing() as registry:
            registry.refresh_collection_summaries()

    # Writing dataset types and datasets

    @override
    def registerDatasetType(self, datasetType: DatasetType) -> bool:
        official = self._sides.dataset_type(Side.OFFICIAL, datasetType.name)
        if official is not None and official != datasetType:
            raise ConflictingDefinitionError(
                f"Dataset type {datasetType.name!r} is defined as {official} in the official repository "
                f"{self._sides.shared.label}, not as {datasetType}. Choose another name for yours."
            )
        with self._sides.writing() as writer:
            return register_dataset_type(writer, datasetType)

    @override
    def removeDatasetType(self, name: str | tuple[str, ...]) -> None:
        check_dataset_type_expression(name)
        official, personal = (
            {found.name for found in butler.registry.queryDatasetTypes(ensure_iterable(name))}
            if (butler := self._sides.butler(side)) is not None
            else set()
            for side in (Side.OFFICIAL, Side.PERSONAL)
        )
        # What the satellite knows of an official type can go.
        if rest := sorted(official - personal):
            raise _OfficialTypeError(
                f"Dataset type {rest[0]!r} belongs to the official repository {self._sides.shared.label} "
                "and cannot be removed.",
                "Only dataset types of your satellite can be.",
            )
        with self._writing() as registry:
            registry.removeDatasetType(name)

    @override
    def supportsIdGenerationMode(self, mode: DatasetIdGenEnum) -> bool:
        # As every registry in a database; asking the satellite's would create it.
        return True

    @override
    def insertDatasets(
        self,
        datasetType: DatasetType | str,
        dataIds: Iterable[DataId],
        run: str | None = None,
        expand: bool = True,
        idGenerationMode: DatasetIdGenEnum = DatasetIdGenEnum.UNIQUE,
    ) -> list[DatasetRef]:
        run = run or self.defaults.run
        if run is None:
            raise NoDefaultCollectionError(
                "No run provided to insertDatasets, and no default from registry construction."
            )
        writing = self._satellite_butler._writing
        known = writing.prepare_dataset_type(datasetType)
        coordinates = [
            # Without the default data ID, as upstream does it.
            DataCoordinate.standardize(data_id, dimensions=known.dimensions, universe=self.dimensions)
            for data_id in dataIds
        ]
        writing.prepare_records(coordinates)
        new = [DatasetRef(known, coordinate, run) for coordinate in coordinates]
        self._sides.spooled.check_free(new)
        with self._sides.claiming(new), self._writing(run) as registry:
            return registry.insertDatasets(datasetType, coordinates, run, expand, idGenerationMode)

    def _importDatasets(
        self, datasets: Iterable[DatasetRef], expand: bool = True, assume_new: bool = False
    ) -> list[DatasetRef]:
        refs = list(datasets)
        self._satellite_butler._writing.prepare_copies(refs)
        with self._sides.claiming(self._sides.spooled.not_waiting(refs)), self._writing() as registry:
            return registry._importDatasets(refs, expand, assume_new)

    def _fetch_run_dataset_ids(self, run: str) -> list[DatasetId]:
        located = self._satellite_butler.collections.locate([run])[run]
        butler = cast(Butler, self._sides.butler(located.home))
        return [ref.id for ref in butler.query_all_datasets(run, find_first=False, limit=None)]

    @override
    def removeDatasets(self, refs: Iterable[DatasetRef]) -> None:
        self._sides.spooled.settle()
        with self._writing() as registry:
            registry.removeDatasets(refs)

    @override
    def associate(self, collection: str, refs: Iterable[DatasetRef]) -> None:
        self._sides.spooled.settle()
        refs = list(refs)
        self._satellite_butler._writing.mirror(refs)
        with self._writing(collection) as registry:
            registry.associate(collection, refs)

    @override
    def disassociate(self, collection: str, refs: Iterable[DatasetRef]) -> None:
        with self._writing(collection) as registry:
            registry.disassociate(collection, refs)

    @override
    def certify(self, collection: str, refs: Iterable[DatasetRef], timespan: Timespan) -> None:
        self._sides.spooled.settle()
        refs = list(refs)
        self._satellite_butler._writing.mirror(refs)
        with self._writing(collection) as registry:
            registry.certify(collection, refs, timespan)

    @override
    def decertify(
        self,
        collection: str,
        datasetType: str | DatasetType,
        timespan: Timespan,
        *,
        dataIds: Iterable[DataId] | None = None,
    ) -> None:
        with self._writing(collection) as registry:
            registry.decertify(collection, datasetType, timespan, dataIds=dataIds)

    @override
    def getDatasetLocations(self, ref: DatasetRef) -> Iterable[str]:
        personal = self._sides.personal
        return personal.registry.getDatasetLocations(ref) if personal is not None else []

    # Writing dimension records

    @override
    def insertDimensionData(
        self,
        element: DimensionElement | str,
        *data: Mapping[str, Any] | DimensionRecord,
        conform: bool = True,
        replace: bool = False,
        skip_existing: bool = False,
    ) -> None:
        self._bring_parents(element, data)
        with self._writing() as registry:
            registry.insertDimensionData(
                element, *data, conform=conform, replace=replace, skip_existing=skip_existing
            )
        if replace:
            self._changed_in_place(element)

    @override
    def syncDimensionData(
        self,
        element: DimensionElement | str,
        row: Mapping[str, Any] | DimensionRecord,
        conform: bool = True,
        update: bool = False,
    ) -> bool | dict[str, Any]:
        self._bring_parents(element, [row])
        with self._writing() as registry:
            inserted_or_changed = registry.syncDimensionData(element, row, conform, update)
        if isinstance(inserted_or_changed, dict):
            self._changed_in_place(element)
        return inserted_or_changed

    def _changed_in_place(self, element: DimensionElement | str) -> None:
        self._sides.when_written(partial(self._satellite_butler._ledger.forget, element))

    def _bring_parents(
        self, element: DimensionElement | str, rows: Iterable[Mapping[str, Any] | DimensionRecord]
    ) -> None:
        """Bring the official records that new ones refer to, as a new visit to its instrument.

        And those that they would repeat, so that upstream's own checks see them.
        """
        if isinstance(element, str):
            element = self.dimensions[element]
        # Without the server, own records can still be added to what is here.
        offline = self._sides.offline
        names = [name for name in element.minimal_group.names if name != element.name or not offline]
        data_ids = set()
        for row in rows:
            # What is no record either has nothing to bring: upstream says what it wants instead.
            values = dict(row if isinstance(row, Mapping) else getattr(row, "toDict", dict)())
            if isinstance(element, Dimension):
                # In its own record its value has another name, such as the ID of a visit.
                values.setdefault(element.name, values.get(element.primary_key.name))
            for name in names:
                group = self.dimensions.dimensions[name].minimal_group
                if all(values.get(key) is not None for key in group.required):
                    data_ids.add(DataCoordinate.standardize(values, dimensions=group))
        self._satellite_butler._writing.prepare_records(data_ids)

    # Details of writing

    @override
    @contextlib.contextmanager
    def transaction(self, *, savepoint: bool = False) -> Iterator[None]:
        with self._sides.transaction(savepoint=savepoint):
            yield

    @contextlib.contextmanager
    def _writing(self, collection: str | None = None) -> Iterator[Registry]:
        if collection is not None:
            self._satellite_butler.collections.check_writeable(collection)
        try:
            with self._sides.writing() as writer:
                yield writer.registry
        except MissingCollectionError as error:
            if collection is not None:
                error.add_note(f"Make it first: butler.collections.register({collection!r}).")
            raise
