"""Which datasets of a satellite are meant, when they are not named one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import DataIdValue, DatasetRef, MissingDatasetTypeError
from lsst.daf.butler.registry import RegistryDefaults

from .selecting import check_dimensions

if TYPE_CHECKING:
    from .place import Place

__all__ = ["select_here"]


def select_here(
    satellite: Place,
    types: Iterable[str],
    *,
    where: str = "",
    bind: Mapping[str, Any] | None = None,
    data_id: Mapping[str, DataIdValue] | None = None,
    collections: Iterable[str] | None = None,
    limit: int | None = None,
) -> list[DatasetRef]:
    """Search the satellite itself; no server is asked.

    Parameters
    ----------
    satellite : `Place`
        The satellite.
    types : iterable of `str`
        Names of dataset types, wildcards allowed.
    where, bind, data_id, limit
        As for `Satellite.reference`.
    collections : iterable of `str`, optional
        Collections to search, wildcards allowed; all if not given.

    Returns
    -------
    refs : `list` [`lsst.daf.butler.DatasetRef`]
        All datasets found, not only the first for each data ID.

    Raises
    ------
    InvalidRequestError
        If a dimension does not exist.
    lsst.daf.butler.MissingDatasetTypeError
        If the satellite has no dataset type of such a name.
    """
    names = list(types)
    with satellite.reader() as reader:
        check_dimensions(reader.dimensions, data_id or ())
        searched = list(collections) if collections is not None else ["*"]
        # What there is only one of, say the instrument, need not be said.
        reader.registry.defaults = RegistryDefaults(
            reader.collections.query(searched, flatten_chains=True), None, True
        )
        try:
            found = reader.query_all_datasets(
                searched,
                name=names,
                find_first=False,
                data_id=dict(data_id or {}),
                where=where,
                bind=bind,
                limit=None,
            )
        except MissingDatasetTypeError as error:
            said = " ".join(names)
            raise MissingDatasetTypeError(
                f"The satellite of {satellite.label} has no dataset type {said}. "
                f"Official datasets come into it with: satellite reference {said}"
            ) from error
        unique = {ref.id: ref for ref in found}
    return list(unique.values())[:limit]
