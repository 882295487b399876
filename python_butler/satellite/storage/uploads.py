"""Data IDs that a query joins, sent to a database so that it finds them quickly."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy
from lsst.daf.butler import DataIdValue, DimensionGroup
from lsst.daf.butler.direct_query_driver import DirectQueryDriver
from lsst.daf.butler.queries.driver import QueryDriver
from lsst.daf.butler.queries.tree import DataCoordinateUploadKey

__all__ = ["upload"]


def upload(
    driver: QueryDriver, dimensions: DimensionGroup, rows: Iterable[tuple[DataIdValue, ...]]
) -> DataCoordinateUploadKey:
    """Upload data IDs for queries to join.

    Upstream's table for them has no index, and SQLite knows nothing about it: it reads all of that table
    for each dataset, which takes as many steps as there are pairs of both.

    Parameters
    ----------
    driver : `lsst.daf.butler.queries.driver.QueryDriver`
        Session in which the queries are asked.
    dimensions : `lsst.daf.butler.DimensionGroup`
        Dimensions of the data IDs.
    rows : iterable of `tuple`
        Values of the required dimensions.

    Returns
    -------
    key : `uuid.UUID`
        What query trees of this session call them.
    """
    key = driver.upload_data_coordinates(dimensions, rows)
    if isinstance(driver, DirectQueryDriver) and driver.db.dialect.name == "sqlite":
        # Not public. A few are no table, but part of the query.
        table = driver._upload_tables[key]
        if isinstance(table, sqlalchemy.Table):
            index = sqlalchemy.Index(f"{table.name}_index", *table.columns)
            with driver.db._transaction() as (_, connection):
                index.create(connection)
    return key
