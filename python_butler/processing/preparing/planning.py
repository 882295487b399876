"""`PlanningButler`: what upstream's graph builder is given to ask, so that it can be watched and stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast, override

from lsst.daf.butler import (
    CollectionType,
    DataCoordinate,
    DataId,
    DatasetRef,
    DatasetType,
    StorageClass,
    Timespan,
)
from lsst.daf.butler.queries import Query
from lsst.daf.butler.queries.driver import ResultPage
from lsst.daf.butler.queries.result_specs import (
    DataCoordinateResultSpec,
    DimensionRecordResultSpec,
    GeneralResultSpec,
    ResultSpec,
)
from lsst.daf.butler.queries.tree import QueryTree

from ...federation import SatelliteButler
from ...federation.driver import FederatedQueryDriver
from ...federation.planner import Part, whole
from ...federation.registry import SatelliteRegistry
from ...federation.shared import Side
from .answers import Answers, plain
from .watching import Watching

__all__ = ["PlanningButler"]


@dataclass
class _Course:
    """What all clones of one Butler share while they plan one graph.

    Attributes
    ----------
    watching : `Watching`
        Told what was found.
    answers : `Answers`
        What was asked before.
    official : `bool`
        Whether all data IDs so far came from the official repository alone.
    """

    watching: Watching
    answers: Answers
    official: bool = True


class PlanningButler(SatelliteButler):
    """A Butler for planning: it reads only, tells how much it found, and asks no question twice.

    Upstream's builder finds what it can with a few queries, and asks for each quantum by itself where a
    task has a function for that, or bounds of its own. Many of those questions are the same.
    """

    _course: _Course

    @classmethod
    def over(cls, butler: SatelliteButler, watching: Watching) -> PlanningButler:
        """Make one over the repositories of another Butler.

        Parameters
        ----------
        butler : `SatelliteButler`
            The other one.
        watching : `Watching`
            Told what was found, and says whether to stop.

        Returns
        -------
        planning : `PlanningButler`
            A Butler with the same defaults.
        """
        # Defaults of its own: whoever plans writes nothing.
        defaults = butler._defaults.get().clone(run=None)
        made = cls(butler._sides.shared, defaults=defaults, writeable=False)
        made._course = _Course(watching, Answers())
        return made

    @override
    def clone(self, **arguments: Any) -> PlanningButler:
        cloned = cast(PlanningButler, super().clone(**arguments))
        cloned._course = self._course
        return cloned

    @property
    @override
    def registry(self) -> SatelliteRegistry:
        # Functions of tasks are given this one.
        return cast(SatelliteRegistry, _RememberingRegistry(self._registry, self))

    @override
    @contextmanager
    def query(self) -> Iterator[Query]:
        self._sides.spooled.settle(tell=True)
        driver = _PlanningDriver(self)
        driver.course = self._course
        with driver:
            yield Query(driver)

    @override
    def find_dataset(
        self,
        dataset_type: DatasetType | str,
        data_id: DataId | None = None,
        *,
        collections: str | Sequence[str] | None = None,
        timespan: Timespan | None = None,
        storage_class: str | StorageClass | None = None,
        dimension_records: bool = False,
        datastore_records: bool = False,
        **kwargs: Any,
    ) -> DatasetRef | None:
        def find() -> DatasetRef | None:
            self._course.watching.look()
            return super(PlanningButler, self).find_dataset(
                dataset_type,
                data_id,
                collections=collections,
                timespan=timespan,
                storage_class=storage_class,
                dimension_records=dimension_records,
                datastore_records=datastore_records,
                **kwargs,
            )

        names = plain(self.collections.defaults if collections is None else collections)
        options = (plain(storage_class), dimension_records, datastore_records)
        question = (plain(dataset_type), plain(data_id), plain(kwargs), names, timespan, options)
        return self._course.answers.remembered(("find_dataset", *question), find)

    @override
    def query_datasets(
        self,
        dataset_type: str | DatasetType,
        collections: str | Iterable[str] | None = None,
        **arguments: Any,
    ) -> list[DatasetRef]:
        def find() -> list[DatasetRef]:
            self._course.watching.look()
            return super(PlanningButler, self).query_datasets(dataset_type, collections, **arguments)

        names = plain(self.collections.defaults if collections is None else collections)
        question = ("query_datasets", plain(dataset_type), names, plain(arguments))
        return list(self._course.answers.remembered(question, find))


class _PlanningDriver(FederatedQueryDriver):
    """Carries out queries, and tells after each page what came."""

    course: _Course

    @override
    def _answer(self, spec: ResultSpec, tree: QueryTree) -> Iterator[ResultPage]:
        if isinstance(spec, DataCoordinateResultSpec):
            alone = whole(self._planner.plan(tree, spec))
            self.course.official &= alone is not None and alone.side is Side.OFFICIAL
        elif self.course.official and self._is_official(spec, tree):
            return self._pages(Part(Side.OFFICIAL, tree), spec)
        return super()._answer(spec, tree)

    def _is_official(self, spec: ResultSpec, tree: QueryTree) -> bool:
        """Whether a question is about official data IDs and collections only: there is nothing to compare."""
        known: set[str] = set()
        for dimensions in tree.data_coordinate_uploads.values():
            known.update(dimensions.names)
        for search in tree.datasets.values():
            names = list(search.collections)
            if set(names) != self._butler._sides.collections(Side.OFFICIAL, names).keys():
                return False
            known.update(search.dimensions.names)
        asked = set(tree.dimensions.names)
        if isinstance(spec, DimensionRecordResultSpec):
            asked.update(spec.element.minimal_group.names)
        elif isinstance(spec, GeneralResultSpec):
            asked.update(spec.dimensions.names)
        return bool(tree.data_coordinate_uploads) and asked <= known

    @override
    def execute(self, result_spec: ResultSpec, tree: QueryTree) -> Iterator[Any]:
        pages = super().execute(result_spec, tree)
        return self._watched(pages, result_spec.result_type.replace("_", " "))

    def _watched(self, pages: Iterator[Any], what: str) -> Iterator[Any]:
        watching = self.course.watching
        watching.look()
        for page in pages:
            watching.found(what, len(page.rows))
            yield page


class _RememberingRegistry:
    """A registry whose searches for datasets are answered from memory when they were made before.

    Parameters
    ----------
    registry : `SatelliteRegistry`
        The registry.
    butler : `PlanningButler`
        Butler that it belongs to.
    """

    def __init__(self, registry: SatelliteRegistry, butler: PlanningButler) -> None:
        self._registry = registry
        self._butler = butler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)

    def findDataset(
        self,
        datasetType: DatasetType | str,  # noqa: N803  upstream's name
        dataId: DataId | None = None,  # noqa: N803  upstream's name
        *,
        collections: Any = None,
        timespan: Timespan | None = None,
        datastore_records: bool = False,
        **kwargs: Any,
    ) -> DatasetRef | None:
        """Find a dataset, as upstream's `lsst.daf.butler.registry.Registry.findDataset`."""
        question = plain((datasetType, dataId, collections, timespan, datastore_records, kwargs))
        return self._butler._course.answers.remembered(
            ("findDataset", *question),
            lambda: self._registry.findDataset(
                datasetType,
                dataId,
                collections=collections,
                timespan=timespan,
                datastore_records=datastore_records,
                **kwargs,
            ),
        )

    def queryDatasets(self, datasetType: Any, **arguments: Any) -> Any:  # noqa: N803  upstream's names
        """Search for datasets, as upstream's `lsst.daf.butler.registry.Registry.queryDatasets`."""
        self._butler._course.watching.look()
        question = dict(arguments)
        data_id = question.get("dataId")
        if (
            isinstance(datasetType, DatasetType)
            and isinstance(data_id, DataCoordinate)
            and datasetType.dimensions.issubset(data_id.dimensions)
            and "where" not in question
            and self._is_timeless(datasetType, arguments.get("collections"))
        ):
            # What else the data ID says makes no difference: it says all that the datasets have.
            question["dataId"] = data_id.subset(datasetType.dimensions)
        return self._butler._course.answers.remembered(
            ("queryDatasets", plain(datasetType), plain(question)),
            lambda: _Remembered(self._registry.queryDatasets(datasetType, **arguments)),
        )

    def _is_timeless(self, dataset_type: DatasetType, names: Any) -> bool:
        """Whether it makes no difference when something was: nothing is certified for a time."""
        if not dataset_type.isCalibration():
            return True
        return self._butler._course.answers.remembered(
            ("is_timeless", plain(names)),
            lambda: (
                not self._butler.collections.query(
                    self._butler.collections.defaults if names is None else names,
                    collection_types=CollectionType.CALIBRATION,
                    flatten_chains=True,
                )
            ),
        )


class _Remembered:
    """Results of a search, which are asked for when they are first needed, and once only.

    Parameters
    ----------
    results : `lsst.daf.butler.registry.queries.DatasetQueryResults`
        The results.
    """

    def __init__(self, results: Any) -> None:
        self._results = results
        self._refs: list[DatasetRef] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._results, name)

    def __iter__(self) -> Iterator[DatasetRef]:
        if self._refs is None:
            self._refs = list(self._results)
        return iter(self._refs)
