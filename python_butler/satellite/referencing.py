"""What a satellite does with official datasets: refer to them, keep copies, fetch them, forget them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsst.daf.butler import DataIdValue, DatasetRef

from .notebook import shows_progress
from .place import Place
from .progress import ProgressWish

if TYPE_CHECKING:
    from .forgetting import ForgetReport
    from .pins import PinReport
    from .prefetching import PrefetchReport
    from .report import ReferenceReport
    from .selecting import What

__all__ = ["Referencing"]


class Referencing(Place):
    """The methods of a satellite that concern official datasets."""

    @shows_progress
    def reference(
        self,
        what: What,
        *,
        where: str = "",
        bind: Mapping[str, Any] | None = None,
        data_id: Mapping[str, DataIdValue] | None = None,
        collections: Sequence[str] | str | None = None,
        with_structure: bool = True,
        copy: bool = False,
        limit: int | None = None,
        dry_run: bool = False,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
        **kwargs: DataIdValue,
    ) -> ReferenceReport:
        """Take official datasets into the satellite, by reference: no file is copied.

        They keep their identity, their run and their data IDs, and bring the dimension records that
        they need. They come in batches, each there whole or not at all, so that an interrupted call is
        completed by calling it again; a call that finds everything there changes nothing.

        Parameters
        ----------
        what : `str`, `lsst.daf.butler.DatasetType`, `lsst.daf.butler.DatasetRef`, iterable or query
            Names of dataset types, wildcards allowed; or official datasets; or a query of the official
            repository, or the datasets that it finds.
        where : `str`, optional
            Expression that the datasets must fulfil, as for upstream's ``query_datasets``.
        bind : mapping, optional
            Values for the names in ``where``.
        data_id : mapping, optional
            Values of dimensions: as many as wanted.
        collections : `str` or sequence of `str`, optional
            Collections to search, in order: as upstream does, the first dataset for each data ID is
            taken. Of calibrations every one is taken, whatever its validity range. If not given, the
            collection that has the name of the official repository. For datasets that are given one by
            one: collections whose structure is to be brought, none if not given.
        with_structure : `bool`, optional
            Whether to make the searched collections again around what is in the satellite: tags,
            validity ranges, and chains with their official names and order. Nothing that an earlier
            call brought is lost.
        copy : `bool`, optional
            Whether to `pin` the datasets too.
        limit : `int`, optional
            Stop after so many datasets.
        dry_run : `bool`, optional
            Only say how many datasets there are, and their size; the satellite need not be there yet.
        progress : callable or `False`, optional
            Called with a `python_butler.satellite.progress.Progress`. If not given, a bar appears in a
            notebook when this takes long, and interrupting the kernel ends it in good order; with `False`
            nothing does.
        cancel : `threading.Event`, optional
            Set it to stop after the batch that is being written. No server is waited for any longer.
        **kwargs
            Further values of dimensions.

        Returns
        -------
        report : `python_butler.satellite.report.ReferenceReport`
            What became of the datasets, and which are not fine.

        Raises
        ------
        lsst.daf.butler.MissingDatasetTypeError, lsst.daf.butler.MissingCollectionError
            If a type or collection does not exist officially.
        lsst.daf.butler.InvalidQueryError
            If the search is malformed.
        InvalidRequestError
            If it is not said where to search, or a dimension does not exist.
        OfficialServerError
            If the server, the token or the network is in trouble. Batches that are done stay.
        """
        from .references import reference
        from .selecting import Request

        if isinstance(collections, str):
            collections = [collections]
        request = Request(what, where, bind, {**(data_id or {}), **kwargs}, collections, limit)
        return reference(
            self,
            request,
            with_structure=with_structure,
            copy=copy,
            dry_run=dry_run,
            progress=progress or None,
            cancel=cancel,
        )

    @shows_progress
    def pin(
        self,
        refs: Iterable[DatasetRef],
        *,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> PinReport:
        """Copy the files of referenced datasets into the satellite, to read them without any server.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are referenced in the satellite.
        progress, cancel
            As for `reference`.

        Returns
        -------
        report : `python_butler.satellite.pins.PinReport`
            What was copied, and what could not be.

        Raises
        ------
        OfficialServerError
            If the server, the token or the network is in trouble. What is copied stays.
        """
        from .pins import pin

        return pin(self, refs, progress=progress or None, cancel=cancel)

    def unpin(self, refs: Iterable[DatasetRef]) -> PinReport:
        """Remove the copies of official datasets, which are referenced again.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are pinned. One that the official server does not have is kept.

        Returns
        -------
        report : `python_butler.satellite.pins.PinReport`
            What was removed, and what was kept.

        Raises
        ------
        OfficialServerError
            If the server, the token or the network is in trouble: nothing is removed.
        """
        from .pins import unpin

        return unpin(self, refs)

    def forget(self, refs: Iterable[DatasetRef]) -> ForgetReport:
        """Take references out of the satellite: from all of its collections, the user's own as well.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets that are referenced. Those that have a file in the satellite are kept: the user's
            own, and pinned ones. Runs, tags and chains stay even if nothing is left in them: nothing tells
            who wants them, they may be in chains of the user's own, and the same datasets find their
            place again if they are referenced later.

        Returns
        -------
        report : `python_butler.satellite.forgetting.ForgetReport`
            How many were forgotten, and which were kept.
        """
        from .forgetting import forget

        return forget(self, refs)

    @shows_progress
    def prefetch(
        self,
        refs: Iterable[DatasetRef],
        *,
        progress: ProgressWish = None,
        cancel: threading.Event | None = None,
    ) -> PrefetchReport:
        """Fetch the files of referenced datasets into the cache, several at a time.

        The cache is shared by all of the user's kernels and bounded: what is not used makes room.

        Parameters
        ----------
        refs : iterable of `lsst.daf.butler.DatasetRef`
            Datasets; those that are not referenced are left out.
        progress, cancel
            As for `reference`.

        Returns
        -------
        report : `python_butler.satellite.prefetching.PrefetchReport`
            For how many that was done, and which were left out.

        Raises
        ------
        InvalidRequestError
            If they are larger than the cache, or more than it keeps.
        GoneError
            If one of them is no longer in the official repository, after the others were fetched.
        OfficialServerError
            If the server, the token or the network is in trouble.
        """
        from .prefetching import prefetch

        return prefetch(self, refs, progress=progress or None, cancel=cancel)
