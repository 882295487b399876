"""Where the datasets of a search are, by one query that has the regions in its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lsst.daf.butler import Butler, DimensionElement, SkyPixDimension
from lsst.daf.butler import DatasetType as ButlerDatasetType
from lsst.sphgeom import Region

from ..listing import Listing, count, plan
from ..models import DataIdValue
from ..queries.calls import apply
from ..queries.models import DatasetSearch
from ..repository import BrowsedRepository
from ..streaming import Sink
from .models import Footprint, FootprintDataset, FootprintsBatch, FootprintsBegin, FootprintsSummary
from .shapes import rings_of

__all__ = ["produce", "region_element"]

_BATCH = 500

_Row = dict[str, Any]


def produce(repository: BrowsedRepository, search: DatasetSearch, limit: int, sink: Sink) -> None:
    """Give the footprints of the datasets that a search finds; runs in a thread.

    Parameters
    ----------
    repository : `BrowsedRepository`
        Where.
    search : `DatasetSearch`
        What is listed.
    limit : `int`
        Most datasets.
    sink : `Sink`
        Takes the events.
    """
    listing = plan(repository, search)
    element = region_element(listing.dataset_type)
    sink.event(
        FootprintsBegin(
            element=None if element is None else element.name,
            region_dimensions=[] if element is None else list(element.minimal_group.required),
            dimensions=list(listing.dataset_type.dimensions.required),
        )
    )
    if element is None:
        return
    found = _Footprints(listing.dataset_type, element)
    asked = listing.call.limit
    most = limit if asked is None else min(limit, asked)
    if not listing.is_empty:
        with repository.query(sink) as butler:
            for row in _rows(butler, listing, element, most):
                found.take(row)
                if len(found.datasets) == _BATCH:
                    sink.event(found.batch())
        sink.event(found.batch())
    capped = found.taken >= limit
    # Rows without a region do not come at all: how many there are tells the difference.
    missing = 0 if capped else max(0, count(repository, listing, sink).count - found.count)
    sink.event(FootprintsSummary(capped=capped, without_region=missing))


def region_element(dataset_type: ButlerDatasetType) -> DimensionElement | None:
    """Tell whose region says where the datasets of a type are.

    Parameters
    ----------
    dataset_type : `lsst.daf.butler.DatasetType`
        Any.

    Returns
    -------
    element : `lsst.daf.butler.DimensionElement` or `None`
        The element with the finest regions; what was observed goes before what the sky was divided into.
        `None` if nothing in the data ID has a place on the sky.
    """
    dimensions = dataset_type.dimensions
    elements = [dimensions.universe[str(family.choose(dimensions).name)] for family in dimensions.spatial]
    elements.sort(key=lambda element: (isinstance(element, SkyPixDimension), "visit" not in element.name))
    return elements[0] if elements else None


class _Footprints:
    """Collects rows until they are sent; each region is sent once."""

    def __init__(self, dataset_type: ButlerDatasetType, element: DimensionElement) -> None:
        self._element = element
        self._names = list(dataset_type.dimensions.required)
        self._region_names = list(element.minimal_group.required)
        self._id = f"{dataset_type.name}.dataset_id"
        self._indices: dict[tuple[DataIdValue, ...], int | None] = {}
        self._drawn = 0
        self._seen: set[Any] = set()
        self.regions: list[Footprint] = []
        self.datasets: list[FootprintDataset] = []
        self.taken = 0
        """How many rows there were."""
        self.count = 0
        """How many datasets have a region."""

    def take(self, row: _Row) -> None:
        self.taken += 1
        # A calibration collection gives a dataset once for each of its validity ranges.
        if row[self._id] in self._seen:
            return
        self._seen.add(row[self._id])
        key = tuple(row[name] for name in self._region_names)
        if key not in self._indices:
            self._indices[key] = self._add(key, self._region(row))
        index = self._indices[key]
        if index is not None:
            self.count += 1
            values = [row[name] for name in self._names]
            self.datasets.append(FootprintDataset(id=row[self._id], values=values, region=index))

    def batch(self) -> FootprintsBatch:
        batch = FootprintsBatch(regions=self.regions, datasets=self.datasets)
        self.regions, self.datasets = [], []
        return batch

    def _region(self, row: _Row) -> Region | None:
        if isinstance(self._element, SkyPixDimension):
            region: Region | None = self._element.pixelization.pixel(row[self._element.name])
        else:
            region = row[f"{self._element.name}.region"]
        return region

    def _add(self, key: tuple[DataIdValue, ...], region: Region | None) -> int | None:
        rings, approximate = ([], False) if region is None else rings_of(region)
        if not rings:
            return None
        self.regions.append(Footprint(values=list(key), rings=rings, approximate=approximate))
        self._drawn += 1
        return self._drawn - 1


def _rows(butler: Butler, listing: Listing, element: DimensionElement, limit: int) -> Iterator[_Row]:
    dataset_type, search, call = listing.dataset_type, listing.search, listing.call
    with butler.query() as query:
        results = (
            apply(query.join_dataset_search(dataset_type, search.collection), call)
            .general(
                dataset_type.dimensions,
                dimension_fields={} if isinstance(element, SkyPixDimension) else {element.name: {"region"}},
                dataset_fields={dataset_type.name: {"dataset_id", "run"}},
                find_first=call.find_first,
            )
            .order_by(*(key.order() for key in listing.keys))
        )
        yield from results.limit(limit)
