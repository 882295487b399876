"""Fetching many official files into the cache on disk, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from lsst.daf.butler import DatasetRef
from lsst.resources import ResourcePath

from ..errors import GoneError, InvalidRequestError
from .file_cache import FileCache
from .path import ReferencePath
from .signer import signer_for

__all__ = ["fetch_file", "is_kept", "prefetch"]

WORKERS = 8
"""Files fetched at a time: more gain little, and a server has others to serve."""


def prefetch(
    files: Sequence[tuple[DatasetRef, ReferencePath, int]],
    cache: FileCache,
    progress: Callable[[int, int], None] | None = None,
    cancelled: threading.Event | None = None,
) -> bool:
    """Fetch files that are not in the cache yet.

    Parameters
    ----------
    files : `~collections.abc.Sequence` [`tuple` [`lsst.daf.butler.DatasetRef`, `ReferencePath`, `int`]]
        Dataset or component, file and size in bytes (-1 if it is not known).
    cache : `FileCache`
        Where they go. If it is disabled, only signed addresses are fetched.
    progress : callable, optional
        Told the number of files that are done and that of all.
    cancelled : `threading.Event`, optional
        Ends the work when it is set; what was fetched stays.

    Returns
    -------
    complete : `bool`
        Whether all are there now; `False` if it was cancelled.

    Raises
    ------
    python_butler.errors.InvalidRequestError
        If the files are larger than the cache, or more than it keeps.
    python_butler.errors.GoneError
        If one of them is no longer there, after the others were fetched.
    python_butler.errors.OfficialServerError
        If the server, the token, the network or the object store is in trouble.
    """
    wanted = [
        (ref, path, size) for ref, path, size in files if not cache.known_to_cache(ref, path.getExtension())
    ]
    kept = [(ref, size) for ref, path, size in files if is_kept(ref, path, cache)]
    if surplus := cache.surplus([ref for ref, _ in kept]):
        raise InvalidRequestError(
            f"That is {surplus} more than the cache of files keeps.",
            "Prefetch fewer, pin them in the satellite, or set DAF_BUTLER_CACHE_EXPIRATION_MODE=size=BYTES.",
        )
    total = sum(max(size, 0) for _, size in kept)
    if cache.limit is not None and total > cache.limit:
        raise InvalidRequestError(
            f"These {len(kept)} files have {total / 1e9:.1f} GB, more than the cache of files "
            f"({cache.limit / 1e9:.1f} GB) holds.",
            "Prefetch fewer, pin them in the satellite, or set DAF_BUTLER_CACHE_EXPIRATION_MODE=size=BYTES.",
        )
    done = len(files) - len(wanted)
    missing: GoneError | None = None
    stop = threading.Event()

    def fetch(ref: DatasetRef, path: ReferencePath, size: int) -> bool:
        if stop.is_set() or (cancelled is not None and cancelled.is_set()):
            return False
        fetch_file(ref, path, size, cache)
        return True

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="prefetch") as pool:
        running = [pool.submit(fetch, *each) for each in wanted]
        try:
            for future in as_completed(running):
                try:
                    fetched = future.result()
                except GoneError as error:
                    missing, fetched = error, True
                done += fetched
                if progress is not None and fetched:
                    progress(done, len(files))
        except BaseException:
            stop.set()
            raise
    if missing is not None:
        raise missing
    return done == len(files)


def is_kept(ref: DatasetRef, path: ReferencePath, cache: FileCache) -> bool:
    """Tell whether the cache keeps a file.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        Dataset, or the component if that is a file of its own.
    path : `ReferencePath`
        The file.
    cache : `FileCache`
        The cache.
    """
    # Members of zip files are read from within them, past the cache.
    return not path.fragment and cache.should_be_cached(ref)


def fetch_file(ref: DatasetRef, path: ReferencePath, size: int, cache: FileCache) -> None:
    """Fetch one file into the cache, or only its signed address if it is not to be kept.

    Parameters
    ----------
    ref : `lsst.daf.butler.DatasetRef`
        Dataset, or the component if that is a file of its own.
    path : `ReferencePath`
        The file.
    size : `int`
        Bytes that it must have; any if negative.
    cache : `FileCache`
        Where it goes.

    Raises
    ------
    python_butler.errors.GoneError
        If it is no longer there.
    python_butler.errors.OfficialServerError
        If the server, the token, the network or the object store is in trouble.
    python_butler.errors.NoSpaceError
        If there is no room for it.
    """
    if not is_kept(ref, path, cache):
        signer_for(path.label).sign(path.dataset_id, path.component)
        return
    with ResourcePath.temporary_uri(prefix=cache.download_directory, suffix=path.getExtension()) as local:
        path.download(Path(local.ospath), size)
        cache.move_to_cache(local, ref)
