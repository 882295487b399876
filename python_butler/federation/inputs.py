"""Data IDs that are uploaded for a query, and queries whose rows are kept, told to sessions when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

from lsst.daf.butler import DataIdValue, DimensionGroup
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.result_specs import DataCoordinateResultSpec
from lsst.daf.butler.queries.tree import DataCoordinateUploadKey, MaterializationKey, Predicate, QueryTree

from ..satellite.storage.uploads import upload
from .gathering import KnownDataIds
from .planner import Part, Planner, whole
from .shared import Side

__all__ = ["Inputs"]

type _Key = tuple[DataIdValue, ...]


@dataclass(frozen=True)
class _Upload:
    """Data IDs that were uploaded, to be sent to a session when it needs them."""

    dimensions: DimensionGroup
    rows: list[_Key]


@dataclass
class _Materialization:
    """A query whose rows are to be kept, carried out when a session needs them."""

    tree: QueryTree
    dimensions: DimensionGroup
    datasets: frozenset[str]
    allow_duplicate_overlaps: bool
    rows: _Upload | None = None
    """Its rows, once they were needed here."""


class Inputs:
    """What was uploaded and materialized for one query.

    Parameters
    ----------
    planner : `Planner`
        Tells where a materialization can be carried out.
    ask : callable
        Gives the data IDs that a query over both repositories has, as values of required dimensions.
    """

    def __init__(
        self, planner: Planner, ask: Callable[[DataCoordinateResultSpec, QueryTree], Iterator[_Key]]
    ) -> None:
        self._planner = planner
        self._ask = ask
        self._uploads: dict[DataCoordinateUploadKey, _Upload] = {}
        self._materializations: dict[MaterializationKey, _Materialization] = {}
        # What an upload or materialization is called in a session, for those that have it.
        self._sent: dict[tuple[QueryDriver, UUID], UUID] = {}

    def upload(self, dimensions: DimensionGroup, rows: Iterable[_Key]) -> DataCoordinateUploadKey:
        """Keep data IDs for queries to join.

        Parameters
        ----------
        dimensions : `lsst.daf.butler.DimensionGroup`
            Their dimensions.
        rows : iterable of `tuple`
            Values of the required dimensions.

        Returns
        -------
        key : `uuid.UUID`
            What query trees call them.
        """
        key = uuid4()
        self._uploads[key] = _Upload(dimensions, list(rows))
        return key

    def materialize(
        self,
        tree: QueryTree,
        dimensions: DimensionGroup,
        datasets: frozenset[str],
        allow_duplicate_overlaps: bool,
    ) -> MaterializationKey:
        """Keep a query for others to join, as upstream's `QueryDriver.materialize`.

        Parameters
        ----------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query.
        dimensions : `lsst.daf.butler.DimensionGroup`
            Dimensions to keep.
        datasets : `frozenset` [`str`]
            Dataset types whose searches belong to it.
        allow_duplicate_overlaps : `bool`
            Whether rows may come twice.

        Returns
        -------
        key : `uuid.UUID`
            What query trees call its rows.
        """
        key = uuid4()
        self._materializations[key] = _Materialization(tree, dimensions, datasets, allow_duplicate_overlaps)
        return key

    def forget_sessions(self) -> None:
        """Send everything anew from now on: the sessions have ended."""
        self._sent = {}

    def known(self, tree: QueryTree) -> list[KnownDataIds]:
        """Data IDs that a query joins.

        Parameters
        ----------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            A query.

        Returns
        -------
        known : `list` [`KnownDataIds`]
            Every row has one of each.
        """
        joined = [self._uploads[key] for key in tree.data_coordinate_uploads]
        joined += [self._materialized(key) for key in tree.materializations]
        return [KnownDataIds(upload.dimensions, frozenset(upload.rows)) for upload in joined]

    def told(self, driver: QueryDriver, side: Side | None, tree: QueryTree) -> QueryTree:
        """Send what a query joins to a session.

        Parameters
        ----------
        driver : `lsst.daf.butler.queries.driver.QueryDriver`
            The session.
        side : `Side` or `None`
            Where it asks.
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query.

        Returns
        -------
        tree : `lsst.daf.butler.queries.tree.QueryTree`
            The query in the words of the session.
        """
        asked = dict(tree.data_coordinate_uploads)
        rows = {key: self._uploads[key] for key in asked}
        materializations = {}
        for key, dimensions in tree.materializations.items():
            alone = whole(self._planner.plan(self._materializations[key].tree, None))
            if alone is not None and alone.side is side is not None:
                materializations[self._carried_out(driver, key, alone)] = dimensions
            else:
                # The other side, or both, have to work it out.
                asked[key], rows[key] = dimensions, self._materialized(key)
        # Upstream cannot upload nothing.
        uploads = {self._uploaded(driver, k, rows[k]): d for k, d in asked.items() if rows[k].rows}
        told = tree.model_copy(
            update={"data_coordinate_uploads": uploads, "materializations": materializations}
        )
        return told if len(uploads) == len(asked) else told.where(Predicate.from_bool(False))

    def _uploaded(self, driver: QueryDriver, key: UUID, known: _Upload) -> DataCoordinateUploadKey:
        return self._once(driver, key, lambda: upload(driver, known.dimensions, known.rows))

    def _carried_out(self, driver: QueryDriver, key: MaterializationKey, part: Part) -> MaterializationKey:
        stored = self._materializations[key]
        return self._once(
            driver,
            key,
            lambda: driver.materialize(
                self.told(driver, part.side, part.tree),
                stored.dimensions,
                stored.datasets,
                stored.allow_duplicate_overlaps,
            ),
        )

    def _materialized(self, key: MaterializationKey) -> _Upload:
        """Data IDs that a materialization stands for."""
        stored = self._materializations[key]
        if stored.rows is None:
            spec = DataCoordinateResultSpec(
                dimensions=stored.dimensions, allow_duplicate_overlaps=stored.allow_duplicate_overlaps
            )
            rows = dict.fromkeys(self._ask(spec, stored.tree))
            stored.rows = _Upload(stored.dimensions, list(rows))
        return stored.rows

    def _once(self, driver: QueryDriver, key: UUID, send: Callable[[], UUID]) -> UUID:
        if (driver, key) not in self._sent:
            self._sent[driver, key] = send()
        return self._sent[driver, key]
