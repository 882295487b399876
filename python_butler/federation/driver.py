"""Executes queries over both repositories: asks each for its parts and merges the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, override
from uuid import UUID, uuid4

from lsst.daf.butler import DataIdValue, DatasetType, DimensionGroup, DimensionUniverse
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
    QueryTree,
    make_identity_query_tree,
)
from lsst.daf.butler.registry import NoDefaultCollectionError
from lsst.daf.butler.remote_butler._query_driver import RemoteQueryDriver

from .cursors import Cursor
from .joining import GeneralJoin
from .merge import Merger, UnmergeableError
from .planner import InexactQueryError, Part, Planner, SemiJoin
from .shared import Side

if TYPE_CHECKING:
    from .reading import ReadingButler

__all__ = ["FederatedQueryDriver"]


@dataclass(frozen=True)
class _Upload:
    """Data IDs that were uploaded, to be sent to a side when it needs them."""

    dimensions: DimensionGroup
    rows: list[tuple[DataIdValue, ...]]


@dataclass(frozen=True)
class _Materialization:
    """A query whose rows are to be kept, carried out when a side needs them."""

    tree: QueryTree
    dimensions: DimensionGroup
    datasets: frozenset[str]
    allow_duplicate_overlaps: bool


class FederatedQueryDriver(QueryDriver):
    """Implementation of queries over an official repository and its satellite.

    Parameters
    ----------
    butler : `ReadingButler`
        Butler whose query this is.
    """

    def __init__(self, butler: ReadingButler) -> None:
        self._butler = butler
        self._planner = Planner(butler._sides, butler.collections, butler._ledger)
        self._stack: ExitStack | None = None
        self._drivers: dict[Side, QueryDriver] = {}
        # The satellite may have to be let go, and asked anew, while the query is open.
        self._personal_stack = ExitStack()
        self._cursors: list[Cursor] = []
        self._uploads: dict[DataCoordinateUploadKey, _Upload] = {}
        self._materializations: dict[MaterializationKey, _Materialization] = {}
        # What an upload or materialization is called on each side, for those that have it.
        self._sent: dict[tuple[Side, UUID], UUID] = {}

    def __enter__(self) -> None:
        self._stack = ExitStack()
        self._stack.enter_context(self._butler._sides.shared.open_queries.registered(self._let_go))

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> Literal[False]:
        stack, self._stack = self._stack, None
        if stack is not None:
            with stack:
                self._leave_personal()
        self._drivers, self._sent, self._cursors = {}, {}, []
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
        return self._butler.get_dataset_type(name)

    @override
    def upload_data_coordinates(
        self, dimensions: DimensionGroup, rows: Iterable[tuple[DataIdValue, ...]]
    ) -> DataCoordinateUploadKey:
        key = uuid4()
        self._uploads[key] = _Upload(dimensions, list(rows))
        return key

    @override
    def materialize(
        self,
        tree: QueryTree,
        dimensions: DimensionGroup,
        datasets: frozenset[str],
        allow_duplicate_overlaps: bool = False,
    ) -> MaterializationKey:
        key = uuid4()
        self._materializations[key] = _Materialization(tree, dimensions, datasets, allow_duplicate_overlaps)
        return key

    @override
    def execute(self, result_spec: ResultSpec, tree: QueryTree) -> Iterator[Any]:
        self._check_open("execute query")
        parts = self._planner.plan(tree, result_spec)
        if (whole := _whole(parts)) is not None:
            return self._guarded(self._pages(whole.side, result_spec, whole.tree))
        merger = self._merger(result_spec)
        return self._guarded(merger.pages(partial(self._rows, part) for part in parts))

    @override
    def count(self, tree: QueryTree, result_spec: ResultSpec, *, exact: bool, discard: bool) -> int:
        parts = self._planner.plan(tree, result_spec)
        if (whole := _whole(parts)) is not None:
            driver = self._driver(whole.side)
            return driver.count(self._on(whole.side, whole.tree), result_spec, exact=exact, discard=discard)
        for part in parts:
            # A side refuses a count that would need its rows to be read, unless that is allowed.
            if not part.messages:
                coordinates = DataCoordinateResultSpec(dimensions=result_spec.dimensions)
                tree = self._on(part.side, part.tree)
                self._driver(part.side).count(tree, coordinates, exact=exact, discard=discard)
        merger = self._merger(result_spec.model_copy(update={"order_by": ()}))
        pages = merger.pages(partial(self._rows, part) for part in parts)
        return sum(sum(1 for _ in page.rows) for page in pages)

    @override
    def any(self, tree: QueryTree, *, execute: bool, exact: bool) -> bool:
        for part in self._planner.plan(tree, None):
            if part.messages:
                continue
            joined = self._joined(part)
            if joined is not None and self._driver(part.side).any(
                self._on(part.side, joined), execute=execute, exact=exact
            ):
                return True
        return False

    @override
    def explain_no_results(self, tree: QueryTree, execute: bool) -> Iterable[str]:
        if self._stack is None:
            # Upstream asks for the explanation after it has left the query.
            with self:
                return list(self.explain_no_results(tree, execute))
        messages: list[str] = []
        try:
            parts = self._planner.plan(tree, None)
        except InexactQueryError as error:
            return [str(error)]
        for part in parts:
            messages.extend(part.messages)
            if part.messages:
                continue
            joined = self._joined(part)
            if joined is None:
                messages.append("A search in the other repository finds no datasets.")
            else:
                messages.extend(
                    self._driver(part.side).explain_no_results(self._on(part.side, joined), execute)
                )
        return list(dict.fromkeys(messages))

    # Rows of parts

    def _rows(self, part: Part, spec: ResultSpec) -> Iterator[Any]:
        if part.messages:
            return
        tree = self._joined(part)
        if tree is None:
            return
        away = {semi_join.dataset_type: semi_join for semi_join in part.semi_joins}
        match spec:
            case DatasetRefResultSpec(dataset_type_name=name) if name in away:
                coordinates = DataCoordinateResultSpec(dimensions=spec.dimensions)
                data_ids = {row.required_values for row in self._execute(part.side, coordinates, tree)}
                yield from self._looked_up(away[name], spec, data_ids)
            case GeneralResultSpec() if away.keys() & spec.dataset_fields.keys():
                join = GeneralJoin(spec, {name for name in spec.dataset_fields if name in away})
                rows = list(self._execute(part.side, join.base_spec, tree))
                for name, away_spec in join.away_specs.items():
                    found = self._looked_up(away[name], away_spec, join.data_ids(rows, name))
                    rows = list(join.joined(rows, name, found))
                yield from join.in_order(rows)
            case _:
                yield from self._execute(part.side, spec, tree)

    def _looked_up(
        self, semi_join: SemiJoin, spec: ResultSpec, data_ids: set[tuple[DataIdValue, ...]]
    ) -> Iterator[Any]:
        """Rows about datasets of the other side with some data IDs."""
        if data_ids:
            key = self.upload_data_coordinates(spec.dimensions, data_ids)
            search = make_identity_query_tree(self.universe).join_dataset(
                semi_join.dataset_type, semi_join.search
            )
            search = search.join_data_coordinate_upload(key, spec.dimensions)
            yield from self._execute(semi_join.side, spec, search)

    def _joined(self, part: Part) -> QueryTree | None:
        """The query of a part with the data IDs of the other side joined in; `None` if there are none."""
        tree = part.tree
        for semi_join in part.semi_joins:
            rows = self._data_ids(semi_join)
            if not rows:
                return None
            key = self.upload_data_coordinates(semi_join.search.dimensions, rows)
            tree = tree.join_data_coordinate_upload(key, semi_join.search.dimensions)
        return tree

    def _data_ids(self, semi_join: SemiJoin) -> set[tuple[DataIdValue, ...]]:
        spec = DataCoordinateResultSpec(dimensions=semi_join.search.dimensions)
        return {row.required_values for row in self._execute(semi_join.side, spec, semi_join.tree)}

    def _execute(self, side: Side, spec: ResultSpec, tree: QueryTree) -> Iterator[Any]:
        for page in self._pages(side, spec, tree):
            yield from page.rows

    def _pages(self, side: Side, spec: ResultSpec, tree: QueryTree) -> Iterator[Any]:
        pages: Iterator[Any] = self._driver(side).execute(spec, self._on(side, tree))
        if side is Side.OFFICIAL:
            return pages
        cursor = Cursor(pages)
        self._cursors.append(cursor)
        return cursor

    def _merger(self, spec: ResultSpec) -> Merger:
        try:
            return Merger(spec)
        except UnmergeableError as error:
            raise InexactQueryError(
                f"Rows of both repositories cannot be merged: {error}.", "Order by dimensions."
            ) from None

    # Sides

    def _driver(self, side: Side) -> QueryDriver:
        self._check_open("execute query")
        assert self._stack is not None, "checked just now"
        if side not in self._drivers:
            sides = self._butler._sides
            if side is Side.OFFICIAL:
                remote = RemoteQueryDriver(sides.official, sides.official._connection)
                self._stack.enter_context(remote)
                self._drivers[side] = remote
            else:
                personal = sides.personal
                assert personal is not None, "the planner chose this side"
                context = personal._query_driver((), self._butler.registry.defaults.dataId)
                self._drivers[side] = self._personal_stack.enter_context(context)
        return self._drivers[side]

    def _let_go(self) -> None:
        """Release the satellite's database, so that it can be written."""
        for cursor in self._cursors:
            cursor.drain()
        self._leave_personal()

    def _leave_personal(self) -> None:
        self._cursors = []
        self._drivers.pop(Side.PERSONAL, None)
        self._sent = {key: sent for key, sent in self._sent.items() if key[0] is not Side.PERSONAL}
        self._personal_stack.close()

    def _on(self, side: Side, tree: QueryTree) -> QueryTree:
        """The same query with what was uploaded and materialized as one side knows it."""
        if not tree.data_coordinate_uploads and not tree.materializations:
            return tree
        uploads = {self._sent_upload(side, k): d for k, d in tree.data_coordinate_uploads.items()}
        materializations = {}
        for key, dimensions in tree.materializations.items():
            stored = self._materializations[key]
            parts = self._planner.plan(stored.tree, None)
            whole = _whole(parts)
            if whole is not None and whole.side is side:
                materializations[self._sent_materialization(side, key, whole)] = dimensions
            else:
                uploads[self._sent_rows(side, key)] = dimensions
        return tree.model_copy(
            update={"data_coordinate_uploads": uploads, "materializations": materializations}
        )

    def _sent_upload(self, side: Side, key: DataCoordinateUploadKey) -> DataCoordinateUploadKey:
        upload = self._uploads[key]
        return self._once(
            side, key, lambda: self._driver(side).upload_data_coordinates(upload.dimensions, upload.rows)
        )

    def _sent_materialization(self, side: Side, key: MaterializationKey, part: Part) -> MaterializationKey:
        stored = self._materializations[key]
        return self._once(
            side,
            key,
            lambda: self._driver(side).materialize(
                self._on(side, part.tree), stored.dimensions, stored.datasets, stored.allow_duplicate_overlaps
            ),
        )

    def _sent_rows(self, side: Side, key: MaterializationKey) -> DataCoordinateUploadKey:
        """Data IDs of a materialization that the other side, or both, have to work out."""
        stored = self._materializations[key]

        def send() -> DataCoordinateUploadKey:
            spec = DataCoordinateResultSpec(
                dimensions=stored.dimensions, allow_duplicate_overlaps=stored.allow_duplicate_overlaps
            )
            pages = self.execute(spec, stored.tree)
            rows = {row.required_values for page in pages for row in page.rows}
            return self._driver(side).upload_data_coordinates(stored.dimensions, rows)

        return self._once(side, key, send)

    def _once(self, side: Side, key: UUID, send: Callable[[], UUID]) -> UUID:
        if (side, key) not in self._sent:
            self._sent[side, key] = send()
        return self._sent[side, key]

    # State

    def _guarded(self, pages: Iterator[ResultPage]) -> Iterator[ResultPage]:
        for page in pages:
            yield page
            self._check_open("continue query result iteration")

    def _check_open(self, what: str) -> None:
        if self._stack is None:
            raise RuntimeError(f"Cannot {what}: query context has been closed")


def _whole(parts: list[Part]) -> Part | None:
    """The only part, if one side answers all of the query by itself."""
    if len(parts) == 1 and not (parts[0].semi_joins or parts[0].messages):
        return parts[0]
    return None
