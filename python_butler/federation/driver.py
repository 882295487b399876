"""Executes queries over both repositories: asks each for its parts and merges the rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, override

from lsst.daf.butler import (
    CalibrationLookupError,
    CollectionType,
    DataIdValue,
    DatasetType,
    DimensionGroup,
    DimensionUniverse,
    MissingDatasetTypeError,
)
from lsst.daf.butler.queries.driver import QueryDriver, ResultPage
from lsst.daf.butler.queries.result_specs import (
    DataCoordinateResultSpec,
    DatasetRefResultSpec,
    GeneralResultSpec,
    ResultSpec,
)
from lsst.daf.butler.queries.tree import (
    DataCoordinateUploadKey,
    MaterializationKey,
    Predicate,
    QueryTree,
    make_identity_query_tree,
)
from lsst.daf.butler.registry import DatasetTypeExpressionError, NoDefaultCollectionError
from lsst.utils.iteration import chunk_iterable

from ..errors import OfflineError, QueryFailedError
from ..satellite.storage import storage_of
from .gathering import UPLOAD_ROWS
from .inputs import Inputs
from .joining import GeneralJoin
from .merge import Merger, Rows
from .ordering import RowReader, UnmergeableError, is_missing_possible, is_portable
from .places import Places
from .planner import Part, Planner, SemiJoin, whole
from .shared import Side
from .tautologies import warn_of_tautologies
from .trees import completed, pinned

if TYPE_CHECKING:
    from .searching import SearchingButler

__all__ = ["FederatedQueryDriver"]


class FederatedQueryDriver(QueryDriver):
    """Implementation of queries over an official repository and its satellite.

    Parameters
    ----------
    butler : `SearchingButler`
        Butler whose query this is.
    """

    def __init__(self, butler: SearchingButler) -> None:
        self._butler = butler
        sides, collections, defaults = butler._sides, butler.collections, butler.registry.defaults.dataId
        self._planner = Planner(sides, collections, butler._ledger, defaults)
        self._places = Places(sides, collections, defaults)
        self._stack: ExitStack | None = None
        self._inputs = Inputs(self._planner, self._rows_of)

    def __enter__(self) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(self._places.open())

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> Literal[False]:
        stack, self._stack = self._stack, None
        if stack is not None:
            stack.close()
        self._inputs.forget_sessions()
        return False

    @property
    @override
    def universe(self) -> DimensionUniverse:
        return self._butler.dimensions

    @override
    def get_default_collections(self) -> tuple[str, ...]:
        collections = tuple(self._butler.collections.defaults)
        if not collections:
            raise NoDefaultCollectionError("No collections provided and no default collections.")
        return collections

    @override
    def get_dataset_type(self, name: str) -> DatasetType:
        try:
            return self._butler.get_dataset_type(name)
        except DatasetTypeExpressionError as error:
            # In a query, what cannot be a name is one that nothing has.
            raise MissingDatasetTypeError(f"Dataset type {name!r} does not exist.") from error

    @override
    def upload_data_coordinates(
        self, dimensions: DimensionGroup, rows: Iterable[tuple[DataIdValue, ...]]
    ) -> DataCoordinateUploadKey:
        return self._inputs.upload(dimensions, rows)

    @override
    def materialize(
        self,
        tree: QueryTree,
        dimensions: DimensionGroup,
        datasets: frozenset[str],
        allow_duplicate_overlaps: bool = False,
    ) -> MaterializationKey:
        # It is carried out later, if at all, but must fail now.
        completed(tree, self._butler.registry.defaults.dataId)
        return self._inputs.materialize(tree, dimensions, datasets, allow_duplicate_overlaps)

    @override
    def execute(self, result_spec: ResultSpec, tree: QueryTree) -> Iterator[Any]:
        self._check_open("execute query")
        warn_of_tautologies(tree)
        return self._guarded(_sendable(result_spec), tree)

    def _answer(self, spec: ResultSpec, tree: QueryTree) -> Iterator[ResultPage]:
        parts = [self._lighter(part) for part in self._planner.plan(tree, spec)]
        alone = whole(parts)
        if alone is not None and alone.side is None:
            return self._gathered(alone.tree, spec)
        if alone is not None and self._sorts_as_we_do(alone, spec):
            return self._pages(alone, spec)
        try:
            merger = Merger(spec, self._pinned(tree), self._copies(tree, spec))
        except UnmergeableError:
            return self._gathered(tree, spec)
        return merger.pages(self._askers(parts, merger, tree))

    def _gathered(self, tree: QueryTree, spec: ResultSpec) -> Iterator[ResultPage]:
        """Rows of what is gathered, in the order in which they are found there, each once."""
        copies = self._copies(tree, spec)
        if copies == 1:
            return self._pages(Part(None, tree), spec)
        merger = Merger(spec.model_copy(update={"order_by": ()}), copies=copies)

        def rows(asked: ResultSpec, _condition: Predicate) -> Iterator[Any]:
            ordered = asked.model_copy(update={"order_by": spec.order_by})
            return self._execute(None, ordered, tree, merger.note)

        return merger.pages([rows])

    def _copies(self, tree: QueryTree, spec: ResultSpec) -> int | None:
        """How often one repository may give the same row: for each collection that has the dataset."""
        if not isinstance(spec, DatasetRefResultSpec | GeneralResultSpec) or spec.find_first:
            return 1
        copies = 1
        for name in _returned(spec):
            located = self._butler.collections.flatten(tree.datasets[name].collections).values()
            types = [it.info.type for it in located if name in (it.info.dataset_types or {name})]
            if CollectionType.CALIBRATION in types:
                # For each of its validity ranges, too.
                return None
            # It is in one run only, and in any number of tagged collections.
            copies *= (CollectionType.RUN in types) + types.count(CollectionType.TAGGED) or 1
        return copies

    def _sorts_as_we_do(self, part: Part, spec: ResultSpec) -> bool:
        """Whether what answers alone sorts as merged rows are sorted; the official order is as it is."""
        if part.side is not Side.PERSONAL or storage_of(self._butler._sides.shared.root).is_sqlite:
            return True
        # PostgreSQL has texts in an order of its own, and missing values last.
        return all(is_portable(term) and not is_missing_possible(term) for term in spec.order_by)

    @override
    def count(self, tree: QueryTree, result_spec: ResultSpec, *, exact: bool, discard: bool) -> int:
        warn_of_tautologies(tree)
        return self._unless_lost(lambda: self._count(tree, result_spec, exact=exact, discard=discard))

    def _count(self, tree: QueryTree, result_spec: ResultSpec, *, exact: bool, discard: bool) -> int:
        result_spec = _sendable(result_spec).model_copy(update={"order_by": ()})
        parts = [self._lighter(part) for part in self._planner.plan(tree, result_spec)]
        alone = whole(parts)
        if alone is not None and (alone.side is not None or self._copies(tree, result_spec) == 1):
            return self._counted(alone, result_spec, exact=exact, discard=discard)
        try:
            return self._count_of_parts(parts, tree, result_spec, exact=exact, discard=discard)
        except CalibrationLookupError:
            if result_spec.find_first_dataset is None:
                raise
            # As for rows: what is ambiguous in one part may be what an earlier one has.
            return self._counted(Part(None, tree), result_spec, exact=exact, discard=discard)

    def _count_of_parts(
        self, parts: list[Part], tree: QueryTree, result_spec: ResultSpec, *, exact: bool, discard: bool
    ) -> int:
        count = self._count_parts(parts, tree, result_spec, exact=exact, discard=discard)
        if count is not None:
            return count
        for part in parts:
            # A side refuses a count that would need its rows to be read, unless that is allowed.
            if not part.messages:
                coordinates = DataCoordinateResultSpec(dimensions=result_spec.dimensions)
                self._counted(part, coordinates, exact=exact, discard=discard)
        return sum(sum(1 for _ in page.rows) for page in self._answer(result_spec, tree))

    def _count_parts(
        self, parts: list[Part], tree: QueryTree, spec: ResultSpec, *, exact: bool, discard: bool
    ) -> int | None:
        """Count rows without reading those of the larger part; `None` if all have to be told apart."""
        if isinstance(spec, GeneralResultSpec) or spec.allow_duplicate_overlaps or len(parts) > 2:
            return None
        by_data_id = not isinstance(spec, DatasetRefResultSpec) or spec.find_first
        if not by_data_id and (len(tree.datasets) > 1 or self._copies(tree, spec) != 1):
            return None
        found: list[tuple[int, Part, ResultSpec]] = []
        for part in (part for part in parts if not part.messages):
            trees = list(self._joined(part))
            if len(trees) > 1:
                return None
            asked: ResultSpec = spec.model_copy(update={"limit": None})
            if _returned(spec) & {semi_join.dataset_type for semi_join in part.semi_joins}:
                # The datasets are on the other side, one for each data ID.
                asked = DataCoordinateResultSpec(dimensions=spec.dimensions)
            for one in (Part(part.side, joined) for joined in trees):
                found.append((self._counted(one, asked, exact=exact, discard=discard), one, asked))
        total = sum(count for count, _, _ in found)
        if by_data_id and exact and len(found) == 2 and all(count for count, _, _ in found):
            # What both have is one row.
            (_, fewer, their_spec), (_, more, asked) = sorted(
                found, key=lambda each: (each[0], each[1].side is Side.OFFICIAL)
            )
            identity = RowReader(their_spec, their_spec).identity
            data_ids = {identity(row) for row in self._execute(fewer.side, their_spec, fewer.tree)}
            for chunk in chunk_iterable(data_ids, UPLOAD_ROWS):
                key = self.upload_data_coordinates(spec.dimensions, chunk)
                both = replace(more, tree=more.tree.join_data_coordinate_upload(key, spec.dimensions))
                total -= self._counted(both, asked, exact=exact, discard=discard)
        return total if spec.limit is None else min(total, spec.limit)

    @override
    def any(self, tree: QueryTree, *, execute: bool, exact: bool) -> bool:
        warn_of_tautologies(tree)
        return self._unless_lost(lambda: self._any(tree, execute=execute, exact=exact))

    def _any(self, tree: QueryTree, *, execute: bool, exact: bool) -> bool:
        for part in self._planner.plan(tree, None):
            if part.messages:
                continue
            for joined in self._joined(part):
                driver, joined = self._asked(part.side, joined)
                found = driver.any(joined, execute=execute, exact=exact)
                self._places.rest()
                if found:
                    return True
        return False

    @override
    def explain_no_results(self, tree: QueryTree, execute: bool) -> Iterable[str]:
        if self._stack is None:
            # Upstream asks for the explanation after it has left the query.
            with self:
                return list(self.explain_no_results(tree, execute))
        messages: list[str] = []
        for part in self._planner.plan(tree, None):
            messages.extend(part.messages)
            if part.messages:
                continue
            joined = list(self._joined(part))
            if not joined:
                messages.append("A search in the other repository finds no datasets.")
            for one in joined:
                driver, one = self._asked(part.side, one)
                messages.extend(driver.explain_no_results(one, execute))
                self._places.rest()
        return list(dict.fromkeys(messages))

    # Rows of parts

    def _asker(self, part: Part, merger: Merger, at_once: bool) -> Rows:
        def rows(spec: ResultSpec, condition: Predicate) -> Iterator[Any]:
            found = self._rows(part, merger, spec, condition)
            return iter(list(found)) if at_once else found

        return rows

    def _asker_of_calibrations(self, ask: Rows, merger: Merger, tree: QueryTree) -> Rows:
        """What is ambiguous in a later part may be what an earlier one has: then all are asked together."""

        def rows(spec: ResultSpec, condition: Predicate) -> Iterator[Any]:
            try:
                return iter(list(ask(spec, condition)))
            except CalibrationLookupError:
                return self._execute(None, spec, tree.where(condition), merger.note)

        return rows

    def _askers(self, parts: list[Part], merger: Merger, tree: QueryTree) -> list[Rows]:
        """Ways to get the rows of parts, at most one of which keeps an official query open meanwhile."""
        official = [part for part in parts if Side.OFFICIAL in _sides_of(part)]
        at_once = official[:-1] if merger.is_ordered else []
        askers = [self._asker(part, merger, part in at_once) for part in parts]
        for number, part in enumerate(parts):
            if number and merger.is_find_first and self._has_calibrations(part):
                askers[number] = self._asker_of_calibrations(askers[number], merger, tree)
        return askers

    def _has_calibrations(self, part: Part) -> bool:
        searches = [*part.tree.datasets.values(), *(each.search for each in part.semi_joins)]
        located = self._butler.collections.flatten({name for each in searches for name in each.collections})
        return any(each.info.type is CollectionType.CALIBRATION for each in located.values())

    def _rows(self, part: Part, merger: Merger, spec: ResultSpec, condition: Predicate) -> Iterator[Any]:
        if part.messages:
            return
        trees = [tree.where(condition) for tree in self._joined(part)]
        away = {semi_join.dataset_type: semi_join for semi_join in part.semi_joins}
        rows: Iterator[Any] = itertools.chain.from_iterable(
            self._joined_rows(part, tree, away, merger, spec) for tree in trees
        )
        looked_up = not away.keys().isdisjoint(_returned(spec))
        if len(trees) > 1:
            # A row may go with data IDs of several of them.
            rows = merger.unique(rows)
        yield from merger.in_order(rows) if looked_up or len(trees) > 1 else rows

    def _joined_rows(
        self, part: Part, tree: QueryTree, away: dict[str, SemiJoin], merger: Merger, spec: ResultSpec
    ) -> Iterator[Any]:
        match spec:
            case DatasetRefResultSpec(dataset_type_name=name) if name in away:
                coordinates = DataCoordinateResultSpec(dimensions=spec.dimensions)
                data_ids = {row.required_values for row in self._execute(part.side, coordinates, tree)}
                yield from self._looked_up(away[name], spec, data_ids)
            case GeneralResultSpec() if away.keys() & spec.dataset_fields.keys():
                join = GeneralJoin(spec, {name for name in spec.dataset_fields if name in away})
                rows = list(self._execute(part.side, join.base_spec, tree, merger.note))
                for name, away_spec in join.away_specs.items():
                    found = self._looked_up(away[name], away_spec, join.data_ids(rows, name))
                    rows = list(join.joined(rows, name, found))
                yield from join.in_order(rows)
            case _:
                yield from self._execute(part.side, spec, tree, merger.note)

    def _looked_up(
        self, semi_join: SemiJoin, spec: ResultSpec, data_ids: set[tuple[DataIdValue, ...]]
    ) -> Iterator[Any]:
        """Rows about datasets of the other side with some data IDs."""
        for chunk in chunk_iterable(data_ids, UPLOAD_ROWS):
            key = self.upload_data_coordinates(spec.dimensions, chunk)
            search = make_identity_query_tree(self.universe).join_dataset(
                semi_join.dataset_type, semi_join.search
            )
            search = search.join_data_coordinate_upload(key, spec.dimensions)
            yield from self._execute(semi_join.side, spec, search)

    def _joined(self, part: Part) -> Iterator[QueryTree]:
        """The query of a part with the data IDs of the other side joined in; none if there are none."""
        chunks = []
        for semi_join in part.semi_joins:
            keys = [
                (self.upload_data_coordinates(semi_join.search.dimensions, rows), semi_join.search.dimensions)
                for rows in chunk_iterable(self._data_ids(semi_join), UPLOAD_ROWS)
            ]
            if not keys:
                return
            chunks.append(keys)
        for uploads in itertools.product(*chunks):
            tree = part.tree
            for key, dimensions in uploads:
                tree = tree.join_data_coordinate_upload(key, dimensions)
            yield tree

    def _lighter(self, part: Part) -> Part:
        """The part, or if its data IDs need several uploads, the other way round where those are fewer."""
        if part.swapped is None or (sent := self._sent(part)) <= UPLOAD_ROWS:
            return part
        swapped = part.swapped()
        return swapped if swapped is not None and self._sent(swapped) < sent else part

    def _sent(self, part: Part) -> int:
        """Number of datasets whose data IDs one side sends to the other, at most."""
        return sum(
            self._counted(
                Part(semi_join.side, semi_join.tree),
                DataCoordinateResultSpec(dimensions=semi_join.search.dimensions),
                exact=False,
                discard=True,
            )
            for semi_join in part.semi_joins
        )

    def _data_ids(self, semi_join: SemiJoin) -> list[tuple[DataIdValue, ...]]:
        spec = DataCoordinateResultSpec(dimensions=semi_join.search.dimensions)
        return sorted({row.required_values for row in self._execute(semi_join.side, spec, semi_join.tree)})

    def _execute(
        self,
        side: Side | None,
        spec: ResultSpec,
        tree: QueryTree,
        note: Callable[[ResultPage], None] | None = None,
    ) -> Iterator[Any]:
        for page in self._pages(Part(side, tree), spec):
            if note is not None:
                note(page)
            yield from page.rows

    def _counted(self, part: Part, spec: ResultSpec, *, exact: bool, discard: bool) -> int:
        driver, tree = self._asked(part.side, part.tree, spec)
        try:
            return driver.count(tree, spec, exact=exact, discard=discard)
        finally:
            self._places.rest()

    def _pages(self, part: Part, spec: ResultSpec) -> Iterator[Any]:
        driver, tree = self._asked(part.side, part.tree, spec)
        return self._places.pages(part.side, driver.execute(spec, tree))

    # Sessions

    def _asked(
        self, side: Side | None, tree: QueryTree, spec: ResultSpec | None = None
    ) -> tuple[QueryDriver, QueryTree]:
        """A session, and a query with what was uploaded and materialized as this session knows it."""
        self._check_open("execute query")
        if side is None:
            self._places.gather(tree, spec, self._inputs.known(tree))
        if not tree.data_coordinate_uploads and not tree.materializations:
            return self._places.driver(side), tree
        driver = self._places.driver(side, fresh=True)
        return driver, self._inputs.told(driver, side, tree)

    def _rows_of(self, spec: DataCoordinateResultSpec, tree: QueryTree) -> Iterator[tuple[DataIdValue, ...]]:
        for page in self.execute(spec, tree):
            for row in page.rows:
                yield row.required_values

    def _pinned(self, tree: QueryTree) -> set[str]:
        return set(pinned(completed(tree, self._butler.registry.defaults.dataId)))

    # State

    def _guarded(self, spec: ResultSpec, tree: QueryTree) -> Iterator[ResultPage]:
        pages, first = self._unless_lost(lambda: _begun(self._answer(spec, tree)))
        for page in itertools.chain(first, pages):
            yield page
            self._check_open("continue query result iteration")

    def _unless_lost[T](self, ask: Callable[[], T]) -> T:
        """Ask again, the satellite alone, if the server turns out to be lost."""
        sides = self._butler._sides
        reach = sides.shared.reach
        was_lost = reach.last_seen_lost
        try:
            return ask()
        except OfflineError as error:
            if was_lost or sides.personal is None or isinstance(error, QueryFailedError):
                raise
            reach.lose(error)
            return ask()

    def _check_open(self, what: str) -> None:
        if self._stack is None:
            raise RuntimeError(f"Cannot {what}: query context has been closed")


def _begun(pages: Iterator[ResultPage]) -> tuple[Iterator[ResultPage], list[ResultPage]]:
    """Pages, the first of them read already."""
    return pages, list(itertools.islice(pages, 1))


def _sendable(spec: ResultSpec) -> ResultSpec:
    """A specification as a server takes it: a database also takes other numbers, such as NumPy's."""
    meant: dict[str, Any] = {}
    if spec.limit is not None:
        meant["limit"] = int(spec.limit)
    if isinstance(spec, DatasetRefResultSpec | GeneralResultSpec):
        meant["find_first"] = bool(spec.find_first)
    same = all(type(getattr(spec, name)) is type(value) for name, value in meant.items())
    return spec if same else spec.model_copy(update=meant)


def _sides_of(part: Part) -> set[Side | None]:
    return {part.side, *(semi_join.side for semi_join in part.semi_joins)}


def _returned(spec: ResultSpec) -> set[str]:
    """Dataset types whose fields rows hold."""
    match spec:
        case DatasetRefResultSpec():
            return {spec.dataset_type_name}
        case GeneralResultSpec():
            return set(spec.dataset_fields)
        case _:
            return set()
