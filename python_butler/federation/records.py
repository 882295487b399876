"""Bringing official dimension records to the satellite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from lsst.daf.butler import (
    Butler,
    ButlerUserError,
    DataCoordinate,
    DimensionGroup,
    DimensionRecord,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import DataIdError

from .sides import Sides

__all__ = ["bring_records", "expanded_in"]

_FEW = 5
"""Up to so many data IDs are expanded one by one: a request for each, not for each of their elements."""


def bring_records(sides: Sides, data_ids: Iterable[DataCoordinate]) -> None:
    """Copy the official dimension records that data IDs need to the satellite.

    All elements of the data IDs are copied, and what belongs to them, such as the regions of a visit's
    detectors and the exposures that make a visit up. Data IDs that the official repository does not
    know are left alone: their records are the user's own.

    Parameters
    ----------
    sides : `Sides`
        The two repositories.
    data_ids : iterable of `lsst.daf.butler.DataCoordinate`
        Data IDs of datasets that are about to be written.
    """
    # Every transaction of the writer locks the database, also one that only reads.
    reader = sides.personal or sides.writer
    bare = dict.fromkeys(map(_without_records, data_ids))
    lacking = _lacking(reader, list(bare))
    if not lacking:
        return
    with _one_after_the_other(sides) as others_came_first:
        if others_came_first:
            reader = sides.personal or sides.writer
            lacking = _lacking(reader, lacking)
        expanded = _expand_officially(sides.official, lacking) + _sources_of_unions(sides, lacking)
        if expanded:
            sides.writer.transfer_dimension_records_from(sides.official, expanded)
            sides.changed()


@contextmanager
def _one_after_the_other(sides: Sides) -> Iterator[bool]:
    """Let threads that lack the same records not all ask for them; tell whether others came first."""
    if sides.in_transaction:
        # Others may be waiting for its end.
        yield False
        return
    lock = sides.shared.bringing
    waited = not lock.acquire(blocking=False)
    if waited:
        lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


def _without_records(data_id: DataCoordinate) -> DataCoordinate:
    """A data ID that has to be looked up: one with records would be taken at its word."""
    return DataCoordinate.from_required_values(data_id.dimensions, data_id.required_values)


def expanded_in(
    butler: DirectButler, data_id: DataCoordinate, records: Mapping[str, DimensionRecord] | None = None
) -> DataCoordinate | None:
    """Look a data ID up in one repository.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The repository.
    data_id : `lsst.daf.butler.DataCoordinate`
        A data ID without records.
    records : mapping [`str`, `lsst.daf.butler.DimensionRecord`], optional
        Those of its records that are known, by the names of their elements.

    Returns
    -------
    expanded : `lsst.daf.butler.DataCoordinate` or `None`
        With its records; `None` if the repository lacks one of them.
    """
    try:
        expanded = butler.registry.expandDataId(data_id, withDefaults=False, records=records)
    except DataIdError:
        return None
    return expanded if _complete(expanded, expanded.dimensions.elements) else None


def _lacking(butler: DirectButler, data_ids: list[DataCoordinate]) -> list[DataCoordinate]:
    """Tell which data IDs lack a record in a repository."""
    if len(data_ids) > _FEW:
        # Of unknown ones, upstream leaves records out or raises an error.
        with suppress(ButlerUserError, LookupError):
            pairs = zip(data_ids, butler._expand_data_ids(data_ids), strict=True)
            return [bare for bare, expanded in pairs if not _complete(expanded, bare.dimensions.elements)]
    return [data_id for data_id in data_ids if expanded_in(butler, data_id) is None]


def _complete(data_id: DataCoordinate, names: Iterable[str]) -> bool:
    """Whether a data ID has the records of those of some elements that have a table of their own."""
    elements = (data_id.universe[name] for name in names)
    return all(data_id.records.get(each.name) is not None for each in elements if each.has_own_table)


def _sources_of_unions(sides: Sides, data_ids: Iterable[DataCoordinate]) -> list[DataCoordinate]:
    """Official data IDs whose records make up values that have no table, as filters make up the bands."""
    wanted = {
        (name, data_id[name])
        for data_id in data_ids
        for name in data_id.dimensions.required
        if data_id.universe.dimensions[name].implied_union_target is not None
    }
    found: list[DataCoordinate] = []
    for name, value in wanted:
        target = sides.universe.dimensions[name].implied_union_target
        assert target is not None, "it was looked at"
        with sides.official.query() as query:
            found += query.where({name: value}).data_ids(target.minimal_group).with_dimension_records()
    return found


def _expand_officially(official: Butler, data_ids: list[DataCoordinate]) -> list[DataCoordinate]:
    if len(data_ids) > _FEW:
        try:
            return _expand_together(official, data_ids)
        except (ButlerUserError, LookupError):
            data_ids = _known_officially(official, data_ids)
        with suppress(ButlerUserError, LookupError):
            return _expand_together(official, data_ids)
    expanded = []
    for data_id in data_ids:
        try:
            expanded.append(official.registry.expandDataId(data_id, withDefaults=False))
        except DataIdError:
            continue
    return expanded


def _expand_together(official: Butler, data_ids: list[DataCoordinate]) -> list[DataCoordinate]:
    """Expand data IDs with few requests; some of the unknown are left out, others raise an error."""
    found = []
    for data_id in official._expand_data_ids(data_ids):
        # Upstream gives data IDs without those of their records that it does not find. Dimensions need
        # theirs; a visit's detectors may well be without regions.
        if _complete(data_id, data_id.dimensions.names):
            found.append(data_id.expanded({n: data_id.records.get(n) for n in data_id.dimensions.elements}))
    return found


def _known_officially(official: Butler, data_ids: list[DataCoordinate]) -> list[DataCoordinate]:
    """Find those of many data IDs that the official repository knows, without asking for each."""
    groups: dict[DimensionGroup, list[DataCoordinate]] = {}
    for data_id in data_ids:
        groups.setdefault(data_id.dimensions, []).append(data_id)
    known: list[DataCoordinate] = []
    for dimensions, some in groups.items():
        with official.query() as query:
            found = set(query.join_data_coordinates(some).data_ids(dimensions))
        known += [data_id for data_id in some if data_id in found]
    return known
