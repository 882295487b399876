"""Which official datasets are meant, and the collections in which they were looked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched, islice
from operator import itemgetter
from typing import Any, cast
from uuid import UUID

from lsst.daf.butler import (
    CollectionInfo,
    CollectionType,
    DataCoordinate,
    DataIdValue,
    DatasetRef,
    DatasetType,
    DimensionUniverse,
    InvalidQueryError,
    MissingCollectionError,
    MissingDatasetTypeError,
)
from lsst.daf.butler.queries import DatasetRefQueryResults, Query
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import DatasetRefResultSpec, GeneralResultSpec
from lsst.daf.butler.queries.tree import QueryTree
from lsst.daf.butler.remote_butler import RemoteButler
from lsst.daf.butler.utils import has_globs

from ..errors import InvalidRequestError
from .tautologies import ADVICE, tautologies

__all__ = ["Request", "Selection", "What", "check_dimensions"]

type What = (
    str | DatasetType | DatasetRef | Query | DatasetRefQueryResults | Iterable[str | DatasetType | DatasetRef]
)
"""How datasets may be named: see `python_butler.satellite.Satellite.reference`."""

_BATCH = 2_500


@dataclass(frozen=True)
class Request:
    """What was asked for.

    Attributes
    ----------
    what : `What`
        Dataset types, datasets or a query.
    where : `str`
        Expression, as for upstream's ``query_datasets``.
    bind : mapping
        Values of the names in ``where``.
    data_id : mapping
        Values of dimensions, as many as wanted.
    collections : sequence of `str` or `None`
        Collections to search, in order.
    limit : `int` or `None`
        Stop after so many datasets.
    """

    what: What
    where: str = ""
    bind: Mapping[str, Any] | None = None
    data_id: Mapping[str, DataIdValue] = field(default_factory=dict)
    collections: Sequence[str] | None = None
    limit: int | None = None


@dataclass(frozen=True)
class _Search:
    """A query for the datasets of one type."""

    dataset_type: DatasetType
    driver: QueryDriver
    tree: QueryTree
    spec: GeneralResultSpec


def check_dimensions(universe: DimensionUniverse, data_id: Iterable[str]) -> None:
    """Make sure that the dimensions that are given values exist.

    Parameters
    ----------
    universe : `lsst.daf.butler.DimensionUniverse`
        Those that there are.
    data_id : iterable of `str`
        Names.

    Raises
    ------
    InvalidRequestError
        If one does not.
    """
    known = universe.dimensions.names
    if unknown := sorted(set(data_id) - set(known)):
        raise InvalidRequestError(
            f"There is no dimension {' or '.join(map(repr, unknown))}.",
            # Nobody means one of the dozens of pixelizations.
            f"Dimensions that there are: {', '.join(sorted(known - set(universe.skypix_dimensions.names)))}.",
        )


class Selection:
    """The datasets that a request means.

    Parameters
    ----------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    label : `str`
        Its label: the collection of this name is searched if none is named.
    request : `Request`
        What was asked for.

    Attributes
    ----------
    collections : `dict` [`str`, `lsst.daf.butler.CollectionInfo`]
        The collections that are searched and all that is in them, chains before their children. Empty
        if datasets were given without collections.
    found : `int`
        Number of datasets that were found so far.
    """

    def __init__(self, official: RemoteButler, label: str, request: Request) -> None:
        self._official = official
        self._label = label
        self._request = request
        self._types: dict[str, DatasetType] = {}
        self._docs: dict[str, str | None] = {}
        self.collections: dict[str, CollectionInfo] = {}
        self.found = 0

    def batches(self) -> Iterator[list[DatasetRef]]:
        """Ask the server, and give what it finds.

        Only one streaming query is open at a time.

        Yields
        ------
        batch : `list` [`lsst.daf.butler.DatasetRef`]
            Some thousand datasets, without dimension records, of types as the official repository
            defines them.

        Raises
        ------
        lsst.daf.butler.MissingDatasetTypeError
            If a dataset type does not exist.
        lsst.daf.butler.MissingCollectionError
            If a collection does not exist.
        InvalidRequestError
            If it is not said where to search.
        """
        for batch in batched(islice(self._once(), self._request.limit), _BATCH):
            yield list(batch)

    def _once(self) -> Iterator[DatasetRef]:
        # A calibration is found once for each of its validity ranges.
        seen: set[UUID] = set()
        for ref in self._refs():
            # Upstream makes it anew each time.
            dataset_id = ref.id
            if dataset_id not in seen:
                seen.add(dataset_id)
                self.found += 1
                yield ref

    def documentation(self, runs: Iterable[str]) -> dict[str, str | None]:
        """Documentation of runs.

        Parameters
        ----------
        runs : iterable of `str`
            Names of official runs.

        Returns
        -------
        docs : `dict` [`str`, `str` or `None`]
            What the official repository says of each.
        """
        runs = list(runs)
        known = {name: info.doc or None for name, info in self.collections.items()} | self._docs
        if unknown := [run for run in runs if run not in known]:
            infos = self._official.collections.query_info(unknown, include_doc=True)
            self._docs |= {info.name: info.doc or None for info in infos}
        return {run: known.get(run) or self._docs.get(run) for run in runs}

    def dataset_type(self, name: str) -> DatasetType:
        """Definition of a dataset type in the official repository.

        Parameters
        ----------
        name : `str`
            Its name.

        Returns
        -------
        dataset_type : `lsst.daf.butler.DatasetType`
            Asked from the server once.
        """
        if name not in self._types:
            self._types[name] = self._official.get_dataset_type(name)
        return self._types[name]

    def _refs(self) -> Iterator[DatasetRef]:
        what = self._request.what
        if isinstance(what, Query | DatasetRefQueryResults):
            self._refuse_conditions()
            if self._request.collections is not None:
                raise InvalidRequestError(
                    "A query says itself in which collections it searches.",
                    "Leave collections away, or name them in the query.",
                )
            yield from self._of_query(what)
            return
        items = [what] if isinstance(what, str | DatasetType | DatasetRef) else list(what)
        given = [item for item in items if isinstance(item, DatasetRef)]
        names = [item.name if isinstance(item, DatasetType) else item for item in items]
        if given:
            if len(given) != len(items):
                raise InvalidRequestError("Datasets and dataset types cannot be mixed in one request.")
            self._refuse_conditions()
            self._expand(self._request.collections or ())
            yield from map(self._as_defined, given)
        elif items:
            yield from self._of_types(cast(list[str], names))

    def _refuse_conditions(self) -> None:
        if self._request.where or self._request.data_id:
            raise InvalidRequestError(
                "Conditions can be put on dataset types only, not on datasets or queries.",
                "Put them into the query itself.",
            )

    def _as_defined(self, ref: DatasetRef) -> DatasetRef:
        """A dataset as a whole, with the storage class of its definition."""
        if ref.isComponent():
            ref = ref.makeCompositeRef()
        dataset_type = self.dataset_type(ref.datasetType.name)
        if ref.datasetType == dataset_type and not ref.dataId.hasFull():
            return ref
        data_id = DataCoordinate.from_required_values(dataset_type.dimensions, ref.dataId.required_values)
        return DatasetRef(dataset_type, data_id, ref.run, id=ref.id)

    # Searches

    def _of_types(self, names: list[str]) -> Iterator[DatasetRef]:
        request = self._request
        check_dimensions(self._official.dimensions, request.data_id)
        searched = self._expand(self._search_path())
        missing: list[str] = []
        types = {t.name: t for t in self._official.registry.queryDatasetTypes(names, missing=missing)}
        if missing or not types:
            raise MissingDatasetTypeError(f"Dataset type {(missing or names)[0]!r} does not exist.")
        self._types |= types
        left = request.limit
        for name, dataset_type in sorted(types.items()):
            holding = [info for info in searched if name in (info.dataset_types or ())]
            if not holding:
                continue
            with self._official.query() as query:
                path = [info.name for info in holding]
                query = query.join_dataset_search(dataset_type, path).where(
                    request.data_id, request.where, bind=request.bind
                )
                if meaningless := tautologies(query._tree):
                    raise InvalidRequestError(
                        f"A condition compares {meaningless[0]} with itself, so that it chooses nothing.",
                        ADVICE,
                    )
                # Of a calibration every validity range counts; find-first would choose any of them.
                every = any(info.type is CollectionType.CALIBRATION for info in holding)
                results = query.general(
                    dataset_type.dimensions,
                    dataset_fields={name: {"dataset_id", "run"}},
                    find_first=not every,
                )
                if left is not None and not every:
                    results = results.limit(left)
                search = _Search(dataset_type, results._driver, results._tree, results._spec)
                for ref in _run(search):
                    if left is not None:
                        left -= 1
                    yield ref
            if left is not None and left <= 0:
                return

    def _search_path(self) -> Sequence[str]:
        if self._request.collections is not None:
            if any(map(has_globs, self._request.collections)):
                raise InvalidQueryError("Collections to search are named in their order, without wildcards.")
            return self._request.collections
        try:
            self._official.collections.query_info(self._label, include_chains=True)
        except MissingCollectionError:
            # Not every release has a collection of its own name.
            raise InvalidRequestError(
                "It was not said in which collections to search.",
                "Name them: collections=… in Python, --collections on the command line.",
            ) from None
        return [self._label]

    def _expand(self, collections: Sequence[str]) -> list[CollectionInfo]:
        """Learn what is in collections; returns those that are no chains, in search order."""
        if not collections:
            return []
        for info in self._official.collections.query_info(
            list(collections),
            flatten_chains=True,
            include_chains=True,
            include_summary=True,
            include_doc=True,
        ):
            self.collections[info.name] = info
        return [info for info in self.collections.values() if info.type is not CollectionType.CHAINED]

    # Queries that were made elsewhere

    def _of_query(self, what: Query | DatasetRefQueryResults) -> Iterator[DatasetRef]:
        if isinstance(what, DatasetRefQueryResults):
            results = [what]
        else:
            searches = what._tree.datasets
            if not searches:
                raise InvalidRequestError(
                    "The query looks for no dataset.", "Join a dataset search to it, or use its datasets()."
                )
            results = [what.datasets(name, s.collections) for name, s in searches.items()]
        for result in results:
            name = result.dataset_type.name
            collections = result._tree.datasets[name].collections
            self._expand([c for c in collections if c not in self.collections])
            yield from _run(_as_general(result, self.dataset_type(name)))


def _as_general(results: DatasetRefQueryResults, dataset_type: DatasetType) -> _Search:
    """The same query with plain rows as its answer: the server makes and sends them ten times as fast."""
    spec: DatasetRefResultSpec = results._spec
    general = GeneralResultSpec(
        dimensions=spec.dimensions,
        dimension_fields={},
        dataset_fields={spec.dataset_type_name: {"dataset_id", "run"}},
        find_first=spec.find_first,
        order_by=spec.order_by,
        limit=spec.limit,
    )
    return _Search(dataset_type, results._driver, results._tree, general)


def _run(search: _Search) -> Iterator[DatasetRef]:
    dataset_type = search.dataset_type
    dimensions = dataset_type.dimensions
    columns = [(column.logical_table, column.field) for column in search.spec.get_result_columns()]
    id_at, run_at = (columns.index((dataset_type.name, field)) for field in ("dataset_id", "run"))
    places = [columns.index((name, None)) for name in dimensions.required]
    # Of one place alone the operator would give the value, not a tuple.
    values = itemgetter(*places) if len(places) > 1 else lambda row: tuple(row[place] for place in places)
    for page in search.driver.execute(search.spec, search.tree):
        for row in page.rows:
            data_id = DataCoordinate.from_required_values(dimensions, values(row))
            # It conforms: to look would take half of the time.
            yield DatasetRef(dataset_type, data_id, row[run_at], id=row[id_at], conform=False)
