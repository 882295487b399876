"""Answers of the table preview; they block and are called in threads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from ....errors import InvalidRequestError
from .cells import as_texts
from .giving_up import Waiting
from .models import (
    MAX_CELLS,
    ColumnSummary,
    SummaryRequest,
    TableOverview,
    TablePage,
    TableRequest,
)
from .shelf import SHELF
from .summary import summarise
from .table import find_columns

if TYPE_CHECKING:
    from ...repository import BrowsedRepository

__all__ = ["overview", "page", "summary"]


def overview(repository: BrowsedRepository, dataset_id: UUID, waiting: Waiting) -> TableOverview:
    """Describe a table without reading values.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where the dataset is.
    dataset_id : `uuid.UUID`
        The dataset.
    waiting : `Waiting`
        Who waits for the answer.

    Returns
    -------
    overview : `TableOverview`
        The description.
    """
    with SHELF.using(repository, dataset_id, waiting) as table:
        return TableOverview(
            rows=table.rows,
            columns=list(table.columns),
            format=table.format,
            size=table.size,
            memory=table.memory,
            selectable=table.selectable,
        )


def page(
    repository: BrowsedRepository, dataset_id: UUID, request: TableRequest, waiting: Waiting
) -> TablePage:
    """Give some cells.

    Parameters
    ----------
    repository, dataset_id, waiting
        As for `overview`.
    request : `TableRequest`
        Which cells.

    Returns
    -------
    page : `TablePage`
        The cells, as far as the view has them.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If there is no such column, or if too many cells are asked for.
    """
    if len(request.columns) * request.count > MAX_CELLS:
        raise InvalidRequestError(
            f"{len(request.columns)} columns of {request.count} rows are too many cells for one answer.",
            f"Ask for at most {MAX_CELLS:,} cells.",
        )
    with SHELF.using(repository, dataset_id, waiting) as table:
        before = table.bytes_read
        find_columns(table, request.columns)
        selection = SHELF.select(table, request.view, waiting)
        stop = min(request.start + request.count, selection.count)
        if selection.rows is None:
            rows = np.arange(request.start, max(request.start, stop))
        else:
            rows = selection.rows[request.start : stop].astype(np.int64)
        cells = table.take(request.columns, rows, waiting)
        return TablePage(
            start=request.start,
            rows=selection.count,
            considered=selection.considered,
            total=table.rows,
            columns=[as_texts(column) for column in cells.columns],
            row_numbers=None if selection.rows is None else rows.tolist(),
            bytes_read=table.bytes_read - before,
        )


def summary(
    repository: BrowsedRepository, dataset_id: UUID, request: SummaryRequest, waiting: Waiting
) -> ColumnSummary:
    """Summarise a column.

    Parameters
    ----------
    repository, dataset_id, waiting
        As for `overview`.
    request : `SummaryRequest`
        Which column.

    Returns
    -------
    summary : `ColumnSummary`
        The summary.
    """
    with SHELF.using(repository, dataset_id, waiting) as table:
        return summarise(table, request, waiting)
