"""Which of some datasets a satellite has, how, and how large their files are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from lsst.daf.butler.registry.interfaces import FakeDatasetRef
from lsst.utils.iteration import chunk_iterable

from ...datastore import personal_of, references_of
from ...satellite.presence import is_pinned, registered

if TYPE_CHECKING:
    from lsst.daf.butler import DatasetRef
    from lsst.daf.butler.direct_butler import DirectButler

__all__ = ["Holdings", "cached"]

_BATCH = 5_000


@dataclass
class Holdings:
    """What a satellite has of some datasets.

    Attributes
    ----------
    referenced, pinned, own : `dict` [`uuid.UUID`, `int` or `None`]
        Official ones by reference, official ones with a copy, and the person's own, each with the size
        of its files in bytes, if that is known.
    """

    referenced: dict[UUID, int | None] = field(default_factory=dict)
    pinned: dict[UUID, int | None] = field(default_factory=dict)
    own: dict[UUID, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, butler: DirectButler, ids: Iterable[UUID]) -> Holdings:
        """Look datasets up; no server is asked.

        Parameters
        ----------
        butler : `lsst.daf.butler.direct_butler.DirectButler`
            The satellite.
        ids : iterable of `uuid.UUID`
            Datasets.

        Returns
        -------
        holdings : `Holdings`
            What there is of them.
        """
        holdings = cls()
        references, personal = references_of(butler), personal_of(butler)
        for chunk in chunk_iterable(ids, _BATCH):
            refs = [FakeDatasetRef(each) for each in registered(butler, chunk)]
            if not refs:
                continue
            copies = personal._get_stored_records_associated_with_refs(refs, ignore_datastore_records=True)
            for dataset_id, infos in copies.items():
                size = _size(info.file_size for info in infos)
                is_copy = all(is_pinned(dataset_id, info.path) for info in infos)
                (holdings.pinned if is_copy else holdings.own)[dataset_id] = size
            known = references._get_stored_records_associated_with_refs(refs, ignore_datastore_records=True)
            for dataset_id, infos in known.items():
                holdings.referenced[dataset_id] = _size(info.file_size for info in infos)
        return holdings

    def __contains__(self, dataset_id: object) -> bool:
        return dataset_id in self.referenced or dataset_id in self.pinned or dataset_id in self.own

    def size(self, dataset_id: UUID) -> int | None:
        """Give the size of a dataset's files in bytes, if that is known."""
        for some in (self.referenced, self.pinned, self.own):
            if dataset_id in some:
                return some[dataset_id]
        return None


def _size(sizes: Iterable[int]) -> int | None:
    known = list(sizes)
    return None if any(size < 0 for size in known) else sum(known)


def cached(butler: DirectButler, refs: Iterable[DatasetRef]) -> set[UUID]:
    """Tell which referenced datasets have all their files in the cache.

    Parameters
    ----------
    butler : `lsst.daf.butler.direct_butler.DirectButler`
        The satellite.
    refs : iterable of `lsst.daf.butler.DatasetRef`
        Datasets.

    Returns
    -------
    cached : `set` [`uuid.UUID`]
        Those that need no server to be read.
    """
    references = references_of(butler)
    seen: set[UUID] = set()
    absent: set[UUID] = set()
    for ref, path, _ in references._files(refs):
        seen.add(ref.id)
        if not references.cacheManager.known_to_cache(ref, path.getExtension()):
            absent.add(ref.id)
    return seen - absent
