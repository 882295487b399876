"""Which dataset is meant, and in which repository it is read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from lsst.daf.butler import (
    DataCoordinate,
    DataId,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    Timespan,
)
from lsst.daf.butler.direct_butler import DirectButler
from lsst.daf.butler.registry import CollectionArgType, NoDefaultCollectionError
from lsst.daf.butler.remote_butler._collection_args import convert_collection_arg_to_glob_string_list
from lsst.daf.butler.utils import has_globs

from .segments import Segment, segments_of
from .shared import Side

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

    from .reading import ReadingButler

__all__ = ["Finder", "Search"]


@dataclass(frozen=True)
class Search:
    """One search for a dataset by data ID, ready to be put to either repository."""

    dataset_type: DatasetType
    data_id: DataId | None
    values: dict[str, Any]
    timespan: Timespan | None
    names: list[str]
    segments: list[Segment]

    def not_found(self) -> DatasetNotFoundError:
        """Upstream's exception for a dataset that is in none of the collections."""
        return DatasetNotFoundError(
            f"Dataset {self.dataset_type.name} with data ID {self.data_id or self.values} "
            f"could not be found in collections {self.names}."
        )


class Finder:
    """Finds datasets in both repositories.

    Parameters
    ----------
    butler : `ReadingButler`
        Butler that looks for something.
    """

    def __init__(self, butler: ReadingButler) -> None:
        self._butler = butler
        self._sides = butler._sides

    def home(self, ref: DatasetRef) -> Butler:
        """Repository in which a dataset is read.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.

        Returns
        -------
        butler : `lsst.daf.butler.Butler`
            The satellite if it holds the dataset, otherwise the official repository.
        """
        return self.homes([ref])[0][0]

    def homes(self, refs: Iterable[DatasetRef]) -> list[tuple[Butler, list[DatasetRef]]]:
        """Sort datasets by the repository in which they are read.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets.

        Returns
        -------
        homes : `list` of `tuple`
            Each repository that has any of them, with its datasets.
        """
        refs = list(refs)
        personal = self._sides.personal
        if personal is None:
            return [(self._sides.official, refs)]
        known = {ref.id for ref in personal.get_many_datasets({ref.id for ref in refs})}
        held = personal._datastore.knows_these([ref for ref in refs if ref.id in known])
        mine: list[DatasetRef] = []
        theirs: list[DatasetRef] = []
        for ref in refs:
            # A dataset that is known here but not held is either official or has lost its file.
            is_mine = ref.id in known and (
                held.get(ref, False) or not self._sides.collections(Side.OFFICIAL, [ref.run])
            )
            # Nobody knows it: its run says who should.
            is_mine |= ref.id not in known and bool(
                self._sides.collections(Side.PERSONAL, [ref.run])
                and not self._sides.collections(Side.OFFICIAL, [ref.run])
            )
            (mine if is_mine else theirs).append(ref)
        found: list[tuple[Butler, list[DatasetRef]]] = [(personal, mine), (self._sides.official, theirs)]
        return [(butler, datasets) for butler, datasets in found if datasets]

    def search(
        self,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        collections: CollectionArgType | None,
        timespan: Timespan | None,
        values: dict[str, Any],
    ) -> Search:
        """Work out where a dataset has to be looked for, and by which data ID.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType` or `str`
            A dataset type or a component, or the name of one.
        data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
            Data ID; may name dimensions by their records, as upstream allows.
        collections : collection expression, optional
            Collections to search; the default ones if not given.
        timespan : `lsst.daf.butler.Timespan`, optional
            Validity range that is wanted of a calibration.
        values : `dict`
            More values of the data ID.

        Returns
        -------
        search : `Search`
            The search.
        """
        name = dataset_type if isinstance(dataset_type, str) else dataset_type.name
        parent = self._butler.get_dataset_type(DatasetType.splitDatasetTypeName(name)[0])
        names = self.names_of(collections)
        segments = self._segments(names, parent)
        if any(segment.side is Side.PERSONAL for segment in segments):
            # Each side would complete the data ID from its own records: do it once, from both.
            data_id, values = self.rewrite(data_id, parent, values)
            if parent.isCalibration() and timespan is None:
                timespan = self._validity(data_id, values)
        return Search(parent, data_id, values, timespan, names, segments)

    def rewrite(
        self, data_id: DataId | None, dataset_type: DatasetType, values: dict[str, Any]
    ) -> tuple[DataId | None, dict[str, Any]]:
        """Replace what a data ID says by dimension records, as ``exposure.obs_id``, by dimension values.

        Parameters
        ----------
        data_id : `dict` or `lsst.daf.butler.DataCoordinate`, optional
            Data ID as the user gave it.
        dataset_type : `lsst.daf.butler.DatasetType`
            Dataset type it is for.
        values : `dict`
            More values of the data ID.

        Returns
        -------
        data_id : `dict` or `lsst.daf.butler.DataCoordinate` or `None`
            Data ID with dimension values only.
        values : `dict`
            The rest of them.
        """
        # Upstream's method needs nothing of its class but what every Butler has.
        return DirectButler._rewrite_data_id(
            cast(DirectButler, self._butler), data_id, dataset_type, **values
        )

    def names_of(self, collections: CollectionArgType | None) -> list[str]:
        """Names of collections to search, in order.

        Parameters
        ----------
        collections : collection expression or `None`
            What the user gave; the default collections if nothing.

        Returns
        -------
        names : `list` [`str`]
            Names without wildcards.

        Raises
        ------
        lsst.daf.butler.registry.NoDefaultCollectionError
            If none were given and there are no default ones.
        """
        if collections is None:
            defaults = self._butler.collections.defaults
            if not defaults:
                raise NoDefaultCollectionError(
                    "No collections provided, and no defaults from butler construction."
                )
            return list(defaults)
        names = list(convert_collection_arg_to_glob_string_list(collections))
        return list(self._butler.collections.query(names)) if has_globs(names) else names

    def first(
        self, dataset_type: DatasetType | str, search: Search, **options: Any
    ) -> tuple[Butler, DatasetRef] | None:
        """Find the first dataset of a search.

        Parameters
        ----------
        dataset_type : `lsst.daf.butler.DatasetType` or `str`
            Dataset type as the user gave it: a component or another storage class is kept.
        search : `Search`
            The search.
        **options
            Passed to upstream's ``find_dataset``.

        Returns
        -------
        found : `tuple` or `None`
            The repository and the dataset.
        """
        for segment in search.segments:
            butler = self._sides.butler(segment.side)
            assert butler is not None, "it has collections"
            ref = butler.find_dataset(
                dataset_type,
                search.data_id,
                collections=segment.names,
                timespan=search.timespan,
                **options,
                **search.values,
            )
            if ref is not None:
                return butler, ref
        return None

    def _segments(self, names: list[str], dataset_type: DatasetType) -> list[Segment]:
        whole = Segment(Side.OFFICIAL, tuple(names))
        if self._sides.personal is None:
            return [whole]
        collections = self._butler.collections
        segments = segments_of(collections, names, dataset_type.name)
        if [segment.side for segment in segments] == [Side.OFFICIAL] and all(
            located.home is Side.OFFICIAL for located in collections.expand(names).values()
        ):
            # The names of chains say the same, and are fewer.
            return [whole]
        return segments

    def _validity(self, data_id: DataId | None, values: dict[str, Any]) -> Timespan | None:
        """Time for which a calibration has to be valid, from the exposure or visit of the data ID."""
        registry = self._butler.registry
        standardized = DataCoordinate.standardize(
            data_id, universe=self._butler.dimensions, defaults=registry.defaults.dataId, **values
        )
        if not standardized.dimensions.temporal:
            return None
        return registry.expandDataId(standardized).timespan
