"""Which dataset is meant, and in which repository it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from lsst.daf.butler import (
    ButlerUserError,
    CollectionType,
    DataCoordinate,
    DataId,
    DatasetNotFoundError,
    DatasetRef,
    DatasetType,
    Timespan,
)
from lsst.daf.butler.registry import CollectionArgType, NoDefaultCollectionError
from lsst.daf.butler.utils import has_globs

from ..errors import OfflineError
from .arguments import collection_terms, dataset_type_name, may_exist
from .rewriting import rewrite
from .segments import Segment, segments_of
from .shared import Side
from .spooled import SpooledHome, without_spooled_records

if TYPE_CHECKING:
    from lsst.daf.butler import Butler

    from .searching import SearchingButler

__all__ = ["Finder", "Home", "Search"]

type Home = Butler | SpooledHome
"""Where datasets are read."""


@dataclass(frozen=True)
class Search:
    """One search for a dataset by data ID, ready to be put to either repository."""

    dataset_type: DatasetType
    data_id: DataId | None
    values: dict[str, Any]
    timespan: Timespan | None
    names: list[str]
    segments: list[Segment]
    unreachable: OfflineError | None = None
    """Why collections after those of the segments cannot be searched."""

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
    butler : `SearchingButler`
        Butler that looks for something.
    """

    def __init__(self, butler: SearchingButler) -> None:
        self._butler = butler
        self._sides = butler._sides

    def home(self, ref: DatasetRef, *, look: bool = True) -> tuple[Home, DatasetRef]:
        """Repository in which a dataset is read.

        Parameters
        ----------
        ref : `lsst.daf.butler.DatasetRef`
            The dataset.
        look : `bool`, optional
            As for `homes`.

        Returns
        -------
        home : `lsst.daf.butler.Butler` or `SpooledHome`
            The satellite if it holds the dataset, otherwise the official repository.
        ref : `lsst.daf.butler.DatasetRef`
            The dataset to ask it for.
        """
        ((home, (ref,)),) = self.homes([ref], look=look)
        return home, ref

    def homes(self, refs: Iterable[DatasetRef], *, look: bool = True) -> list[tuple[Home, list[DatasetRef]]]:
        """Sort datasets by the repository in which they are read.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets.
        look : `bool`, optional
            Whether some of them may be in the spool.

        Returns
        -------
        homes : `list` of `tuple`
            Each repository that has any of them, with its datasets; what is in the spool apart.
        """
        refs = [without_spooled_records(ref) for ref in refs]
        # Before the registry is asked: what is in neither then is nowhere.
        spooled = self._sides.spooled
        waiting = spooled.of(refs) if look and spooled.look() else {}
        found: list[tuple[Home, list[DatasetRef]]] = []
        if waiting:
            found.append((spooled.home(waiting), [ref for ref in refs if ref.id in waiting]))
            refs = [ref for ref in refs if ref.id not in waiting]
        return [*found, *self._registered_homes(refs)] if refs or not found else found

    def _registered_homes(self, refs: list[DatasetRef]) -> list[tuple[Home, list[DatasetRef]]]:
        personal = self._sides.personal
        if personal is None:
            return [(self._sides.official, refs)]
        known = {ref.id for ref in personal.get_many_datasets({ref.id for ref in refs})}
        held = personal._datastore.knows_these([ref for ref in refs if ref.id in known])
        mine: list[DatasetRef] = []
        theirs: list[DatasetRef] = []
        for ref in refs:
            (mine if held.get(ref, False) or self._is_mine(ref, ref.id in known) else theirs).append(ref)
        if theirs and self._sides.offline:
            raise self._sides.shared.reach.unavailable(f"Dataset {theirs[0]}")
        found: list[tuple[Home, list[DatasetRef]]] = [(personal, mine), (self._sides.official, theirs)]
        return [(butler, datasets) for butler, datasets in found if datasets]

    def _is_mine(self, ref: DatasetRef, known: bool) -> bool:
        """Whether a dataset that the satellite has no file of belongs to it; if not, the server is asked."""
        official = bool(self._sides.collections(Side.OFFICIAL, [ref.run])) or self._sides.offline
        # One of its own that lost its file, or one that nobody knows: its run says who should.
        return not official and (known or bool(self._sides.collections(Side.PERSONAL, [ref.run])))

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
        name = dataset_type_name(dataset_type)
        parent = self._butler.get_dataset_type(DatasetType.splitDatasetTypeName(name)[0])
        names = self.names_of(collections)
        if not may_exist(data_id, values):
            return Search(parent, data_id, values, timespan, names, [])
        segments, unreachable = self._reachable_segments(names, parent)
        by_fields = any("." in str(key) for key in (data_id if isinstance(data_id, Mapping) else ()))
        if by_fields or any(segment.side is Side.PERSONAL for segment in segments):
            # Each side would complete the data ID from its own records: do it once, from both.
            data_id, values = rewrite(self._butler, data_id, parent, values)
            if parent.isCalibration() and timespan is None:
                timespan = self._validity(data_id, values)
        return Search(parent, data_id, values, timespan, names, segments, unreachable)

    def timed(self, search: Search) -> Search:
        """Complete a search for a calibration by the time it is needed for.

        Parameters
        ----------
        search : `Search`
            A search without a time.

        Returns
        -------
        timed : `Search`
            With the time of the exposure or visit in its data ID. If there is none, with all time, as
            upstream has it: that there is more than one such calibration is an error then.
        """
        data_id, values = rewrite(self._butler, search.data_id, search.dataset_type, search.values)
        timespan = self._validity(data_id, values) or Timespan(None, None)
        return replace(search, data_id=data_id, values=values, timespan=timespan)

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
        names = collection_terms(collections)
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
            if segment.side is Side.OFFICIAL and (held := self._held(search, segment, dataset_type, options)):
                return held
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
        if search.unreachable is not None:
            raise search.unreachable
        return None

    def first_waiting(
        self,
        dataset_type: DatasetType | str,
        data_id: DataId | None,
        collections: CollectionArgType | None,
        values: dict[str, Any],
    ) -> tuple[DatasetRef, list[str]] | None:
        """Find the first dataset of a search that is in the spool.

        Parameters
        ----------
        dataset_type, data_id, collections, values
            As for `search`.

        Returns
        -------
        found : `tuple` or `None`
            The dataset, with datastore records, and the collections that are searched before its run:
            what is there comes first.
        """
        if not self._sides.spooled.look():
            return None
        try:
            name = dataset_type_name(dataset_type)
            parent = self._butler.get_dataset_type(DatasetType.splitDatasetTypeName(name)[0])
            searched = dict(self._searched(self.names_of(collections)))
            runs = [run for run, is_own_run in searched.items() if is_own_run]
            if not runs:
                return None
            plain, rest = rewrite(self._butler, data_id, parent, dict(values))
            coordinate = self._butler._standardize(parent, plain, rest)
        except (ButlerUserError, LookupError, ValueError, TypeError, OfflineError):
            # The search itself says what is wrong.
            return None
        ref = self._sides.spooled.find(parent, coordinate, runs)
        if ref is None:
            return None
        names = list(searched)
        return ref, names[: names.index(ref.run)]

    def _searched(self, names: list[str]) -> Iterator[tuple[str, bool]]:
        """Collections in the order in which they are searched, and whether each is a run of the user's."""
        for name in names:
            try:
                located = self._butler.collections.flatten([name])
            except OfflineError:
                # What comes after cannot be searched.
                return
            for each, (info, home) in located.items():
                yield each, info.type is CollectionType.RUN and home is Side.PERSONAL

    def may_hold(self, search: Search) -> bool:
        """Tell whether the satellite may hold an official dataset, by reference or as a copy.

        Parameters
        ----------
        search : `Search`
            A search in official collections only.

        Returns
        -------
        may : `bool`
            `False` if it does not.
        """
        segments = self._segments_here(search)
        return any(self._find_here(search, names, search.dataset_type, {}) for _, names in segments)

    def _held(
        self, search: Search, segment: Segment, dataset_type: DatasetType | str, options: dict[str, Any]
    ) -> tuple[Butler, DatasetRef] | None:
        """Find an official dataset in the satellite's part of its run, if no other can come before it."""
        for first, names in self._segments_here(search, segment):
            if first is not None and first in names:
                ref = self._find_here(search, [first], dataset_type, options)
                if ref is not None:
                    return cast("Butler", self._sides.personal), ref
        return None

    def _segments_here(
        self, search: Search, segment: Segment | None = None
    ) -> list[tuple[str | None, list[str]]]:
        """Official collections of which the satellite has a part with datasets of the right type.

        With each list comes the first collection that is searched, if it is a run: in a run a data ID
        means one dataset, so that one that is found there is the right one.
        """
        if self._sides.personal is None:
            return []
        name = search.dataset_type.name
        found: list[tuple[str | None, list[str]]] = []
        for each in search.segments if segment is None else [segment]:
            located = self._butler.collections.flatten(each.names)
            searched = [n for n, it in located.items() if name in (it.info.dataset_types or {name})]
            here = self._sides.collections(Side.PERSONAL, searched)
            parts = [n for n, info in here.items() if name in (info.dataset_types or ())]
            if parts:
                is_run = located[searched[0]].info.type is CollectionType.RUN
                found.append((searched[0] if is_run else None, parts))
        return found

    def _find_here(
        self,
        search: Search,
        names: list[str],
        dataset_type: DatasetType | str,
        options: dict[str, Any],
    ) -> DatasetRef | None:
        try:
            return cast("Butler", self._sides.personal).find_dataset(
                dataset_type,
                search.data_id,
                collections=names,
                timespan=search.timespan,
                **options,
                **search.values,
            )
        except (ButlerUserError, LookupError, ValueError):
            # The satellite lacks records that the data ID is told by; the server has them.
            return None

    def _reachable_segments(
        self, names: list[str], dataset_type: DatasetType
    ) -> tuple[list[Segment], OfflineError | None]:
        """Collections up to the first that cannot be searched without the server: what is in them wins."""
        try:
            return self._segments(names, dataset_type), None
        except OfflineError as error:
            unreachable = error
        for last in reversed(range(1, len(names))):
            try:
                return self._segments(names[:last], dataset_type), unreachable
            except OfflineError:
                continue
        raise unreachable

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
