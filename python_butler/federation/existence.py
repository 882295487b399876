"""Whether official datasets and their files exist, asked for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from concurrent.futures import ThreadPoolExecutor

from lsst.daf.butler import DatasetExistence, DatasetId, DatasetRef
from lsst.daf.butler.remote_butler import RemoteButler

from ..datastore import signer_for
from ..errors import GoneError

__all__ = ["official_existence"]

_AT_ONCE = 16
"""Files that are looked for at the same time."""


def official_existence(
    official: RemoteButler, label: str, refs: Iterable[DatasetRef], *, full_check: bool = True
) -> dict[DatasetRef, DatasetExistence]:
    """Tell what the official repository has of some datasets.

    What the server has recorded takes one request for thousands of datasets. Files are looked for in the
    object store itself, several at a time.

    Parameters
    ----------
    official : `lsst.daf.butler.remote_butler.RemoteButler`
        The official repository.
    label : `str`
        Its label.
    refs : iterable of `lsst.daf.butler.DatasetRef`
        Datasets.
    full_check : `bool`, optional
        Whether files are to be looked for, or only records of them.

    Returns
    -------
    existence : `dict` [`lsst.daf.butler.DatasetRef`, `lsst.daf.butler.DatasetExistence`]
        What there is of each.
    """
    refs = list(refs)
    files = official._file_transfer_source.get_file_info_for_transfer([ref.id for ref in refs])
    rest = [ref.id for ref in refs if not files.get(ref.id)]
    recorded = {ref.id for ref in official.get_many_datasets(rest)} if rest else set()
    bare = DatasetExistence.RECORDED if full_check else DatasetExistence.RECORDED | DatasetExistence._ASSUMED
    existence = {ref: bare if ref.id in recorded else DatasetExistence.UNRECOGNIZED for ref in refs}
    components = {id: [each.file_info.component for each in found] for id, found in files.items() if found}
    there: Set[DatasetId] = _with_files(label, components) if full_check else components.keys()
    for ref in (ref for ref in refs if ref.id in components):
        existence[ref] = DatasetExistence.RECORDED | DatasetExistence.DATASTORE
        if ref.id in there:
            existence[ref] = DatasetExistence.VERIFIED if full_check else DatasetExistence.KNOWN
    return existence


def _with_files(label: str, components: Mapping[DatasetId, list[str | None]]) -> Set[DatasetId]:
    """Datasets all files of which are in the object store."""
    signer = signer_for(label)

    def is_there(dataset_id: DatasetId) -> bool:
        try:
            for component in components[dataset_id]:
                signer.length(dataset_id, component)
        except GoneError:
            return False
        return True

    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        found = pool.map(is_there, components)
        return {dataset_id for dataset_id, there in zip(components, found, strict=True) if there}
    finally:
        # After the first failure of the server or the store nothing more is asked.
        pool.shutdown(cancel_futures=True)
